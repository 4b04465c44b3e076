"""Catalogue H.7: what must not raise findings."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from kit import ledger
from kit.ledger import agree, connect, scalar
from support.node import ROOT, run_cli


def clean(victim, path=None):
    report = agree(path or victim.path, *victim.digests)
    assert report.exit_code == 0, report
    assert not report.codes - {"TAIL_UNATTESTED", "OK", "PHYSICAL_ONLY"}, report
    return report


def work_on(path):
    """Ordinary work still goes."""
    db = connect(path)
    db.execute("UPDATE account SET units = units + 1 WHERE id BETWEEN 20 AND 30")
    db.execute("INSERT INTO visit VALUES ('later', 1000)")
    db.execute("DELETE FROM visit WHERE at = 12")
    db.execute("UPDATE setting SET value = 'x' WHERE name = 'name9'")
    db.execute("INSERT INTO journal(line, amount) VALUES ('later', 1)")
    db.close()


@pytest.mark.parametrize("statement", [
    "VACUUM", "REINDEX", "ANALYZE", "PRAGMA optimize", "PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint(TRUNCATE)"])
@pytest.mark.parametrize("kind", ["plain", "extension"])
def test_K01_maintenance(whole_victim, statement, kind):
    victim = whole_victim
    victim.honest("DELETE FROM visit WHERE at IN (1, 2)")
    db = ledger.plain(victim.path) if kind == "plain" else connect(victim.path)
    db.execute(statement).fetchall()
    db.close()
    clean(victim)
    work_on(victim.path)
    clean(victim)


@pytest.mark.parametrize("change", ["page_size", "auto_vacuum", "WAL", "DELETE"])
def test_K01_other_file_layout(whole_victim, change):
    victim = whole_victim
    db = ledger.plain(victim.path)
    if change == "page_size":
        db.execute("PRAGMA page_size = 1024")
        db.execute("VACUUM")
    elif change == "auto_vacuum":
        db.execute("PRAGMA auto_vacuum = FULL")
        db.execute("VACUUM")
    else:
        db.execute(f"PRAGMA journal_mode = {change}")
    db.close()
    clean(victim)
    work_on(victim.path)
    clean(victim)


@pytest.mark.parametrize("reserved", [0, 32])
@pytest.mark.parametrize("size", [512, 4096, 65536])
@pytest.mark.parametrize("kind", ["NONE", "FULL", "INCREMENTAL"])
def test_K01_pages_of_long_rows(tmp_path, kind, size, reserved):
    """Pages that come, go and are moved, with the pointer map of an auto-vacuum file; numbers behind long texts, and infinite ones."""
    path, digest = tmp_path / "long.db", tmp_path / "digest.json"
    subprocess.run(["sqlite3", path, f".filectrl reserve_bytes {reserved}", f"PRAGMA page_size = {size}", f"PRAGMA auto_vacuum = {kind}",
                    "CREATE TABLE first(x)"], check=True, capture_output=True)
    assert path.read_bytes()[20] == reserved
    db, dice = connect(path), random.Random(size + reserved)
    for statement in (
            "SELECT ledger_init(1)", "CREATE TABLE a(id INTEGER PRIMARY KEY, t TEXT, r REAL, b BLOB, n)",
            "CREATE TABLE w(k TEXT, t TEXT, r REAL, n, PRIMARY KEY (t, k)) WITHOUT ROWID", "CREATE INDEX i ON a(t, r, n)",
            f"CREATE TABLE wide(id INTEGER PRIMARY KEY, {', '.join(f'c{number}' for number in range(700))})"):
        db.execute(statement)
    numbers = [None, 0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1.5, 7, -1 << 63, (1 << 60) + 1, float(1 << 60), 5e-324, 1.7976931348623157e308]
    for turn in range(12):
        db.execute("BEGIN")
        for number in range(12):
            long, value, other = "x" * dice.choice([0, 30, 480, 3 * size, dice.randrange(6 * size)]), dice.choice(numbers), dice.choice(numbers)
            db.execute("INSERT OR REPLACE INTO a VALUES (?, ?, ?, zeroblob(?), ?)", (dice.randrange(60), long, value, len(long) // 2, other))
            db.execute("INSERT OR REPLACE INTO w VALUES (?, ?, ?, ?)", (dice.randrange(40), long, value, other))
        wide = ", ".join(repr(dice.random()) for _ in range(700))
        db.execute(f"INSERT INTO wide VALUES (NULL, {wide})")
        db.execute("DELETE FROM a WHERE id % 12 = ?", (turn,))
        db.execute("DELETE FROM w WHERE k % 7 = ?", (turn % 7,))
        db.execute("COMMIT")
        db.execute("PRAGMA incremental_vacuum(3)").fetchall()
        if turn == 6:
            digest.write_text(scalar(db, "SELECT ledger_close_block()"))
            report = agree(path, digest)
            assert report.exit_code == 0, report
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("PRAGMA incremental_vacuum(5)").fetchall()
    db.execute("UPDATE a SET t = t || 'y' WHERE id % 2")
    crashed = ledger.copy_database(path, tmp_path / "crashed.db")
    os.remove(f"{crashed}-shm")
    for file in (path, crashed):
        report = agree(file, digest)
        assert report.exit_code == 0, report
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("how", ["vacuum into", "dump", "backup", "copy"])
def test_K02_moved(whole_victim, how):
    victim = whole_victim
    victim.honest("DELETE FROM visit WHERE at IN (1, 2)")
    target = victim.directory / "moved.db"
    db = ledger.plain(victim.path)
    if how == "vacuum into":
        db.execute("VACUUM INTO ?", (str(target),))
    elif how == "backup":
        other = ledger.plain(target)
        db.backup(other)
        other.close()
    elif how == "copy":
        ledger.copy_database(victim.path, target)
    else:
        dump = subprocess.run(["sqlite3", victim.path, ".dump"], capture_output=True, check=True).stdout
        subprocess.run(["sqlite3", target], input=dump, check=True, capture_output=True)
    db.close()
    clean(victim, target)
    work_on(target)
    clean(victim, target)


def test_K03_indexes(whole_victim):
    """Through the ledger; the change of an index is logged."""
    victim = whole_victim
    victim.honest("CREATE INDEX account_units ON account(units)", "UPDATE account SET units = 3 WHERE id = 70", "ANALYZE")
    clean(victim)
    victim.honest("DROP INDEX account_nick", "UPDATE account SET units = 4 WHERE id = 70")
    clean(victim)
    db = ledger.plain(victim.path)
    assert "account_units" in str(db.execute("SELECT body FROM ledger_schema_events ORDER BY event_id DESC LIMIT 1").fetchone())
    db.close()


def test_K04_schema_changes_through_the_ledger(whole_victim):
    victim = whole_victim
    db = victim.honest()
    db.execute("ALTER TABLE account ADD COLUMN extra TEXT")
    db.execute("UPDATE account SET extra = 'x' WHERE id = 1")
    db.execute("ALTER TABLE account RENAME COLUMN nick TO alias")
    db.execute("UPDATE account SET alias = 'y' WHERE id = 2")
    db.close()
    clean(victim)
    db = victim.honest()
    db.execute("SELECT ledger_drop_column('account', 'spare')")
    db.execute("UPDATE account SET alias = 'z' WHERE id = 3")
    db.execute("DELETE FROM account WHERE id = 4")
    assert "spare" not in [row[1] for row in db.execute("PRAGMA table_info(account)")]
    db.close()
    clean(victim)
    db = victim.honest()
    db.execute("ALTER TABLE account RENAME TO konto")
    db.execute("UPDATE konto SET alias = 'zz' WHERE id = 5")
    db.execute("ALTER TABLE konto ADD COLUMN spare TEXT DEFAULT 'again'")
    db.execute("INSERT INTO konto(id, spare) VALUES (6000000, 's')")
    db.execute("SELECT ledger_drop_table('setting')")
    db.execute("SELECT ledger_close_block()").fetchall()
    names = str(db.execute("SELECT * FROM ledger_column_history").fetchall()) + str(
        db.execute("SELECT * FROM ledger_table_history").fetchall())
    assert all(name in names for name in ("extra", "alias", "konto", "setting")), names
    db.close()
    clean(victim)
    victim.plain("UPDATE konto SET alias = 'forged' WHERE id = 90")
    report = victim.verify()
    assert report.exit_code == 1 and "ROW_ALTERED" in report.codes, report
    agree(victim.path, *victim.digests, report=report)


def test_K06_checkpoint_and_writes_between_verifications(whole_victim):
    victim = whole_victim
    db = victim.honest()
    db.execute("PRAGMA journal_mode = WAL")
    for number in range(5):
        db.execute("UPDATE account SET units = ? WHERE id = 8", (number,))
        clean(victim)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        clean(victim)
    db.close()
    clean(victim)


@pytest.mark.parametrize("environment", [{"TZ": "Asia/Kathmandu"}, {"LC_ALL": "tr_TR.UTF-8"}, {"LANG": "C", "LC_ALL": "POSIX"}])
def test_K07_zone_and_locale(whole_victim, environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clean(whole_victim)
    work_on(whole_victim.path)
    clean(whole_victim)


def test_K10_verifier_and_extension_of_any_connection(whole_victim):
    """The extension loaded twice, in many connections and threads' worth of files, changes nothing."""
    victim = whole_victim
    db = connect(victim.path)
    ledger.load(db)
    db.execute("UPDATE account SET units = 2 WHERE id = 8")
    other = connect(victim.path)
    other.execute("UPDATE account SET units = 3 WHERE id = 8")
    db.execute("UPDATE account SET units = 4 WHERE id = 8")
    assert scalar(db, "SELECT count(*) FROM account_Ledger WHERE id = 8 AND ledger_operation_type = 2") >= 3
    other.close()
    db.close()
    clean(victim)


def test_E05_connection_settings_of_the_writer(whole_victim):
    """Pragmas of a connection do not change what is captured."""
    victim = whole_victim
    db = victim.honest()
    for pragma in ("reverse_unordered_selects = ON", "recursive_triggers = ON", "foreign_keys = ON", "trusted_schema = OFF",
                   "cell_size_check = ON", "temp_store = MEMORY", "synchronous = OFF", "case_sensitive_like = ON",
                   "count_changes = ON", "full_column_names = ON", "short_column_names = OFF", "query_only = OFF",
                   "legacy_alter_table = ON", "defer_foreign_keys = ON"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    db.execute("UPDATE account SET units = 5 WHERE id = 8").fetchall()
    db.execute("REPLACE INTO account(id, name) VALUES (9, 'nine')").fetchall()
    db.execute("DELETE FROM visit WHERE at = 3").fetchall()
    db.close()
    clean(victim)


@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "PERSIST", "WAL", "MEMORY"])
def test_journal_modes(whole_victim, mode):
    victim = whole_victim
    db = victim.honest()
    db.execute(f"PRAGMA journal_mode = {mode}")
    db.execute("UPDATE account SET units = 5 WHERE id = 8")
    report = ledger.verify(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    db.close()
    clean(victim)


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_journal_of_a_writer_who_lives(tmp_path, monkeypatch, end):
    """A transaction whose pages are in the file already: its journal is not hot, and whoever copies both files gets a mixture."""
    path = tmp_path / "app.db"
    honest(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "SELECT ledger_init(1)", "INSERT INTO t(v) VALUES (1)")
    db = ledger.load(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
    db.execute("PRAGMA cache_size = 5").fetchall()
    db.execute("BEGIN")
    before = path.stat().st_mtime_ns
    db.execute("WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t(v) SELECT printf('%0900d', i) FROM n")
    assert path.stat().st_mtime_ns > before and path.with_name("app.db-journal").exists()
    copy, writer = shutil.copy, threading.Timer(0.5, lambda: db.execute(end))

    def copy_slowly(*places):
        copy(*places)
        writer.join()

    monkeypatch.setattr(shutil, "copy", copy_slowly)
    writer.start()
    assert ledger.second_opinion(path, path.with_suffix(".digest"))[0] == 0
    writer.join()
    db.close()


def test_file_that_is_written_while_it_is_copied(tmp_path, monkeypatch):
    path = tmp_path / "app.db"
    honest(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "SELECT ledger_init(1)", "INSERT INTO t(v) VALUES (1)")
    digest, journal = path.with_suffix(".digest"), path.with_name("app.db-journal")
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7").ljust(512, b"\0"))
    assert ledger.second_opinion(path, digest)[0] == 0
    copy = shutil.copy

    def copy_while_it_is_written(source, *places):
        copy(source, *places)
        db = connect(path)
        db.execute("INSERT INTO t(v) VALUES (2)")
        db.close()

    monkeypatch.setattr(shutil, "copy", copy_while_it_is_written)
    assert ledger.second_opinion(path, digest)[:2] == (2, {"VERIFIER_BLOCKED"})


def test_attached_ledger_database(whole_victim):
    """Two ledger databases in one connection: each keeps its own ledger."""
    victim = whole_victim
    other = ledger.copy_database(victim.path, victim.directory / "second.db")
    db = victim.honest()
    db.execute("ATTACH ? AS second", (str(other),))
    db.execute("UPDATE main.account SET units = 5 WHERE id = 8")
    db.execute("UPDATE second.account SET units = 6 WHERE id = 8")
    db.close()
    for path, units in ((victim.path, 5), (other, 6)):
        db = connect(path)
        assert scalar(db, "SELECT units FROM account_Ledger ORDER BY ledger_transaction_id DESC, ledger_sequence_number DESC LIMIT 1") == units
        db.close()
    clean(victim)
    clean(victim, other)


def test_permissions_of_files_stay(whole_victim):
    victim = whole_victim
    os.chmod(victim.path, 0o640)
    clean(victim)
    assert victim.path.stat().st_mode & 0o777 == 0o640


# Honest use that once was taken for tampering, or refused.

def honest(path, *statements, encoding="UTF-8", exit_code=0):
    """Runs statements on a new ledger database, closes a block and verifies it with both verifiers."""
    db = connect(path)
    db.execute(f"PRAGMA encoding = '{encoding}'")
    for statement in statements:
        db.execute(statement).fetchall()
    db.execute("SELECT ledger_close_block()").fetchall()
    db.close()
    digest = path.with_suffix(".digest")
    digest.write_text(ledger.run_cli("sql", "digest", path).stdout)
    report = agree(path, digest)
    assert report.exit_code == exit_code, report
    return report


LEDGER = ("CREATE TABLE t(id INTEGER PRIMARY KEY, v, n)", "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)", "SELECT ledger_init(0)",
          "SELECT ledger_enable('t')")
WIDE = ("SELECT ledger_init(1)", f"CREATE TABLE t(id INTEGER PRIMARY KEY, {', '.join(f'c{i}' for i in range(60))}, v, n)",
        "INSERT INTO t(id, v, n) VALUES (1, 1, 1), (2, 2, 2)")


@pytest.mark.parametrize("begin,end", [(["BEGIN"], ["ROLLBACK"]), (["BEGIN", "SAVEPOINT s"], ["ROLLBACK TO s", "COMMIT"])])
def test_definitions_that_were_rolled_back(tmp_path, begin, end):
    honest(tmp_path / "table.db", *LEDGER[:3], *begin, LEDGER[3], "UPDATE t SET v = 5", *end, LEDGER[3], "UPDATE t SET v = 9")
    honest(
        tmp_path / "all.db", LEDGER[0], "SELECT ledger_init(1)", *begin, "CREATE TABLE n(a)", "INSERT INTO n VALUES (1)",
        "INSERT INTO t VALUES (1, 1, 1)", *end, "CREATE TABLE n(b, c)", "INSERT INTO n VALUES (1, 2)",
        "INSERT INTO t VALUES (1, 1, 1)", "UPDATE n SET b = 2")


@pytest.mark.parametrize("table", [LEDGER, WIDE])
@pytest.mark.parametrize("trigger", [
    "BEFORE UPDATE OF v ON t BEGIN UPDATE t SET n = n + 1 WHERE id = OLD.id; END",
    "BEFORE DELETE ON t BEGIN UPDATE t SET n = n + 1 WHERE id = OLD.id; END",
    "AFTER INSERT ON t BEGIN DELETE FROM t WHERE id NOT IN (SELECT id FROM t ORDER BY v DESC LIMIT 2); END",
    "AFTER DELETE ON t BEGIN INSERT INTO t(id, v) VALUES (OLD.id, 'back'); END",
    "AFTER INSERT ON t BEGIN REPLACE INTO t(id, v) VALUES (NEW.id, 'again'); END",
    "AFTER UPDATE OF v ON t BEGIN UPDATE t SET n = coalesce(n, 0) + 1 WHERE id = NEW.id; END"])
def test_triggers_that_change_the_same_row(tmp_path, table, trigger):
    honest(
        tmp_path / "triggers.db", *table, f"CREATE TRIGGER x {trigger}", "INSERT INTO t(id, v) VALUES (3, 0), (4, 9)",
        "UPDATE t SET v = 7", "UPDATE t SET v = 8 WHERE id = 2", "DELETE FROM t WHERE id = 1", "DROP TRIGGER x",
        f"CREATE TRIGGER x {trigger}", "DELETE FROM t", "INSERT INTO t(id, v) VALUES (5, 0)")


@pytest.mark.parametrize("key", ["k INTEGER PRIMARY KEY, g DEFAULT 5 UNIQUE)", "k TEXT PRIMARY KEY, g DEFAULT 5 UNIQUE) WITHOUT ROWID"])
def test_a_replaced_row_whose_key_a_trigger_gives_to_the_new_one(tmp_path, key):
    """The later trigger runs first: when the ledger hears of the new row there is one again in the replaced one's place."""
    path = tmp_path / "again.db"
    honest(
        path, f"CREATE TABLE t({key}", "SELECT ledger_init(0)", "SELECT ledger_enable('t')",
        "CREATE TRIGGER r0 BEFORE INSERT ON t BEGIN INSERT INTO t(k) VALUES (2); END",
        "CREATE TRIGGER r1 AFTER INSERT ON t BEGIN UPDATE t SET k = 7 WHERE k IS NEW.k; END",
        "INSERT OR REPLACE INTO t(k) VALUES (1)", "INSERT OR REPLACE INTO t(k) VALUES (3)")
    db = connect(path)
    assert [int(row[0]) for row in db.execute("SELECT k FROM t")] == [7]
    assert scalar(db, "SELECT count(*) FROM ledger_history_1 WHERE k IN (7, '7')") == 3


@pytest.mark.parametrize("key", ["k INTEGER PRIMARY KEY, g)", "k TEXT PRIMARY KEY, g) WITHOUT ROWID"])
def test_defaults_that_older_rows_have_otherwise_than_new_ones(tmp_path, key):
    """SQLite gives a row from before ALTER TABLE the text '1.50' where an INSERT would write '1.5'."""
    defaults = ["TEXT DEFAULT -0.0", "DEFAULT -0.0", "TEXT DEFAULT 1.50", "TEXT DEFAULT 1e999", "TEXT DEFAULT TRUE", "TEXT DEFAULT -1e3",
                "DEFAULT -1e3", "BLOB DEFAULT -1e3", "REAL DEFAULT -1e3"]
    values = ", ".join(f"typeof(n{place}), n{place}" for place in range(len(defaults)))
    path = tmp_path / "defaults.db"
    db = connect(path)
    for statement in (
            f"CREATE TABLE t({key}", "SELECT ledger_init(0)", "SELECT ledger_enable('t')", "INSERT INTO t(k, g) VALUES (1, 0), (2, 0), (3, 0)",
            *(f"ALTER TABLE t ADD COLUMN n{place} {default}" for place, default in enumerate(defaults)), "INSERT INTO t(k, g) VALUES (4, 0)"):
        db.execute(statement).fetchall()
    before = db.execute(f"SELECT {values} FROM t WHERE k < 4").fetchall()
    db.close()
    honest(path, "REPLACE INTO t(k, g) VALUES (1, 1)", "UPDATE t SET g = 1 WHERE k = 2", "DELETE FROM t WHERE k = 3")
    db = connect(path)
    assert len(before) == 3
    assert before == db.execute(f"SELECT {values} FROM ledger_history_1").fetchall()


DEFAULTS = ["0.5", "-0.5", "5.0", "-5.0", "+ 2.5", ".5", "5.", "1e3", "-0.0", "1e400", "-1e400", "0x10", "9223372036854775808",
            "9007199254740993.0", "4.9e-324", "7", "-9223372036854775808", "TRUE", "FALSE", "'0.5'", "' 5 '", "'it''s'", "''", "\"2.5\"",
            "word", "x'3035'", "x''", "NULL", "(-5.0)", "(5)", "(CAST(-5.0 AS REAL))", "(CAST(x'410042' AS TEXT))", "CURRENT_DATE", "(1 + 1)"]
VALUES = "NULL, 2, -3, 2.0, 2.5, 9007199254740993, 1e400, '7', '7.0', '07', '1e3', 'text', x'37'"


@pytest.mark.parametrize("end", ["id INTEGER PRIMARY KEY, x)", "id TEXT PRIMARY KEY, x) WITHOUT ROWID", "id INTEGER PRIMARY KEY, x ANY) STRICT"])
@pytest.mark.parametrize("kind", ["", "INTEGER", "DECIMAL(10,2)", "NUMERIC", "REAL", "DOUBLE", "TEXT", "BLOB", "ANY"])
def test_defaults_leave_later_values_as_they_are(tmp_path, kind, end):
    """A column that history gets later has the default of the table's for older versions, and converts no newer ones."""
    if "STRICT" in end and kind not in ("INTEGER", "REAL", "TEXT", "BLOB", "ANY"):
        pytest.skip("no type of STRICT tables")
    path, other = tmp_path / "defaults.db", sqlite3.connect(":memory:")
    db = connect(path)
    for statement in (f"CREATE TABLE t({end}", "SELECT ledger_init(0)", "SELECT ledger_enable('t')", "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)",
                      "DELETE FROM t WHERE id = 1"):
        db.execute(statement).fetchall()
    for place, default in enumerate(DEFAULTS):
        try:
            # What no added column can have, or no column of this type, is none that the ledger is asked for.
            other.execute(f"CREATE TABLE t{place}({end}")
            other.execute(f"INSERT INTO t{place} VALUES (1, 0)")
            other.execute(f"ALTER TABLE t{place} ADD COLUMN c{place} {kind} DEFAULT {default}")
            other.execute(f"INSERT INTO t{place}(id, x) SELECT 2, c{place} FROM t{place}")
            other.execute(f"UPDATE t{place} SET c{place} = c{place}")
            db.execute(f"ALTER TABLE t ADD COLUMN c{place} {kind} DEFAULT {default}")
        except sqlite3.Error:
            continue
    names = [row[1] for row in db.execute("PRAGMA table_info(t)")][2:]
    assert len(names) > 2
    shown = ", ".join(f"typeof({name}), {name}" for name in names)
    old = db.execute(f"SELECT {shown} FROM t WHERE id = 2").fetchone()
    db.execute("SELECT ledger_refresh()").fetchall()
    for value in VALUES.split(", "):
        db.execute("BEGIN")
        for name in names:
            db.execute(f"INSERT INTO t(id, x) VALUES (4, '{name}')")
            try:
                db.execute(f"UPDATE t SET {name} = {value} WHERE id = 4")
            except sqlite3.Error:
                assert "STRICT" in end
            new = db.execute(f"SELECT {shown} FROM t WHERE id = 4").fetchone()
            db.execute("DELETE FROM t WHERE id = 4")
            assert new == db.execute(f"SELECT {shown} FROM ledger_history_1 ORDER BY rowid DESC LIMIT 1").fetchone(), (name, value)
        db.execute("COMMIT")
    db.execute("UPDATE t SET x = 1 WHERE id = 2")
    rows = db.execute(f"SELECT {shown} FROM ledger_history_1 WHERE id IN (1, 2, '1', '2') ORDER BY id").fetchall()
    db.close()
    assert rows == [old, old]
    honest(path, "DELETE FROM t WHERE id = 3")


@pytest.mark.parametrize("kind", ["", "DECIMAL(10,2)", "INTEGER", "BLOB"])
def test_history_columns_that_former_builds_made_fractional(tmp_path, kind):
    """They made 2.0 of 2, and of '7' too: the stored leaves tell what it was."""
    path = tmp_path / "former.db"
    honest(path, "CREATE TABLE t(id INTEGER PRIMARY KEY, name)", "SELECT ledger_init(0)", "SELECT ledger_enable('t')",
           "INSERT INTO t VALUES (1, 'a')", f"ALTER TABLE t ADD COLUMN price {kind} DEFAULT 2.5",
           "INSERT INTO t VALUES (2, 'b', 2), (3, 'c', '7'), (4, 'd', 'text'), (5, 'e', -0.5), (6, 'f', NULL), (7, 'g', '0.5')", "UPDATE t SET name = 'x'")
    db = ledger.with_writable_schema(path)
    ledger.set_switch(db, ledger.DBCONFIG_ENABLE_TRIGGER, False)
    db.execute("UPDATE sqlite_schema SET sql = replace(sql, ' DEFAULT (CAST(2.5 AS REAL))', ' REAL DEFAULT 2.5') WHERE name = 'ledger_history_1'")
    db.execute(f"PRAGMA schema_version = {scalar(db, 'PRAGMA schema_version') + 1}")
    db.close()
    db = ledger.without_triggers(path)
    db.execute("UPDATE ledger_history_1 SET price = price WHERE id > 1")
    assert db.execute("SELECT price FROM ledger_history_1 WHERE id IN (2, 3)").fetchall() == [(2.0,), (7.0,)]
    db.close()
    report = honest(path, "UPDATE t SET name = 'y'", "ALTER TABLE t ADD COLUMN more DEFAULT -1.0", "DELETE FROM t WHERE id IN (3, 5)")
    assert any("former build" in note for note in report.notes), report
    report = ledger.verify(path, path.with_suffix(".digest"), options=["--since-last"])
    assert report.exit_code == 0, report
    renewed = ledger.copy_database(path, tmp_path / "renewed.db")
    db = ledger.without_triggers(path)
    db.execute("UPDATE ledger_history_1 SET price = 3 WHERE id = 2 AND name = 'b'")
    db.close()
    report = agree(path, path.with_suffix(".digest"))
    assert report.exit_code == 1 and report.codes == {"ROW_ALTERED"} and report.findings[0]["columns"] == ["price"], report
    honest(renewed, "ALTER TABLE t ADD COLUMN again", "UPDATE t SET again = price", "SELECT ledger_drop_column('t', 'price')",
           "ALTER TABLE t RENAME COLUMN again TO price", "INSERT INTO t(id, price) VALUES (8, '007'), (9, 9007199254740993)", "DELETE FROM t")


@pytest.mark.parametrize("key", ["PRIMARY KEY(e, s))", "PRIMARY KEY(e, s)) WITHOUT ROWID", "f)"])
@pytest.mark.parametrize("conflict", ["", " OR IGNORE"])
def test_a_number_that_SQLite_stores_otherwise_than_it_tells_triggers(tmp_path, key, conflict):
    path = tmp_path / "numbers.db"
    honest(
        path, f"CREATE TABLE t(e BLOB, s BLOB, g REAL AS (s) VIRTUAL UNIQUE, {key}", "SELECT ledger_init(0)", "SELECT ledger_enable('t')",
        "INSERT INTO t(e, s) VALUES (4, 2), (5, 3.5), (6, 8.0)", f"UPDATE{conflict} t SET e = g, s = s", "UPDATE t SET s = -s", "DELETE FROM t")
    types = connect(path).execute("SELECT typeof(e), e FROM ledger_history_1 WHERE s < 0 ORDER BY e").fetchall()
    assert types == [("integer", 2), ("real", 3.5), ("integer", 8)], "SQLite does it otherwise now: is the test still one?"


TAKEN_BACK = """
import sqlite3, sys
sys.path[:0] = sys.argv[2:]
from kit import ledger
db = ledger.connect(sys.argv[1])
db.execute("PRAGMA foreign_keys = ON")
for statement in ("CREATE TABLE p(b INTEGER PRIMARY KEY)", "CREATE TABLE t(k PRIMARY KEY, b REFERENCES p) WITHOUT ROWID", "CREATE INDEX i ON p(b)"):
    db.execute(statement)
other = ledger.connect(sys.argv[1])
other.execute("SELECT ledger_init(1)").fetchall()
other.close()
db.execute("DROP INDEX i")
db.execute("SAVEPOINT s")
for key in range(3):
    try:
        db.execute("INSERT OR IGNORE INTO t VALUES (?, ?)", (key, 7))
    except sqlite3.IntegrityError as problem:
        print(problem)
db.execute("INSERT INTO p VALUES (7)")
db.execute("INSERT INTO t VALUES (9, 7)")
db.execute("RELEASE s")
db.close()
"""


def test_a_first_write_that_is_taken_back_with_the_tables_that_joined_for_it(tmp_path):
    """SQLite's idea of the schema is then ahead of the file. What it had freed when it noticed is overwritten here, so that its use
    ends the process."""
    path = tmp_path / "back.db"
    kit = [str(ledger.ROOT / "Tests/Python"), str(ledger.ROOT / "Tests/Python/sql")]
    done = subprocess.run([sys.executable, "-c", TAKEN_BACK, path, *kit], capture_output=True, text=True,
                          env=os.environ | {"MALLOC_PERTURB_": "165"})
    assert (done.returncode, done.stdout) == (0, "FOREIGN KEY constraint failed\n" * 3), done
    honest(path, "UPDATE t SET k = 10")


def test_random_row_ids_of_all_64_bits(tmp_path):
    keys = [(number * 0x9E3779B97F4A7C15 + 1 << 1) % 2 ** 64 - 2 ** 63 for number in range(60)]
    for bits in (64, 63):
        rows = ", ".join(f"({key if bits == 64 else abs(key) % 2 ** 63})" for key in keys)
        honest(
            tmp_path / f"keys{bits}.db", "SELECT ledger_init(1)",
            *(statement for table in "abc" for statement in (
                f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, v)", f"INSERT INTO {table}(id) VALUES {rows}", f"UPDATE {table} SET v = 1")))


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("unit", ["00d8", "d800", "fffe", "feff", "ffff", "feff0041", "00d84100", "d8000041"])
@pytest.mark.parametrize("table", ["t(id INTEGER PRIMARY KEY, v)", "t(v PRIMARY KEY, id) WITHOUT ROWID"])
def test_texts_that_are_no_unicode(tmp_path, encoding, unit, table):
    """Half a surrogate pair before another character hashes like the whole pair: that is no accusation, and no proof."""
    text = bytes.fromhex(unit).decode(encoding, "surrogatepass")
    halves = ("x" + text) * 2
    honest(
        tmp_path / "text.db", f"CREATE TABLE {table}", "SELECT ledger_init(1)",
        f"INSERT INTO t(id, v) VALUES (1, CAST(x'{unit}' AS TEXT)), (2, 'x' || CAST(x'{unit}' AS TEXT)), (3, '')",
        "UPDATE t SET id = id + 10", "DELETE FROM t WHERE id = 11", "UPDATE t SET v = v || v WHERE id = 12", encoding=encoding,
        exit_code=2 if any(0xD800 <= ord(letter) < 0xE000 for letter in halves[:-1]) else 0)


@pytest.mark.parametrize("all_tables", [0, 1])
def test_a_key_that_names_a_column_twice(tmp_path, all_tables):
    """The stamps cannot, and would refuse what the table takes."""
    path = tmp_path / "app.db"
    db = connect(path)
    db.execute("CREATE TABLE twice(a TEXT, b, PRIMARY KEY(a COLLATE NOCASE, a)) WITHOUT ROWID")
    db.execute("CREATE TABLE same(a TEXT, b, PRIMARY KEY(a, a)) WITHOUT ROWID")
    db.execute(f"SELECT ledger_init({all_tables})").fetchall()
    with pytest.raises(sqlite3.Error, match="the primary key of table 'twice' names a column twice"):
        db.execute("SELECT ledger_enable('twice')")
    db.execute("SELECT ledger_enable('same')")
    db.execute("INSERT INTO twice VALUES ('x', 1), ('X', 2)")
    db.execute("INSERT INTO same VALUES ('x', 1), ('X', 2)")
    digest = tmp_path / "app.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 2 * all_tables and report.codes == ({"COVERAGE_GAP"} if all_tables else set()), report


def test_a_journal_whose_writer_is_at_work(tmp_path):
    """It is not rolled back, in a copy neither: database and journal would be of two moments."""
    path, digest = tmp_path / "app.db", tmp_path / "app.json"
    db = connect(path)
    for statement in ("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "SELECT ledger_init(1)", "INSERT INTO t VALUES (1, 1)"):
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.execute("BEGIN")
    db.execute("UPDATE t SET v = 2")
    journal = tmp_path / "app.db-journal"
    assert journal.stat().st_size > 0
    code, codes, done = ledger.second_opinion(path, digest)
    assert (code, codes, done.notes) == (0, set(), []), done.findings
    db.execute("COMMIT")
    db.close()


def test_a_ledger_made_by_another_process(tmp_path):
    path = tmp_path / "app.db"
    db = connect(path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE)")
    db.execute("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    assert ledger.run_cli("sql", "init", path, "--all-tables").returncode == 0
    db.execute("UPDATE OR REPLACE t SET v = 2 WHERE id = 1")
    db.close()
    honest(path, "UPDATE t SET v = v + 10")


DEFINITIONS = [
    "ALTER TABLE account ADD COLUMN extra", "ALTER TABLE account ADD COLUMN extra DEFAULT 5", "ALTER TABLE visit RENAME TO visits",
    "ALTER TABLE account RENAME COLUMN units TO pieces", "CREATE INDEX by_units ON account(units)",
    "CREATE TRIGGER own AFTER INSERT ON account BEGIN SELECT 1; END"]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("statement", DEFINITIONS)
def test_a_definition_changed_last_of_all(whole_victim, statement, mode):
    """A connection with the extension changes a definition, writes nothing more and closes: that is no drift."""
    victim = whole_victim
    db = connect(victim.path)
    db.execute(f"PRAGMA journal_mode = {mode}").fetchall()
    db.execute(statement)
    db.close()
    clean(victim)
    if "visits" not in statement and "pieces" not in statement:
        work_on(victim.path)
        clean(victim)


@pytest.mark.parametrize("statement", DEFINITIONS)
def test_a_definition_changed_on_an_open_connection_in_WAL_mode(whole_victim, statement):
    victim = whole_victim
    db = connect(victim.path)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("BEGIN")
    db.execute(statement)
    db.execute("COMMIT")
    clean(victim)
    db.close()
    clean(victim)


def test_a_definition_that_was_rolled_back_is_not_ledgered(whole_victim):
    victim = whole_victim
    db = connect(victim.path)
    before = scalar(db, "SELECT count(*) FROM ledger_schema_events")
    db.execute("BEGIN")
    db.execute("ALTER TABLE account ADD COLUMN extra")
    db.execute("ROLLBACK")
    db.close()
    db = ledger.plain(victim.path)
    assert scalar(db, "SELECT count(*) FROM ledger_schema_events") == before
    db.close()
    clean(victim)


@pytest.mark.parametrize("frames", [0, 7])
@pytest.mark.parametrize("all_tables", [0, 1])
def test_the_checkpoints_that_an_application_asked_for(tmp_path, all_tables, frames):
    """Noticing changed definitions takes SQLite's hook for automatic checkpoints, so they are made in its place."""
    path = tmp_path / "app.db"
    db = connect(path)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("CREATE TABLE t(v)")
    db.execute(f"PRAGMA wal_autocheckpoint = {frames}").fetchall()
    db.execute(f"SELECT ledger_init({all_tables})").fetchall()
    db.execute("SELECT ledger_enable('t')").fetchall()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.execute("CREATE INDEX i ON t(v)")
    for number in range(200):
        db.execute("INSERT INTO t VALUES (?)", (f"{number}" * 100,))
    size = os.stat(f"{path}-wal").st_size / 4120
    assert size > 1000 if frames == 0 else size < 200, size
    db.close()


@pytest.mark.parametrize("main", ["other.db", ":memory:"])
def test_writing_to_an_attached_ledger(whole_victim, tmp_path, main):
    """From a database without one."""
    db = connect(tmp_path / main if main == "other.db" else main)
    db.execute(f"ATTACH '{whole_victim.path}' AS bank")
    db.execute("BEGIN")
    db.execute("CREATE TABLE plain AS SELECT * FROM bank.account")
    db.execute("UPDATE bank.account SET units = 1 WHERE id = 8")
    db.execute("COMMIT")
    db.execute("UPDATE plain SET units = 1")
    db.close()
    clean(whole_victim)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("main", ["other.db", ":memory:"])
def test_definitions_of_an_attached_ledger_before_closing(tmp_path, main, mode):
    """What is ledgered last of all keeps no file open."""
    path = tmp_path / "ledger.db"
    honest(path, f"PRAGMA journal_mode = {mode}", "SELECT ledger_init(1)", "CREATE TABLE t(a)", "INSERT INTO t VALUES (1)")
    db = connect(tmp_path / main if main == "other.db" else main)
    db.execute(f"ATTACH '{path}' AS bank")
    db.execute("CREATE INDEX bank.i ON t(a)")
    db.execute("ALTER TABLE t ADD COLUMN b")
    db.close()
    links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    assert not [link for link in links if os.path.islink(link) and str(tmp_path) in os.readlink(link)]
    assert agree(path, path.with_suffix(".digest")).exit_code == 0


def test_attached_ledger_killed_between_two_files(whole_victim, tmp_path):
    """SQLite commits WAL databases one after the other: one may have the transaction alone, and both are sound."""
    script = """
import sqlite3, sys
from kit.ledger import load
db = load(sqlite3.connect(sys.argv[1], isolation_level=None))
db.execute("PRAGMA journal_mode = WAL")
db.execute("ATTACH ? AS second", (sys.argv[2],))
db.execute("PRAGMA second.journal_mode = WAL")
print("ready", flush=True)
while True:
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE main.account SET units = units + 1 WHERE id = 8")
    db.execute("UPDATE second.account SET units = units + 1 WHERE id = 8")
    db.execute("COMMIT")
"""
    victim = whole_victim
    other = ledger.copy_database(victim.path, victim.directory / "second.db")
    rng = random.Random(7)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", script, victim.path, other], stdout=subprocess.PIPE,
                                   cwd=os.path.dirname(os.path.abspath(__file__)), env={**os.environ, "PYTHONPATH": f"{ROOT}/Tests/Python:."})
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.05 + rng.random() / 5)
        process.kill()
        process.wait()
    units = []
    for path in (victim.path, other):
        db = connect(path)
        units.append(scalar(db, "SELECT units FROM account WHERE id = 8"))
        db.close()
    assert abs(units[0] - units[1]) <= 6, units
    clean(victim)
    clean(victim, other)


def test_json_in_definitions(tmp_path):
    """SQLite 3.40 calls its own JSON functions unsafe in the schema of a database that is not trusted."""
    report = honest(
        tmp_path / "json.db", "SELECT ledger_init(1)",
        """CREATE TABLE d(id INTEGER PRIMARY KEY, body TEXT CHECK (json_valid(body)), name TEXT AS (json_extract(body, '$.n')),
           kind TEXT AS (body ->> 'k') STORED)""",
        "CREATE INDEX byName ON d(name) WHERE json_type(body) = 'object'", "CREATE UNIQUE INDEX byKey ON d(body ->> 'id')",
        """INSERT INTO d(id, body) VALUES (1, '{"n": "a", "id": 1}'), (1, '{"n": "b", "id": 1}'), (2, '{"n": "c", "k": 3}')
           ON CONFLICT(id) DO UPDATE SET body = excluded.body""",
        """UPDATE d SET body = json_set(body, '$.n', 'z')""")
    assert report.codes <= {"TAIL_UNATTESTED", "OK"}
    db = ledger.without_triggers(tmp_path / "json.db")
    db.execute("UPDATE d SET body = json_set(body, '$.n', 'tampered') WHERE id = 2")
    db.close()
    assert "ROW_ALTERED" in agree(tmp_path / "json.db", tmp_path / "json.digest").codes


def test_names_with_marks_that_combine(tmp_path):
    """A quote with a combining accent is one character to people and two to SQLite."""
    names = ['x"\u0301y', "a'\u0301b", 'q"\u20dd']
    made = []
    for name in names:
        column = '"' + name.replace('"', '""') + '"'
        made += [f"CREATE TABLE {column}(id INTEGER PRIMARY KEY, {column} TEXT)", f"SELECT ledger_enable('{name.replace(chr(39), chr(39) * 2)}')",
                 f"INSERT INTO {column} VALUES (1, '\u0301')", f"UPDATE {column} SET {column} = 'z'"]
    honest(tmp_path / "marks.db", "SELECT ledger_init()", *made)


def test_reading_where_nobody_may_write(whole_victim, tmp_path):
    """A WAL without its index in a directory on a medium that is read-only: commands that only read copy it."""
    place = tmp_path / "medium"
    place.mkdir()
    db = connect(whole_victim.path)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("UPDATE account SET units = units + 1 WHERE id = 5")
    for side in ("", "-wal"):
        (place / f"bank.db{side}").write_bytes(open(f"{whole_victim.path}{side}", "rb").read())
    db.close()
    if subprocess.run(["mount", "--bind", place, place], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        for words in (["status"], ["blocks"], ["history", "account", "--key", "5"]):
            done = ledger.run_cli("sql", words[0], place / "bank.db", *words[1:])
            assert done.returncode == 0, done.stderr
        assert agree(place / "bank.db", *whole_victim.digests).exit_code == 0
        assert {file.name for file in place.iterdir()} == {"bank.db", "bank.db-wal"}
    finally:
        subprocess.run(["umount", place], check=True)


RENAMED = {
    "a table takes the place of another": [
        "BEGIN", "CREATE TABLE new_t(id INTEGER PRIMARY KEY, v, w)", "INSERT INTO new_t SELECT id, v, 1 FROM t",
        "SELECT ledger_drop_table('t')", "ALTER TABLE new_t RENAME TO t", "COMMIT", "INSERT INTO t(v) VALUES (5)"],
    "written before and after": [
        "BEGIN", "INSERT INTO t(v) VALUES (5)", "ALTER TABLE t RENAME TO tt", "INSERT INTO tt(v) VALUES (6)",
        "UPDATE tt SET v = v + 1", "COMMIT", "DELETE FROM tt WHERE id = 1"],
    "written before": ["BEGIN", "INSERT INTO t(v) VALUES (5)", "ALTER TABLE t RENAME TO tt", "COMMIT",
                       "INSERT INTO tt(v) VALUES (6)", "DELETE FROM tt WHERE id = 1"],
    "a column": ["BEGIN", "UPDATE t SET v = 5", "ALTER TABLE t RENAME COLUMN v TO w", "UPDATE t SET w = 6",
                 "ALTER TABLE t ADD COLUMN v DEFAULT 1", "COMMIT", "UPDATE t SET v = 7, w = 7"],
    "rolled back": ["BEGIN", "UPDATE t SET v = 5", "SAVEPOINT s", "ALTER TABLE t RENAME TO tt", "INSERT INTO tt(v) VALUES (6)",
                    "ROLLBACK TO s", "INSERT INTO t(v) VALUES (7)", "COMMIT", "UPDATE t SET v = 8"]}


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("statements", RENAMED.values(), ids=RENAMED)
def test_definitions_changed_within_a_transaction_that_writes(tmp_path, statements, mode):
    honest(tmp_path / "app.db", f"PRAGMA journal_mode = {mode}", "CREATE TABLE t(id INTEGER PRIMARY KEY, v)",
           "SELECT ledger_init(1)", "INSERT INTO t(v) VALUES (1), (2)", *statements)


ITEM = "CREATE TABLE item(id INTEGER PRIMARY KEY, name)"
# A new table, and statements that change it together with a ledger table.
JOINING = {
    "rows of it": [ITEM, "CREATE TRIGGER x AFTER INSERT ON item BEGIN INSERT INTO log(what) VALUES (NEW.name); END",
                   "INSERT INTO item(name) VALUES ('pen'), ('ink'), ('paper')"],
    "a trigger before": [ITEM, "CREATE TRIGGER x BEFORE INSERT ON item BEGIN INSERT INTO log(what) VALUES (NEW.name); END",
                         "INSERT INTO item(name) VALUES ('pen'), ('ink'), ('paper')"],
    "without row ids": ["CREATE TABLE item(b, id, name, PRIMARY KEY(id, b)) WITHOUT ROWID",
                        "CREATE TRIGGER x AFTER INSERT ON item BEGIN INSERT INTO log(what) VALUES (NEW.name); END",
                        "INSERT INTO item VALUES (1, 1, 'pen'), (2, 2, 'ink'), (3, 3, 'paper')"],
    "changed": [ITEM, "CREATE TRIGGER x AFTER UPDATE ON item BEGIN INSERT INTO log(what) VALUES (NEW.name); END",
                "INSERT INTO item(name) VALUES ('pen'), ('ink'), ('paper')", "UPDATE item SET name = upper(name)"],
    "deleted": [ITEM, "CREATE TRIGGER x AFTER DELETE ON item BEGIN INSERT INTO log(what) VALUES (OLD.name); END",
                "INSERT INTO item(name) VALUES ('pen'), ('ink'), ('paper')", "DELETE FROM item WHERE id <> 2"],
    "replaced": [ITEM, "CREATE TRIGGER x AFTER INSERT ON item BEGIN INSERT INTO log(what) VALUES (NEW.name); END",
                 "INSERT INTO item(name) VALUES ('pen'), ('ink')", "REPLACE INTO item VALUES (2, 'b'), (1, 'a'), (2, 'c')"],
    "written by a trigger": [ITEM, "INSERT INTO old VALUES ('pen'), ('ink'), ('paper')"],
    "made again": [ITEM, "INSERT INTO old VALUES ('pen')", "SELECT ledger_refresh()", "SELECT ledger_drop_table('item')", ITEM,
                   "INSERT INTO old VALUES ('ink'), ('paper')"],
    "a foreign key": ["CREATE TABLE item(id INTEGER PRIMARY KEY, name REFERENCES log ON UPDATE CASCADE ON DELETE SET NULL)",
                      "INSERT INTO item(name) VALUES (1), (2), (3)", "UPDATE log SET id = id + 10", "DELETE FROM log WHERE id > 11"],
    "taken back": [ITEM, "CREATE TRIGGER x AFTER INSERT ON item BEGIN INSERT INTO log(what) VALUES (NEW.name); END", "SAVEPOINT s",
                   "INSERT INTO item(name) VALUES ('pen'), ('ink')", "ROLLBACK TO s", "INSERT INTO item(name) VALUES ('a'), ('b')",
                   "RELEASE s"],
    "a column more": [ITEM, "INSERT INTO old VALUES ('pen'), ('ink')", "ALTER TABLE item ADD COLUMN more DEFAULT 5",
                      "ALTER TABLE log ADD COLUMN more DEFAULT 5", "INSERT INTO old VALUES ('a'), ('b')", "UPDATE log SET more = 6"]}


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("begin, end", [([], []), (["BEGIN"], ["COMMIT"])], ids=["each", "whole"])
@pytest.mark.parametrize("statements", JOINING.values(), ids=JOINING)
def test_a_table_that_joins_while_a_statement_changes_it(tmp_path, statements, begin, end, mode):
    """The statement was compiled before the table had the ledger's triggers."""
    path = tmp_path / "app.db"
    honest(path, f"PRAGMA journal_mode = {mode}", "CREATE TABLE log(id INTEGER PRIMARY KEY, what)", "CREATE TABLE old(name)",
           "CREATE TRIGGER o AFTER INSERT ON old BEGIN INSERT INTO item(name) VALUES (NEW.name); END", "PRAGMA foreign_keys = ON",
           "SELECT ledger_init(1)", "INSERT INTO log(what) VALUES (1), (2), (3)", *begin, *statements, *end)
    honest(path, "UPDATE item SET name = NULL", "DELETE FROM item")


def test_a_table_that_joins_while_a_statement_of_the_command_line_changes_it(tmp_path):
    path = tmp_path / "app.db"
    honest(path, "CREATE TABLE log(id INTEGER PRIMARY KEY, what)", "SELECT ledger_init(1)")
    db = ledger.plain(path)
    for statement in JOINING["rows of it"][:2]:
        db.execute(statement)
    db.close()
    done = run_cli("sql", "exec", path, JOINING["rows of it"][2])
    assert done.returncode == 0, done
    honest(path, "UPDATE item SET name = 'blue ink' WHERE id = 2")


def test_a_table_of_an_attached_ledger_that_joins_while_a_statement_changes_it(tmp_path):
    path = tmp_path / "attached.db"
    honest(path, "CREATE TABLE log(id INTEGER PRIMARY KEY, what)", "SELECT ledger_init(1)")
    honest(tmp_path / "main.db", "SELECT ledger_init(1)", f"ATTACH '{path}' AS a", ITEM.replace("item", "a.item"),
           JOINING["rows of it"][1].replace("TRIGGER x", "TRIGGER a.x"), "INSERT INTO a.item(name) VALUES ('pen'), ('ink'), ('paper')")
    honest(path, "UPDATE item SET name = 'blue ink' WHERE id = 2")


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("key", ["id", "uid"])
@pytest.mark.parametrize("init", [0, 1])
@pytest.mark.parametrize("rowid", ["", " WITHOUT ROWID"])
def test_a_new_table_with_the_name_of_one_that_was_renamed(tmp_path, mode, key, init, rowid):
    """The rows of the new one are announced under its name, which the ledger still has for the old one."""
    path = tmp_path / "app.db"
    honest(path, f"PRAGMA journal_mode = {mode}", "CREATE TABLE version(v)",
           f"CREATE TABLE users(id INTEGER PRIMARY KEY, name){rowid}", f"SELECT ledger_init({init})",
           *([] if init else ["SELECT ledger_enable('users')", "SELECT ledger_enable('version')"]),
           "INSERT INTO version VALUES (1)", "INSERT INTO users VALUES (1, 'a'), (2, 'b')", "BEGIN", "UPDATE version SET v = 2",
           "ALTER TABLE users RENAME TO users_old", f"CREATE TABLE users({key} INTEGER PRIMARY KEY, name, mail)",
           "INSERT INTO users SELECT id, name, NULL FROM users_old", "INSERT INTO users VALUES (3, 'admin', 'x')", "COMMIT")
    honest(path, "UPDATE users_old SET name = 'c'", "UPDATE users SET name = 'd'", "DELETE FROM users")


def test_a_table_waits_for_the_commit_to_join(tmp_path):
    """Until then it is an ordinary one: it may be dropped, made again, and joined by name."""
    path = tmp_path / "app.db"
    honest(path, "CREATE TABLE log(id INTEGER PRIMARY KEY, what)", "SELECT ledger_init(1)", "BEGIN", ITEM,
           "INSERT INTO log(what) VALUES (1)", "INSERT INTO item VALUES (1, 'pen')", "DROP TABLE item", ITEM,
           "INSERT INTO item VALUES (2, 'ink')", "INSERT INTO log(what) VALUES (2)", "SAVEPOINT s", "SELECT ledger_refresh()",
           "ROLLBACK TO s", "SELECT ledger_enable('item', 'append-only')", "INSERT INTO item VALUES (3, 'paper')", "COMMIT")
    # Made by another connection, and looked at in a transaction that is rolled back.
    db = ledger.plain(path)
    db.execute("CREATE TABLE more(a)")
    db.close()
    honest(path, "BEGIN", "INSERT INTO log(what) VALUES (3)", "ROLLBACK", "INSERT INTO more VALUES (1)",
           "INSERT INTO log(what) VALUES (4)", "UPDATE more SET a = 2")
    db = connect(path)
    assert [row[0] for row in db.execute("SELECT id FROM item")] == [2, 3]
    assert db.execute("SELECT a FROM more_Ledger WHERE ledger_operation_type = 1 ORDER BY 1").fetchall() == [(1,), (2,)]
    assert scalar(db, "SELECT kind FROM ledger_tables WHERE name = 'item' AND NOT is_dropped") == "append-only"
    db.close()


ROWS = ["INSERT INTO {t}(id, v) VALUES (1, 1), (2, 2), (3, 3)", "UPDATE {t} SET v = 5 WHERE id = 1", "DELETE FROM {t} WHERE id = 3"]
GONE = ["INSERT INTO {t}(id, v) VALUES (1, 1)", "DELETE FROM {t}"]
AFTER = ["INSERT INTO o VALUES (1)", "INSERT INTO {t}(id, v) VALUES (10, 1)", "UPDATE {t} SET v = 7",
         "INSERT OR REPLACE INTO {t}(id, v) VALUES (2, 8)", "UPDATE {t} SET z = z"]
# What no column of a table with rows may have.
NOT_CONSTANT = ["(datetime('now'))", "(1 + 1)", "('a' || 'b')", "(lower(hex(randomblob(16))))", "CURRENT_TIMESTAMP", "current_date"]
CONSTANT = ["(-(5))", "(CAST('5' AS INT))", "-5", "-5.0", "0.1", "'5.5'", "'it''s'", "x'00ff'", "TRUE", '"d""q\'"', "(5 /* c */)",
            "(CAST(x'6100' AS TEXT))", "9e999", "-9223372036854775808", "NULL"]
TYPES = ["", "INT", "TEXT", "REAL", "DOUBLE PRECISION", '"time-stamp"', '"check"', '"primary key"', '"a,b"', '"x) "', '"it\'s"', '"a""b"',
         '"--"', '"/*"', '"int;drop"', '"\u0131nt"']


@pytest.mark.parametrize("before, columns", [
    ([], [f"z DEFAULT {text}" for text in NOT_CONSTANT]), (GONE, [f"z DEFAULT {text}" for text in NOT_CONSTANT]),
    *[(ROWS, [f"z {kind} DEFAULT {text}" for kind in TYPES]) for text in CONSTANT],
])
def test_columns_with_odd_defaults_and_types(work, before, columns):
    tables = [f"t{number}" for number in range(len(columns))]
    honest(work / "app.db", "CREATE TABLE o(x)", *[f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, v)" for table in tables],
           "SELECT ledger_init(1)",
           *[statement.format(t=table) for table, column in zip(tables, columns)
             for statement in [*before, f"ALTER TABLE {{t}} ADD COLUMN {column.replace('{', '{{')}", *AFTER]])


def test_many_tables_take_time_by_their_number(work):
    """No step looks at all tables once for each of them: twice the tables take about twice the time, not four times."""
    def seconds(count):
        path = work / f"{count}.db"
        db = ledger.plain(path)
        for number in range(count):
            db.execute(f"CREATE TABLE t{number}(id INTEGER PRIMARY KEY, v)")
            db.execute(f"INSERT INTO t{number} VALUES (1, 1)")
        db.commit()
        db.close()
        assert run_cli("sql", "init", path, "--all-tables").returncode == 0
        digest = work / f"{count}.json"
        digest.write_text(run_cli("sql", "digest", path).stdout)
        begin = time.monotonic()
        assert ledger.verify(path, digest).exit_code == 0
        return time.monotonic() - begin

    few, many = seconds(100), seconds(300)
    assert many < 6 * few + 1, (few, many)


def test_a_refresh_takes_steps_by_the_number_of_tables(work):
    """Steps of SQLite's machine, not seconds."""
    def steps(count):
        db = connect(work / f"{count}.db")
        db.execute("BEGIN")
        for number in range(count):
            db.execute(f"CREATE TABLE t{number}(id INTEGER PRIMARY KEY, v)")
        db.execute("COMMIT")
        db.execute("SELECT ledger_init(1)")
        hundreds = []
        db.set_progress_handler(lambda: hundreds.append(1), 100)
        db.execute("SELECT ledger_refresh()")
        db.set_progress_handler(None, 0)
        db.close()
        return len(hundreds)

    few, many = steps(50), steps(500)
    assert few > 0 and many < 30 * few, (few, many)
