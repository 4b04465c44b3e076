import GRDBSQLite
import SQLLedger
import SQLLedgerSQLite
import Testing

/// One feature of SQLite after the other on ledger tables: it works as on plain tables, and the ledger agrees with the
/// rows afterwards.
@Suite struct CaptureTests {
    private func check(_ db: SQLiteConnection, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let problems = try LedgerReference.problems(of: db)
        #expect(problems.isEmpty, sourceLocation: sourceLocation)
        #expect(try db.lines("PRAGMA integrity_check") == ["ok"], sourceLocation: sourceLocation)
    }

    @Test func rowsOfEveryTypeAreCaptured() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT); SELECT ledger_enable('t')")
        try db.run("INSERT INTO t VALUES (1, NULL, 'x'), (2, -7, ''), (3, 2.5, 'é'), (4, x'00ff', NULL), (5, -0.0, '')")
        try db.run(
            "INSERT INTO t VALUES (6, ?, ?)",
            [.text([0xff, 0xfe, 0, 0x41]), .text([UInt8](repeating: 65, count: 3_000_000))])
        try db.run("UPDATE t SET b = b || 'y', a = a")
        try db.run("DELETE FROM t WHERE id IN (2, 6)")
        try check(db)
        #expect(try db.lines("SELECT count(*) FROM ledger_history_1") == ["8"])
    }

    @Test func existingRowsAreAdopted() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 2), (3, 4)")
        try db.run("SELECT ledger_enable('t')")
        #expect(
            try db.lines("SELECT a, ledger_operation_type_desc FROM t_Ledger ORDER BY a") == ["1|INSERT", "3|INSERT"])
        try check(db)
    }

    @Test func savepointsAndConflictsAreTakenBackExactly() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE); SELECT ledger_enable('t')")
        try db.execute("BEGIN; INSERT INTO t VALUES (1, 'a'); SAVEPOINT one; INSERT INTO t VALUES (2, 'b')")
        try db.execute("SAVEPOINT two; INSERT INTO t VALUES (3, 'c'); UPDATE t SET u = u || '!'; ROLLBACK TO two")
        try db.execute("INSERT OR IGNORE INTO t VALUES (4, 'a'), (5, 'e')")
        #expect(db.refusal("INSERT INTO t VALUES (6, 'f'), (7, 'a')") == "UNIQUE constraint failed: t.u")
        #expect(db.refusal("INSERT OR FAIL INTO t VALUES (8, 'h'), (9, 'a'), (10, 'j')") != nil)
        try db.execute("RELEASE two; DELETE FROM t WHERE id = 1; RELEASE one; COMMIT")
        #expect(try db.lines("SELECT id FROM t") == ["2", "5", "8"])
        try check(db)
        try db.execute("BEGIN; INSERT INTO t VALUES (20, 'x')")
        #expect(db.refusal("INSERT OR ROLLBACK INTO t VALUES (21, 'x')") != nil)
        #expect(try db.lines("SELECT count(*) FROM database_ledger_transactions") == ["2"])
        try check(db)
    }

    @Test func rollbacksAcrossChunksAreExact() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        try db.execute("BEGIN")
        func fill(_ from: Int, _ to: Int) throws {
            try db.execute(
                "INSERT INTO t WITH n(i) AS (SELECT \(from) UNION ALL SELECT i + 1 FROM n WHERE i < \(to)) SELECT i, i FROM n"
            )
        }
        try fill(1, 100)
        try db.execute("SAVEPOINT a")
        try fill(101, 300)
        try db.execute("SAVEPOINT b")
        try fill(301, 900)
        try db.execute("ROLLBACK TO b")
        try fill(301, 384)
        try db.execute("SAVEPOINT c")
        try fill(385, 512)
        try db.execute("ROLLBACK TO c; ROLLBACK TO a")
        try fill(101, 130)
        try db.execute("COMMIT")
        try check(db)
    }

    @Test func replaceIsADeleteAndAnInsert() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, w UNIQUE); SELECT ledger_enable('t');
            INSERT INTO t VALUES (1, 'a', 'A'), (2, 'b', 'B'), (3, 'c', 'C')
            """)
        try db.run("REPLACE INTO t VALUES (1, 'b', 'C')")
        #expect(try db.lines("SELECT * FROM t") == ["1|b|C"])
        try db.run("INSERT INTO t VALUES (4, 'd', 'D'), (5, 'e', 'E')")
        try db.run("UPDATE OR REPLACE t SET u = 'b' WHERE id = 5")
        try db.run("INSERT INTO t VALUES (4, 'x', 'X') ON CONFLICT(id) DO UPDATE SET w = excluded.w, id = 40")
        #expect(try db.lines("SELECT * FROM t") == ["5|b|E", "40|d|X"])
        try check(db)
        #expect(try db.lines("SELECT count(*) FROM ledger_history_1") == ["6"])
        try db.execute("PRAGMA recursive_triggers = ON")
        try db.run("REPLACE INTO t VALUES (5, 'd', 'Z')")
        try check(db)
    }

    @Test func abandonedReplaceLeavesNothingBehind() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);
            CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, p REFERENCES p); INSERT INTO p VALUES (1);
            SELECT ledger_enable('t'); SELECT ledger_enable('p'); INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 1)
            """)
        #expect(db.refusal("DELETE FROM p") != nil)
        #expect(db.refusal("REPLACE INTO t VALUES (3, 'a', 99)") != nil)
        try db.run("UPDATE t SET u = 'c' WHERE id = 1")
        try db.run("REPLACE INTO t VALUES (4, 'c', 1)")
        try check(db)
        #expect(try db.lines("SELECT id FROM t") == ["2", "4"])
    }

    @Test func foreignKeyActionsAreCaptured() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY, n);
            CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);
            CREATE TABLE s(id INTEGER PRIMARY KEY, up REFERENCES s ON DELETE SET NULL);
            CREATE TABLE k(id INTEGER PRIMARY KEY, up REFERENCES k ON DELETE CASCADE);
            SELECT ledger_enable('p'); SELECT ledger_enable('c'); SELECT ledger_enable('s'); SELECT ledger_enable('k');
            INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2);
            INSERT INTO s VALUES (1, NULL), (2, 1), (3, 1); INSERT INTO k VALUES (1, NULL), (2, 1), (3, 2), (4, 3)
            """)
        try db.execute("UPDATE p SET id = 10 WHERE id = 1; DELETE FROM p WHERE id = 10; DELETE FROM s WHERE id = 1")
        try db.execute("DELETE FROM k WHERE id = 1; REPLACE INTO p VALUES (2, 'c')")
        try check(db)
        #expect(try db.lines("SELECT count(*) FROM k") == ["0"])
        #expect(try db.lines("SELECT count(*) FROM c") == ["0"])
    }

    @Test func triggersOfTheUsersChangeTheSameRow() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v, changed DEFAULT 0); SELECT ledger_enable('t');
            INSERT INTO t(v) VALUES ('a');
            CREATE TRIGGER stamp_u AFTER UPDATE OF v ON t BEGIN UPDATE t SET changed = changed + 1 WHERE id = NEW.id; END;
            CREATE TRIGGER stamp_i AFTER INSERT ON t BEGIN UPDATE t SET changed = 100 WHERE id = NEW.id; END;
            UPDATE t SET v = 'b'; INSERT INTO t(v) VALUES ('c'); UPDATE t SET v = v || '!';
            """)
        #expect(try db.lines("SELECT v, changed FROM t") == ["b!|2", "c!|101"])
        try check(db)
        // Ours are the newest triggers of the table now, and go first.
        try db.execute("PRAGMA recursive_triggers = ON; UPDATE t SET v = 'z' WHERE id = 1; DELETE FROM t")
        try check(db)
    }

    @Test func triggersThatHideChangesAreNoticed() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t');
            CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.v < 0 BEGIN SELECT RAISE(IGNORE); END;
            INSERT INTO t VALUES (1, -1), (2, 2)
            """)
        #expect(try db.lines("SELECT id FROM t") == ["2"])
        try check(db)
    }

    /// A stamp without a row: somebody deleted the row past the ledger. A new row in its place must not hide that, whatever
    /// the statement says about conflicts.
    @Test(arguments: ["", "OR FAIL", "OR IGNORE", "OR REPLACE", "OR ABORT"])
    func newRowsDoNotTakeOverStamps(_ conflict: String) throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        try test.openPlain().execute("INSERT INTO ledger_stamps_1 VALUES (7, 1, 0)")
        let insert = "INSERT \(conflict) INTO t VALUES (6, 'six'), (7, 'seven')"
        #expect(db.refusal(insert) != nil)
        #expect(try db.lines("SELECT * FROM t") == [])
        for isCommitted in [true, false] {
            try db.execute("BEGIN; INSERT INTO t VALUES (1, 'one'); SAVEPOINT s")
            _ = db.refusal(insert)
            // What follows and is taken back does not take that back.
            try db.execute("SAVEPOINT inner; CREATE TABLE x(a); INSERT INTO x VALUES (1); ROLLBACK TO inner")
            let hasRow = try db.lines("SELECT id FROM t").contains("7")
            #expect(hasRow == ["OR FAIL", "OR IGNORE", "OR REPLACE"].contains(conflict))
            guard isCommitted, hasRow else {
                try db.execute("ROLLBACK TO s; RELEASE s; COMMIT")
                break
            }
            #expect(db.refusal("COMMIT")?.contains("could not be stamped") == true)
        }
        #expect(try db.lines("SELECT * FROM t") == ["1|one"])
        #expect(try db.lines("SELECT * FROM ledger_stamps_1") == ["1|2|0", "7|1|0"])
        try test.openPlain().execute("DELETE FROM ledger_stamps_1 WHERE row_id = 7")
        try check(db)
    }

    @Test func nobodyElseWritesStamps() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        #expect(db.refusal("INSERT INTO ledger_stamps_1 VALUES (1, 2, 3)") == "not authorized")
        let body = "AFTER INSERT ON t BEGIN INSERT INTO ledger_stamps_1 VALUES (1, 2, 3); END"
        #expect(db.refusal("CREATE TRIGGER ledger_insert_mine \(body)") == "not authorized")
        #expect(db.refusal("CREATE TEMP TRIGGER Ledger_insert_1 \(body)") == "not authorized")
        try db.run("CREATE TRIGGER mine \(body)")
        #expect(db.refusal("INSERT INTO t VALUES (2, 3)") == "not authorized")
    }

    @Test func schemaChangesWithinATransactionOfInsertsAreNoticed() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        let many = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT NULL, i FROM n"
        try db.execute("BEGIN; INSERT INTO t VALUES (1, 1); ALTER TABLE t RENAME COLUMN v TO w; INSERT INTO t \(many)")
        try db.execute("INSERT INTO t(w) VALUES (5); COMMIT")
        #expect(try db.lines("SELECT event_type, transaction_id FROM ledger_schema_events") == ["0|1", "5|2"])
        try check(db)
    }

    /// What a connection knows from its own last commit holds only while nobody has written since.
    @Test(arguments: ["WAL", "DELETE"]) func whatOthersDidBetweenSingleStatementsIsSeen(_ mode: String) throws {
        let test = try TestDatabase()
        let one = try test.ledger(
            "PRAGMA journal_mode = \(mode); CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        let two = try test.open()
        let changes = [
            "INSERT INTO t(v) VALUES (1)", "SELECT ledger_close_block()", "UPDATE t SET v = v + 1",
            "ALTER TABLE t ADD COLUMN w DEFAULT 5", "BEGIN; INSERT INTO t(v) VALUES (2); COMMIT",
            "BEGIN; INSERT INTO t(v) VALUES (3); SELECT ledger_close_block(); INSERT INTO t(v) VALUES (4); COMMIT",
            "BEGIN; INSERT INTO t(v) VALUES (3); ROLLBACK", "CREATE TABLE p(a); INSERT INTO p VALUES (1)",
            "CREATE TABLE n(a); SELECT ledger_enable('n'); INSERT INTO n VALUES (1)", "VACUUM",
            "ALTER TABLE t RENAME COLUMN v TO x; ALTER TABLE t RENAME COLUMN x TO v", "DELETE FROM t WHERE id % 3 = 0",
        ]
        for change in changes {
            for writer in [one, two] {
                try one.run("INSERT INTO t(v) VALUES (10)")
                do { try writer.execute(change) } catch {
                    #expect(change.contains(" TABLE ") && writer === two, "\(change): \(error)")
                }
                try one.run("INSERT INTO t(v) VALUES (11)")
                try one.run("INSERT INTO t(v) VALUES (12)")
                try two.run("UPDATE t SET v = 13 WHERE id = (SELECT max(id) FROM t)")
                try one.run("INSERT INTO t(v) VALUES (14)")
            }
            try check(one)
        }
        let counts = "SELECT count(*), max(transaction_id) FROM database_ledger_transactions"
        let places = "SELECT count(DISTINCT block_id || ' ' || transaction_ordinal) FROM database_ledger_transactions"
        let both = try one.lines(counts)
        #expect(try one.lines(places).first.map { "\($0)|\($0)" } == both.first)
        try one.run("SELECT ledger_close_block()")
        #expect(
            try one.lines(
                "SELECT sum(block_size), max(first_transaction_id + block_size - 1) FROM database_ledger_blocks")
                == both)
    }

    @Test func tablesWithoutRowIDs() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE w(a TEXT COLLATE NOCASE, v, b INTEGER, PRIMARY KEY(b, a)) WITHOUT ROWID;
            INSERT INTO w VALUES ('x', 0, 1); SELECT ledger_enable('w');
            INSERT INTO w VALUES ('y', 1, 1), ('z', 2, 2); UPDATE w SET v = v + 1; UPDATE w SET a = 'Z', b = 3 WHERE a = 'z';
            REPLACE INTO w VALUES ('Y', 9, 1); DELETE FROM w WHERE a = 'X'; UPDATE w SET a = upper(a)
            """)
        #expect(try db.lines("SELECT * FROM w") == ["Y|9|1", "Z|3|3"])
        try check(db)
    }

    @Test func oddTablesWork() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE "od""d t"("a b" TEXT, "select" INT, "q""q" ANY, rowid TEXT) STRICT;
            SELECT ledger_enable('od"d t');
            INSERT INTO "od""d t" VALUES ('1', 2, '3', 'r'), ('2', 3, x'01', 's'); UPDATE "od""d t" SET "q""q" = '007';
            CREATE TABLE g(a INTEGER, v AS (a + 1), s AS (a * 2) STORED, b); SELECT ledger_enable('g');
            INSERT INTO g(a, b) VALUES (1, 2), (2, 3); UPDATE g SET a = 10 WHERE b = 3; DELETE FROM g WHERE a = 1
            """)
        #expect(try db.lines("SELECT a, v, s, b FROM g") == ["10|11|20|3"])
        #expect(db.refusal("CREATE TABLE z(rowid, _rowid_, oid)") == nil)
        #expect(db.refusal("SELECT ledger_enable('z')")?.contains("rename one") == true)
        try check(db)
    }

    @Test(arguments: [44, 61, 200, 1_000]) func wideTables(_ count: Int) throws {
        let test = try TestDatabase()
        let columns = (1...count).map { "c\($0)" }.joined(separator: ", ")
        let values = (1...count).map { "\($0)" }.joined(separator: ", ")
        let db = try test.ledger("CREATE TABLE t(\(columns)); SELECT ledger_enable('t')")
        try db.execute("INSERT INTO t VALUES (\(values)), (\(values)); UPDATE t SET c\(count) = 'new' WHERE rowid = 1")
        try db.execute("DELETE FROM t WHERE rowid = 2")
        try check(db)
    }

    @Test func rowIDsThatChangeAreFollowed() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(a); SELECT ledger_enable('t'); INSERT INTO t VALUES (1), (2), (3);
            UPDATE t SET rowid = rowid + 100; UPDATE t SET rowid = -5 WHERE a = 2;
            """)
        try check(db)
        try db.execute("DELETE FROM t WHERE a = 1; VACUUM; INSERT INTO t VALUES (4); UPDATE t SET a = a * 10")
        #expect(try db.lines("SELECT rowid, a FROM t") == ["1|20", "2|30", "3|40"])
        try check(db)
    }

    @Test(arguments: ["UTF-16le", "UTF-16be"]) func databasesInUTF16(_ encoding: String) throws {
        let test = try TestDatabase()
        let plain = try test.openPlain()
        try plain.execute("PRAGMA encoding = '\(encoding)'; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)")
        let db = try test.ledger("SELECT ledger_enable('t')")
        try db.execute(
            "INSERT INTO t VALUES (1, 'héé'), (2, '😀'); UPDATE t SET a = a || 'ß'; DELETE FROM t WHERE id = 2")
        try check(db)
    }

    @Test func untrustedSchemasWork() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(a); SELECT ledger_enable('t')")
        try db.execute("PRAGMA trusted_schema = OFF; INSERT INTO t VALUES (1); UPDATE t SET a = 2; DELETE FROM t")
        try check(db)
    }

    @Test func returningViewsAndTemporaryTables() throws {
        let test = try TestDatabase()
        let db = try test.ledger(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, a); SELECT ledger_enable('t');
            CREATE VIEW v AS SELECT * FROM t;
            CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (NEW.id, NEW.a); END;
            CREATE TEMP TABLE x(a); CREATE TEMP TRIGGER tt AFTER INSERT ON t BEGIN INSERT INTO x VALUES (NEW.a); END;
            INSERT INTO v VALUES (1, 'one')
            """)
        #expect(try db.lines("INSERT INTO t VALUES (2, 'two') RETURNING id, a") == ["2|two"])
        #expect(try db.lines("UPDATE t SET a = 'zwei' WHERE id = 2 RETURNING a") == ["zwei"])
        #expect(try db.lines("DELETE FROM t WHERE id = 1 RETURNING *") == ["1|one"])
        #expect(try db.lines("SELECT * FROM temp.x") == ["one", "two"])
        try check(db)
    }

    @Test func changesAndLastRowAreTheUsers() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, a); SELECT ledger_enable('t')")
        try db.run("INSERT INTO t VALUES (41, 1), (42, 2)")
        #expect(try db.lines("SELECT last_insert_rowid(), changes()") == ["42|2"])
        try db.run("UPDATE t SET a = 3")
        #expect(try db.lines("SELECT last_insert_rowid(), changes()") == ["42|2"])
    }

    /// What makes SQLite tell the ledger about the transaction changes nothing, and nobody else's use of it does.
    @Test func enlistingIsNoChange() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, a); SELECT ledger_enable('t')")
        func total() -> Int32 { sqlite3_total_changes(db.handle) }
        for begin in ["", "BEGIN", "SAVEPOINT s"] {
            let before = total()
            if !begin.isEmpty { try db.run(begin) }
            try db.run("INSERT INTO t(a) VALUES (1)")
            if !begin.isEmpty { try db.run(begin == "BEGIN" ? "COMMIT" : "RELEASE s") }
            // The row, its stamp, and the entry.
            #expect(total() - before == 3)
        }
        let before = total()
        let enlist = "INSERT OR IGNORE INTO main.ledger_capture VALUES (NULL)"
        try db.run(enlist)
        try db.execute("BEGIN; \(enlist); COMMIT")
        #expect(db.refusal("INSERT INTO ledger_capture VALUES (1)") == "attempt to write a readonly database")
        #expect(db.refusal("REPLACE INTO ledger_capture VALUES (1)") == "attempt to write a readonly database")
        #expect(total() == before)
        #expect(try db.lines("SELECT last_insert_rowid(), count(*) FROM database_ledger_transactions") == ["3|4"])
        try check(db)
    }

    /// An entry without its leaves would be found damaged; so there is none.
    @Test func entriesThatAreTooLongAreRefused() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(a, b); SELECT ledger_enable('t'); INSERT INTO t VALUES (1, 2)")
        let limit = sqlite3_limit(db.handle, SQLITE_LIMIT_LENGTH, 220)
        #expect(
            db.refusal("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)")?.contains("too long")
                == true)
        _ = sqlite3_limit(db.handle, SQLITE_LIMIT_LENGTH, limit)
        #expect(try db.lines("SELECT * FROM t") == ["1|2"])
        try db.run("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)")
        try check(db)
    }

    @Test func nobodyElseWritesEntries() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, v); SELECT ledger_enable('t')")
        let insert = "INSERT INTO database_ledger_transactions VALUES (9, 0, 9, 'x', 'x', 'x', 'x', x'00', NULL)"
        #expect(db.refusal(insert) == "not authorized")
        try db.run("CREATE TRIGGER mine AFTER INSERT ON t BEGIN \(insert); END")
        #expect(db.refusal("INSERT INTO t VALUES (2, 3)") == "not authorized")
        #expect(db.refusal("DELETE FROM database_ledger_transactions")?.contains("only the ledger writes it") == true)
        #expect(
            db.refusal("UPDATE database_ledger_transactions SET commit_time = 'x'")?.contains(
                "only the ledger writes it")
                == true)
        try check(db)
    }

    @Test func whoIsInEveryTransaction() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(a); SELECT ledger_enable('t')")
        try db.execute("SELECT ledger_set_principal('bob'), ledger_set_application('shop'); INSERT INTO t VALUES (1)")
        #expect(
            try db.lines("SELECT principal_name, application_name FROM database_ledger_transactions")
                == ["alice|tests", "bob|shop"])
        try db.execute("INSERT INTO t VALUES (2); SELECT ledger_set_principal('eve'); INSERT INTO t VALUES (3)")
        try db.execute("SELECT ledger_set_application('bank'); INSERT INTO t VALUES (4)")
        #expect(
            try db.lines("SELECT principal_name, application_name FROM database_ledger_transactions").dropFirst(2)
                == ["bob|shop", "eve|shop", "eve|bank"])
        try check(db)
    }
}
