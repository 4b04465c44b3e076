import GRDB
import SQLLedger
import SQLLedgerSQLite

/// Ledgers changes of the schema behind the commit that made them, because SQLite tells the ledger nothing of them.
/// Used by one connection only.
final class SchemaObserver: TransactionObserver {
    private var version: SQLValue?
    private var isWriting = false

    init(_ handle: OpaquePointer) {
        version = Self.version(handle)
    }

    private static func version(_ handle: OpaquePointer) -> SQLValue? {
        try? SQLiteConnection(borrowing: handle).value("PRAGMA main.schema_version")
    }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidRollback(_ db: Database) {}

    func databaseDidCommit(_ db: Database) {
        guard !isWriting, let handle = db.sqliteConnection else { return }
        let now = Self.version(handle)
        guard now != version else { return }
        isWriting = true
        defer {
            isWriting = false
            version = Self.version(handle)
        }
        // Where it fails, the next write to a ledger table looks again.
        guard let ledger = try? db.ledger(), (try? ledger.isInitialised) == true else { return }
        try? ledger.refresh()
    }
}
