import SQLLedger
import SQLLedgerSQLite
import Testing

/// Transactions of many chunks of leaves, parts of which are taken back: leaves and stored chunks must be what the rows
/// say, wherever in a chunk a savepoint lies.
@Suite struct LargeTransactionTests {
    @Test(arguments: 1...8) func partsAreTakenBack(_ seed: Int) throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v NOT NULL); CREATE TABLE w(k PRIMARY KEY, v) WITHOUT ROWID;
            SELECT ledger_enable('t'), ledger_enable('w')
            """)
        var dice = ModelTests.Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        for _ in 0..<3 {
            try db.execute("BEGIN")
            var depth = 0
            for _ in 0..<40 { try Self.step(db, &dice, &depth) }
            try db.execute(dice.roll(4) == 0 ? "ROLLBACK" : "COMMIT")
            #expect(try LedgerReference.problems(of: db).isEmpty)
        }
        try db.run("SELECT ledger_close_block()")
        let digest = try #require(try SQLiteLedger(attachingTo: db).newestDigest())
        let options = VerificationOptions(digests: [StatedDigest(digest, origin: "test")])
        let report = LedgerVerifier(options).verify(try SQLiteEvidence.open(path: test.path))
        #expect(report.verdict == .verified, "\(report.text)")
    }

    private static func step(_ db: SQLiteConnection, _ dice: inout ModelTests.Dice, _ depth: inout Int) throws {
        let count = 1 + dice.roll(dice.roll(2) == 0 ? 5 : 300)
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))"
        switch dice.roll(12) {
        case 0...2: try db.execute("\(numbers) INSERT INTO t(v) SELECT i FROM n")
        case 3: try db.execute("\(numbers) INSERT OR REPLACE INTO w SELECT i, \(dice.roll(9)) FROM n")
        case 4, 5: try db.execute("UPDATE t SET v = v + 1 WHERE id % \(1 + dice.roll(4)) = 0 AND id < \(count)")
        case 6: try db.execute("DELETE FROM t WHERE id BETWEEN \(dice.roll(200)) AND \(count)")
        case 7:
            // Fails at its last row, so that the statement is taken back.
            #expect(db.refusal("\(numbers) INSERT INTO t(v) SELECT nullif(i, \(count)) FROM n") != nil)
        case 8, 9:
            depth += 1
            try db.execute("SAVEPOINT s\(depth)")
        case 10 where depth > 0:
            try db.execute("ROLLBACK TO s\(1 + dice.roll(depth))")
            // The ones above it are gone.
            depth = try Self.openSavepoints(db, depth)
        case 11 where depth > 0:
            try db.execute("RELEASE s\(depth)")
            depth -= 1
        default: break
        }
    }

    /// How many of the savepoints s1, s2 … are open.
    private static func openSavepoints(_ db: SQLiteConnection, _ depth: Int) throws -> Int {
        var open = depth
        while open > 0, db.refusal("ROLLBACK TO s\(open)") != nil { open -= 1 }
        return open
    }
}
