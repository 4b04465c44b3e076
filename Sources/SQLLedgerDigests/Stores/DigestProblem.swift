/// Something in a store that is not a digest of the ledger that was asked for.
public struct DigestProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        /// Not a digest, or not as it was written, or not where it belongs.
        case damaged
        /// Entries of a collection that are no digests, and never were, as their receipts prove. Harmless.
        case other
        /// Digests of another ledger.
        case foreign
        /// The remains of a write that was cut off. Harmless.
        case leftover
    }

    public var kind: Kind
    /// The file, or the URL of the collection and the transaction id; of several, the first one's.
    public var origin: String
    /// The rule that is broken, or what it is.
    public var reason: String
    /// How many of the kind it stands for.
    public var count: UInt64

    public init(_ kind: Kind, origin: String, reason: String, count: UInt64 = 1) {
        self.kind = kind
        self.origin = origin
        self.reason = reason
        self.count = count
    }

    public var description: String { "\(origin): \(reason)" }
}
