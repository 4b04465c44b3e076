import GRDB
import SQLLedgerSQLite

extension Configuration {
    /// Lets the databases of this configuration write to ledger tables. One line for a `DatabaseQueue` or
    /// `DatabasePool`:
    ///
    /// ```swift
    /// var configuration = Configuration()
    /// configuration.useLedger(principal: "alice")
    /// let queue = try DatabaseQueue(path: path, configuration: configuration)
    /// ```
    ///
    /// - Parameters:
    ///   - principal: on whose behalf the connections write; `nil` for the user that the process runs as.
    ///   - application: through which program; `nil` for the process's name.
    public mutating func useLedger(principal: String? = nil, application: String? = nil) {
        prepareDatabase { database in
            try LinkedSQLite.load()
            guard let handle = database.sqliteConnection else { return }
            // GRDB observes statements and commits itself, so the hooks stay its own.
            let ledger = try SQLiteLedger(
                attachingTo: SQLiteConnection(borrowing: handle), principal: principal, application: application,
                guardsObjects: false)
            if !database.configuration.readonly {
                database.add(transactionObserver: SchemaObserver(handle, ledger), extent: .databaseLifetime)
            }
        }
    }
}

extension Database {
    /// The ledger of this database, for a database opened with `Configuration.useLedger`.
    public func ledger() throws -> SQLiteLedger {
        guard let handle = sqliteConnection else {
            throw SQLiteLedgerError(code: 21, message: "the database is closed")
        }
        return try SQLiteLedger(attachingTo: SQLiteConnection(borrowing: handle), guardsObjects: false)
    }
}
