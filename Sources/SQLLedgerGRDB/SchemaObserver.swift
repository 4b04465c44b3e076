import GRDB
import GRDBSQLite
import SQLLedger
import SQLLedgerSQLite

/// Ledgers changes of the schema behind the commit that made them, because SQLite tells the ledger nothing of them, and
/// refuses the commit of a transaction that dropped a ledger table past the ledger. Used by one connection only.
final class SchemaObserver: TransactionObserver {
    private let handle: OpaquePointer
    private let ledger: SQLiteLedger
    private var version: SQLValue?
    private var watch = DropWatch()
    private var isWriting = false

    init(_ handle: OpaquePointer, _ ledger: SQLiteLedger) {
        self.handle = handle
        self.ledger = ledger
        version = Self.version(handle)
    }

    private static func version(_ handle: OpaquePointer) -> SQLValue? {
        try? SQLiteConnection(borrowing: handle).value("PRAGMA main.schema_version")
    }

    /// Asked before each statement that writes; about deletions also while one is compiled, when no SQL may be run.
    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool {
        switch eventKind {
        case .update("sqlite_master", ["rootpage"]): watch.willDrop(on: handle)
        case .insert("sqlite_master"), .update("sqlite_master", _):
            watch.willName(on: handle)
            ledger.definitionsWillChange()
        default: break
        }
        return false
    }

    func databaseDidChange(with event: DatabaseEvent) {}

    func databaseWillCommit() throws {
        guard let table = watch.dropped(on: handle) else { return }
        throw SQLiteLedgerError(
            code: SQLITE_AUTH,
            message: "ledger table '\(table)' is dropped with SELECT ledger_drop_table(\(SQLName.literal(table))): "
                + "DROP TABLE would lose what it holds. The transaction was rolled back")
    }

    func databaseDidRollback(_ db: Database) { watch = DropWatch() }

    func databaseDidCommit(_ db: Database) {
        watch = DropWatch()
        guard !isWriting else { return }
        let now = Self.version(handle)
        guard now != version else { return }
        isWriting = true
        defer {
            isWriting = false
            version = Self.version(handle)
        }
        // Where it fails, the next write to a ledger table looks again.
        guard (try? ledger.isInitialised) == true else { return }
        try? ledger.refresh()
    }
}
