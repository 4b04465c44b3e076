import CSQLiteLedger
import SQLLedger

/// What a row is found by: its row id, or the values of its key, which belong to somebody else.
struct RowKey {
    var row: Int64
    /// All stored values of the row; the key's are among them. Unused for tables with row ids.
    var values: UnsafePointer<OpaquePointer?>
}

extension TableState {
    /// The values of a row event in the order of a capture call's.
    func completed(_ event: RowEvent) -> SavedValues {
        let all = SavedValues()
        for (values, isNew) in [(event.old, false), (event.new, true)] {
            guard let values else { continue }
            for (index, column) in sql.stored.enumerated() {
                let value = index < values.values.count ? values.values[index] : nil
                // A new value is the stored form, in which whole numbers of REAL columns are integers.
                if isNew, let value, ils_value_type(value) == SQLITE_INTEGER, Self.isReal(column.declaredType) {
                    all.append(real: Double(ils_value_int64(value)))
                } else {
                    all.append(copying: value)
                }
            }
        }
        return all
    }

    /// SQLite's rule for the affinity REAL (https://www.sqlite.org/datatype3.html, 3.1).
    private static func isReal(_ type: String) -> Bool {
        let type = type.uppercased()
        guard !["INT", "CHAR", "CLOB", "TEXT", "BLOB"].contains(where: { type.contains($0) }) else { return false }
        return ["REAL", "FLOA", "DOUB"].contains { type.contains($0) }
    }
}

extension SavedValues {
    /// Calls `body` with the values.
    func withValues(
        _ body: (UnsafePointer<OpaquePointer?>, Int) throws(SQLiteLedgerError) -> Void
    ) throws(SQLiteLedgerError) {
        let values = values
        let result = values.withUnsafeBufferPointer { buffer -> Result<Void, SQLiteLedgerError> in
            guard let base = buffer.baseAddress else { return .success(()) }
            do throws(SQLiteLedgerError) {
                return .success(try body(base, values.count))
            } catch {
                return .failure(error)
            }
        }
        try withExtendedLifetime(self) { () throws(SQLiteLedgerError) in try result.get() }
    }

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
