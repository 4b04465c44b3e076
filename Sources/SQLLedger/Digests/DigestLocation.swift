/// One row of `database_ledger_digest_locations`: how far the digests of a ledger are stored at a place.
public struct DigestLocation: Hashable, Sendable {
    /// The store's URL.
    public var path: String
    /// The newest block whose digest is known to be there; `nil` before the first.
    public var lastBlock: BlockID?
    /// Whether digests are still sent there.
    public var isCurrent: Bool

    public init(path: String, lastBlock: BlockID? = nil, isCurrent: Bool = true) {
        self.path = path
        self.lastBlock = lastBlock
        self.isCurrent = isCurrent
    }
}
