import SQLLedger
import SQLLedgerSQLite
import Testing

/// Ledger tables of attached databases: each database keeps its own ledger.
@Suite struct AttachedDatabaseTests {
    /// A connection on a ledger whose table has the same name and number as that of a second one, attached as `o"ther`.
    private static func make() throws -> (test: TestDatabase, other: TestDatabase, db: SQLiteConnection) {
        let (test, other) = (try TestDatabase(), try TestDatabase())
        let tables = "CREATE TABLE t(id INTEGER PRIMARY KEY, a); SELECT ledger_enable('t')"
        _ = try other.ledger(tables + "; INSERT INTO t VALUES (7, 'seven'); CREATE TABLE u(b)")
        let db = try test.ledger(tables)
        try db.run("ATTACH ? AS \"o\"\"ther\"", [.text(other.path)])
        return (test, other, db)
    }

    private static func problems(_ databases: TestDatabase...) throws -> [String] {
        try databases.flatMap { try LedgerReference.problems(of: $0.openPlain()) }
    }

    @Test func eachDatabaseKeepsItsOwnLedger() throws {
        let (test, other, db) = try Self.make()
        try db.execute(
            """
            BEGIN; INSERT INTO t VALUES (1, 'one'); INSERT INTO "o""ther".t VALUES (1, 'uno');
            UPDATE t SET a = 'ONE'; UPDATE "o""ther".t SET a = upper(a); COMMIT;
            DELETE FROM "o""ther".t WHERE id = 7; REPLACE INTO "o""ther".t VALUES (1, 'last')
            """)
        #expect(
            try test.openPlain().lines("SELECT a, ledger_operation_type FROM t_Ledger ORDER BY 2, 1") == [
                "ONE|1", "one|1", "one|2",
            ])
        #expect(
            try other.openPlain().lines("SELECT a FROM t_Ledger WHERE ledger_operation_type = 2 ORDER BY 1") == [
                "SEVEN", "UNO", "seven", "uno",
            ])
        #expect(
            try other.openPlain().lines("SELECT DISTINCT principal_name FROM database_ledger_transactions") == ["alice"]
        )
        #expect(try Self.problems(test, other).isEmpty)
    }

    @Test func whatIsRolledBackIsInNeitherLedger() throws {
        let (test, other, db) = try Self.make()
        try db.execute(
            """
            BEGIN; INSERT INTO "o""ther".t VALUES (2, 'kept'); SAVEPOINT a; UPDATE "o""ther".t SET a = 'gone';
            INSERT INTO t VALUES (1, 'gone'); SAVEPOINT b; DELETE FROM "o""ther".t; ROLLBACK TO a;
            INSERT INTO t VALUES (2, 'kept'); COMMIT;
            BEGIN; DELETE FROM t; DELETE FROM "o""ther".t; ROLLBACK
            """)
        #expect(try test.openPlain().lines("SELECT a FROM t_Ledger") == ["kept"])
        #expect(try other.openPlain().lines("SELECT a FROM t_Ledger ORDER BY a") == ["kept", "seven"])
        #expect(try Self.problems(test, other).isEmpty)
    }

    /// The triggers of both tables call with the same numbers, one within the other.
    @Test func temporaryTriggersWriteToAnotherDatabase() throws {
        let (test, other, db) = try Self.make()
        try db.execute(
            """
            CREATE TEMP TRIGGER copies AFTER INSERT ON "o""ther".t BEGIN
              INSERT INTO t SELECT new.id, new.a; UPDATE t SET a = a || '!' WHERE id = new.id; END;
            CREATE TEMP TRIGGER removes BEFORE DELETE ON "o""ther".t BEGIN DELETE FROM t WHERE id = old.id; END;
            INSERT INTO "o""ther".t VALUES (1, 'x'), (2, 'y'); DELETE FROM "o""ther".t WHERE id = 1
            """)
        #expect(try db.lines("SELECT * FROM t") == ["2|y!"])
        #expect(try test.openPlain().lines("SELECT count(*) FROM t_Ledger") == ["7"])
        #expect(try other.openPlain().lines("SELECT count(*) FROM t_Ledger") == ["4"])
        #expect(try Self.problems(test, other).isEmpty)
    }

    @Test func definitionsAreLedgered() throws {
        let (test, other, db) = try Self.make()
        try db.execute(
            """
            ALTER TABLE "o""ther".t ADD COLUMN note TEXT DEFAULT 'none'; INSERT INTO "o""ther".t VALUES (1, 2, 'n');
            ALTER TABLE "o""ther".t RENAME COLUMN a TO b; UPDATE "o""ther".t SET note = 'later' WHERE id = 7;
            ALTER TABLE "o""ther".t RENAME TO v; DELETE FROM "o""ther".v
            """)
        #expect(
            try other.openPlain().lines("SELECT b, note, ledger_operation_type FROM t_Ledger ORDER BY 1, 3, 2") == [
                "2|n|1", "2|n|2", "seven|later|1", "seven|none|1", "seven|later|2", "seven|none|2",
            ])
        #expect(try Self.problems(test, other).isEmpty)
    }

    @Test(arguments: ["wal", "delete"]) func newTablesOfAnAllTablesLedgerJoin(mode: String) throws {
        let (test, other, db) = try Self.make()
        try other.open().execute("PRAGMA journal_mode = \(mode); SELECT ledger_init(1)")
        try db.execute("CREATE TABLE \"o\"\"ther\".fresh(x); INSERT INTO \"o\"\"ther\".fresh VALUES (1)")
        try db.execute("UPDATE \"o\"\"ther\".t SET a = 1; UPDATE \"o\"\"ther\".fresh SET x = 2")
        #expect(try other.openPlain().lines("SELECT name FROM ledger_tables ORDER BY 1") == ["fresh", "t", "u"])
        #expect(try other.openPlain().lines("SELECT count(*) FROM fresh_Ledger") == ["3"])
        #expect(try Self.problems(test, other).isEmpty)
    }

    /// Tables of the same name with other numbers, behind the same name and the same schema cookie. What a REPLACE deletes is
    /// known from the announcement only.
    @Test func anotherFileIsAttachedUnderTheSameName() throws {
        let (test, other, db) = try Self.make()
        let third = try TestDatabase()
        _ = try third.ledger(
            "CREATE TABLE first(x); SELECT ledger_enable('first'); CREATE TABLE t(id INTEGER PRIMARY KEY, a, c); "
                + "SELECT ledger_enable('t'); INSERT INTO t VALUES (7, 'third', 1)")
        for database in [other, third] { try database.openPlain().execute("PRAGMA schema_version = 100") }
        for _ in 0..<2 {
            try db.execute("REPLACE INTO \"o\"\"ther\".t VALUES (7, 'again'); DETACH \"o\"\"ther\"")
            try db.run("ATTACH ? AS \"o\"\"ther\"", [.text(third.path)])
            try db.execute(
                "REPLACE INTO \"o\"\"ther\".t(id, a) VALUES (7, 1); UPDATE \"o\"\"ther\".t SET c = 5; DETACH \"o\"\"ther\""
            )
            try db.run("ATTACH ? AS \"o\"\"ther\"", [.text(other.path)])
        }
        #expect(try other.openPlain().lines("SELECT count(*) FROM t_Ledger") == ["5"])
        #expect(try third.openPlain().lines("SELECT count(*) FROM t_Ledger") == ["9"])
        #expect(try Self.problems(test, other, third).isEmpty)
    }

    @Test func appendOnlyTablesAndTheLedgersOwnStayWhatTheyAre() throws {
        let (test, other, db) = try Self.make()
        try other.open().execute("CREATE TABLE log(x); SELECT ledger_enable('log', 'append-only')")
        try db.execute("INSERT INTO \"o\"\"ther\".log VALUES (1)")
        let message = "Updates are not allowed for the append only Ledger table 'log'."
        #expect(db.refusal("UPDATE \"o\"\"ther\".log SET x = 2") == message)
        #expect(db.refusal("DELETE FROM \"o\"\"ther\".log") == message)
        #expect(
            db.refusal("DELETE FROM \"o\"\"ther\".database_ledger_transactions")?.contains("only the ledger writes")
                == true)
        // From the first write on the database is known for a ledger.
        #expect(db.refusal("INSERT INTO \"o\"\"ther\".ledger_history_1 VALUES (1, 1, 1, 1, 1, 1)") == "not authorized")
        #expect(db.refusal("DROP TABLE \"o\"\"ther\".t") == "not authorized")
        #expect(try Self.problems(test, other).isEmpty)
    }

    /// The transactions of virtual tables are those of `main`.
    @Test func mainMustBeWritable() throws {
        let (test, other, db) = try Self.make()
        try test.openPlain().execute("PRAGMA journal_mode = WAL")
        let writer = try test.openPlain()
        try writer.execute("BEGIN IMMEDIATE")
        try db.execute("PRAGMA busy_timeout = 1; BEGIN")
        #expect(db.refusal("UPDATE \"o\"\"ther\".t SET a = 1")?.contains("main database, too") == true)
        #expect(db.refusal("COMMIT") != nil && !db.isInTransaction)
        try writer.execute("ROLLBACK")
        try db.execute("BEGIN; UPDATE \"o\"\"ther\".t SET a = 2; COMMIT")
        #expect(try other.openPlain().lines("SELECT a FROM t_Ledger ORDER BY 1") == ["2", "seven", "seven"])
        #expect(try Self.problems(test, other).isEmpty)
    }
}
