import SQLLedger
import SQLLedgerSQLite
import Testing

/// A SQLite library that was built without the pre-update hook: everything is captured, or refused with the remedy.
@Suite struct WithoutHookTests {
    private static let schema = """
        PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);
        CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, p REFERENCES p ON DELETE CASCADE);
        CREATE TABLE w(k TEXT, n INT, v, PRIMARY KEY(k, n)) WITHOUT ROWID;
        SELECT ledger_init(), ledger_enable('p'), ledger_enable('t'), ledger_enable('w')
        """

    private static func make() throws -> (TestDatabase, SQLiteConnection) {
        let test = try TestDatabase()
        let db = try test.openWithoutHook()
        try db.execute(schema)
        return (test, db)
    }

    @Test func replacedAndCascadedRowsAreCaptured() throws {
        let (test, db) = try Self.make()
        try db.execute("INSERT INTO p VALUES (1), (2); INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2)")
        try db.execute("REPLACE INTO t VALUES (4, 'a', 2); UPDATE OR REPLACE t SET u = 'b' WHERE id = 4")
        try db.execute("INSERT INTO t VALUES (4, 'x', 2) ON CONFLICT DO UPDATE SET u = 'y'; DELETE FROM p WHERE id = 2")
        try db.execute("INSERT INTO w VALUES ('k', 1, 1); REPLACE INTO w VALUES ('k', 1, 2); UPDATE w SET n = 5")
        try db.execute("BEGIN; SAVEPOINT s; DELETE FROM w; ROLLBACK TO s; INSERT INTO p VALUES (9); COMMIT")
        #expect(try db.lines("SELECT count(*) FROM t") == ["0"])
        #expect(try db.lines("SELECT * FROM w") == ["k|5|2"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
        // Every end is in history: 4 rows and 2 changes of t, 1 of p, 2 of w.
        #expect(try db.lines("SELECT count(*) FROM ledger_history_2") == ["6"])
        try db.run("SELECT ledger_close_block()")
        let digest = try #require(try SQLiteLedger(attachingTo: db).newestDigest())
        let options = VerificationOptions(digests: [StatedDigest(digest, origin: "test")])
        let report = LedgerVerifier(options).verify(try SQLiteEvidence.open(path: test.path))
        #expect(report.verdict == .verified, "\(report.text)")
    }

    @Test func writingWithoutRecursiveTriggersIsRefused() throws {
        let (test, db) = try Self.make()
        defer { withExtendedLifetime(test) {} }
        try db.execute("INSERT INTO p VALUES (1); PRAGMA recursive_triggers = OFF")
        #expect(db.refusal("INSERT INTO p VALUES (2)")?.contains("PRAGMA recursive_triggers = ON") == true)
        #expect(db.refusal("REPLACE INTO p VALUES (1)")?.contains("PRAGMA recursive_triggers = ON") == true)
        try db.execute("PRAGMA recursive_triggers = ON; INSERT INTO p VALUES (3)")
        #expect(try db.lines("SELECT id FROM p") == ["1", "3"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
    }

    /// Nothing says which database a trigger's call came from.
    @Test func attachedDatabasesAreRefused() throws {
        let (test, db) = try Self.make()
        defer { withExtendedLifetime(test) {} }
        try db.execute("ATTACH ':memory:' AS other")
        let message = db.refusal("INSERT INTO p VALUES (1)")
        #expect(message?.contains("no other database is attached") == true, "\(message ?? "nil")")
        try db.execute("DETACH other; INSERT INTO p VALUES (1)")
        #expect(try LedgerReference.problems(of: db).isEmpty)
    }

    @Test func columnsThatAnotherConnectionAddsAreCaptured() throws {
        let (test, db) = try Self.make()
        try db.execute("INSERT INTO p VALUES (1)")
        try test.open().execute("ALTER TABLE p ADD COLUMN note TEXT")
        try db.execute("INSERT INTO p(id, note) VALUES (2, 'noted'); UPDATE p SET note = 'later' WHERE id = 1")
        #expect(try LedgerReference.problems(of: db).isEmpty)
        #expect(try db.lines("SELECT note FROM p_Ledger ORDER BY 1") == ["NULL", "NULL", "later", "noted"])
    }

    /// What a row was between two changes by one statement that was compiled before columns were added, nobody knows.
    @Test func rowsChangedTwiceAfterColumnsWereAdded() throws {
        let (test, db) = try Self.make()
        try db.execute(
            """
            CREATE TRIGGER again AFTER UPDATE OF v ON w BEGIN UPDATE w SET n = n + 1 WHERE k = NEW.k; END;
            INSERT INTO w VALUES ('k', 1, 1); ALTER TABLE w ADD COLUMN c DEFAULT 7
            """)
        #expect(db.refusal("UPDATE w SET v = 2")?.contains("SELECT ledger_refresh()") == true)
        #expect(try LedgerReference.problems(of: db).isEmpty)
        try db.execute("SELECT ledger_refresh(); UPDATE w SET v = 2")
        #expect(try db.lines("SELECT * FROM w") == ["k|2|2|7"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
        _ = test
    }
}
