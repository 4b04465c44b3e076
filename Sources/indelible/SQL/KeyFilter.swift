import SQLLedger
import SQLLedgerSQLite

/// `--key` values as conditions on a table's key columns.
struct KeyFilter {
    /// Column and the values it may have, in the order of the key.
    private(set) var key: [(column: String, values: [SQLValue])] = []
    /// Rows are named by their row id, which no version keeps.
    private(set) var usesRowID = false

    /// `source`: where the columns are read, if not from the table itself: a dropped one has its history only, and no key.
    /// Errors: a `Failure` for a number of values that is not the key's, or for unknown columns.
    init(_ words: [String], table: String, source: String? = nil, session: SQLSession) throws {
        guard !words.isEmpty else { return }
        let found = try session.rows("SELECT name, pk FROM pragma_table_info(?)", [.text(source ?? table)])
        let names = found.map { $0[0].shown }
        var key = found.filter { ($0[1].integer ?? 0) > 0 }
            .sorted { ($0[1].integer ?? 0) < ($1[1].integer ?? 0) }.map { $0[0].shown }
        let rowIDs = SQLName.rowIDs(besides: names)
        if key.isEmpty { key = Array(rowIDs.prefix(1)) }
        var positions = key[...]
        for word in words {
            if let mark = word.firstIndex(of: "="),
                let name = (names + rowIDs).first(where: { SQLName.folded($0) == SQLName.folded(String(word[..<mark])) }
                )
            {
                self.key.append((name, Self.values(String(word[word.index(after: mark)...]))))
            } else if let name = positions.popFirst() {
                self.key.append((name, Self.values(word)))
            } else {
                throw Failure("--key: \(table) has the key \(key.joined(separator: ", ")), got \(words.count) values")
            }
        }
        usesRowID = self.key.contains { rowIDs.contains($0.column) }
    }

    /// A word that looks like a number may be stored as number or as text.
    private static func values(_ word: String) -> [SQLValue] {
        let value = SQLBindings.value(word)
        switch value {
        case .integer, .real: return [value, .text(word)]
        default: return [value]
        }
    }
}
