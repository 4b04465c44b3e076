import SQLLedger
import SQLLedgerSQLite
import Testing

/// Changes of the schema through the ledger.
@Suite struct SchemaChangeTests {
    @Test(arguments: ["", " WITHOUT ROWID"]) func columnsTakeEachOthersNames(end: String) throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE a(x, y, z, PRIMARY KEY(x, y))\(end); INSERT INTO a VALUES (1, 2, 3)")
        try db.run("SELECT ledger_enable('a')")
        try db.execute("UPDATE a SET z = 4")
        try db.execute(
            """
            BEGIN; ALTER TABLE a RENAME COLUMN y TO q; ALTER TABLE a RENAME COLUMN z TO y; ALTER TABLE a RENAME COLUMN q TO z;
            COMMIT; UPDATE a SET y = 8
            """)
        try db.execute(
            """
            BEGIN; ALTER TABLE a RENAME COLUMN x TO q; ALTER TABLE a RENAME COLUMN z TO x; ALTER TABLE a RENAME COLUMN y TO z;
            ALTER TABLE a RENAME COLUMN q TO y; COMMIT; UPDATE a SET z = 9; DELETE FROM a; INSERT INTO a VALUES (5, 6, 7)
            """)
        #expect(
            try db.lines("SELECT y, x, z FROM ledger_history_1 ORDER BY rowid") == ["1|2|3", "1|2|4", "1|2|8", "1|2|9"])
        #expect(try Self.findings(test, db).isEmpty)
    }

    @Test(arguments: ["CASCADE", "SET NULL", "SET DEFAULT"]) func droppingAReferencedTableChangesOthers(action: String)
        throws
    {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE p(id INTEGER PRIMARY KEY, v); CREATE TABLE ch(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE \(action));
            CREATE TABLE other(a)
            """)
        for table in ["p", "ch", "other"] { try db.run("SELECT ledger_enable('\(table)')") }
        try db.execute(
            "PRAGMA foreign_keys = 1; INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO ch VALUES (1, 1), (2, 2), (3, 2)"
        )
        try db.execute(
            "BEGIN; INSERT INTO ch VALUES (4, 1); SELECT ledger_drop_table('p'); INSERT INTO other VALUES (1); COMMIT")
        #expect(try db.lines("SELECT count(p) FROM ch") == ["0"])
        #expect(try db.lines("SELECT name FROM sqlite_schema WHERE name IN ('p', 'p_Ledger')").isEmpty)
        #expect(try Self.findings(test, db).isEmpty)
    }

    @Test func aDropThatAForeignKeyForbidsIsTakenBack() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE ch(p REFERENCES p)")
        for table in ["p", "ch"] { try db.run("SELECT ledger_enable('\(table)')") }
        try db.execute("PRAGMA foreign_keys = 1; INSERT INTO p VALUES (1); INSERT INTO ch VALUES (1)")
        #expect(db.refusal("SELECT ledger_drop_table('p')")?.contains("FOREIGN KEY") == true)
        try db.execute("INSERT INTO p VALUES (2); DELETE FROM ch; UPDATE p SET id = 3 WHERE id = 1")
        #expect(try Self.findings(test, db).isEmpty)
        try db.run("SELECT ledger_drop_table('p')")
        #expect(try Self.findings(test, db).isEmpty)
    }

    /// The key of a table without row ids lies beside the stamp's own columns.
    @Test func keysNamedLikeAStampsColumns() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            "CREATE TABLE k(transaction_id PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE o(k PRIMARY KEY, v) WITHOUT ROWID"
        )
        #expect(db.refusal("SELECT ledger_enable('k')")?.contains("rename the column") == true)
        try db.execute("ALTER TABLE k RENAME COLUMN transaction_id TO id")
        for table in ["k", "o"] { try db.run("SELECT ledger_enable('\(table)')") }
        try db.execute("INSERT INTO k VALUES (1, 1); ALTER TABLE k RENAME COLUMN id TO sequence_number")
        // Only this table cannot be written until the column has another name.
        #expect(db.refusal("INSERT INTO k VALUES (2, 2)")?.contains("rename the column") == true)
        try db.execute("INSERT INTO o VALUES (2, 2); ALTER TABLE k RENAME COLUMN sequence_number TO number")
        try db.execute("INSERT INTO k VALUES (2, 2)")
        #expect(try Self.findings(test, db).isEmpty)
    }

    /// Codes and objects of the findings.
    static func findings(_ test: TestDatabase, _ db: SQLiteConnection) throws -> [String] {
        guard let digest = try SQLiteLedger(attachingTo: db).closeBlock() else { return ["no block"] }
        let options = VerificationOptions(digests: [StatedDigest(digest, origin: "test")], jobs: 1)
        return LedgerVerifier(options).verify(try SQLiteEvidence.open(path: test.path)).findings
            .filter { $0.code != .tailUnattested }.map { "\($0.code.rawValue) \($0.object) \($0.reason)" }
    }
}
