import LedgerAPI
import LedgerProofs

/// The query parameters of a request, decoded once.
struct Query: Sendable {
    private var items: [(name: String, value: String)]

    /// Throws `APIError` 400 for a broken escape, for a parameter given twice, and for more than 64 parameters.
    init(_ text: Substring) throws {
        var items: [(name: String, value: String)] = []
        // By bytes: splitting by characters would look for grapheme boundaries.
        for bytes in text.utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let part = Substring(bytes)
            let equals = part.utf8.firstIndex(of: UInt8(ascii: "="))
            guard let name = PercentDecoding.decode(part[..<(equals ?? part.endIndex)]) else {
                throw APIError(.invalidQueryParameterValue, "A query parameter's name is not percent-encoded UTF-8.")
            }
            let raw = equals.map { part[part.utf8.index(after: $0)...] } ?? ""
            guard let value = PercentDecoding.decode(raw) else {
                throw APIError(
                    .invalidQueryParameterValue,
                    "The query parameter '\(name.prefix(64))' is not percent-encoded UTF-8.")
            }
            guard !items.contains(where: { ExactText.same($0.name, name) }) else {
                throw APIError(
                    .invalidQueryParameterValue, "The query parameter '\(name.prefix(64))' comes more than once.")
            }
            items.append((name, value))
            guard items.count <= 64 else {
                throw APIError(.invalidQueryParameterValue, "There are more than 64 query parameters.")
            }
        }
        self.items = items
    }

    /// With `others` in place of parameters of these names, which must have the same values where they were given.
    /// Throws `APIError` 400 where they have not.
    func replaced(by others: [(name: String, value: String)]) throws -> Query {
        for (name, value) in others {
            guard self[name].map({ ExactText.same($0, value) }) ?? true else {
                throw APIError(
                    .invalidQueryParameterValue,
                    "The query parameter '\(name)' contradicts the query parameter 'cursor'.")
            }
        }
        var copy = self
        copy.items = others + items.filter { item in !others.contains { ExactText.same($0.name, item.name) } }
        return copy
    }

    /// `nil` when absent or empty.
    subscript(name: String) -> String? {
        for item in items where ExactText.same(item.name, name) { return item.value.isEmpty ? nil : item.value }
        return nil
    }

    /// `true` or `false` in any case; absent is `false`. Throws `APIError` 400 for anything else.
    func flag(_ name: String) throws -> Bool {
        switch self[name]?.lowercased() {
        case nil, "false": return false
        case "true": return true
        default: throw APIError(.invalidQueryParameterValue, "The query parameter '\(name)' must be true or false.")
        }
    }

    /// A whole number in `range`; `nil` when absent. Throws `APIError` 400 for anything else.
    func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard text.utf8.count <= 19, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(text),
            range.contains(value)
        else {
            throw APIError(
                .invalidQueryParameterValue,
                "The query parameter '\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }
}
