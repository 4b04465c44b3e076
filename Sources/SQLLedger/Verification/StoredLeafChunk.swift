import LedgerProofs

/// A chunk of leaves as it is stored: nothing about it is known to be right.
public struct StoredLeafChunk: Sendable, Hashable {
    public var transaction: TransactionNumber
    /// A table's id, or `LeafChunk.rootsKey(of:)` for a root chunk.
    public var table: Int64
    public var chunk: Int64
    /// `nil`: not a BLOB.
    public var leaves: [UInt8]?

    public init(transaction: TransactionNumber, table: Int64, chunk: Int64, leaves: [UInt8]?) {
        self.transaction = transaction
        self.table = table
        self.chunk = chunk
        self.leaves = leaves
    }
}
