import SQLLedger
import SQLLedgerGRDB
import SQLLedgerSQLite

/// One connection to a database, for the commands.
struct SQLSession: Sendable {
    /// Whether the file may be written or made.
    enum Mode {
        case readOnly, readWrite, create
    }

    private let connection: LinkedConnection

    /// SQLITE_AUTH.
    private static let notAuthorised: Int32 = 23

    init(_ location: DatabaseLocation, mode: Mode, identity: SQLIdentityOptions? = nil) throws {
        do {
            connection = try LinkedConnection(
                path: location.path, readOnly: mode == .readOnly, creates: mode == .create,
                principal: identity?.principal, application: identity?.application ?? "indelible")
            // Reads the header, so that a file that is no database is named now.
            _ = try value("SELECT count(*) FROM sqlite_schema")
        } catch let error as SQLiteLedgerError {
            throw Failure("\(location.path): \(error.message)")
        }
    }

    /// Runs one statement; `true` if it used the parameters.
    @discardableResult
    func run(
        _ sql: String, _ bindings: SQLBindings, row: (_ columns: [String], _ values: [SQLValue]) throws -> Void
    ) throws -> Bool {
        do {
            return try connection.run(sql, positions: bindings.positions, names: bindings.names, row: row)
        } catch let error as SQLiteLedgerError where error.code & 0xFF == Self.notAuthorised {
            // All that SQLite says is "not authorized".
            throw Failure(
                "\(error.message): only the ledger writes its own tables, and it keeps what would be removed; a ledger table "
                    + "is dropped with SELECT ledger_drop_table('NAME'), a column with "
                    + "SELECT ledger_drop_column('TABLE', 'COLUMN')")
        } catch let error as SQLiteLedgerError where error.message.contains("after drop column") {
            throw Failure(
                "\(error.message); a column of a ledger table is dropped with SELECT ledger_drop_column('TABLE', 'COLUMN')"
            )
        }
    }

    func rows(_ sql: String, _ parameters: [SQLValue] = []) throws -> [[SQLValue]] {
        var rows: [[SQLValue]] = []
        _ = try run(sql, SQLBindings(positions: parameters)) { rows.append($1) }
        return rows
    }

    /// The first column of the first row.
    func value(_ sql: String, _ parameters: [SQLValue] = []) throws -> SQLValue? {
        try rows(sql, parameters).first?.first
    }

    func hasTable(_ name: String) throws -> Bool {
        try value("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [.text(name)]) != nil
    }

    /// All of `body` or nothing.
    func transaction(_ body: () throws -> Void) throws {
        _ = try rows("BEGIN IMMEDIATE")
        do {
            try body()
            _ = try rows("COMMIT")
        } catch {
            if connection.isInTransaction { _ = try? rows("ROLLBACK") }
            throw error
        }
    }

    /// Reads evidence from one state of the database.
    func exporting<R>(_ body: (EvidenceExporter) throws -> R) throws -> R {
        _ = try rows("BEGIN")
        defer { _ = try? rows("ROLLBACK") }
        return try connection.withLedger { try body(try EvidenceExporter($0.connection)) }
    }

    /// Lets `endWaiting` end the waiting for the locks of other connections.
    func letWaitingEnd() { connection.letWaitingEnd() }

    /// From `time` on no statement waits for the locks of other connections.
    func endWaiting(at time: ContinuousClock.Instant) { connection.endWaiting(at: time) }

    func changeCount() throws -> Int64 { connection.changeCount }

    func isInTransaction() throws -> Bool { connection.isInTransaction }
}
