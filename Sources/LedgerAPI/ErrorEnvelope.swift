/// The body of every answer that is not a success: `{"error":{"code":…,"message":…}}` (API spec A.0).
public struct ErrorEnvelope: Hashable, Sendable, Codable {
    /// The inner object.
    public struct Detail: Hashable, Sendable, Codable {
        public var code: String
        public var message: String

        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    public var error: Detail

    public init(code: String, message: String) {
        self.error = Detail(code: code, message: message)
    }

    /// The JSON text.
    public func encoded() -> [UInt8] {
        var out = JSONWriter(capacity: 64 + error.message.utf8.count)
        out.raw("{\"error\":{\"code\":")
        out.string(error.code)
        out.raw(",\"message\":")
        out.string(error.message)
        out.raw("}}")
        return out.bytes
    }
}
