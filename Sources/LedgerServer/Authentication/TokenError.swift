/// Why a bearer token was refused. The text names the rule and never holds the token.
struct TokenError: Error, Hashable, CustomStringConvertible {
    enum Kind: Sendable {
        /// The token is not acceptable.
        case refused
        /// The issuer's keys could not be had, so nothing is known about the token.
        case issuerUnavailable
    }

    let kind: Kind
    let reason: String
    /// Seconds after which it is worth asking again; counts only when the issuer was not available.
    let retryAfter: Int

    init(_ reason: String, kind: Kind = .refused, retryAfter: Int = 5) {
        self.retryAfter = retryAfter
        self.reason = reason
        self.kind = kind
    }

    var description: String { reason }
}
