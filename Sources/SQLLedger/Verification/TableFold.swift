import LedgerProofs

/// Compares the leaves found of one table with the roots that the transaction entries claim, for a range of
/// transactions, in one merge of sorted records. Leaves that give a root are compared with the stored ones, as far as
/// that was not done while rows were read.
struct TableFold {
    var table: TableID
    /// Transactions that did not fold, the first ones of them.
    private(set) var bad: [BadTransaction] = []
    /// What is not in `bad` any more: transactions, leaves claimed, leaves found.
    private(set) var more: (transactions: UInt64, expected: UInt64, found: UInt64) = (0, 0, 0)
    /// Leaves of transactions whose entries are missing, which nothing can be said about.
    private(set) var unverifiable: UInt64 = 0
    /// Transactions that folded, but whose stored leaves are not those that were found.
    private(set) var damages = LeafDamages()

    private static let limit = 10_000

    init(table: TableID) {
        self.table = table
    }

    mutating func run(
        leaves: [LeafRun], expected: [LeafRun], store: RecordStore, stored: StoredLeaves, range: ClosedRange<UInt64>,
        missing: [ClosedRange<UInt64>]
    ) throws {
        var found = try RunMerger(leaves, store: store, from: range.lowerBound)
        var claims = try RunMerger(expected, store: store, from: range.lowerBound)
        while true {
            let leaf = found.current.flatMap { $0.transaction <= range.upperBound ? $0 : nil }
            let claim = claims.current.flatMap { $0.transaction <= range.upperBound ? $0 : nil }
            guard let transaction = [leaf?.transaction, claim?.transaction].compactMap({ $0 }).min() else { return }
            let claimed = claim?.transaction == transaction ? claim : nil
            if claimed != nil { try claims.advance() }

            // The commonest transaction by far changes one row.
            if let claimed, let leaf, leaf.transaction == transaction, leaf.position == 0, claimed.sequence == 1,
                leaf.hash == claimed.hash, claimed.level == LeafPlace.entry.rawValue
            {
                try found.advance()
                if found.current?.transaction != transaction { continue }
                try fold(transaction, claimed, first: leaf, &found, stored)
            } else {
                try fold(transaction, claimed, first: nil, &found, stored)
            }
            if claimed == nil, missing.contains(where: { $0.contains(transaction) }) { forgetLast(transaction) }
        }
    }

    private mutating func fold(
        _ transaction: UInt64, _ claimed: LeafRecord?, first: LeafRecord?, _ found: inout RunMerger,
        _ stored: StoredLeaves
    ) throws {
        let count = claimed?.sequence ?? 0
        let place = claimed.flatMap { LeafPlace(rawValue: $0.level) } ?? .entry
        var folder = TransactionFolder(
            expectedCount: count,
            comparison: place == .entry
                ? nil
                : TransactionFolder.Comparison(
                    stored: stored, table: table, transaction: transaction, leafCount: count))
        if let first { folder.add(first) }
        while let leaf = found.current, leaf.transaction == transaction {
            folder.add(leaf)
            try found.advance()
        }
        let root = folder.finish()
        if let claimed, root == claimed.hash, folder.foundCount == count {
            if place != .entry { checkChunks(transaction, count, place, folder, stored) }
            return
        }
        guard bad.count < Self.limit else {
            more.transactions += 1
            more.expected += count
            more.found += folder.foundCount
            return
        }
        bad.append(
            BadTransaction(
                transaction: TransactionNumber(transaction),
                expected: claimed.map { TableHash(table: table, root: $0.hash, leafCount: $0.sequence) },
                foundRoot: root, foundCount: folder.foundCount, chunks: folder.chunks))
    }

    /// Notes stored leaves that are not those of a transaction that folded.
    private mutating func checkChunks(
        _ transaction: UInt64, _ count: UInt64, _ place: LeafPlace, _ folder: TransactionFolder, _ stored: StoredLeaves
    ) {
        let whole = Int(clamping: count / UInt64(LeafChunk.leafCount))
        let other = folder.otherChunks
        let isOfRoots =
            other == nil && whole > 0
            && stored.compareRoots(folder.chunks, count: whole, of: table, transaction: transaction) != .same
        guard other != nil || isOfRoots else { return }
        let isInEntry = place == .chunksAndEntry && other?.first == whole
        damages.add(
            LeafDamage(
                transaction: TransactionNumber(transaction), table: table, isInEntry: isInEntry,
                isMissing: !isInEntry && other?.isMissing ?? false))
    }

    private mutating func forgetLast(_ transaction: UInt64) {
        guard let last = bad.last, last.transaction.rawValue == transaction else { return }
        unverifiable += last.foundCount
        bad.removeLast()
    }

    /// Puts the results of another range of the same table behind.
    mutating func merge(_ other: TableFold) {
        for transaction in other.bad {
            if bad.count < Self.limit {
                bad.append(transaction)
            } else {
                more.transactions += 1
                more.expected += transaction.expected?.leafCount ?? 0
                more.found += transaction.foundCount
            }
        }
        more.transactions += other.more.transactions
        more.expected += other.more.expected
        more.found += other.more.found
        unverifiable += other.unverifiable
        damages.merge(other.damages)
    }
}
