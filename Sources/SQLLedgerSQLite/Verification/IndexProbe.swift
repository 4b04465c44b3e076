import LedgerProofs
import SQLLedger

/// Looks whether an index holds one row, without reading the rest of it.
struct IndexProbe {
    let index: String
    /// SQL: whether the index holds the row that a statement has as `t`.
    let condition: String

    /// A probe for each index of a table; `nil` where an index can only be compared as a whole: one over a part of the rows or over
    /// expressions, or of a table whose new rows are not read one by one.
    static func all(of layout: TableLayout, _ reader: SQLiteEvidenceReader) throws -> [IndexProbe]? {
        guard layout.hasTable, !layout.isRenumbered else { return nil }
        let indexes = try reader.indexes(of: layout.table.name)
        guard !indexes.isEmpty else { return [] }
        let key: [String]
        switch layout.identity {
        case .rowID(let name): key = ["b.\(name) = t.\(name)"]
        case .key(let columns): key = columns.map { "b.\(SQLName.quoted($0)) IS t.\(SQLName.quoted($0))" }
        }
        var probes: [IndexProbe] = []
        for (name, isPartial) in indexes {
            guard !isPartial else { return nil }
            var terms: [String] = []
            for column in try IndexColumn.all(of: name, layout.table.name, reader) {
                guard let quoted = column.name else { return nil }
                terms.append("b.\(quoted) COLLATE \(SQLName.quoted(column.collation)) IS t.\(quoted)")
                // What is the same to the index need not be the same value.
                terms.append(column.isSame("t", "b"))
            }
            let probe = IndexProbe(
                index: name,
                condition: """
                    EXISTS (SELECT 1 FROM main.\(SQLName.quoted(layout.table.name)) AS b INDEXED BY \(SQLName.quoted(name))
                    WHERE \((terms + key).joined(separator: " AND ")))
                    """)
            let test = "SELECT \(probe.condition) FROM main.\(SQLName.quoted(layout.table.name)) AS t"
            // SQLite may see no way through the index.
            guard !terms.isEmpty, (try? reader.connection.prepare(test)) != nil else { return nil }
            probes.append(probe)
        }
        return probes
    }
}
