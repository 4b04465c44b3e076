import LedgerProofs

extension SQLValue {
    /// The value as SQL that means it, for reports and repairs. Nothing in it ends a line, steers a terminal or is unseen, so that
    /// it is printed as it is: characters of texts that would are written by number (`'12 High Street' || char(10) || 'London'`).
    public var literal: String {
        switch self {
        case .null: "NULL"
        case .integer(let value): String(value)
        case .real(let value): Self.literal(value)
        case .text(let bytes): Self.literal(bytes)
        case .blob(let bytes): "x'\(Hex.encode(bytes))'"
        }
    }

    /// The literal, cut to `limit` characters: long values don't make a report longer. What was cut says how long the value is.
    public func literal(limit: Int) -> String {
        let text = literal
        guard text.count > limit else { return text }
        let byteCount =
            switch self {
            case .text(let bytes), .blob(let bytes): bytes.count
            case .null, .integer, .real: text.utf8.count
            }
        return "\(text.prefix(limit))… (\(byteCount) bytes)"
    }

    private static func literal(_ value: Double) -> String {
        if value.isNaN { return "NULL" }
        if value.isInfinite { return value < 0 ? "-9e999" : "9e999" }
        return "\(value)"
    }

    /// SQLite nests expressions 1000 deep, and gives a function 127 arguments.
    private static let maximumNumberCount = 100

    private static func literal(_ bytes: [UInt8]) -> String {
        let text = String(validating: bytes, as: UTF8.self)
        let numberCount = text?.unicodeScalars.count { !$0.isShown } ?? 0
        guard let text, numberCount <= maximumNumberCount, !bytes.contains(0) else {
            return "CAST(x'\(Hex.encode(bytes))' AS TEXT)"
        }
        guard numberCount > 0 else { return text.quotedText }
        var parts: [String] = []
        var rest = text.unicodeScalars[...]
        while let first = rest.first {
            let part = rest.prefix { $0.isShown == first.isShown }
            parts.append(
                first.isShown
                    ? String(part).quotedText : "char(\(part.map { String($0.value) }.joined(separator: ", ")))")
            rest = rest.dropFirst(part.count)
        }
        return parts.joined(separator: " || ")
    }
}
