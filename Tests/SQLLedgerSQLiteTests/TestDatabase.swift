import Foundation
import SQLLedger
import SQLLedgerGRDB
import Testing

@testable import SQLLedgerSQLite

/// A database file of its own, removed with the value.
final class TestDatabase {
    let folder: URL
    let path: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appending(path: "bank.db").path()
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A connection that the ledger is attached to.
    func open(principal: String? = "alice") throws -> SQLiteConnection {
        try LinkedSQLite.open(path: path, creates: true, principal: principal, application: "tests").connection
    }

    /// A connection that the ledger is attached to as to a SQLite without the pre-update hook.
    func openWithoutHook() throws -> SQLiteConnection {
        let db = try openPlain()
        try LedgerConnection.attach(
            to: db.handle, principal: "alice", application: "tests", guardsObjects: true, usesHook: false)
        return db
    }

    /// A connection without the ledger.
    func openPlain() throws -> SQLiteConnection {
        try LinkedSQLite.load()
        return try SQLiteConnection(path: path, creates: true)
    }

    /// A ledger with `sql` run on it.
    func ledger(_ sql: String) throws -> SQLiteConnection {
        let db = try open()
        try db.run("SELECT ledger_init()")
        try db.execute(sql)
        return db
    }
}

extension SQLiteConnection {
    /// The rows of a query as text, one line for each.
    func lines(_ sql: String) throws -> [String] {
        try query(sql).map { row in row.map(\.shown).joined(separator: "|") }
    }

    /// The message of the error that `sql` must end with.
    func refusal(_ sql: String) -> String? {
        do throws(SQLiteLedgerError) {
            try run(sql)
            return nil
        } catch {
            return error.message
        }
    }
}

extension SQLValue {
    var shown: String {
        switch self {
        case .null: "NULL"
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let bytes): String(decoding: bytes, as: UTF8.self)
        case .blob(let bytes): "x" + bytes.map { String($0, radix: 16) }.joined()
        }
    }
}

extension SQLiteConnection {
    /// Whether a transaction is open: only then is there a savepoint to release after BEGIN fails.
    var isInTransaction: Bool {
        do throws(SQLiteLedgerError) {
            try execute("BEGIN")
        } catch {
            return true
        }
        try? execute("ROLLBACK")
        return false
    }
}
