import LedgerProofs

/// Writes records that come in order: the roots that transaction entries claim, one sequence for each table.
final class SortedRunWriter {
    private let collection: RunCollection
    private var buffers: [TableID: ContiguousArray<LeafRecord>] = [:]
    private var runs: [TableID: LeafRun] = [:]

    private static let bufferCount = 1024

    /// No honest count comes near, and the counts of millions of entries can be added.
    private static let leafLimit: UInt64 = 1 << 40

    init(collection: RunCollection) {
        self.collection = collection
    }

    /// The record of a table root: the leaf count stands in the place of the sequence number, the place of the stored
    /// leaves in that of the level.
    func append(_ hash: TableHash, of transaction: TransactionNumber, leaves: LeafPlace) throws {
        let count = min(hash.leafCount, Self.leafLimit)
        buffers[hash.table, default: []].append(
            LeafRecord(
                transaction: transaction.rawValue, sequence: count, level: leaves.rawValue, hash: hash.root))
        if let buffer = buffers[hash.table], buffer.count >= Self.bufferCount { try spill(hash.table) }
    }

    func finish() throws {
        for table in buffers.keys { try spill(table) }
        for (table, run) in runs { collection.add(run, to: table) }
        runs = [:]
    }

    private func spill(_ table: TableID) throws {
        guard let buffer = buffers.updateValue([], forKey: table), !buffer.isEmpty else { return }
        var run = runs.removeValue(forKey: table) ?? LeafRun()
        try buffer.withUnsafeBufferPointer { try collection.store.append($0, to: &run) }
        runs[table] = run
    }
}
