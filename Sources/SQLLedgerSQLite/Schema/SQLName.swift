/// Names as SQL text.
enum SQLName {
    /// An identifier in double quotes.
    static func quoted(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }

    /// A text literal.
    static func literal(_ text: String) -> String {
        "'" + text.replacing("'", with: "''") + "'"
    }

    /// Whether SQLite takes both for the same name: it folds ASCII letters only.
    static func same(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { folded($0) == folded($1) }
    }

    static func folded(_ name: String) -> String { String(decoding: name.utf8.map(folded), as: UTF8.self) }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Whether the name is in the ledger's own name space, or SQLite's.
    static func isReserved(_ name: String) -> Bool {
        let name = folded(name)
        return name.hasPrefix("ledger_") || name.hasPrefix("database_ledger_") || name.hasPrefix("sqlite_")
    }
}
