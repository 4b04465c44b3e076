import CSQLiteLedger

/// Learns that the application has finalised the statements that the ledger keeps: `sqlite3_next_stmt` names them among
/// its own, and many let go of all of them before they close a connection.
///
/// It is a statement itself, older than the others, with a value that SQLite destroys with it.
final class StatementWatch {
    private let handle: OpaquePointer
    private let isLost: () -> Void
    private var isEnding = true
    /// The statements are not the ledger's any more.
    private(set) var areLost = false

    /// `isLost` is called while SQLite finalises this one.
    init(on db: SQLiteConnection, isLost: @escaping () -> Void) throws(SQLiteLedgerError) {
        var made: OpaquePointer?
        let code = ils_prepare(db.handle, "SELECT ?", -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard code == SQLITE_OK, let made else { throw .last(of: db.handle, code: code) }
        handle = made
        self.isLost = isLost
        let bound = ils_bind_pointer(made, 1, Unmanaged.passRetained(self).toOpaque()) { watch in
            guard let watch else { return }
            Unmanaged<StatementWatch>.fromOpaque(watch).takeRetainedValue().destroyed()
        }
        guard bound == SQLITE_OK else {
            ils_finalize(made)
            throw .last(of: db.handle, code: bound)
        }
        isEnding = false
    }

    /// Lets go of the watch itself, after all statements that it is for.
    func end() {
        guard !areLost, !isEnding else { return }
        isEnding = true
        ils_finalize(handle)
    }

    private func destroyed() {
        guard !isEnding else { return }
        areLost = true
        isLost()
    }
}
