import LedgerProofs
import SQLLedger

/// The columns of a table as SQLite sees them now.
struct TableColumns {
    struct Column {
        var name: String
        var type: String
        var isNotNull: Bool
        var defaultText: String?
        var keyPosition: Int64
        /// 0, 2 (virtual) or 3 (stored).
        var generation: Int64
    }

    let columns: [Column]

    init(_ table: String, _ connection: SQLiteConnection) throws {
        let statement = try connection.prepare(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main')")
        try statement.bind(.text(table), at: 1)
        var columns: [Column] = []
        while try statement.step() {
            columns.append(
                Column(
                    name: statement.text(0), type: statement.text(1), isNotNull: statement.integer(2) != 0,
                    defaultText: statement.optionalText(3), keyPosition: statement.integer(4),
                    generation: statement.integer(5)))
        }
        self.columns = columns
    }

    func type(of name: String) -> String? { columns.first { SQLName.same($0.name, name) }?.type }

    func find(_ name: String) -> String? { columns.first { SQLName.same($0.name, name) }?.name }

    /// The names under which the ledgered columns can be read now: their own, because that is how everybody reads them.
    /// A column whose name is gone is taken to be the one in its place that no ledgered column is named like.
    func names(for ledgered: [SchemaColumn]) -> [String?] {
        let known = Set(ledgered.map { SQLName.folded($0.name) })
        return ledgered.enumerated().map { index, column in
            if let name = find(column.name) { return name }
            guard index < columns.count, !known.contains(SQLName.folded(columns[index].name)) else { return nil }
            return columns[index].name
        }
    }

    /// What tells rows apart.
    /// - Throws: where the row id has no name left.
    func identity(_ description: TableDescription) throws(VerificationError) -> TableLayout.RowIdentity {
        guard description.rowIDColumn != nil else {
            let key = columns.filter { $0.keyPosition > 0 }.sorted { $0.keyPosition < $1.keyPosition }
            return .key(key.map(\.name))
        }
        if let free = SQLName.rowIDs(besides: columns.map(\.name)).first { return .rowID(free) }
        let key = description.columns.filter { $0.primaryKeyPosition > 0 }
        guard let name = description.rowIDColumn, key.count == 1, key[0].name.exact == name.exact else {
            throw VerificationError(
                object: description.table,
                reason: "its columns have all names of the row id (rowid, _rowid_, oid): rename one of the three")
        }
        return .rowID(find(name) ?? name)
    }
}
