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
