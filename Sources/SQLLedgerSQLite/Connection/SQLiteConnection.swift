import CSQLiteLedger
import SQLLedger

/// One connection to an SQLite database. Not for use by two threads at once.
///
/// SQLite must have been loaded into the process (`LinkedSQLite` for programs, SQLite itself for the extension).
public final class SQLiteConnection {
    /// `sqlite3 *`.
    public let handle: OpaquePointer
    private let isOwner: Bool
    /// What the connection reads, where it is a copy.
    private let copy: PrivateCopy?
    /// The database of the connection that is meant: `main`, or the name that another one is attached under.
    let schemaName: String
    /// The same as it stands before the names of tables, and as a text.
    let schema: String
    let schemaLiteral: String

    /// Uses a connection that somebody else opened and will close, not before this value is gone.
    public convenience init(borrowing handle: OpaquePointer) {
        self.init(handle, isOwner: false)
    }

    /// - Parameter schema: the database of the connection that is meant.
    init(_ handle: OpaquePointer, isOwner: Bool, copy: PrivateCopy? = nil, schema: String = "main") {
        self.handle = handle
        self.isOwner = isOwner
        self.copy = copy
        schemaName = schema
        self.schema = schema == "main" ? schema : SQLName.quoted(schema)
        schemaLiteral = SQLName.literal(schema)
    }

    /// Opens the database at `path`.
    /// - Throws: what SQLite says.
    public convenience init(path: String, readOnly: Bool = false, creates: Bool = false) throws(SQLiteLedgerError) {
        var flags = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        if creates { flags |= SQLITE_OPEN_CREATE }
        self.init(try Self.open(path, flags), isOwner: true)
    }

    /// Opens the database at `path` for reading where SQLite could not without writing beside it: as it is when nobody has
    /// it open, else a private copy of it and its WAL or journal.
    /// - Throws: what SQLite or the file system says.
    public convenience init(unchanged path: String) throws(SQLiteLedgerError) {
        let uri: String
        let flags: Int32
        let copy: PrivateCopy?
        do throws(VerificationError) {
            let file = try DatabaseFile(path)
            if case .copy(let endings) = file.access {
                copy = try PrivateCopy(of: file.path, with: endings)
            } else {
                copy = nil
            }
            uri = file.uri(copy?.path ?? file.path, parameters: file.opening.parameters)
            flags = file.opening.flags
        } catch {
            throw SQLiteLedgerError(code: SQLITE_CANTOPEN, message: error.reason)
        }
        self.init(try Self.open(uri, flags | SQLITE_OPEN_URI), isOwner: true, copy: copy)
        ils_exec(handle, "PRAGMA query_only = ON")
    }

    private static func open(_ name: String, _ flags: Int32) throws(SQLiteLedgerError) -> OpaquePointer {
        guard ils_is_adopted() != 0 else { throw .refused("SQLite has not been loaded into this process") }
        var opened: OpaquePointer?
        let code = ils_open(name, &opened, flags | SQLITE_OPEN_FULLMUTEX)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteLedgerError.last(of: opened, code: code)
            if let opened { ils_close(opened) }
            throw error
        }
        ils_extended_result_codes(opened, 1)
        ils_busy_timeout(opened, 5_000)
        return opened
    }

    deinit {
        if isOwner { ils_close(handle) }
    }

    /// Runs statements without results; all of `sql`.
    public func execute(_ sql: String) throws(SQLiteLedgerError) {
        let code = ils_exec(handle, sql)
        guard code == SQLITE_OK else { throw .last(of: handle, code: code) }
    }

    /// Prepares the first statement of `sql`. `persistent`: it will be used many times.
    public func prepare(_ sql: String, persistent: Bool = false) throws(SQLiteLedgerError) -> SQLiteStatement {
        try prepare(sql, persistent: persistent, watch: nil)
    }

    /// The same; `watch` knows whether the statement is still there.
    func prepare(
        _ sql: String, persistent: Bool, watch: StatementWatch?
    ) throws(SQLiteLedgerError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let flags = persistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let code = ils_prepare(handle, sql, -1, flags, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw .last(of: handle, code: code) }
        return SQLiteStatement(statement, on: handle, watch: watch)
    }

    /// Runs one statement and returns all of its rows. For small results.
    @discardableResult
    public func query(_ sql: String, _ arguments: [SQLValue] = []) throws(SQLiteLedgerError) -> [[SQLValue]] {
        let statement = try prepare(sql)
        try statement.bind(arguments)
        var rows: [[SQLValue]] = []
        while try statement.step() { rows.append(statement.row) }
        return rows
    }

    /// The first column of the first row, or `nil` without a row.
    public func value(_ sql: String, _ arguments: [SQLValue] = []) throws(SQLiteLedgerError) -> SQLValue? {
        let statement = try prepare(sql)
        try statement.bind(arguments)
        return try statement.step() ? statement.value(0) : nil
    }

    /// Runs one statement; its rows are not looked at.
    public func run(_ sql: String, _ arguments: [SQLValue] = []) throws(SQLiteLedgerError) {
        let statement = try prepare(sql)
        try statement.bind(arguments)
        while try statement.step() {}
    }
}
