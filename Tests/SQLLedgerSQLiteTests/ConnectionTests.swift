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
