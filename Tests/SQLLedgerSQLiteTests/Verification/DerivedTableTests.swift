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

    /// Rows enough for chunks and a root chunk, small transactions and blocks.
    private static func makeLarge() throws -> (EngineVerificationTests.Database, LedgerDigest) {
        let database = try EngineVerificationTests.Database()
        let db = database.db
        try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
        try database.ledger.enable(table: "t")
        try db.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16500)
            INSERT INTO t(v) SELECT 'v' || i FROM n
            """)
        try db.execute("UPDATE t SET v = 1 WHERE id % 100 = 0; DELETE FROM t WHERE id = 7; INSERT INTO t(v) VALUES (1)")
        for _ in 0..<4 {
            try db.execute("INSERT INTO t(v) VALUES (1), (2)")
            _ = try database.seal()
        }
        // A whole chunk, and two leaves in the entry.
        try db.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130)
            INSERT INTO t(v) SELECT i FROM n
            """)
        return (database, try database.seal())
    }

    /// Another hash of leaf 78, in leaves with two column checks each.
    private static let otherLeaf = "CAST(substr(leaves, 1, 2964) || x'DEADBEEF' || substr(leaves, 2969) AS BLOB)"

    private static func attack(_ database: EngineVerificationTests.Database, _ sql: String) throws {
        let triggers = try database.db.query("SELECT name, sql FROM sqlite_schema WHERE name LIKE 'ledger_guard%'")
        let plain = try SQLiteConnection(path: database.path)
        for trigger in triggers { try plain.execute("DROP TRIGGER \(trigger[0].shown)") }
        try plain.execute(sql)
        for trigger in triggers { try plain.execute(trigger[1].shown) }
    }

    @Test(arguments: [
        ("DELETE FROM ledger_leaf_chunks", "ledger_leaf_chunks"),
        ("DELETE FROM ledger_leaf_chunks WHERE chunk = 77", "ledger_leaf_chunks"),
        ("DELETE FROM ledger_leaf_chunks WHERE chunk = 128", "ledger_leaf_chunks"),
        ("UPDATE ledger_leaf_chunks SET chunk = chunk + 1000 WHERE chunk = 3", "ledger_leaf_chunks"),
        ("UPDATE ledger_leaf_chunks SET leaves = zeroblob(length(leaves)) WHERE chunk = 3", "ledger_leaf_chunks"),
        ("UPDATE ledger_leaf_chunks SET leaves = zeroblob(length(leaves)) WHERE table_id < 0", "ledger_leaf_chunks"),
        ("UPDATE database_ledger_transactions SET leaves = NULL WHERE transaction_id = 5", "ledger_leaf_chunks"),
        (
            "UPDATE database_ledger_transactions SET leaves = zeroblob(34) WHERE transaction_id = 5",
            "database_ledger_transactions"
        ),
        (
            "UPDATE ledger_leaf_chunks SET leaves = \(otherLeaf) WHERE transaction_id = 2 AND chunk = 5",
            "ledger_leaf_chunks"
        ),
        (
            "UPDATE ledger_leaf_chunks SET leaves = \(otherLeaf) WHERE transaction_id = 2 AND chunk = 128",
            "ledger_leaf_chunks"
        ),
        (
            "UPDATE ledger_leaf_chunks SET leaves = \(otherLeaf) WHERE transaction_id = 3 AND chunk = 1",
            "ledger_leaf_chunks"
        ),
        ("UPDATE ledger_leaf_chunks SET leaves = substr(leaves, 39) WHERE chunk = 128", "ledger_leaf_chunks"),
        ("DELETE FROM ledger_leaf_chunks WHERE transaction_id = 10", "ledger_leaf_chunks"),
        (
            "UPDATE database_ledger_transactions SET leaves = substr(leaves, 39) WHERE transaction_id = 10",
            "database_ledger_transactions"
        ),
        (
            """
            UPDATE database_ledger_transactions SET leaves = CAST(x'DEADBEEF' || substr(leaves, 5) AS BLOB)
            WHERE transaction_id = 10
            """, "database_ledger_transactions"
        ),
        ("DELETE FROM ledger_transaction_chunks WHERE block_id = 1", "ledger_transaction_chunks"),
        ("UPDATE ledger_transaction_chunks SET leaves = zeroblob(44) WHERE block_id = 1", "ledger_transaction_chunks"),
        ("UPDATE ledger_block_nodes SET hash = zeroblob(32) WHERE level = 1", "ledger_block_nodes"),
    ])
    func damagedHashesAreFoundAndComputedAgain(attack: String, object: String) throws {
        let (database, digest) = try Self.makeLarge()
        #expect(try Self.found(database, digest).isEmpty)
        try Self.attack(database, attack)
        let findings = try database.verify([digest]).findings
        #expect(Set(findings.map(\.code)) == [.indexDivergence], "\(findings)")
        #expect(findings.allSatisfy { $0.object == object && $0.repair?.action == .reinstall }, "\(findings)")
        #expect(try database.db.value("SELECT ledger_restore_derived()") != .integer(0))
        #expect(try database.db.value("SELECT ledger_restore_derived()") == .integer(0))
        #expect(try Self.found(database, digest).isEmpty)
        try database.db.execute("INSERT INTO t(v) VALUES (5)")
        let last = try database.seal()
        #expect(try Self.found(database, last).isEmpty)
    }

    /// What nobody asks for does no harm; it is not even noise.
    @Test func chunksTooManyAreNoFinding() throws {
        let (database, digest) = try Self.makeLarge()
        try Self.attack(
            database,
            """
            INSERT INTO ledger_leaf_chunks(transaction_id, table_id, chunk, leaves)
            VALUES (900, 1, 0, x'00'), (2, 1, 999, x''), (2, 1, -1, x''), (2, 77, 0, x'')
            """)
        #expect(try Self.found(database, digest).isEmpty)
    }

    /// Rows that are wrong are no reason to make leaves that fit them.
    @Test func leavesOfAlteredRowsAreNotComputed() throws {
        let (database, digest) = try Self.makeLarge()
        try Self.attack(
            database,
            """
            DELETE FROM ledger_leaf_chunks WHERE chunk = 3; DROP TRIGGER ledger_update_1;
            UPDATE t SET v = 'forged' WHERE id = 9000
            """)
        _ = try database.db.value("SELECT ledger_restore_derived()")
        let report = try database.verify([digest])
        #expect(report.findings.contains { $0.code == .rowAltered && $0.object == "t" }, "\(report.findings)")
        #expect(!report.findings.contains { $0.code == .indexDivergence })
    }

    /// A block never gets a history root from nodes that do not fit the blocks.
    @Test func noBlockClosesOverDamagedNodes() throws {
        let (database, digest) = try Self.makeLarge()
        try Self.attack(database, "UPDATE ledger_block_nodes SET hash = zeroblob(32)")
        try database.db.execute("INSERT INTO t(v) VALUES (5)")
        let refusal = try #require(throws: SQLiteLedgerError.self) { _ = try database.seal() }
        #expect(refusal.message.contains("ledger_restore_derived"), "\(refusal)")
        #expect(throws: Never.self) { try database.verify([digest]) }
    }

    @Test func theNodeOfABlockIsPutBackWhenALaterBlockConfirmsIt() throws {
        let (database, digest) = try Self.makeLarge()
        try Self.attack(database, "UPDATE ledger_block_nodes SET hash = zeroblob(32) WHERE level = 0 AND position = 1")
        let finding = try #require(try database.verify([digest]).findings.first { $0.code != .tailUnattested })
        #expect(finding.code == .blockAltered && finding.repair?.action == .reinstall)
        _ = try database.db.value("SELECT ledger_restore_derived()")
        #expect(try Self.found(database, digest).isEmpty)
    }

    @Test func onlyUploadersWriteWhereDigestsGo() throws {
        let (database, digest) = try Self.make()
        try database.ledger.setDigestLocations(["file:///a", "file:///b"])
        try database.ledger.recordUpload(of: BlockID(2), to: "file:///a")
        try database.ledger.setDigestLocations(["file:///a"])
        let lines = "SELECT path, last_digest_block_id, is_current FROM database_ledger_digest_locations ORDER BY path"
        #expect(try database.db.lines(lines) == ["file:///a|2|1", "file:///b|NULL|0"])
        for sql in [
            "INSERT INTO database_ledger_digest_locations VALUES ('file:///evil', 1, 1)",
            "UPDATE database_ledger_digest_locations SET path = 'file:///evil'",
            "DELETE FROM database_ledger_digest_locations",
        ] {
            #expect(database.db.refusal(sql)?.contains("only the ledger writes it") == true)
            let refusal = try SQLiteConnection(path: database.path).refusal(sql)
            #expect(refusal?.contains("ledger_is_writing") == true)
        }
        let report = try database.verify([digest])
        #expect(report.notes.contains { $0.contains("file:///a") && $0.contains("Nothing there was asked") })
        try SQLiteConnection(path: database.path).execute(
            "DROP TRIGGER ledger_guard_insert_database_ledger_digest_locations")
        #expect(try Self.found(database, digest).first?.hasPrefix("CAPTURE_OFF") == true)
    }

    /// Of two uploaders the slower one may have read what the faster one has written since.
    @Test func theSlowerUploaderSetsNothingBack() throws {
        let (database, _) = try Self.make()
        let ledger = database.ledger
        func last() throws -> BlockID? { try ledger.status().digestLocations.first?.lastBlock }
        try ledger.recordUpload(of: nil, to: "file:///a", isCurrent: true)
        #expect(try last() == nil)
        try ledger.recordUpload(of: BlockID(1), to: "file:///a", isCurrent: true)
        try ledger.recordUpload(of: BlockID(3), to: "file:///a")
        for late in [BlockID(1), BlockID(2), nil] {
            try ledger.recordUpload(of: late, to: "file:///a", isCurrent: late == nil)
            #expect(try last() == BlockID(3))
        }
        #expect(try ledger.status().digestLocations.map(\.isCurrent) == [true])
        // No block of the ledger: of an older copy of the file, or somebody wrote it there.
        try ledger.recordUpload(of: BlockID(9), to: "file:///a")
        try ledger.recordUpload(of: BlockID(2), to: "file:///a")
        #expect(try last() == BlockID(2))
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
        let elsewhere = try SQLiteConnection(path: database.path).refusal(sql)
        #expect(elsewhere?.contains("ledger_is_writing") == true)
    }

    /// Former builds made one guard more, with which their databases stay as good as they were. Whatever else bears such
    /// a name is nobody's guard.
    @Test func formerGuardsDoNoHarm() throws {
        let (database, digest) = try Self.make()
        let name = "ledger_guard_insert_database_ledger_transactions"
        let former = """
            CREATE TRIGGER \(name) BEFORE INSERT ON "database_ledger_transactions" WHEN NOT ledger_is_writing() BEGIN \
            SELECT RAISE(ABORT, 'INSERT is not allowed on the ledger''s table ''database_ledger_transactions''; only the \
            ledger writes it'); END
            """
        try SQLiteConnection(path: database.path).execute(former)
        try database.db.execute("INSERT INTO t(v) VALUES (5)")
        #expect(try Self.found(database, digest).isEmpty)
        for other in [
            former.replacing("WHEN NOT", with: "WHEN"),
            former.replacing(name, with: "ledger_guard_other"),
        ] {
            let plain = try SQLiteConnection(path: database.path)
            try plain.execute("DROP TRIGGER IF EXISTS \(name)")
            try plain.execute(other)
            let found = try Self.found(database, digest)
            #expect(found.count == 1 && found.first?.hasPrefix("CAPTURE_CHANGED ledger_guard_") == true, "\(found)")
            try plain.execute("DROP TRIGGER IF EXISTS ledger_guard_other")
        }
    }
}
