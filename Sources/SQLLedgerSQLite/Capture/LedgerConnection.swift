import CSQLiteLedger
import SQLLedger

/// What the ledger knows about one connection.
final class LedgerConnection {
    static func attach(
        to handle: OpaquePointer, principal: String?, application: String?, guardsObjects: Bool
    ) throws(SQLiteLedgerError) {
    }
}
