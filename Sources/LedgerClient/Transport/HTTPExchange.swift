import NIOHTTP1

/// One call before it is sent: the same value is used for every attempt.
struct HTTPCall: Sendable {
    var method: HTTPMethod
    /// Begins with `/`; percent-encoded, with its query.
    var target: String
    var body: [UInt8]?
    var contentType = "application/json"
    var accept = "application/json"
    var requestID: String
    /// Statuses that mean success.
    var accepted: Set<UInt> = [200]
    /// A write without an answer has an unknown outcome; a read has none.
    var isWrite: Bool { method != .GET && method != .HEAD }
}

/// A complete answer.
struct HTTPAnswer: Sendable {
    var status: UInt
    var headers: HTTPHeaders
    var body: [UInt8]
}
