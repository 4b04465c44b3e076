import SQLLedger

/// What rows hold in a column that was added after them: SQLite is asked, in a database of its own.
enum ColumnDefault {
    /// A statement that stands on one row with the value in its first column. It is the database's, which must stay.
    static func statement(
        _ text: String, type: String, isStrict: Bool
    ) throws(SQLiteLedgerError) -> (statement: SQLiteStatement, memory: SQLiteConnection) {
        let memory = try SQLiteConnection(path: ":memory:", creates: true)
        try memory.execute("PRAGMA trusted_schema = OFF")
        try memory.execute("CREATE TABLE t(a INT)\(isStrict ? " STRICT" : ""); INSERT INTO t VALUES (1)")
        try memory.execute("ALTER TABLE t ADD COLUMN b \(type) DEFAULT \(text)")
        let statement = try memory.prepare("SELECT b FROM t")
        _ = try statement.step()
        return (statement, memory)
    }

    static func value(_ text: String, type: String, isStrict: Bool) throws(SQLiteLedgerError) -> SQLValue {
        try statement(text, type: type, isStrict: isStrict).statement.value(0)
    }
}
