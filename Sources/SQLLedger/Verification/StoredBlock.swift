import LedgerProofs

/// A block as it is stored: nothing about it is known to be right.
public struct StoredBlock: Sendable, Hashable {
    public var id: BlockID
    public var transactionsRoot: Digest32?
    public var size: UInt64?
    public var firstTransaction: TransactionNumber?
    public var previous: Digest32?
    public var historyRoot: Digest32?
    public var closeTime: CommitTime?

    /// Fields that hold no value of their kind, by name. `previous_block_hash` may be absent in block 0.
    public var unreadable: [String]

    public init(
        id: BlockID, transactionsRoot: Digest32?, size: UInt64?, firstTransaction: TransactionNumber?,
        previous: Digest32?, historyRoot: Digest32?, closeTime: CommitTime?, unreadable: [String] = []
    ) {
        self.id = id
        self.transactionsRoot = transactionsRoot
        self.size = size
        self.firstTransaction = firstTransaction
        self.previous = previous
        self.historyRoot = historyRoot
        self.closeTime = closeTime
        self.unreadable = unreadable
    }

    /// Whether the number is none that a block can have. Databases store it as a negative one, before all others.
    package var hasImpossibleID: Bool { id.rawValue > UInt64(Int64.max) }

    /// The block, if every field holds a value of its kind.
    package func block(of ledger: LedgerID) -> Block? {
        guard unreadable.isEmpty, let transactionsRoot, let size, let firstTransaction, let historyRoot, let closeTime
        else { return nil }
        return Block(
            ledger: ledger, id: id, transactionsRoot: transactionsRoot, size: size, firstTransaction: firstTransaction,
            previous: previous, historyRoot: historyRoot, closeTime: closeTime)
    }
}
