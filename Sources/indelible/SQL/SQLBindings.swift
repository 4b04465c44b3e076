import LedgerProofs
import SQLLedger

/// Parameters for the first statement that has any.
struct SQLBindings {
    var positions: [SQLValue] = []
    var names: [String: SQLValue] = [:]

    var isEmpty: Bool { positions.isEmpty && names.isEmpty }

    /// A value on the command line: NULL, an integer, a number, x'…' for a BLOB, 'quoted' text, or text.
    static func value(_ word: String) -> SQLValue {
        if word.uppercased() == "NULL" { return .null }
        if let integer = Int64(word) { return .integer(integer) }
        if let first = word.first, first.isNumber || "+-.".contains(first), let number = Double(word) {
            return .real(number)
        }
        if word.count >= 3, word.lowercased().hasPrefix("x'"), word.hasSuffix("'"),
            let bytes = Hex.decode(String(word.dropFirst(2).dropLast()))
        {
            return .blob(bytes)
        }
        // By scalars: a quote that a combining mark follows is another `Character`.
        let scalars = word.unicodeScalars
        if scalars.count >= 2, scalars.first == "'", scalars.last == "'" {
            var text = String.UnicodeScalarView()
            var isDoubled = false
            for scalar in scalars.dropFirst().dropLast() {
                isDoubled = scalar == "'" && text.last == "'" && !isDoubled
                if !isDoubled { text.append(scalar) }
            }
            return .text(String(text))
        }
        return .text(word)
    }
}
