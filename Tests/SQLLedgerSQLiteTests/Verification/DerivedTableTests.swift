import SQLLedger
import SQLLedgerSQLite
import Testing

/// Tables that prove nothing but which the ledger works with: what is missing there is found, put back, and ends nothing.
@Suite struct DerivedTableTests {
    /// Three blocks, a table with rows and one that was dropped.
    private static func make() throws -> (EngineVerificationTests.Database, LedgerDigest) {
        let database = try EngineVerificationTests.Database()
        let db = database.db
        try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE gone(x)")
        try database.ledger.enable(table: "t")
        try database.ledger.enable(table: "gone")
        for _ in 0..<3 {
            try db.execute("INSERT INTO t(v) VALUES (1), (2)")
            _ = try database.seal()
        }
        try database.ledger.drop(table: "gone")
        return (database, try database.seal())
    }

    private static func found(_ database: EngineVerificationTests.Database, _ digest: LedgerDigest) throws -> [String] {
        try database.verify([digest]).findings.filter { $0.code != .tailUnattested }
            .map { "\($0.code.rawValue) \($0.object)" }
    }

    @Test(arguments: [
        ("UPDATE ledger_tables SET is_dropped = 1", "ledger_tables"), ("DELETE FROM ledger_tables", "ledger_tables"),
        ("UPDATE ledger_tables SET name = 'u' WHERE table_id = 1", "ledger_tables"),
        ("INSERT INTO ledger_tables VALUES (9, 'n', 'n_Ledger', 'updatable', 0)", "ledger_tables"),
        ("INSERT INTO ledger_pending VALUES (1, 1, 1, 1)", "ledger_pending"),
        ("DELETE FROM ledger_block_nodes WHERE level = 0", "ledger_block_nodes"),
        ("DELETE FROM ledger_block_nodes", "ledger_block_nodes"),
    ])
    func missingRowsAreFoundAndPutBack(attack: String, table: String) throws {
        let (database, digest) = try Self.make()
        #expect(try Self.found(database, digest).isEmpty)
        let triggers = try database.db.query("SELECT name, sql FROM sqlite_schema WHERE name LIKE 'ledger_guard%'")
        let plain = try SQLiteConnection(path: database.path)
        for trigger in triggers { try plain.execute("DROP TRIGGER \(trigger[0].shown)") }
        try plain.execute(attack)
        for trigger in triggers { try plain.execute(trigger[1].shown) }
        let findings = try database.verify([digest]).findings
        #expect(Set(findings.map(\.code)) == [.indexDivergence], "\(findings)")
        #expect(findings.allSatisfy { $0.object == table && $0.repair?.action == .reinstall })
        // Writing goes on.
        try database.db.execute("ALTER TABLE t ADD COLUMN z; UPDATE t SET z = 1; INSERT INTO t(v) VALUES (5)")
        try database.ledger.refresh()
        let last = try database.seal()
        #expect(try Self.found(database, last).isEmpty)
        #expect(try database.db.lines("SELECT table_id, name, is_dropped FROM ledger_tables") == ["1|t|0", "2|gone|1"])
    }

    @Test func aNodeAboveTheBlocksIsAltered() throws {
        let (database, digest) = try Self.make()
        let plain = try SQLiteConnection(path: database.path)
        try plain.execute("DROP TRIGGER ledger_guard_update_ledger_block_nodes")
        try plain.execute("UPDATE ledger_block_nodes SET hash = zeroblob(32) WHERE level = 1 AND position = 0")
        #expect(try Self.found(database, digest).contains("INDEX_DIVERGENCE ledger_block_nodes"))
    }

    @Test(arguments: [
        "UPDATE ledger_tables SET is_dropped = 1", "DELETE FROM ledger_tables", "DELETE FROM ledger_rowid_canary",
        "INSERT INTO ledger_pending VALUES (1, 1, 1, 1)",
        "INSERT INTO ledger_tables VALUES (9, 'n', 'v', 'updatable', 0)",
    ])
    func onlyTheLedgerWritesThem(sql: String) throws {
        let (database, _) = try Self.make()
        let refusal = try #require(database.db.refusal(sql))
        #expect(refusal.contains("is not allowed on the ledger's table"), "\(refusal)")
        #expect(try SQLiteConnection(path: database.path).refusal(sql)?.contains("ledger_is_writing") == true)
    }
}
