import Synchronization

/// The sorted runs of every table.
final class RunCollection: Sendable {
    let store: RecordStore
    private let runs = Mutex<[TableID: [LeafRun]]>([:])

    init(store: RecordStore) {
        self.store = store
    }

    func add(_ run: LeafRun, to table: TableID) {
        guard !run.pieces.isEmpty else { return }
        runs.withLock { $0[table, default: []].append(run) }
    }

    func runs(of table: TableID) -> [LeafRun] { runs.withLock { $0[table] ?? [] } }

    var tables: [TableID] { runs.withLock { $0.keys.sorted() } }
}
