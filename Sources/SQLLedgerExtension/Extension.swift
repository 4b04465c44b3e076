import CSQLiteLedger
import SQLLedgerSQLite

// The entry points of the loadable extension. SQLite looks for the first, and for one made of the file's name.

@_cdecl("sqlite3_extension_init")
public func loadExtension(
    _ database: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ api: OpaquePointer?
) -> Int32 {
    ExtensionLoading.load(database, message, UnsafeRawPointer(api))
}

@_cdecl("sqlite3_indelible_init")
public func loadIndelible(
    _ database: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ api: OpaquePointer?
) -> Int32 {
    ExtensionLoading.load(database, message, UnsafeRawPointer(api))
}

@_cdecl("sqlite3_indeliblesqlite_init")
public func loadIndelibleSQLite(
    _ database: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ api: OpaquePointer?
) -> Int32 {
    ExtensionLoading.load(database, message, UnsafeRawPointer(api))
}
