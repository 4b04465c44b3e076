import LedgerProofs

/// A closed block: the root over its transactions, chained to the block before and, by the history root, to all.
///
/// Documentation/spec/sql-block.md
public struct Block: Hashable, Sendable {
    /// At most this many transactions go into one block.
    public static let maximumSize: UInt64 = 100_000

    public var ledger: LedgerID
    public var id: BlockID
    /// The root over the leaves of the block's transactions, in the order of their numbers.
    public var transactionsRoot: Digest32
    /// The number of transactions, 1 to `maximumSize`.
    public var size: UInt64
    /// The number of the first transaction; the others follow without gaps.
    public var firstTransaction: TransactionNumber
    /// The hash of the block before, `nil` for block 0.
    public var previous: Digest32?
    /// The root over all blocks before this one.
    public var historyRoot: Digest32
    public var closeTime: CommitTime

    public init(
        ledger: LedgerID, id: BlockID, transactionsRoot: Digest32, size: UInt64, firstTransaction: TransactionNumber,
        previous: Digest32?, historyRoot: Digest32, closeTime: CommitTime
    ) {
        self.ledger = ledger
        self.id = id
        self.transactionsRoot = transactionsRoot
        self.size = size
        self.firstTransaction = firstTransaction
        self.previous = previous
        self.historyRoot = historyRoot
        self.closeTime = closeTime
    }

    /// The block hash, which a digest names.
    public var hash: Digest32 {
        var writer = ByteWriter(capacity: 192)
        writer.append(UInt8(2))
        writer.append(tag: "indelible/block/1", width: 18)
        writer.append(bytes: ledger.bytes)
        writer.append(id.rawValue)
        writer.append(transactionsRoot)
        writer.append(size)
        writer.append(firstTransaction.rawValue)
        writer.append(previous ?? .zero)
        writer.append(historyRoot)
        writer.append(bytes: closeTime.utf8)
        return SHA256Hashing.digest(writer.bytes)
    }

    /// The numbers of the block's transactions, or `nil` when they would not be numbers at all.
    public var transactions: ClosedRange<TransactionNumber>? {
        let (last, overflow) = firstTransaction.rawValue.addingReportingOverflow(size &- 1)
        guard size > 0, !overflow else { return nil }
        return firstTransaction...TransactionNumber(last)
    }
}
