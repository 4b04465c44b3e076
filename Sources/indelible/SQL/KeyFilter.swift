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
            } else if let column = Self.unknownColumn(word) {
                throw Failure(
                    "--key: \(table) has no column '\(column)'; a value with = in it is quoted, or written NAME=VALUE: "
                        + (positions.first.map { "'\($0)=\(word)'" } ?? "\"'\(word)'\""))
            } else if let name = positions.popFirst() {
                self.key.append((name, Self.values(word)))
            } else {
                throw Failure("--key: \(table) has the key \(key.joined(separator: ", ")), got \(words.count) values")
            }
        }
        usesRowID = self.key.contains { rowIDs.contains($0.column) }
    }

    /// The values of a key that stand in one word with commas between them. In a value that begins with a single quote, also
    /// behind `NAME=` or `x`, commas are part of it up to the quote that ends it.
    static func words(_ row: String) -> [String] {
        var words = [""]
        var (isText, isQuoted) = (false, false)
        for scalar in row.unicodeScalars {
            if scalar == ",", !isQuoted {
                words.append("")
                isText = false
                continue
            }
            let word = words[words.count - 1]
            if scalar == "'", !isText, word.isEmpty || word.unicodeScalars.last == "=" || word.lowercased() == "x" {
                isText = true
            }
            // A doubled quote ends the text and begins it again.
            if scalar == "'", isText { isQuoted.toggle() }
            words[words.count - 1].unicodeScalars.append(scalar)
        }
        return words
    }

    /// The name in a word that can only be meant as NAME=VALUE: a plain identifier, and a value that is more than the `=`
    /// with which base64 ends. `nil` for every other word.
    private static func unknownColumn(_ word: String) -> String? {
        guard let mark = word.firstIndex(of: "="), let first = word.unicodeScalars.first else { return nil }
        let name = word[..<mark]
        let value = word[word.index(after: mark)...]
        guard first == "_" || first.properties.isAlphabetic, !value.allSatisfy({ $0 == "=" }),
            name.unicodeScalars.allSatisfy({
                $0 == "_" || $0 == "$" || $0.properties.isAlphabetic || $0.properties.numericType != nil
            })
        else { return nil }
        return String(name)
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
