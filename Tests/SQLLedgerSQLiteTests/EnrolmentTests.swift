import Foundation
import SQLLedger
import SQLLedgerSQLite
import Testing

/// When new tables join in ledger-database mode.
@Suite struct EnrolmentTests {
    private static let enrolled = "SELECT name FROM ledger_tables ORDER BY name"

    private static func make(wal: Bool) throws -> (TestDatabase, SQLiteConnection) {
        let test = try TestDatabase()
        let db = try test.open()
        if wal { try db.execute("PRAGMA journal_mode = WAL") }
        try db.run("SELECT ledger_init(1)")
        return (test, db)
    }

    @Test func inWALModeTablesJoinWithTheirCommit() throws {
        let (test, db) = try Self.make(wal: true)
        try db.execute("CREATE TABLE a(id INTEGER PRIMARY KEY, x)")
        // Looked at by somebody who enrols nothing.
        let plain = try test.openPlain()
        #expect(try plain.lines(Self.enrolled) == ["a"])
        try db.execute("BEGIN; CREATE TABLE b(x); INSERT INTO b VALUES (1); CREATE TABLE c(x)")
        #expect(try plain.lines(Self.enrolled) == ["a"])
        try db.execute("COMMIT")
        #expect(try plain.lines(Self.enrolled) == ["a", "b", "c"])
        try db.execute("BEGIN; CREATE TABLE d(x); ROLLBACK")
        #expect(try plain.lines(Self.enrolled) == ["a", "b", "c"])
        // Rows from before the enrolment are adopted.
        #expect(try plain.lines("SELECT x FROM b_Ledger") == ["1"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
    }

    @Test func connectionsThatFindTheModeOnHaveTheHookToo() throws {
        let (test, _) = try Self.make(wal: true)
        let other = try test.open(principal: "bob")
        try other.execute("CREATE TABLE a(x)")
        #expect(try test.openPlain().lines(Self.enrolled) == ["a"])
        try other.execute("INSERT INTO a VALUES (1)")
        #expect(try LedgerReference.problems(of: other).isEmpty)
    }

    /// Without a WAL there is nothing to hook into: tables join with the next change of a ledger table, or when told.
    @Test func inRollbackModeTablesJoinAtTheNextChance() throws {
        let (test, db) = try Self.make(wal: false)
        try db.execute("CREATE TABLE a(x)")
        #expect(try test.openPlain().lines(Self.enrolled).isEmpty)
        try db.run("SELECT ledger_refresh()")
        #expect(try test.openPlain().lines(Self.enrolled) == ["a"])
    }

    /// What only begins like a name of the ledger's is the user's.
    @Test func tablesWhoseNamesBeginLikeTheLedgersJoin() throws {
        let (test, db) = try Self.make(wal: false)
        try db.execute(
            """
            CREATE TABLE ledger_entries(id INTEGER PRIMARY KEY, amount); INSERT INTO ledger_entries VALUES (1, 5);
            CREATE TABLE ledger_history_notes(a); CREATE TABLE database_ledger_x(a); CREATE TABLE ledger_history_2024(a)
            """)
        try db.run("SELECT ledger_refresh()")
        try db.execute("INSERT INTO ledger_history_notes VALUES (1); UPDATE ledger_entries SET amount = 6")
        #expect(try db.lines(Self.enrolled) == ["database_ledger_x", "ledger_entries", "ledger_history_notes"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
        let findings = try Self.verify(test, db)
        #expect(findings == ["COVERAGE_GAP ledger_history_2024"])
    }

    @Test func plainTablesWhoseNamesBeginLikeTheLedgersCanBeDroppedAndRenamed() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            "CREATE TABLE ledger_a(x); CREATE TABLE database_ledger_b(x); CREATE TABLE ledger_history_x(x)")
        try db.execute(
            "ALTER TABLE ledger_a RENAME TO ledger_c; DROP TABLE ledger_c; INSERT INTO ledger_history_x VALUES (1)")
        try db.execute("DROP TABLE database_ledger_b; DROP TABLE ledger_history_x")
        for name in ["ledger_tables", "database_ledger_blocks", "ledger_history_1", "LEDGER_identity"] {
            try? db.execute("CREATE TABLE \(name)(x)")
            #expect(db.refusal("DROP TABLE \(name)") != nil)
            #expect(db.refusal("ALTER TABLE \(name) RENAME TO other") != nil)
        }
    }

    /// One table that cannot be a ledger table is named; the others go on.
    @Test(arguments: [
        "CREATE TABLE notes(ledger_note)", "CREATE TABLE notes(rowid, oid, _rowid_)",
        "CREATE TABLE notes(\((1...2000).map { "c\($0)" }.joined(separator: ", ")))",
    ])
    func aTableThatCannotJoinStopsNobody(sql: String) throws {
        let (test, db) = try Self.make(wal: false)
        try db.execute("CREATE TABLE accounts(id INTEGER PRIMARY KEY, owner)")
        try db.run("SELECT ledger_refresh()")
        let plain = try test.openPlain()
        try plain.execute(sql)
        try db.execute("INSERT INTO accounts VALUES (2, 'b')")
        #expect(try Self.verify(test, db) == ["COVERAGE_GAP notes"])
        try db.execute("DROP TABLE notes")
        #expect(try Self.verify(test, db).isEmpty)
    }

    private static let views = "SELECT name, view FROM ledger_tables ORDER BY table_id"

    /// A renamed table keeps its view's name, so the next table of its old name needs another.
    @Test(arguments: [false, true]) func theSuccessorOfARenamedTableJoins(wal: Bool) throws {
        let (test, db) = try Self.make(wal: wal)
        try db.execute("CREATE TABLE dogs(id INTEGER PRIMARY KEY, name); INSERT INTO dogs VALUES (1, 'Cleo')")
        try db.run("SELECT ledger_refresh()")
        for old in ["dogs_1", "dogs_2"] {
            try db.execute(
                """
                BEGIN; CREATE TABLE dogs_new(id INTEGER PRIMARY KEY, name, age);
                INSERT INTO dogs_new(id, name) SELECT id, name FROM dogs;
                ALTER TABLE dogs RENAME TO \(old); ALTER TABLE dogs_new RENAME TO dogs; COMMIT
                """)
            try db.run("SELECT ledger_refresh()")
        }
        try db.execute("UPDATE dogs SET age = 4")
        let views = try db.lines(Self.views)
        #expect(views == ["dogs_1|dogs_Ledger", "dogs_2|dogs_Ledger2", "dogs|dogs_Ledger3"])
        let versions = try db.lines(
            "SELECT age, ledger_operation_type FROM dogs_Ledger3 ORDER BY ledger_transaction_id, ledger_sequence_number"
        )
        #expect(versions == ["NULL|1", "NULL|2", "4|1"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
        #expect(try Self.verify(test, db).isEmpty)
    }

    /// What has the name need be no ledger view, and a ledger view that somebody removed has its name still.
    @Test func aViewTakesTheFirstFreeName() throws {
        let (test, db) = try Self.make(wal: false)
        try db.execute("CREATE TABLE a(x)")
        try db.run("SELECT ledger_refresh()")
        let plain = try test.openPlain()
        try plain.execute(
            """
            DROP VIEW a_Ledger; ALTER TABLE a RENAME TO b; CREATE TABLE a(x); CREATE TABLE c(x); CREATE TABLE C_LEDGER(y);
            CREATE INDEX c_ledger2 ON c(x); CREATE VIEW c_Ledger4 AS SELECT 1
            """)
        try db.run("SELECT ledger_refresh()")
        let views = try db.lines(Self.views)
        #expect(views == ["b|a_Ledger", "C_LEDGER|C_LEDGER_Ledger", "a|a_Ledger2", "c|c_Ledger3"])
        #expect(try Self.verify(test, db).isEmpty)
    }

    @Test func aViewThatIsNamedMustBeFree() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE a(x); CREATE VIEW a_Ledger AS SELECT 1; CREATE TABLE b(x)")
        #expect(
            db.refusal("SELECT ledger_enable('a', 'updatable', 'a_Ledger')")?
                .contains("there is an object 'a_Ledger' already") == true)
        try db.run("SELECT ledger_enable('a')")
        try db.run("SELECT ledger_enable('b', 'updatable', 'a_ledger3')")
        #expect(try db.lines(Self.views) == ["a|a_Ledger2", "b|a_ledger3"])
        #expect(try Self.verify(test, db).isEmpty)
    }

    /// Codes and objects of the findings.
    private static func verify(_ test: TestDatabase, _ db: SQLiteConnection) throws -> [String] {
        guard let digest = try SQLiteLedger(attachingTo: db).closeBlock() else { return ["no block"] }
        var options = VerificationOptions()
        options.digests = [StatedDigest(digest, origin: "test")]
        options.jobs = 1
        let report = LedgerVerifier(options).verify(try SQLiteEvidence.open(path: test.path))
        return report.findings.filter { $0.code != .tailUnattested }.map { "\($0.code.rawValue) \($0.object)" }
    }

    /// Having the hook means doing what SQLite did with it.
    @Test func theWALIsCheckpointedFromTimeToTime() throws {
        let (test, db) = try Self.make(wal: true)
        try db.execute("PRAGMA synchronous = OFF; CREATE TABLE a(x)")
        for _ in 0..<120 { try db.run("INSERT INTO a VALUES (zeroblob(100000))") }
        let size = try FileManager.default.attributesOfItem(atPath: test.path + "-wal")[.size] as? Int ?? 0
        // 12 MB and their history were written; a WAL of 1000 pages is 4 MB.
        #expect(size < 8_000_000)
        #expect(size > 0)
    }
}
