/// A digest from outside of the database, and where it came from.
public struct StatedDigest: Sendable, Hashable {
    public var digest: LedgerDigest

    /// The file or the store's URL.
    public var origin: String

    /// When the store received it, if the store vouches for that: the receipt's or object's time, not the digest's own.
    public var witnessTime: CommitTime?

    public init(_ digest: LedgerDigest, origin: String, witnessTime: CommitTime? = nil) {
        self.digest = digest
        self.origin = origin
        self.witnessTime = witnessTime
    }
}
