import Foundation
import GRDBSQLite
import SQLLedger
import SQLLedgerSQLite

/// One connection through the SQLite that the program is linked with, for statements as people write them. Calls from
/// several threads wait for each other.
public final class LinkedConnection: @unchecked Sendable {
    // Guarded by the lock, and used by nobody else.
    private let ledger: SQLiteLedger
    private var isPatient = false
    private let lock = NSRecursiveLock()
    private let patience = LockPatience()
    private var changes: Int64 = 0

    /// Opens a database with the ledger attached.
    /// - Throws: `SQLiteLedgerError`.
    public init(
        path: String, readOnly: Bool = false, creates: Bool = false, principal: String? = nil,
        application: String? = nil
    ) throws(SQLiteLedgerError) {
        ledger = try LinkedSQLite.open(
            path: path, readOnly: readOnly, creates: creates, principal: principal, application: application)
    }

    deinit {
        // What still holds the connection must not ask for what is gone.
        if isPatient { sqlite3_busy_timeout(ledger.connection.handle, LockPatience.usualMilliseconds) }
    }

    /// Statements wait up to five seconds for the locks of others, as before, until `endWaiting`.
    public func letWaitingEnd() {
        withLedger { ledger in
            patience.install(on: ledger.connection.handle)
            isPatient = true
        }
    }

    /// From `time` on no statement waits for the locks of other connections, nor does one that waits already. After
    /// `letWaitingEnd`. Does not wait itself.
    public func endWaiting(at time: ContinuousClock.Instant) { patience.end(at: time) }

    /// Calls `body` with the connection, when no other call uses it.
    public func withLedger<R>(_ body: (SQLiteLedger) throws -> R) rethrows -> R {
        lock.lock()
        defer { lock.unlock() }
        return try body(ledger)
    }

    /// Runs one statement, and hands its rows to `row`. Parameters are bound when the statement has any: by name, if
    /// there are `names`, else in order.
    /// - Returns: Whether the statement has parameters.
    /// - Throws: `SQLiteLedgerError`, also for parameters that are missing or too many; what `row` throws.
    @discardableResult
    public func run(
        _ sql: String, positions: [SQLValue] = [], names: [String: SQLValue] = [:],
        row: (_ columns: [String], _ values: [SQLValue]) throws -> Void
    ) throws -> Bool {
        try withLedger { ledger in
            let statement = try ledger.connection.prepare(sql)
            let usesParameters = try Self.bind(statement, positions, names)
            let columns = (0..<statement.columnCount).map { statement.columnName($0) }
            while try statement.step() { try row(columns, statement.row) }
            let isWrite = sqlite3_stmt_readonly(statement.handle) == 0
            changes = isWrite ? Int64(sqlite3_changes(ledger.connection.handle)) : 0
            return usesParameters
        }
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool {
        withLedger { sqlite3_get_autocommit($0.connection.handle) == 0 }
    }

    /// The rows that the last statement inserted, updated or deleted itself, not counting what triggers and the ledger
    /// did. Only for INSERT, UPDATE, DELETE and REPLACE, also behind WITH; another statement that writes leaves it at
    /// what such a one said before.
    public var changeCount: Int64 { withLedger { _ in changes } }

    private static func bind(
        _ statement: SQLiteStatement, _ positions: [SQLValue], _ names: [String: SQLValue]
    ) throws(SQLiteLedgerError) -> Bool {
        func wrong(_ message: String) -> SQLiteLedgerError { SQLiteLedgerError(code: SQLITE_RANGE, message: message) }
        let count = Int(sqlite3_bind_parameter_count(statement.handle))
        guard count > 0 else { return false }
        let noun = count == 1 ? "parameter" : "parameters"
        guard !names.isEmpty else {
            guard positions.count == count else {
                throw wrong("the statement has \(count) \(noun), \(positions.count) were given")
            }
            try statement.bind(positions)
            return true
        }
        for index in 1...count {
            guard
                let name = sqlite3_bind_parameter_name(statement.handle, Int32(index)).map({ String(cString: $0) }),
                let value = names[String(name.dropFirst())] ?? names[name]
            else { throw wrong("parameter \(index) of the statement was not given") }
            try statement.bind(value, at: index)
        }
        return true
    }
}
