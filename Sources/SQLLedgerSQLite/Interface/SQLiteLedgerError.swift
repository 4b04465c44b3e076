import CSQLiteLedger

/// A refusal or failure of the ledger's SQLite engine, as SQLite reports it: a result code and a sentence that names the
/// remedy where there is one. Messages name tables and columns, never values.
public struct SQLiteLedgerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// SQLite's (extended) result code.
    public let code: Int32
    public let message: String

    public init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// A refusal by the ledger.
    @inline(never) static func refused(_ message: String) -> SQLiteLedgerError {
        SQLiteLedgerError(code: SQLITE_ERROR, message: message)
    }

    /// Whether the ledger may have refused: SQLite has more to say of a failure of its own.
    var isRefusal: Bool { code == SQLITE_ERROR }

    /// Whether a constraint or a trigger of a table refused a statement.
    package var isConstraint: Bool { code & 0xFF == SQLITE_CONSTRAINT }

    /// What SQLite has to say about the last call on `database`.
    @inline(never) static func last(of database: OpaquePointer?, code: Int32) -> SQLiteLedgerError {
        let text = database.flatMap { ils_errmsg($0) } ?? ils_errstr(code)
        return SQLiteLedgerError(code: code, message: text.map { String(cString: $0) } ?? "SQLite error \(code)")
    }
}
