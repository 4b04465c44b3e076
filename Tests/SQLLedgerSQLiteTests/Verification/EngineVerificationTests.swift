import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerGRDB
import SQLLedgerSQLite
import Testing

import struct GRDB.Configuration
import class GRDB.DatabasePool
import class GRDB.DatabaseQueue
import protocol GRDB.DatabaseWriter

/// Databases that the engine itself wrote: honest ones must never be accused.
@Suite struct EngineVerificationTests {
    /// A database in a directory of its own.
    final class Database {
        let directory: URL
        let path: String
        let ledger: SQLiteLedger

        var db: SQLiteConnection { ledger.connection }

        init(wal: Bool = false, allTables: Bool = false) throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "engine-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            path = directory.appending(path: "app.db").path()
            ledger = try LinkedSQLite.open(path: path, creates: true, principal: "alice", application: "tests")
            if wal { try db.execute("PRAGMA journal_mode = WAL") }
            try db.execute("PRAGMA synchronous = OFF")
            try ledger.initialise(allTables: allTables)
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        func seal() throws -> LedgerDigest { try #require(try ledger.closeBlock()) }

        func verify(
            _ digests: [LedgerDigest], since: LedgerDigest? = nil, jobs: Int = 2, at path: String? = nil
        ) throws -> VerificationReport {
            let options = VerificationOptions(
                digests: digests.map { StatedDigest($0, origin: "digests.json") }, since: since, jobs: jobs)
            return LedgerVerifier(options).verify(try SQLiteEvidence.open(path: path ?? self.path))
        }
    }

    /// GRDB keeps the hooks for itself, so its observer tells of changed definitions: they are ledgered behind the commit.
    @Test(arguments: [false, true]) func definitionsChangedThroughGRDB(isPool: Bool) throws {
        let database = try Database()
        var configuration = Configuration()
        configuration.useLedger(principal: "grdb")
        let writer: any DatabaseWriter =
            isPool
            ? try DatabasePool(path: database.path, configuration: configuration)
            : try DatabaseQueue(path: database.path, configuration: configuration)
        try writer.write { db in
            try db.execute(sql: "CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
            _ = try db.ledger().enable(table: "t")
            try db.execute(sql: "INSERT INTO t(v) VALUES (1)")
        }
        let digest = try database.seal()
        try writer.write { db in try db.execute(sql: "ALTER TABLE t RENAME COLUMN v TO w") }
        try writer.writeWithoutTransaction { db in try db.execute(sql: "ALTER TABLE t ADD COLUMN z DEFAULT 5") }
        try writer.write { db in
            try db.execute(sql: "INSERT INTO t(w) VALUES (2)")
            try db.execute(sql: "CREATE TRIGGER own AFTER INSERT ON t BEGIN SELECT 1; END")
        }
        try writer.write { db in try db.execute(sql: "ALTER TABLE t RENAME TO u") }
        let report = try database.verify([digest])
        #expect(report.findings.filter { $0.code != .tailUnattested }.isEmpty, "\(report.text)")
        try writer.write { db in try db.execute(sql: "UPDATE u SET z = 6") }
        #expect(try database.verify([try database.seal()]).verdict == .verified)
    }

    @Test(arguments: [false, true]) func ordinaryWork(wal: Bool) throws {
        let database = try Database(wal: wal)
        let db = database.db
        try db.execute(
            """
            CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT COLLATE NOCASE, amount INTEGER DEFAULT 5, rate REAL,
              twice AS (amount * 2), kept AS (amount + 1) STORED);
            CREATE INDEX by_owner ON account(owner);
            CREATE TABLE log(message TEXT, data BLOB);
            CREATE TABLE pair(a TEXT, b INTEGER, c, PRIMARY KEY(a, b)) WITHOUT ROWID;
            INSERT INTO account(owner, amount, rate) VALUES ('before', 1, 2.0);
            """)
        try database.ledger.enable(table: "account")
        try database.ledger.enable(table: "log", kind: .appendOnly)
        try database.ledger.enable(table: "pair")
        try db.execute(
            """
            BEGIN;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
            INSERT INTO account(owner, amount, rate) SELECT 'owner ' || i, i * 3, i / 7.0 FROM n;
            COMMIT;
            INSERT INTO log VALUES ('one', x'00ff'), ('two', NULL), ('two', NULL);
            INSERT INTO pair VALUES ('x', 1, 1.5), ('y', 2, 'text');
            """)
        let first = try database.seal()
        #expect(try database.verify([first]).exitCode == 0)
        try db.execute(
            """
            UPDATE account SET amount = amount + 1 WHERE id % 7 = 0;
            DELETE FROM account WHERE id % 11 = 0;
            INSERT OR REPLACE INTO pair VALUES ('x', 1, 'replaced');
            UPDATE pair SET a = 'z' WHERE a = 'y';
            BEGIN; SAVEPOINT s; INSERT INTO log VALUES ('gone', NULL); ROLLBACK TO s; INSERT INTO log VALUES ('kept', NULL); COMMIT;
            """)
        let second = try database.seal()
        let report = try database.verify([first, second])
        #expect(report.findings.isEmpty && report.exitCode == 0, "\(report.text)")
        let since = try database.verify([second], since: first)
        #expect(since.findings.isEmpty && since.exitCode == 0, "\(since.text)")
        #expect(since.counts.rowVersions < 500)
    }

    @Test func schemaChanges() throws {
        let database = try Database()
        let db = database.db
        try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b INTEGER)")
        try database.ledger.enable(table: "t")
        try db.execute("INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2)")
        try db.execute("ALTER TABLE t ADD COLUMN c REAL DEFAULT 1.5")
        try db.execute("INSERT INTO t VALUES (3, 'three', 3, 3.5)")
        try db.execute("ALTER TABLE t RENAME COLUMN a TO name")
        try db.execute("UPDATE t SET b = 22 WHERE id = 2")
        try database.ledger.drop(column: "b", of: "t")
        try db.execute("INSERT INTO t VALUES (4, 'four', 4.5)")
        try db.execute("ALTER TABLE t ADD COLUMN b TEXT")
        try db.execute("UPDATE t SET b = 'again' WHERE id = 4")
        try db.execute("CREATE TABLE gone(x)")
        try database.ledger.enable(table: "gone")
        try db.execute("INSERT INTO gone VALUES (1), (1)")
        try database.ledger.drop(table: "gone")
        try db.execute("ALTER TABLE t RENAME TO u")
        try database.ledger.refresh()
        let digest = try database.seal()
        let report = try database.verify([digest])
        #expect(report.findings.isEmpty && report.exitCode == 0, "\(report.text)")
    }

    @Test func vacuumAndCopies() throws {
        let database = try Database()
        let db = database.db
        try db.execute("CREATE TABLE log(message TEXT)")
        try database.ledger.enable(table: "log")
        try db.execute("INSERT INTO log VALUES ('a'), ('b'), ('c'), ('d')")
        try db.execute("DELETE FROM log WHERE message = 'b'")
        let digest = try database.seal()
        let copy = database.directory.appending(path: "copy.db").path()
        try db.execute("VACUUM INTO '\(copy)'")
        try db.execute("VACUUM")
        for path in [database.path, copy] {
            let report = try database.verify([digest], at: path)
            #expect(report.findings.isEmpty && report.exitCode == 0, "\(report.text)")
            // VACUUM INTO keeps row ids.
            if path == database.path { #expect(report.notes.contains { $0.contains("moved") }, "\(report.notes)") }
        }
        // After VACUUM an attack is still located.
        let other = try SQLiteConnection(path: copy)
        try other.execute("DROP TRIGGER ledger_update_1; DROP TRIGGER ledger_delete_1")
        try other.execute("DELETE FROM log WHERE message = 'c'; UPDATE log SET message = 'e' WHERE message = 'd'")
        let report = try database.verify([digest], at: copy)
        #expect(Set(report.findings.map(\.code)) == [.captureOff, .rowMissing, .rowAltered], "\(report.text)")
    }

    /// A column may be called like the row id; what is read in parts and from the end must not go by it.
    @Test func columnsCalledLikeTheRowID() throws {
        let database = try Database()
        let db = database.db
        try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, rowid INTEGER)")
        try database.ledger.enable(table: "t")
        try db.execute("INSERT INTO t VALUES (1, 90000), (2, 1), (3, NULL), (4, 50000), (5, 2), (6, 3)")
        try db.execute("UPDATE t SET id = -id")
        let first = try database.seal()
        try db.execute("DELETE FROM t WHERE id IN (-2, -3)")
        let second = try database.seal()
        // A leaf that a scan leaves out is found when the fault is located, at a price: so leaves are counted.
        for (since, leaves) in [(nil, 1 + 6 + 12 + 2), (first, 2)] as [(LedgerDigest?, UInt64)] {
            let report = try database.verify([second], since: since)
            #expect(report.findings.isEmpty && report.exitCode == 0, "\(report.text)")
            #expect(report.counts.leaves == leaves)
        }
    }

    @Test func writersDuringVerification() throws {
        let database = try Database(wal: true)
        let db = database.db
        try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
        try database.ledger.enable(table: "t")
        try db.execute("INSERT INTO t VALUES (1, 1)")
        let digest = try database.seal()
        let evidence = try SQLiteEvidence.open(path: database.path)
        let readers = try evidence.makeReaders(2)
        try db.execute("INSERT INTO t VALUES (2, 2); UPDATE t SET x = 3")
        _ = readers
        let options = VerificationOptions(digests: [StatedDigest(digest, origin: "d")])
        let report = LedgerVerifier(options).verify(evidence)
        #expect(Set(report.findings.map(\.code)).isSubset(of: [.tailUnattested]), "\(report.text)")
        #expect(report.exitCode == 0)
    }
}
