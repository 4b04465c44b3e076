import LedgerProofs

/// Why a text is not acceptable JSON, or not the JSON that was wanted.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// For people: names the member and the rule, never the member's value.
    public let reason: String
    /// Where in the text, in bytes; `nil` when the text was fine and its meaning was not.
    public let offset: Int?

    public init(_ reason: String, offset: Int? = nil) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        if let offset { "\(reason) (at byte \(offset))" } else { reason }
    }
}

extension JSONError {
    init(_ error: JSONTextError) { self.init(error.reason, offset: error.offset) }
}
