import GRDBSQLite
import SQLLedger
import SQLLedgerSQLite

/// Notices that a transaction drops a ledger table with `DROP TABLE`: what it holds would be lost to the history. SQLite
/// asks the authorizer alone, which is GRDB's.
///
/// A table is gone when nothing has its name any more while the ledger still keeps the stamps of its rows;
/// `ledger_drop_table` takes those away with it.
struct DropWatch {
    /// The ledger tables by number, as they were called before something was dropped.
    private var candidates: [Int64: String] = [:]
    /// A table that was gone before a statement gave something a name, maybe its own.
    private var lost: String?

    /// A statement is about to drop a table or an index.
    mutating func willDrop(on handle: OpaquePointer) {
        let rows = try? SQLiteConnection(borrowing: handle).query(
            """
            SELECT CAST(substr(name, 15) AS INTEGER), tbl_name FROM main.sqlite_schema
            WHERE type = 'trigger' AND name GLOB 'ledger_insert_[0-9]*'
            """)
        for row in rows ?? [] {
            if case .integer(let id) = row[0], let name = row[1].string, candidates[id] == nil { candidates[id] = name }
        }
    }

    /// A statement is about to make or rename something.
    mutating func willName(on handle: OpaquePointer) {
        lost = lost ?? gone(on: handle)
        candidates = [:]
    }

    /// The name of a ledger table that the transaction dropped. Runs no SQL: a commit hook must not.
    func dropped(on handle: OpaquePointer) -> String? { lost ?? gone(on: handle) }

    private func gone(on handle: OpaquePointer) -> String? {
        func exists(_ table: String) -> Bool {
            sqlite3_table_column_metadata(handle, "main", table, nil, nil, nil, nil, nil, nil) == SQLITE_OK
        }
        return candidates.first { !exists($0.value) && exists("ledger_stamps_\($0.key)") }?.value
    }
}
