import SQLLedger
import SQLLedgerSQLite
import Testing

/// What works on plain tables works on ledger tables, and what is ledgered is what is in the tables afterwards.
@Suite struct HonestUseTests {
    private func check(_ db: SQLiteConnection, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let problems = try LedgerReference.problems(of: db)
        #expect(problems.isEmpty, sourceLocation: sourceLocation)
        #expect(try db.lines("PRAGMA integrity_check") == ["ok"], sourceLocation: sourceLocation)
    }

    // MARK: Rolled-back definitions

    @Test(arguments: [
        ("BEGIN", "ROLLBACK"), ("BEGIN; SAVEPOINT s", "ROLLBACK TO s; COMMIT"), ("SAVEPOINT s", "ROLLBACK TO s"),
    ])
    func enablingThatWasRolledBackLeavesNothing(_ begin: String, _ end: String) throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(id INTEGER PRIMARY KEY, v, n); INSERT INTO t VALUES (1, 1, 1)")
        try db.execute("\(begin); SELECT ledger_enable('t'); UPDATE t SET n = 2; \(end)")
        try db.execute(
            "SELECT ledger_enable('t'); UPDATE t SET v = 9; INSERT INTO t VALUES (2, 2, 2); DELETE FROM t WHERE id = 1")
        if db.isInTransaction { try db.execute("RELEASE s") }
        try check(db)
        #expect(
            try db.lines("SELECT v, n FROM t_Ledger ORDER BY v, n, ledger_operation_type") == [
                "1|1", "1|1", "2|2", "9|1", "9|1",
            ])
    }

    @Test(arguments: [
        // The definition itself, and what the ledger altered on account of it.
        "BEGIN; SAVEPOINT s; ALTER TABLE t ADD COLUMN c; UPDATE t SET c = 1; ROLLBACK TO s; COMMIT",
        "BEGIN; UPDATE t SET v = 2; SAVEPOINT s; ALTER TABLE t ADD COLUMN c; UPDATE t SET c = 1; ROLLBACK TO s; COMMIT",
        "BEGIN; ALTER TABLE t ADD COLUMN c; UPDATE t SET c = 1; SAVEPOINT s; SELECT ledger_close_block(); ROLLBACK TO s; COMMIT",
        "BEGIN; ALTER TABLE t ADD COLUMN c; UPDATE t SET c = 1; SAVEPOINT s; SELECT ledger_close_block(); ROLLBACK TO s; "
            + "UPDATE t SET c = 3; COMMIT",
        "BEGIN; ALTER TABLE t ADD COLUMN c; UPDATE t SET c = 1; SAVEPOINT s; CREATE TABLE n(a); SELECT ledger_enable('n'); "
            + "ROLLBACK TO s; ALTER TABLE t RENAME COLUMN v TO w; COMMIT",
    ])
    func columnsAroundSavepoints(_ statements: String) throws {
        for table in ["t(id INTEGER PRIMARY KEY, v)", "t(id PRIMARY KEY, v) WITHOUT ROWID"] {
            let test = try TestDatabase()
            let db = try test.ledger("CREATE TABLE \(table); INSERT INTO t VALUES (1, 1); SELECT ledger_enable('t')")
            try db.execute(statements)
            try check(db)
            try db.execute("UPDATE t SET id = id + 1; INSERT INTO t(id) VALUES (7)")
            try check(db)
        }
    }

    @Test(arguments: ["CREATE TABLE n(b, c)", "CREATE TABLE n(a)", "CREATE TABLE n(a PRIMARY KEY, b, c) WITHOUT ROWID"])
    func tablesThatWereRolledBackLeaveNothing(_ again: String) throws {
        let test = try TestDatabase()
        let db = try test.open()
        try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 1); SELECT ledger_init(1)")
        try db.execute(
            "BEGIN; CREATE TABLE n(a); INSERT INTO n VALUES (1); UPDATE t SET v = 1; INSERT INTO t VALUES (2, 2)")
        try db.execute("UPDATE n SET a = 2; ROLLBACK; \(again)")
        let columns = try db.lines("SELECT name FROM pragma_table_info('n')")
        try db.execute("INSERT INTO n VALUES (\(columns.map { _ in "1" }.joined(separator: ", "))); UPDATE t SET v = 5")
        try db.execute("UPDATE n SET \(columns.last ?? "") = 3; DELETE FROM t WHERE id = 2")
        try check(db)
        #expect(try db.lines("SELECT DISTINCT table_id FROM ledger_schema_events ORDER BY 1") == ["0", "1", "2"])
    }

    // MARK: Replaced rows

    /// SQLite tells of a row that REPLACE ends by the pre-update hook only, and up to 3.40 by the types of other columns
    /// when the key of a table without row ids is not first.
    @Test(arguments: [
        "t(a REAL, id INTEGER PRIMARY KEY, b INTEGER, c) WITHOUT ROWID",
        "t(b INTEGER, a REAL, c NUMERIC, id PRIMARY KEY) WITHOUT ROWID",
        "t(a DOUBLE, b INT, id INT, c TEXT, PRIMARY KEY(c, id)) WITHOUT ROWID",
        "t(a REAL, b INTEGER UNIQUE, c ANY, id INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID",
        "t(a REAL, b INTEGER UNIQUE, c, id INTEGER PRIMARY KEY)",
    ])
    func replacedNumbersKeepTheirTypes(_ table: String) throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE \(table); SELECT ledger_enable('t')")
        try db.execute(
            """
            INSERT INTO t(id, a, b, c) VALUES (1, 5, 7, 'x'), (2, -3.0, 8, 'x'), (3, 0.5, -9, 'x'), (4, NULL, NULL, 'x'),
              (5, 9007199254740992.0, 4503599627370497, 'x');
            REPLACE INTO t(id, a, b, c) VALUES (1, 6, 17, 'x'), (3, 4, 19, 'x');
            INSERT OR REPLACE INTO t(id, a, b, c) SELECT id, a + 1, b + 100, c FROM t;
            UPDATE OR REPLACE t SET id = 2 WHERE id = 3;
            UPDATE OR REPLACE t SET id = 5 WHERE id = 4;
            DELETE FROM t WHERE id = 1;
            CREATE TRIGGER b BEFORE UPDATE OF a ON t BEGIN UPDATE t SET c = c || 'y' WHERE id = old.id; END;
            UPDATE t SET a = a + 1;
            CREATE TRIGGER d BEFORE UPDATE OF b ON t BEGIN UPDATE t SET a = a - 2, b = b + 1 WHERE id = old.id; END;
            UPDATE t SET b = b + 1
            """)
        try check(db)
        #expect(
            try db.lines(
                """
                SELECT DISTINCT typeof(a), typeof(b) FROM t_Ledger WHERE a IS NOT NULL AND b IS NOT NULL
                """) == ["real|integer"])
    }

    // MARK: Triggers of the user's

    static let tables = [
        "t(id INTEGER PRIMARY KEY, v, n REAL, g)", "t(id PRIMARY KEY, v, n, g)",
        "t(id PRIMARY KEY, v, n, g) WITHOUT ROWID",
        // Too wide for one call of the capture function.
        "t(id INTEGER PRIMARY KEY, v, n, \((1...90).map { "c\($0)" }.joined(separator: ", ")), g)",
    ]

    static let triggers = [
        // Before: the row that is changed or deleted is another one than the statement found.
        "BEFORE UPDATE OF v ON t BEGIN UPDATE t SET n = n + 1 WHERE id = OLD.id; END",
        "BEFORE UPDATE OF v ON t BEGIN UPDATE t SET n = n + 1, g = NULL WHERE id = OLD.id; END",
        "BEFORE UPDATE OF v ON t BEGIN UPDATE t SET n = n + 1; END",
        "BEFORE UPDATE OF v ON t BEGIN UPDATE t SET v = 'before', n = 'b' WHERE id = OLD.id; END",
        "BEFORE UPDATE OF v ON t BEGIN DELETE FROM t WHERE id = OLD.id; END",
        "BEFORE UPDATE OF v ON t BEGIN UPDATE t SET id = id + 100 WHERE id = OLD.id; END",
        "BEFORE DELETE ON t BEGIN UPDATE t SET n = n + 1 WHERE id = OLD.id; END",
        "BEFORE DELETE ON t BEGIN UPDATE t SET n = n + 1; END",
        "BEFORE DELETE ON t BEGIN DELETE FROM t WHERE id <> OLD.id AND id % 2 = 1; END",
        "BEFORE INSERT ON t BEGIN UPDATE t SET n = n + 1; END",
        "BEFORE INSERT ON t BEGIN DELETE FROM t WHERE id = NEW.id; END",
        // After, and before the triggers of the ledger.
        "AFTER INSERT ON t BEGIN DELETE FROM t WHERE id NOT IN (SELECT id FROM t ORDER BY v DESC LIMIT 2); END",
        "AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = NEW.id; END",
        "AFTER INSERT ON t BEGIN UPDATE t SET g = 'new' WHERE id = NEW.id; DELETE FROM t WHERE id = NEW.id; END",
        """
        AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = NEW.id; INSERT INTO t(id, v, n) VALUES (NEW.id, 'again', 7); END
        """,
        "AFTER INSERT ON t BEGIN REPLACE INTO t(id, v) VALUES (NEW.id, 'again'); END",
        "AFTER INSERT ON t WHEN NEW.id < 50 BEGIN REPLACE INTO t(id, v) VALUES (NEW.id + 50, 'more'), (NEW.id, 'again'); END",
        "AFTER INSERT ON t BEGIN UPDATE t SET id = id + 200 WHERE id = NEW.id; END",
        "AFTER DELETE ON t BEGIN INSERT INTO t(id, v) VALUES (OLD.id, 'back'); END",
        "AFTER DELETE ON t BEGIN REPLACE INTO t(id, v) VALUES (OLD.id, 'back'), (2, 'two'); END",
        "AFTER UPDATE OF v ON t BEGIN UPDATE t SET g = coalesce(g, 0) + 1 WHERE id = NEW.id; END",
        "AFTER UPDATE OF v ON t BEGIN DELETE FROM t WHERE id = NEW.id; END",
        "AFTER UPDATE OF v ON t BEGIN DELETE FROM t WHERE id = NEW.id; INSERT INTO t(id, v) VALUES (OLD.id, 'r'); END",
        "AFTER UPDATE OF v ON t BEGIN UPDATE t SET id = -id WHERE id = NEW.id; INSERT INTO t(id, v) VALUES (OLD.id, 'r'); END",
        "AFTER UPDATE OF id ON t BEGIN INSERT INTO t(id, v) VALUES (OLD.id, 'left'); END",
        "AFTER UPDATE OF v ON t BEGIN REPLACE INTO t(id, v) VALUES (NEW.id, 'r'); END",
    ]

    static let statements = [
        "INSERT INTO t(id, v, n) VALUES (3, 0, 3), (4, 9, 4)", "UPDATE t SET v = 9 WHERE id <= 2",
        "UPDATE t SET v = 10",
        "INSERT OR REPLACE INTO t(id, v, n) VALUES (1, 'replaced', 1), (9, 9, 9)",
        "UPDATE OR REPLACE t SET id = 2 WHERE id = 1",
        "INSERT INTO t(id, v, n) VALUES (2, 'u', 0) ON CONFLICT DO UPDATE SET v = 'upsert'",
        "DELETE FROM t WHERE id = 1",
        "INSERT OR IGNORE INTO t(id, v, n) VALUES (5, 5, 5), (2, 5, 5)", "DELETE FROM t",
        "INSERT INTO t(id, v) VALUES (1, 1)",
    ]

    /// Each statement as the first one after the trigger was made, when it may run before the ledger's, and as the second.
    @Test(arguments: tables, triggers)
    func triggersThatChangeTheSameTable(_ table: String, _ trigger: String) throws {
        let plainTest = try TestDatabase()
        let plain = try plainTest.openPlain()
        let script = "INSERT INTO t(id, v, n, g) VALUES (1, 1, 1, 1), (2, 2, 2, 2)"
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE \(table); SELECT ledger_enable('t'); \(script)")
        try plain.execute("PRAGMA synchronous = OFF; CREATE TABLE \(table); \(script)")
        try db.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY")
        for temporary in ["", "TEMP "] {
            for statement in Self.statements {
                for connection in [db, plain] {
                    try connection.execute("CREATE \(temporary)TRIGGER x \(trigger)")
                }
                for _ in 0..<2 {
                    let expected = plain.refusal(statement)
                    let found = db.refusal(statement)
                    #expect(found == expected, "\(temporary)\(trigger): \(statement)")
                }
                let rows = "SELECT * FROM t ORDER BY id"
                #expect(try db.lines(rows) == plain.lines(rows), "\(temporary)\(trigger): \(statement)")
                try plain.execute("DROP TRIGGER x")
                try db.execute("DROP TRIGGER x")
            }
        }
        #expect(try LedgerReference.problems(of: db).isEmpty)
        #expect(try db.lines("PRAGMA integrity_check") == ["ok"])
    }

    // MARK: Texts that are not Unicode

    @Test(arguments: ["UTF-16le", "UTF-16be"], ["t(id INTEGER PRIMARY KEY, v)", "t(v PRIMARY KEY, id) WITHOUT ROWID"])
    func textsThatAreNoUnicode(_ encoding: String, _ table: String) throws {
        let test = try TestDatabase()
        let plain = try test.openPlain()
        try plain.execute("PRAGMA encoding = '\(encoding)'; CREATE TABLE \(table)")
        let units = [
            "00d8", "d800", "00dc", "dc00", "fffe", "feff", "ffff", "fffe4100", "feff0041", "00d84100", "d8000041",
            "4100fffe", "fffefeff", "fefffffe", "4100", "0041", "00dc00d8", "dc00d800", "00d800dc", "d800dc00", "fdff",
        ]
        try plain.execute("INSERT INTO t(id, v) VALUES (1000, CAST(x'00d8' AS TEXT) || 'old')")
        let db = try test.ledger("SELECT ledger_enable('t')")
        func rows() throws -> [String] { try db.lines("SELECT id, hex(CAST(v AS BLOB)) FROM t ORDER BY id") }
        for (id, hex) in units.enumerated() {
            try db.run("INSERT INTO t(id, v) VALUES (\(id), CAST(x'\(hex)' AS TEXT))")
        }
        try check(db)
        let before = try rows()
        try db.execute("UPDATE t SET id = id + 100; DELETE FROM t WHERE id > 200; UPDATE t SET v = 'x' || v")
        try check(db)
        let history = "SELECT DISTINCT id % 100, hex(CAST(v AS BLOB)) FROM ledger_history_1 WHERE id < 100 ORDER BY id"
        #expect(try db.lines(history) == before.filter { !$0.hasPrefix("1000") })
        try db.run("DELETE FROM t")
        try check(db)
    }

    // MARK: A ledger that appears while connections are open

    @Test(arguments: [
        "UPDATE t SET v = v + 10", "INSERT INTO t VALUES (NULL, NULL)", "REPLACE INTO t VALUES (1, 2), (9, 9)",
        "DELETE FROM t",
        "UPDATE OR REPLACE t SET v = 2 WHERE id = 1", "INSERT INTO t VALUES (1, 70) ON CONFLICT DO UPDATE SET v = 8",
        "BEGIN; INSERT OR IGNORE INTO p SELECT id FROM t; REPLACE INTO p VALUES (1); REPLACE INTO t VALUES (1, 2); COMMIT",
    ])
    func openConnectionsFollow(_ statement: String) throws {
        for isNew in [true, false] {
            let test = try TestDatabase()
            let db = try test.open()
            try db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2)")
            try db.execute("CREATE TABLE p(id INTEGER PRIMARY KEY)")
            if !isNew { try db.run("SELECT ledger_init()") }
            try db.execute(
                "CREATE TEMP TABLE touched(x); INSERT INTO p VALUES (50); DELETE FROM p; DELETE FROM t WHERE id = 99")
            try db.execute("INSERT INTO t VALUES (5, 5); DELETE FROM t WHERE id = 5; UPDATE t SET v = v")
            let other = try test.open()
            try other.execute("SELECT ledger_init(), ledger_enable('t')")
            try db.execute(statement)
            try check(db)
            try db.execute("UPDATE t SET v = -v; \(statement)")
            try check(db)
        }
    }
}
