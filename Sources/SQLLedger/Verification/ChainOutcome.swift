import LedgerProofs

/// What the pass over blocks and transactions found out for the passes after it.
struct ChainOutcome: Sendable {
    /// The hash of each block that a digest names, as it is in the database.
    var blockHashes: [BlockID: Digest32] = [:]
    /// The commit time of the last transaction of those blocks.
    var lastCommitTimes: [BlockID: CommitTime] = [:]
    /// The commit time of the first transaction after each of those blocks, where there is one.
    var nextCommitTimes: [BlockID: CommitTime] = [:]
    /// The number of blocks, and of transactions in them.
    var blockCount: UInt64 = 0
    var closedTransactionCount: UInt64 = 0
    /// The newest transaction.
    var lastTransaction: UInt64 = 0
    var lastCommitTime: CommitTime?
    /// The first transaction that was recomputed, and the first block.
    var firstTransaction: UInt64 = 1
    var firstBlock: UInt64 = 0
    /// Numbers without an entry.
    var missing: [ClosedRange<UInt64>] = []
    /// Blocks whose entries do not fold to their root.
    var badBlocks: [BadBlock] = []
    /// The last transaction of each block that a digest names.
    var ends: [BlockID: UInt64] = [:]
    /// How much was read.
    var readBlockCount: UInt64 = 0
    var transactionCount: UInt64 = 0
    /// Tables that entries name, the first so many.
    var tables: Set<TableID> = []
    /// Principal, login and application names that occur, some of them: candidates for altered ones.
    var names: Set<String> = []

    /// Transactions whose entries keep leaves that do not give their table roots.
    var damagedLeaves = LeafDamages()

    mutating func counted(block: BlockID) { readBlockCount += 1 }

    mutating func note(tables hashes: TableHashes) {
        for hash in hashes.tables where tables.count < 100_000 { tables.insert(hash.table) }
    }
}

/// A block whose transaction entries do not fold to its root.
struct BadBlock: Sendable {
    var id: BlockID
    var range: ClosedRange<UInt64>
    var root: Digest32
    var isComplete: Bool
}
