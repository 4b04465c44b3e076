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
    /// How many triggers the operation is within; 0 for one of a statement itself.
    var depth: Int32 = 0
    /// The savepoint that it happened in; -1 outside of all.
    var level = -1
    /// SQLite tells of all that undoes it, and its table was known by its name.
    var isCertain = false
    /// The row may have changed after the operation's triggers were given its old values, so `old` has them too.
    var followsNested = false
    /// A deletion by a REPLACE that no trigger was told of, because what replaces the row has been announced.
    var isUntold = false
    /// How many of the events before this one were there when it was taken out of the list.
    var place = 0
    /// The row as it was. Of deleted rows always, because a REPLACE deletes rows without a trigger's being told; of others
    /// where the running statement's triggers are older than the table's columns.
    var old: SavedValues?
    /// The row as it becomes, where triggers are older than columns.
    var new: SavedValues?
    /// The arguments of a capture call that came before one on the same row that must go first.
    var deferred: SavedValues?

    /// Whether `other`, of the same table with row ids, concerns a row that this one does.
    func sharesRow(with other: RowEvent) -> Bool {
        (operation != SQLITE_INSERT && other.isOf(oldRow)) || (operation != SQLITE_DELETE && other.isOf(newRow))
    }

    private func isOf(_ row: Int64) -> Bool {
        (operation != SQLITE_INSERT && oldRow == row) || (operation != SQLITE_DELETE && newRow == row)
    }
}
