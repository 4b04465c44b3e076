import LedgerProofs

/// Puts transactions into the next block: values in, a value out.
///
/// `append` each transaction that is in no block yet, in order, until `isFull` or there is none left; then `close`.
public struct BlockBuilder: Sendable {
    public let ledger: LedgerID
    /// The id of the block that is being built.
    public let id: BlockID

    private let previous: Block?
    private let historyRoot: Digest32
    private var transactions = TableLeaves()
    private var wholeChunks: [[UInt8]] = []
    private var first: TransactionNumber?

    /// - Parameters:
    ///   - previous: the newest closed block, `nil` before block 0.
    ///   - tree: the tree over all closed blocks.
    /// - Throws: `ProofError.outOfRange` when both do not belong together.
    public init(ledger: LedgerID, previous: Block?, tree: BlockTree) throws(ProofError) {
        let blockCount = previous.map { $0.id.rawValue + 1 } ?? 0
        guard tree.blockCount == blockCount, previous?.ledger ?? ledger == ledger else {
            throw .outOfRange("the newest block is not the last one of the block tree")
        }
        self.ledger = ledger
        self.id = BlockID(blockCount)
        self.previous = previous
        self.historyRoot = tree.root
    }

    /// The number of transactions so far.
    public var size: UInt64 { transactions.leafCount }

    public var isFull: Bool { size == Block.maximumSize }

    /// The number that the next transaction must have.
    public var nextTransaction: TransactionNumber {
        TransactionNumber((first ?? firstAfterPrevious).rawValue + size)
    }

    private var firstAfterPrevious: TransactionNumber {
        previous.map { TransactionNumber($0.firstTransaction.rawValue + $0.size) } ?? TransactionNumber(1)
    }

    /// Appends the next transaction.
    /// - Throws: `ProofError.outOfRange` when the block is full, the number is not the next one or the ledger is
    ///   another.
    public mutating func append(_ entry: TransactionEntry) throws(ProofError) {
        guard entry.ledger == ledger else { throw .outOfRange("a transaction of another ledger") }
        try append(leaf: entry.leaf, of: entry.id, columnChecks: entry.columnChecks)
    }

    /// Appends the next transaction by its leaf hash.
    /// - Throws: `ProofError.outOfRange` when the block is full or the number is not the next one.
    public mutating func append(
        leaf: Digest32, of transaction: TransactionNumber, columnChecks: [UInt16] = []
    ) throws(ProofError) {
        guard !isFull else { throw .outOfRange("the block is full") }
        guard transaction == nextTransaction else { throw .outOfRange("a transaction number is missing") }
        if first == nil { first = transaction }
        if let chunk = transactions.append(leaf, columnChecks: columnChecks) {
            wholeChunks.append(chunk)
            _ = transactions.takeRootChunk()
        }
    }

    /// The transactions' leaves as they are stored beside the block: chunk after chunk.
    public var transactionChunks: [[UInt8]] {
        wholeChunks + (transactions.partialChunk.isEmpty ? [] : [transactions.partialChunk])
    }

    /// The block, or `nil` when it has no transaction.
    public func close(at time: CommitTime) -> Block? {
        guard let root = transactions.root, let first else { return nil }
        return Block(
            ledger: ledger, id: id, transactionsRoot: root, size: size, firstTransaction: first,
            previous: previous?.hash, historyRoot: historyRoot, closeTime: time)
    }
}
