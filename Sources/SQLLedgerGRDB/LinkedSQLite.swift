import CSQLiteLedger
import GRDBSQLite
import SQLLedger
import SQLLedgerSQLite

/// The SQLite library that the program is linked with, made known to the ledger's engine, which by itself is linked
/// with none.
public enum LinkedSQLite {
    /// Makes the library known, once for the process.
    /// - Throws: when the process uses the engine with another SQLite library already.
    public static func load() throws(SQLiteLedgerError) {
        // SQLite hands its function table only to extensions: this one refuses to do more than to take it.
        _ = automaticExtension
        guard ils_is_adopted() != 0 else {
            throw SQLiteLedgerError(code: SQLITE_ERROR, message: "the linked SQLite library has no extension interface")
        }
    }

    /// Opens a database and attaches the ledger to the connection.
    public static func open(
        path: String, readOnly: Bool = false, creates: Bool = false, principal: String? = nil,
        application: String? = nil
    ) throws(SQLiteLedgerError) -> SQLiteLedger {
        try load()
        let connection =
            readOnly
            ? try readable(path: path) : try SQLiteConnection(path: path, readOnly: readOnly, creates: creates)
        return try SQLiteLedger(attachingTo: connection, principal: principal, application: application)
    }

    /// A database in a directory that nobody may write to can have a WAL or a journal that SQLite must write to.
    private static func readable(path: String) throws(SQLiteLedgerError) -> SQLiteConnection {
        do throws(SQLiteLedgerError) {
            let connection = try SQLiteConnection(path: path, readOnly: true)
            _ = try connection.value("SELECT count(*) FROM sqlite_schema")
            return connection
        } catch {
            guard [SQLITE_CANTOPEN, SQLITE_READONLY].contains(error.code & 0xff) else { throw error }
            do throws(SQLiteLedgerError) { return try SQLiteConnection(unchanged: path) } catch { throw error }
        }
    }

    private static let automaticExtension: Bool = {
        typealias Init =
            @convention(c) (OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, OpaquePointer?) -> CInt
        typealias Register = @convention(c) () -> Void
        let take: Init = { _, _, api in
            _ = ils_adopt(UnsafeRawPointer(api))
            return SQLITE_OK
        }
        let entry = unsafeBitCast(take, to: Register.self)
        guard sqlite3_auto_extension(entry) == SQLITE_OK else { return false }
        defer { sqlite3_cancel_auto_extension(entry) }
        var database: OpaquePointer?
        let code = sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nil)
        sqlite3_close_v2(database)
        return code == SQLITE_OK
    }()
}
