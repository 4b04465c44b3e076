import CSQLiteLedger

/// What happens when SQLite loads the extension into a connection.
public enum ExtensionLoading {
    /// The body of an extension's entry point. Returns SQLite's result code.
    public static func load(
        _ database: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ api: UnsafeRawPointer?
    ) -> Int32 {
        guard let database, let api else { return SQLITE_MISUSE }
        guard ils_adopt(api) != 0 else {
            message?.pointee = ils_message_of(
                api, "the process uses the ledger with another SQLite library already; it can serve one of them")
            return SQLITE_ERROR
        }
        do throws(SQLiteLedgerError) {
            let made = try LedgerConnection.attach(
                to: database, principal: nil, application: nil, guardsObjects: true)
            // Another build, which the connection may have, knows nothing of it.
            if made == nil { try? SQLiteConnection(borrowing: database).run("SELECT ledger_take_hooks()") }
            // SQLITE_OK_LOAD_PERMANENTLY: Swift's runtime cannot be unloaded, and other connections may use what is here.
            return SQLITE_OK | 1 << 8
        } catch {
            message?.pointee = ils_message(error.message)
            return SQLITE_ERROR
        }
    }
}
