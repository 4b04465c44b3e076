import SQLLedger

/// What rows hold in a column that was added after them: SQLite is asked, in a database of its own.
enum ColumnDefault {
    /// Calls `body` with a statement that stands on one row, which has the value in its first column.
    /// - Throws: what SQLite says, for instance that no added column can have such a default.
    static func with(
        _ text: String, type: String, isStrict: Bool, _ body: (SQLiteStatement) -> Void
    ) throws(SQLiteLedgerError) {
        let memory = try SQLiteConnection(path: ":memory:", creates: true)
        try memory.execute("PRAGMA trusted_schema = OFF")
        try memory.execute("CREATE TABLE t(a INT)\(isStrict ? " STRICT" : ""); INSERT INTO t VALUES (1)")
        try memory.execute("ALTER TABLE t ADD COLUMN b \(type) DEFAULT \(text)")
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
    /// - Parameter definition: what stands behind the column's name.
    static func inserted(_ definition: String) throws(SQLiteLedgerError) -> SQLValue {
        let memory = try SQLiteConnection(path: ":memory:", creates: true)
        try memory.execute("PRAGMA trusted_schema = OFF")
        try memory.execute("CREATE TABLE t(a, b\(definition)); INSERT INTO t(a) VALUES (1)")
        return try memory.value("SELECT b FROM t") ?? .null
    }
}
