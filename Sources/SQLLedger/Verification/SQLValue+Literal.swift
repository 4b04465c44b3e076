import LedgerProofs

extension SQLValue {
    /// The value as an SQL literal, which any engine's shell reads back: for reports and repairs.
    public var literal: String {
        switch self {
        case .null: "NULL"
        case .integer(let value): String(value)
        case .real(let value): Self.literal(value)
        case .text(let bytes): Self.literal(bytes)
        case .blob(let bytes): "x'\(Hex.encode(bytes))'"
        }
    }

    /// The literal, cut to `limit` characters: long values don't make a report longer.
    public func literal(limit: Int) -> String {
        let text = literal
        guard text.count > limit else { return text }
        return "\(text.prefix(limit))… (\(text.utf8.count) bytes)"
    }

    private static func literal(_ value: Double) -> String {
        if value.isNaN { return "NULL" }
        if value.isInfinite { return value < 0 ? "-9e999" : "9e999" }
        return "\(value)"
    }

    private static func literal(_ bytes: [UInt8]) -> String {
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            return "CAST(x'\(Hex.encode(bytes))' AS TEXT)"
        }
        return text.quotedText
    }
}
