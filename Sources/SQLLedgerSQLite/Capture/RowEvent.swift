import CSQLiteLedger

/// A row operation that SQLite announced through the pre-update hook and whose trigger has not run yet.
struct RowEvent {
    /// `SQLITE_INSERT`, `SQLITE_UPDATE` or `SQLITE_DELETE`.
    var operation: Int32
    /// The table's place in `LedgerConnection.tables`.
    var slot: Int
    /// Row ids; without meaning for tables that have none.
    var oldRow: Int64
    var newRow: Int64
    /// The deleted row. A REPLACE deletes rows without a trigger's being told.
    var old: SavedValues?
    /// The arguments of a capture call that came before one on the same row that must go first.
    var deferred: SavedValues?
}
