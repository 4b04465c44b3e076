import CSQLiteLedger
import LedgerProofs
import SQLLedger

/// The ledger of an SQLite database, through one connection.
///
/// Everything here is also an SQL function (`ledger_init`, `ledger_enable`, …) of a connection that the ledger is
/// attached to, and does the same. Each call is a transaction of its own unless one is open.
public struct SQLiteLedger {
    public let connection: SQLiteConnection
    /// What the ledger knows of the connection, if this attached it. SQLite owns it.
    private weak var state: LedgerConnection?

    /// Attaches the ledger to a connection, so that it can write to ledger tables. Calling it again changes nothing but
    /// the options that are given.
    ///
    /// - Parameters:
    ///   - principal: on whose behalf the connection writes; `nil` for the user that the process runs as.
    ///   - application: through which program; `nil` for the process's name.
    ///   - guardsObjects: whether statements that would drop ledger objects are refused when they are prepared. It takes
    ///     the connection's authorizer, commit hook and WAL hook, so not where the host needs them.
    /// - Throws: when SQLite refuses the registration.
    public init(
        attachingTo connection: SQLiteConnection, principal: String? = nil, application: String? = nil,
        guardsObjects: Bool = true
    ) throws(SQLiteLedgerError) {
        self.connection = connection
        state = try LedgerConnection.attach(
            to: connection.handle, principal: principal, application: application, guardsObjects: guardsObjects)
    }

    /// Whether the database has a ledger.
    public var isInitialised: Bool {
        get throws(SQLiteLedgerError) {
            try connection.value("SELECT 1 FROM main.sqlite_schema WHERE name = 'ledger_identity'") != nil
        }
    }

    /// Makes the database a ledger: creates the ledger's own tables. `allTables`: every table, present and future,
    /// becomes a ledger table. Does nothing to a database that is a ledger except that `allTables` can be switched on.
    public func initialise(allTables: Bool = false) throws(SQLiteLedgerError) {
        try connection.run("SELECT ledger_init(?)", [.integer(allTables ? 1 : 0)])
    }

    /// Makes `table` a ledger table; its rows become the first version of each. `view` is the name of the ledger view,
    /// `<table>_Ledger` unless given; where something has that name, `<table>_Ledger2` or the first higher number that is free.
    /// - Returns: the number of the table.
    @discardableResult
    public func enable(
        table: String, kind: TableKind = .updatable, view: String? = nil
    ) throws(SQLiteLedgerError) -> TableID {
        var arguments: [SQLValue] = [.text(table), .text(kind.rawValue)]
        if let view { arguments.append(.text(view)) }
        let marks = arguments.map { _ in "?" }.joined(separator: ", ")
        guard case .integer(let id)? = try connection.value("SELECT ledger_enable(\(marks))", arguments) else {
            throw .refused("the table was not enabled")
        }
        return TableID(UInt64(bitPattern: id))
    }

    /// Drops a ledger table. Its rows go to the history, which stays.
    public func drop(table: String) throws(SQLiteLedgerError) {
        try connection.run("SELECT ledger_drop_table(?)", [.text(table)])
    }

    /// Drops a column of a ledger table. The values go to the history, which stays.
    public func drop(column: String, of table: String) throws(SQLiteLedgerError) {
        try connection.run("SELECT ledger_drop_column(?, ?)", [.text(table), .text(column)])
    }

    /// Notices and ledgers schema changes; enrolls new tables of a database all of whose tables are ledger tables.
    public func refresh() throws(SQLiteLedgerError) {
        try connection.run("SELECT ledger_refresh()")
    }

    /// Tells the ledger of a statement that is about to change definitions: within a transaction the next row looks at
    /// them again. Only of a ledger whose connection was attached by this.
    package func definitionsWillChange() { state?.isReady = false }

    /// Closes the open block, and every full one before it.
    /// - Returns: the digest of the newest block, or `nil` when there is no block at all.
    public func closeBlock() throws(SQLiteLedgerError) -> LedgerDigest? {
        try digest(connection.value("SELECT ledger_close_block()"))
    }

    /// The digest of the newest closed block, or `nil` when there is none.
    public func newestDigest() throws(SQLiteLedgerError) -> LedgerDigest? {
        try digest(connection.value("SELECT ledger_digest()"))
    }

    /// The digest of a closed block, as the database has it.
    /// - Throws: `SQLiteLedgerError`, also where the block is missing or is none.
    public func digest(of block: BlockID) throws(SQLiteLedgerError) -> LedgerDigest {
        let identity = try connection.query("SELECT ledger_id, database_name FROM main.ledger_identity WHERE id = 1")
            .first
        guard case .blob(let bytes)? = identity?[0], let ledger = LedgerID(bytes), let name = identity?[1].string else {
            throw .refused("the database has no ledger")
        }
        let closed = try connection.closedBlock(block, of: ledger)
        let last = closed.transactions?.upperBound ?? closed.firstTransaction
        let time = try connection.value(
            "SELECT commit_time FROM main.database_ledger_transactions WHERE transaction_id = ?",
            [.integer(Int64(clamping: last.rawValue))])
        guard case .text(let text)? = time, let commitTime = CommitTime(utf8: text) else {
            throw .refused("transaction \(last) is missing; verify the database")
        }
        return LedgerDigest(of: closed, databaseName: name, lastTransactionCommitTime: commitTime)
    }

    /// On whose behalf this connection writes from the next transaction on.
    public func setPrincipal(_ principal: String) throws(SQLiteLedgerError) {
        try connection.run("SELECT ledger_set_principal(?)", [.text(principal)])
    }

    /// Through which program this connection writes from the next transaction on.
    public func setApplication(_ application: String) throws(SQLiteLedgerError) {
        try connection.run("SELECT ledger_set_application(?)", [.text(application)])
    }

    private func digest(_ value: SQLValue?) throws(SQLiteLedgerError) -> LedgerDigest? {
        guard case .text(let json)? = value else { return nil }
        do throws(ProofError) {
            return try LedgerDigest(json: json)
        } catch {
            throw .refused("the digest cannot be read back: \(error)")
        }
    }
}
