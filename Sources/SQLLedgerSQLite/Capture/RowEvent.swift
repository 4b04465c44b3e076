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
    /// The row as it was. Of deleted rows always, because a REPLACE deletes rows without a trigger's being told; of others
    /// where the running statement's triggers are older than the table's columns.
    var old: SavedValues?
    /// The row as it becomes, where triggers are older than columns.
    var new: SavedValues?
    /// The arguments of a capture call that came before one on the same row that must go first.
    var deferred: SavedValues?
}
