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

    init(_ reason: String, kind: Kind = .refused) {
        self.reason = reason
        self.kind = kind
    }

    var description: String { reason }
}
