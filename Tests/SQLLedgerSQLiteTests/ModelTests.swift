import SQLLedger
import SQLLedgerSQLite
import Testing

/// Random statements on a ledger and on a plain twin: both must show the same rows and answer the same, and the ledger
/// must be what its rows say.
@Suite struct ModelTests {
    struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(sides))
        }

        mutating func pick(_ choices: [String]) -> String { choices[roll(choices.count)] }
    }

    static let schema = """
        PRAGMA foreign_keys = ON;
        CREATE TABLE p(id INTEGER PRIMARY KEY, n);
        CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v, p REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE);
        CREATE TABLE r(a, b UNIQUE ON CONFLICT REPLACE);
        CREATE TABLE w(k TEXT COLLATE NOCASE, n INT, v, PRIMARY KEY(k, n)) WITHOUT ROWID;
        CREATE TRIGGER tu AFTER UPDATE OF v ON t WHEN NEW.v > 50 BEGIN UPDATE t SET u = u || '+' WHERE id = NEW.id; END;
        CREATE TRIGGER td AFTER DELETE ON t BEGIN INSERT INTO r VALUES (OLD.id, OLD.v); END
        """

    static func statement(_ dice: inout Dice, depth: inout Int, isOpen: inout Bool, columns: inout Int) -> String {
        let id = dice.roll(12)
        let or = dice.pick(["", "", " OR REPLACE", " OR IGNORE", " OR FAIL", " OR ABORT"])
        switch dice.roll(28) {
        case 0...3: return "INSERT\(or) INTO t(id, u, v) VALUES (\(id), 'u\(dice.roll(12))', \(dice.roll(100)))"
        case 4: return "INSERT\(or) INTO t(u, v, p) SELECT 'm' || n, id, id FROM p"
        case 5, 6: return "UPDATE\(or) t SET v = \(dice.roll(100)) WHERE id >= \(id)"
        case 7: return "UPDATE\(or) t SET u = 'u\(dice.roll(12))', id = \(dice.roll(12)) WHERE id = \(id)"
        case 8, 9: return "DELETE FROM t WHERE id = \(id)"
        case 10: return "INSERT INTO t(id, u) VALUES (\(id), 'x') ON CONFLICT DO UPDATE SET v = 'up', p = NULL"
        case 11, 12: return "INSERT\(or) INTO p VALUES (\(id), 'p')"
        case 13: return "UPDATE p SET id = \(dice.roll(12)) WHERE id = \(id)"
        case 14: return "DELETE FROM p WHERE id = \(id)"
        case 15, 16: return "INSERT\(or) INTO r VALUES (\(id), \(dice.roll(9)))"
        case 17: return "UPDATE r SET b = b + 1 WHERE a > \(id)"
        case 18:
            return "INSERT\(or) INTO w(k, n, v) VALUES ('\(dice.pick(["a", "A", "b", "C"]))', \(dice.roll(3)), \(id))"
        case 19: return "UPDATE\(or) w SET k = '\(dice.pick(["a", "B", "c"]))', v = v + 1 WHERE n = \(dice.roll(3))"
        case 20: return "DELETE FROM w WHERE v = \(id)"
        case 21, 22:
            if !isOpen {
                isOpen = true
                return "BEGIN"
            }
            depth += 1
            return "SAVEPOINT s\(depth)"
        case 23:
            guard depth > 0 else { return "SELECT 1" }
            return "ROLLBACK TO s\(1 + dice.roll(depth))"
        case 24:
            guard depth > 0 else { return "SELECT 1" }
            let level = 1 + dice.roll(depth)
            depth = level - 1
            return "RELEASE s\(level)"
        case 25:
            guard isOpen else { return "SELECT 1" }
            (isOpen, depth) = (false, 0)
            return dice.pick(["COMMIT", "COMMIT", "ROLLBACK"])
        case 26:
            guard columns < 12 else { return "SELECT 1" }
            columns += 1
            return
                "ALTER TABLE \(dice.pick(["t", "r", "w"])) ADD COLUMN c\(columns) \(dice.pick(["", "TEXT DEFAULT 7", "REAL"]))"
        default:
            return dice.pick([
                "CREATE INDEX IF NOT EXISTS ri ON r(a)", "DROP INDEX IF EXISTS ri", "PRAGMA recursive_triggers = ON",
                "PRAGMA recursive_triggers = OFF", "VACUUM",
            ])
        }
    }

    @Test(arguments: 1...24) func ledgerAndPlainTablesAgree(_ seed: Int) throws {
        try compare(seed, usesHook: true)
    }

    /// A SQLite that was built without the pre-update hook.
    @Test(arguments: 101...108) func withoutTheHookTheyAgreeAsWell(_ seed: Int) throws {
        try compare(seed, usesHook: false)
    }

    private func compare(_ seed: Int, usesHook: Bool) throws {
        let (test, twinTest) = (try TestDatabase(), try TestDatabase())
        let db = usesHook ? try test.open() : try test.openWithoutHook()
        try db.run("SELECT ledger_init()")
        try db.execute(Self.schema)
        let twin = try twinTest.openPlain()
        try twin.execute(Self.schema)
        // Without the hook, delete triggers tell what a REPLACE deletes.
        if !usesHook { try twin.execute("PRAGMA recursive_triggers = ON") }
        for table in ["p", "t", "r", "w"] { try db.run("SELECT ledger_enable('\(table)')") }
        var dice = Dice(state: UInt64(seed))
        var (depth, isOpen, columns) = (0, false, 0)
        var log: [String] = []
        for step in 1...150 {
            let sql = Self.statement(&dice, depth: &depth, isOpen: &isOpen, columns: &columns)
            if !usesHook, sql.contains("recursive_triggers") { continue }
            log.append(sql)
            let (a, b) = (db.refusal(sql), twin.refusal(sql))
            if !usesHook, a == nil, sql.contains("ADD COLUMN") { try db.run("SELECT ledger_refresh()") }
            // A statement that rolls everything back ends the transaction on both.
            if twin.isInTransaction != isOpen { (isOpen, depth) = (twin.isInTransaction, 0) }
            try #require(db.isInTransaction == twin.isInTransaction, "\(seed).\(step): \(sql)")
            try #require(a == b, "\(seed).\(step): \(sql)\n\(log.suffix(12).joined(separator: "\n"))")
            for table in ["p", "t", "r", "w"] {
                let select = "SELECT \(table == "w" ? "" : "rowid, ")* FROM \(table) ORDER BY 1, 2"
                let (ours, theirs) = (try db.lines(select), try twin.lines(select))
                try #require(ours == theirs, "\(seed).\(step): \(sql)\n\(log.suffix(12).joined(separator: "\n"))")
            }
            if !isOpen, step % 30 == 0 {
                _ = try db.value("SELECT ledger_close_block()")
                let problems = try LedgerReference.problems(of: db)
                try #require(problems.isEmpty, "\(seed).\(step): \(log.suffix(30).joined(separator: "\n"))")
            }
        }
        if isOpen { try db.execute("COMMIT") }
        _ = try db.value("SELECT ledger_refresh()")
        let problems = try LedgerReference.problems(of: db)
        #expect(problems.isEmpty, "\(seed)")
    }
}
