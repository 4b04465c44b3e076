import SQLLedger

/// Which rows have a key, as SQL.
package struct KeyCondition {
    /// One condition for each column, joined by AND; `1` without columns.
    package let sql: String
    /// Its parameters.
    package let values: [SQLValue]

    /// Values are compared as they are: a text that a column would take for a number, or a number for a text, is another value.
    /// - Parameters:
    ///   - key: columns, and the values that each may have, NULL among them.
    ///   - prefix: what stands before the names of columns, `t.` for instance.
    ///   - collations: of the table's primary key (`collations(of:)`), which may tell texts apart that the column does not.
    package init(
        _ key: [(column: String, values: [SQLValue])], prefix: String, collations: [(column: String, name: String)] = []
    ) {
        var parts: [String] = []
        var parameters: [SQLValue] = []
        for (column, values) in key {
            let name = prefix + SQLName.quoted(column)
            let collation = collations.first { SQLName.same($0.column, column) }
            let collate = collation.map { " COLLATE \(SQLName.quoted($0.name))" } ?? ""
            let known = values.filter { $0 != .null }
            var choices: [String] = []
            if !known.isEmpty {
                let marks = known.map { _ in "?" }.joined(separator: ", ")
                // The first finds the row in an index. The plus takes the column's affinity away, by which '007' would be 7.
                choices = ["(\(name)\(collate) IN (\(marks)) AND +\(name)\(collate) IN (\(marks)))"]
                parameters += known + known
            }
            if known.count < values.count { choices.append("\(name) IS NULL") }
            parts.append(choices.count == 1 ? choices[0] : "(\(choices.joined(separator: " OR ")))")
        }
        sql = parts.isEmpty ? "1" : parts.joined(separator: " AND ")
        values = parameters
    }

    /// SQL with a table's name as parameter: the columns of its primary key and their collating sequences there. None for a key that is
    /// the row id.
    package static let collations = """
        SELECT x.name, x.coll FROM pragma_index_list(?1, 'main') AS l, pragma_index_xinfo(l.name, 'main') AS x
        WHERE l.origin = 'pk' AND x.key = 1 AND x.name IS NOT NULL ORDER BY x.seqno
        """

    /// What `collations` gives.
    package static func collations(_ rows: [[SQLValue]]) -> [(column: String, name: String)] {
        rows.compactMap { row in
            guard row.count == 2, let column = row[0].string, let name = row[1].string else { return nil }
            return (column, name)
        }
    }
}
