import CSQLiteLedger

/// What a row is found by: its row id, or the values of its key, which belong to somebody else.
struct RowKey {
    var row: Int64
    /// All stored values of the row; the key's are among them. Unused for tables with row ids.
    var values: UnsafePointer<OpaquePointer?>
}

extension SavedValues {
    /// Calls `body` with the values and the key of the row that they are.
    func withKey(
        of table: TableState, row: Int64,
        _ body: (UnsafePointer<OpaquePointer?>, RowKey) throws(SQLiteLedgerError) -> Void
    ) throws(SQLiteLedgerError) {
        var copy = values
        if copy.isEmpty { copy = [nil] }
        let result = copy.withUnsafeBufferPointer { buffer -> Result<Void, SQLiteLedgerError> in
            guard let base = buffer.baseAddress else { return .success(()) }
            do throws(SQLiteLedgerError) {
                return .success(try body(base, RowKey(row: row, values: base)))
            } catch {
                return .failure(error)
            }
        }
        try withExtendedLifetime(self) { () throws(SQLiteLedgerError) in try result.get() }
    }
}
