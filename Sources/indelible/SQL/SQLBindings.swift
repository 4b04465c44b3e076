import LedgerProofs
import SQLLedger

/// Parameters for the first statement that has any.
struct SQLBindings {
    var positions: [SQLValue] = []
    var names: [String: SQLValue] = [:]

    var isEmpty: Bool { positions.isEmpty && names.isEmpty }

    /// Errors: a `Failure` unless exactly these are the parameters of the first of `statements` that has any, and no
    /// other has any. A value that no statement takes would mostly be a condition that is missing.
    func check(_ statements: [String]) throws {
        let having = statements.map { StatementParameters($0) }.filter { $0.count > 0 }
        guard let first = having.first else {
            throw Failure("parameters were given, but no statement has any; nothing was run")
        }
        if names.isEmpty {
            guard positions.count == first.count else {
                throw Failure(
                    "the statement has \(first.count) \(first.count == 1 ? "parameter" : "parameters"), "
                        + "\(positions.count) were given; nothing was run")
            }
        } else {
            var unused = Set(names.keys)
            for number in 1...first.count {
                let name = first.names[number]
                guard let name, let key = [String(name.dropFirst()), name].first(where: { names[$0] != nil }) else {
                    throw Failure("parameter \(name ?? String(number)) of the statement was not given; nothing was run")
                }
                unused.remove(key)
            }
            if let name = unused.min() {
                throw Failure("--named: the statement has no parameter '\(name)'; nothing was run")
            }
        }
        guard having.count == 1 else {
            throw Failure(
                "\(having.count) statements have parameters, and they are for one only; nothing was run")
        }
    }

    /// A value on the command line: NULL, an integer, a number, x'…' for a BLOB, 'quoted' text, or text.
    static func value(_ word: String) -> SQLValue {
        if word.uppercased() == "NULL" { return .null }
        if let integer = Int64(word) { return .integer(integer) }
        if let first = word.first, "+-.0123456789".contains(first), !word.lowercased().contains("x"),
            let number = Double(word)
        {
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
