/// Something in a store that is not a digest of the ledger that was asked for.
public struct DigestProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        /// Not a digest, or not as it was written, or not where it belongs.
        case damaged
        /// A digest of another ledger.
        case foreign
        /// The remains of a write that was cut off. Harmless.
        case leftover
    }

    public var kind: Kind
    /// The file, or the URL of the collection and the transaction id.
    public var origin: String
    /// The rule that is broken.
    public var reason: String

    public init(_ kind: Kind, origin: String, reason: String) {
        self.kind = kind
        self.origin = origin
        self.reason = reason
    }

    public var description: String { "\(origin): \(reason)" }
}
