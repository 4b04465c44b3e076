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
        let names = try reader.objects().belonging(to: layout.table.name, type: "index").map(\.name)
        guard !names.isEmpty else { return [] }
        let key: [String]
        switch layout.identity {
        case .rowID(let name): key = ["b.\(name) = t.\(name)"]
        case .key(let columns): key = columns.map { "b.\(SQLName.quoted($0)) IS t.\(SQLName.quoted($0))" }
        }
        let partial = try reader.connection.query(
            "SELECT name FROM pragma_index_list(\(SQLName.literal(layout.table.name)), 'main') WHERE partial"
        ).compactMap { $0.first?.string }
        var probes: [IndexProbe] = []
        for name in names {
            guard !partial.containsExactly(name) else { return nil }
            let columns = try reader.connection.query(
                "SELECT name, coll FROM pragma_index_xinfo(\(SQLName.literal(name)), 'main') WHERE key ORDER BY seqno")
            var terms: [String] = []
            for column in columns {
                guard let name = column[0].string, let collation = column[1].string else { return nil }
                let quoted = SQLName.quoted(name)
                terms.append("b.\(quoted) COLLATE \(SQLName.quoted(collation)) IS t.\(quoted)")
                // What is the same to the index need not be the same text.
                if collation != "BINARY" {
                    terms.append(
                        "(b.\(quoted) COLLATE BINARY IS t.\(quoted) OR typeof(b.\(quoted)) <> typeof(t.\(quoted)))")
                }
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
