import Foundation
import GRDB
import SQLLedger
import SQLLedgerGRDB
import SQLLedgerSQLite
import Testing

/// Connections: of GRDB, several at once, attached databases, and ones without the ledger.
@Suite struct ConnectionTests {
    @Test func databasePoolsOfGRDBWriteToLedgerTables() throws {
        let test = try TestDatabase()
        var configuration = Configuration()
        configuration.useLedger(principal: "carol", application: "app")
        let pool = try DatabasePool(path: test.path, configuration: configuration)
        try pool.write { db in
            try db.ledger().initialise()
            try db.execute(sql: "CREATE TABLE player(id INTEGER PRIMARY KEY, name TEXT)")
            try db.ledger().enable(table: "player")
        }
        try pool.write { try $0.execute(sql: "INSERT INTO player(name) VALUES ('a'), ('b')") }
        #expect(throws: DatabaseError.self) {
            try pool.write { db in
                try db.execute(sql: "UPDATE player SET name = 'x'")
                try db.inSavepoint {
                    try db.execute(sql: "DELETE FROM player")
                    return .rollback
                }
                try db.execute(sql: "INSERT INTO player(id, name) VALUES (1, 'again')")
            }
        }
        try pool.write { try $0.execute(sql: "UPDATE player SET name = 'c' WHERE id = 1") }
        #expect(try pool.read { try String.fetchAll($0, sql: "SELECT name FROM player ORDER BY id") } == ["c", "b"])
        let digest = try pool.write { try $0.ledger().closeBlock() }
        #expect(digest?.block == BlockID(0))
        let status = try pool.write { try $0.ledger().status() }
        #expect(status.openTransactionCount == 0 && status.tables.map(\.name) == ["player"])
        #expect(try LedgerReference.problems(of: test.open()).isEmpty)
    }

    /// What a program of one's own uploads digests with.
    @Test func digestsOfADatabaseOfGRDB() async throws {
        let (test, queue) = try queueWithTables()
        defer { withExtendedLifetime(test) {} }
        let digests = LedgerDigests(queue)
        try await digests.closeBlocks()
        try await digests.closeBlocks()
        #expect(try await digests.newestBlock() == BlockID(0), "an idle database closes no block")
        try await queue.write { try $0.execute(sql: "INSERT INTO b VALUES (7, 7)") }
        try await digests.closeBlocks()
        let newest = try await queue.write { try $0.ledger().newestDigest() }
        #expect(try await digests.newestBlock() == newest?.block && newest?.block == BlockID(1))
        #expect(try await digests.digest(of: BlockID(1)).hash == newest?.hash)
        #expect(try await digests.digest(of: BlockID(0)).hash != newest?.hash)
        #expect(try await digests.ledgerID() == newest?.ledger)
        await #expect(throws: SQLiteLedgerError.self) { try await digests.digest(of: BlockID(2)) }
        let location = DigestLocation(path: "file:///x", lastBlock: BlockID(1))
        try await digests.record(location)
        #expect(try await digests.digestLocations() == [location])
    }

    /// GRDB has the authorizer, through which `DROP TABLE` is refused elsewhere.
    @Test(arguments: [
        ["DROP TABLE b"], ["INSERT INTO a VALUES (2, 2)", "DROP TABLE b"],
        ["DROP TABLE b", "INSERT INTO a VALUES (2, 2)"],
        ["DROP TABLE b", "CREATE TABLE b(id INTEGER PRIMARY KEY, v)"],
        ["CREATE TABLE c(id INTEGER PRIMARY KEY, v)", "INSERT INTO c SELECT * FROM b", "DROP TABLE b"],
        ["ALTER TABLE b RENAME TO bb", "UPDATE bb SET v = 7", "DROP TABLE bb"],
        ["CREATE TABLE c(id INTEGER PRIMARY KEY, v)", "DROP TABLE b", "INSERT INTO c VALUES (1, 1)"],
    ])
    func connectionsOfGRDBDropNoLedgerTable(_ statements: [String]) throws {
        let (test, queue) = try queueWithTables()
        let before = try queue.read { try Row.fetchAll($0, sql: "SELECT * FROM sqlite_schema") }
        let error = #expect(throws: SQLiteLedgerError.self) {
            try queue.write { db in for sql in statements { try db.execute(sql: sql) } }
        }
        #expect(error?.message.contains("SELECT ledger_drop_table('b") == true)
        try queue.write { try $0.execute(sql: "INSERT INTO b VALUES (5, 5)") }
        #expect(try queue.read { try Row.fetchAll($0, sql: "SELECT * FROM sqlite_schema") } == before)
        #expect(try queue.read { try Int.fetchAll($0, sql: "SELECT id FROM b") } == [1, 5])
        #expect(try LedgerReference.problems(of: test.open()).isEmpty)
    }

    @Test(arguments: [
        ["SELECT ledger_drop_table('b')"],
        ["SELECT ledger_drop_table('b')", "CREATE TABLE b(x)", "INSERT INTO b VALUES (1)"],
        ["ALTER TABLE b RENAME TO c"], ["ALTER TABLE b RENAME TO c", "INSERT INTO c VALUES (2, 2)"],
        [
            "ALTER TABLE b RENAME TO c", "INSERT INTO a VALUES (2, 2)", "ALTER TABLE c RENAME TO d",
            "INSERT INTO d VALUES (2, 2)",
        ],
        ["SAVEPOINT s", "DROP TABLE b", "ROLLBACK TO s", "RELEASE s", "INSERT INTO b VALUES (2, 2)"],
        [
            "SAVEPOINT s", "ALTER TABLE b RENAME TO c", "INSERT INTO c VALUES (2, 2)", "ROLLBACK TO s", "RELEASE s",
            "INSERT INTO b VALUES (2, 2)",
        ],
        ["CREATE TABLE c(x)", "DROP TABLE c"],
        ["CREATE TABLE c(x)", "INSERT INTO a VALUES (2, 2)", "DROP TABLE c", "INSERT INTO a VALUES (3, 2)"],
        ["INSERT INTO b VALUES (2, 2)", "ALTER TABLE b ADD COLUMN w DEFAULT 1", "UPDATE b SET w = 5"],
        [
            "UPDATE b SET v = 5", "ALTER TABLE b RENAME COLUMN v TO w", "UPDATE b SET w = 6",
            "ALTER TABLE b ADD COLUMN v DEFAULT 1",
            "UPDATE b SET v = 7, w = 7",
        ],
        [
            "UPDATE b SET v = 5", "ALTER TABLE b RENAME TO c", "UPDATE c SET v = 6", "CREATE TABLE b(x)",
            "INSERT INTO b VALUES (1)",
        ],
        ["UPDATE a SET v = 5", "DROP INDEX i", "UPDATE a SET v = 6", "CREATE INDEX i ON a(v)", "DELETE FROM a"],
        ["CREATE TEMP TABLE t AS SELECT * FROM b", "DROP TABLE t", "DELETE FROM b"],
    ])
    func otherDefinitionsGoThroughOnConnectionsOfGRDB(_ statements: [String]) throws {
        let (test, queue) = try queueWithTables()
        try queue.write { db in for sql in statements { try db.execute(sql: sql) } }
        try queue.write { try $0.execute(sql: "INSERT INTO a VALUES (9, 9)") }
        #expect(try LedgerReference.problems(of: test.open()).isEmpty)
    }

    @Test func tablesThatOthersDropOrRenameAreNotMissed() throws {
        let (test, queue) = try queueWithTables()
        let other = try test.open()
        try other.run("SELECT ledger_drop_table('b')")
        try queue.write { try $0.execute(sql: "DROP INDEX i") }
        try other.execute("ALTER TABLE a RENAME TO c; SELECT ledger_refresh()")
        try queue.write { try $0.execute(sql: "INSERT INTO c VALUES (2, 2)") }
        #expect(try LedgerReference.problems(of: test.open()).isEmpty)
    }

    /// The statement that changes it was compiled before it had the ledger's triggers.
    @Test func aTableOfAMigrationThroughGRDBJoinsWithTheCommit() throws {
        let (test, queue) = try queueWithTables()
        try queue.write { db in
            try db.ledger().initialise(allTables: true)
            try db.execute(
                sql: """
                    CREATE TABLE item(id INTEGER PRIMARY KEY, name);
                    CREATE TRIGGER x AFTER INSERT ON item BEGIN INSERT INTO a(v) VALUES (NEW.name); END;
                    INSERT INTO item(name) VALUES ('pen'), ('ink'), ('paper')
                    """)
        }
        try queue.write { try $0.execute(sql: "UPDATE item SET name = upper(name)") }
        #expect(try LedgerReference.problems(of: test.open()).isEmpty)
        #expect(try test.openPlain().lines("SELECT count(*) FROM item_Ledger") == ["9"])
    }

    /// The ledger tables `a` and `b`.
    private func queueWithTables() throws -> (TestDatabase, DatabaseQueue) {
        let test = try TestDatabase()
        var configuration = Configuration()
        configuration.useLedger()
        let queue = try DatabaseQueue(path: test.path, configuration: configuration)
        try queue.write { db in
            try db.ledger().initialise()
            try db.execute(
                sql:
                    "CREATE TABLE a(id INTEGER PRIMARY KEY, v); CREATE INDEX i ON a(v); CREATE TABLE b(id INTEGER PRIMARY KEY, v)"
            )
            for table in ["a", "b"] { try db.ledger().enable(table: table) }
            try db.execute(sql: "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)")
        }
        return (test, queue)
    }

    @Test func manyConnectionsWriteOneLedger() async throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            "PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        let path = test.path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let db = try LinkedSQLite.open(path: path, principal: "w\(writer)").connection
                    for step in 0..<40 {
                        try db.execute("BEGIN IMMEDIATE; INSERT INTO t(v) VALUES (\(step)); COMMIT")
                        if step % 10 == 9 { try db.run("SELECT ledger_close_block()") }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try db.lines("SELECT count(*) FROM t") == ["160"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
    }

    @Test func connectionsWithoutTheLedgerReadOnly() throws {
        let test = try TestDatabase()
        _ = try test.ledger("CREATE TABLE t(a); SELECT ledger_enable('t'); INSERT INTO t VALUES (1)")
        let plain = try test.openPlain()
        #expect(try plain.lines("SELECT * FROM t_Ledger") == ["1|2|0|1|INSERT"])
        #expect(plain.refusal("INSERT INTO t VALUES (2)")?.contains("ledger_table_needs_indelible_extension") == true)
        #expect(plain.refusal("DELETE FROM ledger_history_1") != nil)
        #expect(plain.refusal("DELETE FROM database_ledger_transactions") != nil)
    }

    @Test func connectionsOfGRDBAttachLedgers() throws {
        let (test, other) = (try TestDatabase(), try TestDatabase())
        for database in [test, other] {
            _ = try database.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, a); SELECT ledger_enable('t')")
        }
        try other.open().execute("INSERT INTO t VALUES (7, 'seven')")
        var configuration = Configuration()
        configuration.useLedger(principal: "carol", application: "app")
        let queue = try DatabaseQueue(path: test.path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "ATTACH ? AS other", arguments: [other.path]) }
        try queue.write { try $0.execute(sql: "UPDATE other.t SET a = 'g'; INSERT INTO t VALUES (1, 'g')") }
        #expect(throws: DatabaseError.self) {
            try queue.write { try $0.execute(sql: "DELETE FROM other.t; INSERT INTO t VALUES (1, 'again')") }
        }
        try queue.write { try $0.execute(sql: "INSERT INTO other.t VALUES (8, 'g')") }
        #expect(try other.openPlain().lines("SELECT a FROM t ORDER BY 1") == ["g", "g"])
        #expect(
            try other.openPlain().lines("SELECT DISTINCT principal_name FROM database_ledger_transactions ORDER BY 1")
                == [
                    "alice", "carol",
                ])
        try queue.close()
        #expect(try LedgerReference.problems(of: test.openPlain()).isEmpty)
        #expect(try LedgerReference.problems(of: other.openPlain()).isEmpty)
    }

    @Test func ledgerObjectsAreGuarded() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            "CREATE TABLE t(a); SELECT ledger_enable('t'); CREATE TABLE log(a); SELECT ledger_enable('log', 'append-only')"
        )
        #expect(db.refusal("DROP TABLE t") == "not authorized")
        #expect(db.refusal("DROP TRIGGER ledger_insert_1") == "not authorized")
        #expect(db.refusal("DROP VIEW t_Ledger") == "not authorized")
        try db.run("INSERT INTO log VALUES (1)")
        let message = "Updates are not allowed for the append only Ledger table 'log'."
        #expect(db.refusal("UPDATE log SET a = 2") == message)
        #expect(db.refusal("DELETE FROM log") == message)
        try db.execute("SELECT ledger_drop_table('t'); SELECT ledger_drop_table('log')")
        #expect(try LedgerReference.problems(of: db).isEmpty)
    }

    @Test func schemaChangesAreLedgered() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); SELECT ledger_enable('t'); INSERT INTO t VALUES (1, 2, 3);
            ALTER TABLE t ADD COLUMN c TEXT DEFAULT 5; INSERT INTO t VALUES (2, 3, 4, 'c'); UPDATE t SET a = 9;
            ALTER TABLE t RENAME COLUMN a TO aa; UPDATE t SET aa = 10; ALTER TABLE t RENAME TO tt; DELETE FROM tt WHERE id = 1;
            SELECT ledger_drop_column('tt', 'b'); INSERT INTO tt VALUES (7, 8, 'x')
            """)
        #expect(
            try db.lines("SELECT table_name, operation_type_desc FROM ledger_table_history") == [
                "t|CREATE", "tt|RENAME",
            ])
        #expect(
            try db.lines("SELECT column_name, operation_type_desc FROM ledger_column_history WHERE operation_type > 0")
                == ["c|ADD", "aa|RENAME", "b|DROP"])
        #expect(try LedgerReference.problems(of: db).isEmpty)
    }
}
