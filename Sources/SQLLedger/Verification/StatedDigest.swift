/// A digest from outside of the database, and where it came from.
public struct StatedDigest: Sendable, Hashable {
    public var digest: LedgerDigest

    /// The file, or the place in the store.
    public var origin: String

    /// The URL of the store that holds it.
    public var store: String?

    /// When the store received it, if the store vouches for that: the receipt's or object's time, not the digest's own.
    public var witnessTime: CommitTime?

    public init(_ digest: LedgerDigest, origin: String, store: String? = nil, witnessTime: CommitTime? = nil) {
        self.digest = digest
        self.origin = origin
        self.store = store
        self.witnessTime = witnessTime
    }
}
