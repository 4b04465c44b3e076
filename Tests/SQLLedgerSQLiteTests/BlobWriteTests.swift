import GRDB
import GRDBSQLite
import SQLLedger
import SQLLedgerGRDB
import SQLLedgerSQLite
import Testing

/// `sqlite3_blob_write` changes a value in its place, and no trigger is told. Where the connection is the ledger's own it
/// is refused; where it can't be, verification names the value.
@Suite struct BlobWriteTests {
    private static let schema = """
        CREATE TABLE t(id INTEGER PRIMARY KEY, data BLOB); SELECT ledger_enable('t');
        CREATE TABLE plain(id INTEGER PRIMARY KEY, data BLOB);
        INSERT INTO t VALUES (1, x'0102'); INSERT INTO plain VALUES (1, x'0102')
        """

    /// Writes one byte into the blob of row 1. Returns the last result code, that of closing the blob.
    private static func write(_ database: OpaquePointer?, table: String) -> CInt {
        var blob: OpaquePointer?
        let opened = sqlite3_blob_open(database, "main", table, "data", 1, 1, &blob)
        guard opened == SQLITE_OK else { return opened }
        let written = sqlite3_blob_write(blob, [UInt8(0xEE)], 1, 0)
        let closed = sqlite3_blob_close(blob)
        return written == SQLITE_OK ? closed : written
    }

    private static func verify(_ test: TestDatabase) throws -> VerificationReport {
        let digest = try #require(try SQLiteLedger(attachingTo: try test.open()).closeBlock())
        return LedgerVerifier(VerificationOptions(digests: [StatedDigest(digest, origin: "test")]))
            .verify(try SQLiteEvidence.open(path: test.path))
    }

    private static let alteration = [Finding.Code.rowAltered]

    @Test func isRefusedOnTheLedgersOwnConnection() throws {
        let test = try TestDatabase()
        let db = try test.ledger(Self.schema)
        #expect(Self.write(db.handle, table: "plain") == SQLITE_OK)
        #expect(Self.write(db.handle, table: "t") != SQLITE_OK)
        #expect(try db.lines("SELECT hex(data) FROM t") == ["0102"])
        #expect(try db.lines("SELECT hex(data) FROM plain") == ["EE02"])
        // In a transaction, committing is refused, also after other changes.
        try db.execute("BEGIN; INSERT INTO t VALUES (2, x'03')")
        _ = Self.write(db.handle, table: "t")
        #expect(db.refusal("COMMIT") != nil)
        if sqlite3_get_autocommit(db.handle) == 0 { try db.execute("ROLLBACK") }
        #expect(try db.lines("SELECT id, hex(data) FROM t") == ["1|0102"])
        // And the connection goes on.
        try db.execute("INSERT INTO t VALUES (3, x'04')")
        #expect(try Self.verify(test).verdict == .verified)
    }

    /// The commit hook belongs to GRDB there.
    @Test func isFoundWhenAConnectionOfGRDBDoesIt() throws {
        let test = try TestDatabase()
        _ = try test.ledger(Self.schema)
        var configuration = Configuration()
        configuration.useLedger()
        let queue = try DatabaseQueue(path: test.path, configuration: configuration)
        queue.writeWithoutTransaction { db in
            #expect(Self.write(db.sqliteConnection, table: "t") == SQLITE_OK)
        }
        let report = try Self.verify(test)
        #expect(report.findings.map(\.code) == Self.alteration, "\(report.text)")
        #expect(report.findings.first?.columns == ["data"])
        #expect(report.findings.first?.key == [NamedValue("id", .integer(1))])
        // Together with a change that is captured, it is refused there as well.
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN; INSERT INTO t VALUES (5, x'05')")
            _ = Self.write(db.sqliteConnection, table: "t")
            #expect(throws: DatabaseError.self) { try db.execute(sql: "COMMIT") }
            if sqlite3_get_autocommit(db.sqliteConnection) == 0 { try db.execute(sql: "ROLLBACK") }
        }
    }

    @Test(arguments: [true, false]) func isFoundWithoutTheHookOrTheLedger(hasLedger: Bool) throws {
        let test = try TestDatabase()
        _ = try test.ledger(Self.schema)
        let db = hasLedger ? try test.openWithoutHook() : try test.openPlain()
        #expect(Self.write(db.handle, table: "t") == SQLITE_OK)
        let report = try Self.verify(test)
        #expect(report.findings.map(\.code) == Self.alteration, "\(report.text)")
        #expect(report.findings.first?.columns == ["data"])
    }
}
