import SQLLedger

/// Which rows have a key, as SQL.
package struct KeyCondition {
    /// One condition for each column, joined by AND; `1` without columns.
    package let sql: String
    /// Its parameters.
    package let values: [SQLValue]

    /// - Parameters:
    ///   - key: columns, and the values that each may have, NULL among them.
    ///   - prefix: what stands before the names of columns, `t.` for instance.
    package init(_ key: [(column: String, values: [SQLValue])], prefix: String) {
        var parts: [String] = []
        var parameters: [SQLValue] = []
        for (column, values) in key {
            let name = prefix + SQLName.quoted(column)
            let known = values.filter { $0 != .null }
            var choices = known.isEmpty ? [] : ["\(name) IN (\(known.map { _ in "?" }.joined(separator: ", ")))"]
            if known.count < values.count { choices.append("\(name) IS NULL") }
            parts.append(choices.count == 1 ? choices[0] : "(\(choices.joined(separator: " OR ")))")
            parameters += known
        }
        sql = parts.isEmpty ? "1" : parts.joined(separator: " AND ")
        values = parameters
    }
}
