import SQLLedger

/// `--key` values as conditions on a table's key columns.
struct KeyFilter {
    /// Column and the values it may have, in the order of the key.
    private var columns: [(name: String, values: [SQLValue])] = []

    /// `source`: where the columns are read, if not from the table itself: a dropped one has its history only, and no key.
    /// Errors: a `Failure` for a number of values that is not the key's, or for unknown columns.
    init(_ words: [String], table: String, source: String? = nil, session: SQLSession) throws {
        guard !words.isEmpty else { return }
        let found = try session.rows("SELECT name, pk FROM pragma_table_info(?)", [.text(source ?? table)])
        let names = found.map { $0[0].shown }
        var key = found.filter { ($0[1].integer ?? 0) > 0 }
            .sorted { ($0[1].integer ?? 0) < ($1[1].integer ?? 0) }.map { $0[0].shown }
        if key.isEmpty { key = ["rowid"] }
        var positions = key[...]
        for word in words {
            if let mark = word.firstIndex(of: "="),
                let name = (names + ["rowid"]).first(where: { $0.lowercased() == word[..<mark].lowercased() })
            {
                columns.append((name, Self.values(String(word[word.index(after: mark)...]))))
            } else if let name = positions.popFirst() {
                columns.append((name, Self.values(word)))
            } else {
                throw Failure("--key: \(table) has the key \(key.joined(separator: ", ")), got \(words.count) values")
            }
        }
    }

    /// Conditions joined by AND, and their parameters.
    func conditions(prefix: String) -> (conditions: [String], values: [SQLValue]) {
        var values: [SQLValue] = []
        let conditions = columns.map { column in
            values += column.values
            let marks = column.values.map { _ in "?" }.joined(separator: ", ")
            return "\(prefix)\(column.name.quotedIdentifier) IN (\(marks))"
        }
        return (conditions, values)
    }

    var key: [(name: String, values: [SQLValue])] { columns }

    /// A word that looks like a number may be stored as number or as text.
    private static func values(_ word: String) -> [SQLValue] {
        let value = SQLBindings.value(word)
        switch value {
        case .integer, .real: return [value, .text(word)]
        default: return [value]
        }
    }
}
