import SQLLedger

/// A column of an index, with what its order takes for the same.
struct IndexColumn {
    enum Reals {
        /// The table has whole numbers as integers only (or as texts): a whole real is none of the table's.
        case whole
        /// The table has both.
        case any
    }

    /// In double quotes; `nil` for an expression.
    let name: String?
    let collation: String
    /// Whether reals can be told from integers, and how; `nil` where SQLite reads all numbers as reals.
    let reals: Reals?

    var isBinary: Bool { collation == "BINARY" }

    /// All of an index but the row id: of a table without row ids also the columns of the key that SQLite appends.
    static func all(of index: String, _ table: String, _ reader: SQLiteEvidenceReader) throws -> [IndexColumn] {
        try reader.connection.query(
            """
            SELECT x.name, x.coll, c.type, c.dflt_value FROM pragma_index_xinfo(\(SQLName.literal(index)), 'main') AS x
            LEFT JOIN pragma_table_xinfo(\(SQLName.literal(table)), 'main') AS c ON c.cid = x.cid
            WHERE x.key OR x.cid >= 0 ORDER BY x.seqno
            """
        ).map { row in
            IndexColumn(
                name: row[2].string.flatMap { _ in row[0].string.map(SQLName.quoted) },
                collation: row[1].string ?? "BINARY",
                reals: row[2].string.flatMap { reals($0, hasDefault: row[3] != .null) })
        }
    }

    /// Whether a column of the type has the affinity REAL.
    static func isReal(_ type: String) -> Bool {
        let type = SQLName.folded(type)
        return ["real", "floa", "doub"].contains { type.contains($0) }
            && !["int", "char", "clob", "text", "blob"].contains { type.contains($0) }
    }

    /// By the column's affinity (https://www.sqlite.org/datatype3.html, 3.1).
    private static func reals(_ type: String, hasDefault: Bool) -> Reals? {
        let type = type.uppercased()
        func has(_ words: String...) -> Bool { words.contains { type.contains($0) } }
        if has("INT") { return .whole }
        // A column of texts has numbers only where its default is TRUE or FALSE.
        if has("CHAR", "CLOB", "TEXT") { return hasDefault ? .whole : nil }
        if type.isEmpty || type == "ANY" || has("BLOB") { return .any }
        return isReal(type) ? nil : .whole
    }

    /// SQL: whether two rows have the same value in the column, once the index takes them for the same.
    /// Values of different types are left alone, but for numbers, and for what SQLite reads as NULL and finds the same as any number (NaN).
    func isSame(_ row: String, _ entry: String) -> String {
        guard let name else { return "1" }
        let (a, b) = ("\(row).\(name)", "\(entry).\(name)")
        var terms = ["(\(a) IS NULL) = (\(b) IS NULL)"]
        if !isBinary {
            terms.append("(\(b) COLLATE BINARY IS \(a) OR typeof(\(b)) <> typeof(\(a)))")
        }
        if reals != nil { terms.append("typeof(\(a)) || typeof(\(b)) NOT IN ('integerreal', 'realinteger')") }
        return "(\(terms.joined(separator: " AND ")))"
    }
}
