import CSQLiteLedger
import SQLLedger

/// What rows hold in a column that was added after them: SQLite is asked, in a database of its own. Types and defaults
/// are the file's words, so neither is run as it stands: a type becomes one of the same affinity, and what is no single
/// literal is put in parentheses, as one expression of one statement.
enum ColumnDefault {
    /// Calls `body` with a statement that stands on one row, which has the value in its first column.
    /// - Throws: what SQLite says, for instance that no added column can have such a default; rows that lack the column
    ///   hold NULL then.
    static func with(
        _ text: String, type: String, isStrict: Bool, _ body: (SQLiteStatement) -> Void
    ) throws(SQLiteLedgerError) {
        let memory = try SQLiteConnection(path: ":memory:", creates: true)
        try memory.execute("PRAGMA trusted_schema = OFF")
        try memory.execute("CREATE TABLE t(a INT)\(isStrict ? " STRICT" : ""); INSERT INTO t VALUES (1)")
        guard let type = isStrict ? strictType(type) : Self.type(of: type) else {
            throw .refused("a STRICT table has no column of this type")
        }
        // A comment may end the text.
        let value = isTerm(text) ? text : "(\(text)\n)"
        try add("ALTER TABLE t ADD COLUMN b \(type) DEFAULT \(value)", in: memory)
        let statement = try memory.prepare("SELECT b FROM t")
        _ = try statement.step()
        body(statement)
        statement.reset()
        withExtendedLifetime(memory) {}
    }

    static func value(_ text: String, type: String, isStrict: Bool) throws(SQLiteLedgerError) -> SQLValue {
        var value = SQLValue.null
        try with(text, type: type, isStrict: isStrict) { value = $0.value(0) }
        return value
    }

    /// What a row gets that is inserted without the column: where texts take a number for default, not always the same.
    /// - Parameter definition: what stands behind the column's name, as `literal` or `TableSQL` made it.
    static func inserted(_ definition: String) throws(SQLiteLedgerError) -> SQLValue {
        let memory = try SQLiteConnection(path: ":memory:", creates: true)
        try memory.execute("PRAGMA trusted_schema = OFF")
        try memory.execute("CREATE TABLE t(a, b\(definition)); INSERT INTO t(a) VALUES (1)")
        return try memory.value("SELECT b FROM t") ?? .null
    }

    /// The value as a literal that a column without a type may have for default.
    static func literal(_ value: SQLValue) -> String {
        switch value {
        case .null: return "NULL"
        case .integer(let number): return String(number)
        case .real(let number):
            // No literal names infinity.
            return number.isInfinite ? (number < 0 ? "-9e999" : "9e999") : "\(number)"
        case .text(let bytes):
            let text = bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
            return text.map(SQLName.literal) ?? "(CAST(\(hex(bytes)) AS TEXT))"
        case .blob(let bytes): return hex(bytes)
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return "x'" + String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
            + "'"
    }

    /// The type that stands for all of the same affinity (https://www.sqlite.org/datatype3.html, 3.1).
    static func type(of declared: String) -> String {
        let type = SQLName.folded(declared)
        func has(_ words: String...) -> Bool { words.contains { type.utf8.firstRange(of: $0.utf8) != nil } }
        if has("int") { return "INTEGER" }
        if has("char", "clob", "text") { return "TEXT" }
        if type.isEmpty || has("blob") { return "BLOB" }
        return has("real", "floa", "doub") ? "REAL" : "NUMERIC"
    }

    private static func strictType(_ declared: String) -> String? {
        let types = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]
        return types.first { SQLName.same($0, declared) }
    }

    /// Whether the text is one number, or one text in single quotes, which are the same in parentheses.
    static func isConstant(_ text: String) -> Bool {
        // All that a number can begin with stands between the quote and the last digit.
        guard let first = text.utf8.first else { return false }
        return (UInt8(ascii: "'")...UInt8(ascii: "9")).contains(first) && isTerm(text)
    }

    /// Whether the text is one literal, or a name: in parentheses some of them are not the same, or no constants.
    static func isTerm(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        guard let first = rest.first else { return false }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        func isWord(_ byte: UInt8) -> Bool {
            isDigit(byte) || byte >= 0x80 || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        switch first {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
            return isQuoted(rest, by: first)
        case UInt8(ascii: "x") where rest.dropFirst().first == UInt8(ascii: "'"),
            UInt8(ascii: "X") where rest.dropFirst().first == UInt8(ascii: "'"):
            return isQuoted(rest.dropFirst(), by: UInt8(ascii: "'"))
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            rest = rest.dropFirst().drop { $0 == UInt8(ascii: " ") }
        default:
            // A name, or a word such as NULL, TRUE or CURRENT_DATE.
            guard isDigit(first) || first == UInt8(ascii: ".") else { return rest.allSatisfy(isWord) }
        }
        // A number. Where it is none, SQLite says so.
        guard let next = rest.first, isDigit(next) || next == UInt8(ascii: ".") else { return false }
        var last = next
        for byte in rest {
            let isSign = (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")) && last | 0x20 == UInt8(ascii: "e")
            guard isSign || byte == UInt8(ascii: ".") || byte < 0x80 && isWord(byte) else { return false }
            last = byte
        }
        return true
    }

    /// Whether the text is quoted as a whole: the quote in it stands twice.
    private static func isQuoted(_ text: ArraySlice<UInt8>, by quote: UInt8) -> Bool {
        guard text.count >= 2, text.last == quote else { return false }
        var inner = text.dropFirst().dropLast()
        while let at = inner.firstIndex(of: quote) {
            guard inner[(at + 1)...].first == quote else { return false }
            inner = inner[(at + 2)...]
        }
        return true
    }

    /// Runs the text as one statement. - Throws: when it is more than one.
    private static func add(_ sql: String, in memory: SQLiteConnection) throws(SQLiteLedgerError) {
        var statement: OpaquePointer?
        let (code, isWhole) = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = ils_prepare(memory.handle, text, -1, 0, &statement, &tail)
            return (code, tail?.pointee == 0)
        }
        guard code == SQLITE_OK, let statement else { throw .last(of: memory.handle, code: code) }
        let prepared = SQLiteStatement(statement, on: memory.handle)
        guard isWhole else { throw .refused("the default of a column is more than an expression") }
        _ = try prepared.step()
    }
}
