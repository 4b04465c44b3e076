import LedgerProofs

/// What a transaction did to one table: the root over its leaves and their number.
public struct TableHash: Hashable, Sendable {
    public var table: TableID
    public var root: Digest32
    /// At least 1.
    public var leafCount: UInt64

    public init(table: TableID, root: Digest32, leafCount: UInt64) {
        self.table = table
        self.root = root
        self.leafCount = leafCount
    }
}
