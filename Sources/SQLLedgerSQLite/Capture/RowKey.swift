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
        for saved in [event.old, event.new] {
            guard let saved = saved.map(typed) else { continue }
            // The values are gone with the last use of their owner.
            withExtendedLifetime(saved) {
                for index in sql.stored.indices {
                    all.append(copying: index < saved.values.count ? saved.values[index] : nil)
                }
            }
        }
        return all
    }

    /// The values of a row that SQLite itself told of, as reading the row would give them. A new value is the stored form, in
    /// which whole numbers of REAL columns are integers; old values of tables without row ids follow the types of other
    /// columns where the key is not first (SQLite 3.40).
    func typed(_ given: SavedValues) -> SavedValues {
        let saved = given.missing.isEmpty ? given : given.completed(with: defaults)
        let typed = SavedValues()
        for (value, column) in zip(saved.values, sql.stored) {
            let type = value.map(ils_value_type)
            if type == SQLITE_INTEGER, let value, Affinity(column.declaredType) == .real {
                typed.append(real: Double(ils_value_int64(value)))
            } else if type == SQLITE_FLOAT, let value, Affinity(column.declaredType) == .whole,
                let number = Int64(exactly: ils_value_double(value)), number.magnitude < 1 << 53
            {
                typed.append(integer: number)
            } else {
                typed.append(copying: value)
            }
        }
        for value in saved.values.dropFirst(sql.stored.count) { typed.append(copying: value) }
        return typed
    }

    /// The old values of a row, as reading it would have given them: with row ids and in a whole record they are that
    /// already.
    func recorded(_ old: SavedValues) -> SavedValues {
        if !hasRowID { return typed(old) }
        return old.missing.isEmpty ? old : old.completed(with: defaults)
    }

    /// What rows hold in stored columns that were added after they were written.
    private var defaults: SavedValues {
        if let known = knownDefaults { return known }
        let values = SavedValues()
        for (place, column) in sql.stored.enumerated() {
            if let text = column.defaultText {
                // What no added column can have, like the present time, is a column's that no row lacks.
                try? ColumnDefault.with(text, type: column.declaredType, isStrict: description.isStrict) {
                    values.append(copying: ils_column_value($0.handle, 0))
                }
            }
            if values.values.count == place { values.append(copying: nil) }
        }
        knownDefaults = values
        return values
    }

    /// How a column's values are converted (https://www.sqlite.org/datatype3.html, 3.1), as far as numbers go.
    private enum Affinity {
        /// INTEGER and NUMERIC: whole numbers are integers.
        case whole
        case real
        /// TEXT, BLOB, and ANY, which depends on the table.
        case other

        init(_ type: String) {
            switch ColumnDefault.type(of: type) {
            case _ where SQLName.same(type, "ANY"): self = .other
            case "INTEGER", "NUMERIC": self = .whole
            case "REAL": self = .real
            default: self = .other
            }
        }
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
