"""Catalogue H.5: attacks on schema and capture."""

import sqlite3

import pytest

from kit import ledger
from kit.bank import FRESH, NEW
from kit.ledger import agree, connect, scalar
from support.node import run_cli

DRIFT = {"code": "SCHEMA_DRIFT", "object": "account"}
ALTERED = {"code": "ROW_ALTERED", "object": "account"}


def rewrite_sql(victim, old, new, name="account", kind="table"):
    victim.schema(("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ? AND type = ?", (old, new, name, kind)))


def test_S01_columns_renamed_into_each_other(victim):
    rewrite_sql(victim, "name TEXT, nick TEXT", "nick TEXT, name TEXT")
    report = victim.verify()
    assert report.exit_code == 1 and "SCHEMA_DRIFT" in report.codes, report
    drift = next(finding for finding in report.findings if finding["code"] == "SCHEMA_DRIFT")
    assert all(name in str(drift) for name in ("name", "nick")), drift


def test_S01_columns_renamed_by_alter_table_without_the_extension(whole_victim):
    """ALTER TABLE … RENAME reads all triggers and fails on those that name the ledger's virtual table. Where it goes through it
    is found."""
    victim = whole_victim
    db = ledger.without_triggers(victim.path)
    try:
        for old, new in (("name", "t"), ("nick", "name"), ("t", "nick")):
            db.execute(f"ALTER TABLE account RENAME COLUMN {old} TO {new}")
    except sqlite3.Error as problem:
        assert "ledger" in str(problem)
        return
    finally:
        db.close()
    report = victim.verify()
    assert report.exit_code == 1 and "SCHEMA_DRIFT" in report.codes, report


def test_S02_type_changed_in_the_schema_text(victim):
    rewrite_sql(victim, "balance REAL", "balance TEXT")
    report = victim.verify()
    assert report.exit_code == 1 and "SCHEMA_DRIFT" in report.codes, report


def test_S02_type_changed_in_events_too(chain_victim):
    """The schema digest is in every leaf and the events are rows of the ledger."""
    rewrite_sql(chain_victim, "units INTEGER", "units BIGINT")
    chain_victim.plain("UPDATE ledger_schema_events SET body = replace(body, '\"name\":\"units\",\"notnull\":0,\"pk\":0,"
                       "\"type\":\"INTEGER\"', '\"name\":\"units\",\"notnull\":0,\"pk\":0,\"type\":\"BIGINT\"')")
    report = chain_victim.verify()
    assert report.exit_code == 1 and "ROW_ALTERED" in report.codes, report


def test_S03_all_values_rewritten(whole_victim):
    """SQLite has no ALTER COLUMN TYPE; people make a new table and rename it."""
    victim = whole_victim
    db = victim.honest()
    with pytest.raises(sqlite3.Error):
        db.execute("DROP TABLE account")
    db.close()
    victim.plain("PRAGMA legacy_alter_table = ON")
    db = victim.plain()
    db.execute("CREATE TABLE fresh(id INTEGER PRIMARY KEY, name TEXT, nick TEXT, balance TEXT, units INTEGER, spare INTEGER, "
               "code, note TEXT, data BLOB)")
    db.execute("INSERT INTO fresh SELECT * FROM account")
    db.execute("PRAGMA legacy_alter_table = ON")
    db.execute("DROP TABLE account")
    db.execute("ALTER TABLE fresh RENAME TO account")
    db.close()
    report = victim.verify()
    assert report.exit_code == 1 and report.codes >= {"SCHEMA_DRIFT", "ROW_ALTERED"}, report
    assert len(report.findings) < 100, "not summarised"


def test_S04_columns_reordered_in_the_schema_text(whole_victim):
    """No byte of a row changed, so rows are read by position and the schema is what is named, with both columns."""
    rewrite_sql(whole_victim, "units INTEGER, spare INTEGER", "spare INTEGER, units INTEGER")
    report = whole_victim.verify()
    assert report.exit_code == 1 and "SCHEMA_DRIFT" in report.codes, report
    drift = next(finding for finding in report.findings if finding["code"] == "SCHEMA_DRIFT")
    assert "units" in str(drift) and "spare" in str(drift) and len(report.findings) < 100, report


def test_S05_dropped_and_made_again(whole_victim):
    victim = whole_victim
    db = victim.plain()
    sql = scalar(db, "SELECT sql FROM sqlite_schema WHERE name = 'account'")
    db.execute("CREATE TEMP TABLE kept AS SELECT * FROM account")
    db.execute("DROP VIEW IF EXISTS account_Ledger")
    db.execute("DROP TABLE account")
    db.execute(sql)
    db.execute("INSERT INTO account SELECT * FROM kept WHERE id <> 17")
    db.execute("UPDATE account SET balance = 0 WHERE id = 18")
    db.close()
    report = victim.verify()
    assert report.exit_code == 1, report
    assert report.codes >= {"ROW_MISSING", "ROW_ALTERED"} and report.codes & {"CAPTURE_OFF", "SCHEMA_DRIFT"}, report


@pytest.mark.parametrize("instead", ["view", "virtual"])
def test_S06_something_else_under_the_table_s_name(whole_victim, instead):
    victim = whole_victim
    db = victim.plain()
    db.execute("PRAGMA legacy_alter_table = ON")
    db.execute("ALTER TABLE account RENAME TO hidden")
    if instead == "view":
        db.execute("CREATE VIEW account AS SELECT id, name, nick, CASE id WHEN 3 THEN 0 ELSE balance END AS balance, units, "
                   "spare, code, note, data FROM hidden")
    else:
        db.execute("CREATE VIRTUAL TABLE account USING fts5(id, name, nick, balance, units, spare, code, note, data)")
    db.close()
    report = victim.verify()
    assert report.exit_code == 1 and "READ_UNTRUSTED" in report.codes, report


def test_S09_ledger_view_replaced(victim):
    db = victim.plain()
    sql = scalar(db, "SELECT sql FROM sqlite_schema WHERE name = 'account_Ledger'")
    db.execute("DROP VIEW account_Ledger")
    db.execute(sql.rstrip().rstrip(";") + " LIMIT 3")
    db.close()
    victim.demand({"code": "VIEW_DRIFT", "object": "account_Ledger"})


def test_S09_ledger_view_dropped(whole_victim):
    whole_victim.plain("DROP VIEW account_Ledger")
    whole_victim.demand({"code": "VIEW_DRIFT", "object": "account_Ledger"})


@pytest.mark.parametrize("view", ["account_Ledger", "ledger_table_history"])
def test_S09_trigger_on_a_view(whole_victim, view):
    """Writes to it would go somewhere."""
    whole_victim.plain(f"CREATE TRIGGER instead INSTEAD OF INSERT ON {view} BEGIN SELECT 1; END")
    whole_victim.demand({"code": "VIEW_DRIFT", "object": "instead"})


@pytest.mark.parametrize("view", ["ledger_table_history", "ledger_column_history"])
def test_S09_system_views_replaced(whole_victim, view):
    whole_victim.plain(f"DROP VIEW {view}", f"CREATE VIEW {view} AS SELECT 1 AS x")
    whole_victim.demand({"code": "VIEW_DRIFT", "object": view})


@pytest.mark.parametrize("view, column", [("account_Ledger", "id"), ("ledger_table_history", "object_id")])
def test_S09_trigger_on_a_view_is_refused_and_taken_away(whole_victim, view, column):
    victim = whole_victim
    trigger = f"CREATE TRIGGER instead INSTEAD OF INSERT ON {view} BEGIN SELECT 1; END"
    db = victim.honest()
    with pytest.raises(sqlite3.Error, match="not authorized"):
        db.execute(trigger)
    db.close()
    victim.plain(trigger)
    done = run_cli("sql", "repair", victim.path, "--digest", victim.digests[0], "--apply")
    assert done.returncode == 0, done
    db = ledger.plain(victim.path)
    with pytest.raises(sqlite3.Error, match="because it is a view"):
        db.execute(f"INSERT INTO {view}({column}) VALUES (1)")
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_users_triggers_on_own_views(whole_victim):
    """Nobody else's views are the ledger's."""
    victim = whole_victim
    db = victim.honest()
    db.execute("CREATE VIEW own AS SELECT id FROM account")
    db.execute("CREATE TRIGGER writes INSTEAD OF INSERT ON own BEGIN SELECT 1; END")
    db.execute("CREATE TEMP TRIGGER mine INSTEAD OF INSERT ON account_Ledger BEGIN SELECT 1; END")
    db.execute("INSERT INTO own VALUES (1)")
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_S11_capture_trigger_dropped(victim):
    """Found although every row is still right."""
    victim.plain(f"DROP TRIGGER ledger_update_{victim.table_id('account')}")
    victim.demand({"code": "CAPTURE_OFF"})


def test_S11_refusing_trigger_of_an_append_only_table_dropped(whole_victim):
    victim = whole_victim
    victim.plain(f"DROP TRIGGER ledger_refuse_update_{victim.table_id('journal')}")
    victim.demand({"code": "CAPTURE_OFF"})


def test_S12_capture_trigger_replaced_by_an_empty_one(victim):
    number = victim.table_id("account")
    victim.plain(f"DROP TRIGGER ledger_update_{number}",
                 f"CREATE TRIGGER ledger_update_{number} AFTER UPDATE ON account BEGIN SELECT 1; END")
    victim.demand({"code": "CAPTURE_CHANGED"})


@pytest.mark.parametrize("change", ["WHEN", "argument"])
def test_S13_capture_trigger_changed(whole_victim, change):
    victim = whole_victim
    number = victim.table_id("account")
    db = victim.plain()
    sql = scalar(db, "SELECT sql FROM sqlite_schema WHERE name = ?", f"ledger_update_{number}")
    db.close()
    new = sql.replace("BEGIN", "WHEN NEW.id <> 3 BEGIN", 1) if change == "WHEN" else sql.replace("NEW.\"balance\"", "OLD.\"balance\"")
    if new == sql:
        new = sql.replace("NEW.balance", "OLD.balance")
    assert new != sql, sql
    victim.schema(("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (new, f"ledger_update_{number}")))
    victim.demand({"code": "CAPTURE_CHANGED"})


def test_S14_functions_and_temporary_tables_of_the_same_name(whole_victim):
    """What the writing connection defines for itself does not reach capture: a temp table named like ours, own functions."""
    victim = whole_victim
    db = victim.honest()
    number = victim.table_id("account")
    db.create_function("sha256", 1, lambda value: b"\0" * 32)
    for name in (f"ledger_history_{number}", f"ledger_stamps_{number}", "database_ledger_transactions", "ledger_leaf_chunks",
                 "ledger_tables", "ledger_schema_events", "ledger_identity", "database_ledger_blocks"):
        db.execute(f'CREATE TEMP TABLE "{name}"(a, b, c, d)')
    db.execute("UPDATE account SET units = 5 WHERE id = 44")
    db.execute("DELETE FROM account WHERE id = 45")
    db.execute("SELECT ledger_close_block()").fetchall()
    for name in (f"ledger_history_{number}", "database_ledger_transactions"):
        assert scalar(db, f'SELECT count(*) FROM temp."{name}"') == 0
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


def test_S15_trigger_that_changes_the_row_afterwards(whole_victim):
    """An application's own trigger is honest when the ledger sees what it does; a new one is a change of the schema."""
    victim = whole_victim
    victim.honest("CREATE TRIGGER doubles AFTER UPDATE OF units ON account WHEN NEW.units < 100 BEGIN "
                  "UPDATE account SET units = units + 100 WHERE id = NEW.id; END",
                  "UPDATE account SET units = 5 WHERE id = 44")
    db = ledger.plain(victim.path)
    assert scalar(db, "SELECT units FROM account WHERE id = 44") == 105
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, f"a trigger made through the ledger, and what it did, are ledgered\n{report}"


def test_S15_trigger_added_behind_the_ledger_s_back(whole_victim):
    victim = whole_victim
    victim.plain("CREATE TRIGGER aaa BEFORE INSERT ON account BEGIN SELECT 1; END")
    report = victim.verify()
    assert report.exit_code == 1 and report.codes & {"CAPTURE_CHANGED", "SCHEMA_DRIFT"}, report


@pytest.mark.parametrize("what", ["guard", "transactions"])
def test_S16_guards_dropped(whole_victim, what):
    victim = whole_victim
    db = victim.plain()
    tables = ("ledger_history_1",) if what == "guard" else ("database_ledger_transactions",)
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", tables)]
    if not names:
        pytest.skip("this table is guarded by the extension alone")
    for name in names:
        db.execute(f'DROP TRIGGER "{name}"')
    db.close()
    report = victim.verify()
    assert report.exit_code == 1 and report.codes & {"CAPTURE_OFF", "POLICY_DRIFT"}, report


def test_S20_constraint_dropped_from_the_schema_text(whole_victim):
    rewrite_sql(whole_victim, "full_name TEXT NOT NULL", "full_name TEXT", name="customer")
    whole_victim.demand({"code": "SCHEMA_DRIFT", "object": "customer"}, allowed=["ROW_ALTERED"])


def test_S21_generated_columns(whole_victim):
    victim = whole_victim
    victim.honest("CREATE TABLE bill(id INTEGER PRIMARY KEY, net REAL, gross REAL GENERATED ALWAYS AS (net * 1.2) STORED, "
                  "shown TEXT AS (net || ' EUR') VIRTUAL)", "SELECT ledger_enable('bill')",
                  "INSERT INTO bill(net) VALUES (10.5), (20.25)", "UPDATE bill SET net = 11.5 WHERE id = 1",
                  "DELETE FROM bill WHERE id = 2", "INSERT INTO bill(net) VALUES (5.5)")
    assert agree(victim.path, *victim.digests).exit_code == 0
    copy = ledger.copy_database(victim.path, victim.directory / "copy.db")
    rewrite_sql(victim, "net * 1.2", "net * 1.1", name="bill")
    report = victim.verify()
    assert report.exit_code == 1 and "SCHEMA_DRIFT" in report.codes, report
    ledger.copy_database(copy, victim.path)
    rewrite_sql(victim, "' EUR'", "' USD'", name="bill")
    report = victim.verify()
    assert report.exit_code == 1 and "SCHEMA_DRIFT" in report.codes, report


def test_S20_check_dropped_from_the_schema_text_and_a_column_added(whole_victim):
    """A new column that holds nothing yet may be an honest one; it excuses no other change of the definition."""
    victim = whole_victim
    victim.honest("CREATE TABLE fee(id INTEGER PRIMARY KEY, amount CHECK(amount > 0))", "SELECT ledger_enable('fee')",
                  "INSERT INTO fee VALUES (1, 5)")
    rewrite_sql(victim, " CHECK(amount > 0)", "", name="fee")
    victim.plain("ALTER TABLE fee ADD COLUMN extra")
    victim.demand({"code": "SCHEMA_DRIFT", "object": "fee"})


def test_S15_user_s_trigger_changed_in_the_schema_text(whole_victim):
    victim = whole_victim
    victim.honest("CREATE TRIGGER checked BEFORE UPDATE ON account WHEN NEW.units < 0 BEGIN SELECT RAISE(ABORT, 'units'); END",
                  "SELECT ledger_refresh()", "UPDATE account SET units = 5 WHERE id = 50")
    rewrite_sql(victim, "NEW.units < 0", "NEW.units < -9", name="checked", kind="trigger")
    victim.demand({"code": "SCHEMA_DRIFT", "object": "checked"})


def test_S24_default_changed(whole_victim):
    victim = whole_victim
    victim.honest("CREATE TABLE fee(id INTEGER PRIMARY KEY, amount INTEGER DEFAULT 5)", "SELECT ledger_enable('fee')",
                  "INSERT INTO fee DEFAULT VALUES")
    rewrite_sql(victim, "DEFAULT 5", "DEFAULT 6", name="fee")
    victim.demand({"code": "SCHEMA_DRIFT", "object": "fee"})


@pytest.mark.parametrize("default", ["7", "'text'", "x'0102'", "1.5", "-3", "NULL", "CURRENT_USER_IS_NOT_SQL"])
def test_S25_column_added_with_a_default(whole_victim, default):
    """The value of old rows is the default that the event records: not silent, and verified."""
    victim = whole_victim
    db = victim.honest()
    if default.startswith("CURRENT"):
        default = "'2026'"
    db.execute(f"ALTER TABLE account ADD COLUMN extra DEFAULT {default}")
    db.execute("UPDATE account SET units = 8 WHERE id = 50")
    db.execute("UPDATE account SET extra = 'own' WHERE id = 51")
    db.execute("DELETE FROM account WHERE id = 52")
    db.execute("INSERT INTO account(id) VALUES (4000000)")
    db.execute("SELECT ledger_close_block()").fetchall()
    assert "extra" in str(db.execute("SELECT * FROM ledger_column_history").fetchall())
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    victim.plain("UPDATE account SET extra = 'forged' WHERE id = 60")
    victim.demand({"code": "ROW_ALTERED", "object": "account", "key": {"id": 60}, "columns": ["extra"]})


def test_S25_column_added_without_the_extension(whole_victim):
    """Until a connection with the ledger comes by, the table differs from what was ledgered."""
    victim = whole_victim
    db = ledger.plain(victim.path)
    db.execute("ALTER TABLE account ADD COLUMN extra TEXT")
    db.close()
    report = victim.verify()
    assert report.codes & {"SCHEMA_DRIFT", "COVERAGE_GAP"} or any("extra" in note for note in report.notes), report
    copy = ledger.copy_database(victim.path, victim.directory / "copy.db")
    victim.honest("SELECT ledger_refresh()", "UPDATE account SET extra = 'x' WHERE id = 3")
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    # Values written behind the ledger's back are found at the latest when the column has been ledgered.
    ledger.copy_database(copy, victim.path)
    victim.plain("UPDATE account SET extra = 'forged' WHERE id = 60")
    victim.honest("SELECT ledger_refresh()", "UPDATE account SET extra = 'x' WHERE id = 3")
    victim.demand({"code": "ROW_ALTERED", "object": "account", "key": {"id": 60}, "columns": ["extra"]})


@pytest.mark.parametrize("statement", [
    "ALTER TABLE account RENAME TO konto", "ALTER TABLE account RENAME COLUMN units TO pieces",
    "ALTER TABLE account ADD COLUMN extra DEFAULT 5", "CREATE TRIGGER x AFTER INSERT ON account BEGIN SELECT 1; END"])
def test_watch_takes_in_changes_of_the_schema(whole_victim, statement):
    """An honest change of the schema is recorded by whoever looks next; a watch looks at the schema in each round."""
    victim = whole_victim
    victim.honest(statement)
    (victim.directory / "store").mkdir()
    done = run_cli("sql", "watch", victim.path, "--once", "--store", f"file://{victim.directory}/store")
    assert done.returncode == 0, done.stdout + done.stderr
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    # Nothing is left to do for the next one.
    before = ledger.fingerprint(victim.path)
    assert run_cli("sql", "watch", victim.path, "--once", "--store", f"file://{victim.directory}/store").returncode == 0
    assert ledger.fingerprint(victim.path) == before


def test_S27_table_outside_a_ledger_database(work):
    path = work / "all.db"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE inside(a)")
    db.execute("INSERT INTO inside VALUES (1)")
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(path, digest).exit_code == 0
    db = ledger.plain(path)
    db.execute("CREATE TABLE outside(a)")
    db.execute("INSERT INTO outside VALUES (1)")
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code != 0 and "COVERAGE_GAP" in report.codes, report
    assert any("outside" in finding["object"] for finding in report.findings), report
    db = connect(path)
    db.execute("SELECT ledger_refresh()")
    db.close()
    assert agree(path, digest).exit_code == 0


def test_K04_table_made_under_the_name_of_one_that_was_renamed(work):
    """The renamed table keeps its view's name; the new one joins with another."""
    path = work / "all.db"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
    db.execute("SELECT ledger_refresh()")
    db.execute("INSERT INTO t VALUES (1, 'a')")
    for old in ("t_1", "t_2"):
        db.execute("BEGIN")
        db.execute(f"ALTER TABLE t RENAME TO {old}")
        db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
        db.execute(f"INSERT INTO t SELECT id, v || '+' FROM {old}")
        db.execute("COMMIT")
        db.execute("SELECT ledger_refresh()")
        db.execute("INSERT INTO t(v) VALUES ('b')")
    views = db.execute("SELECT name, view FROM ledger_tables ORDER BY table_id").fetchall()
    assert views == [("t_1", "t_Ledger"), ("t_2", "t_Ledger2"), ("t", "t_Ledger3")]
    assert scalar(db, "SELECT count(*) FROM t_Ledger3") == 3
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0 and not report.codes, report
    db = ledger.without_triggers(path)
    db.execute("UPDATE t SET v = 'forged' WHERE id = 1")
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 1 and "ROW_ALTERED" in report.codes, report


@pytest.mark.parametrize("column", [
    """z "int; ATTACH 'PLACE' AS v; DELETE FROM v.accounts; --" DEFAULT 5""", """z DEFAULT (5 /* ); ATTACH 'PLACE' AS v; -- */)""",
])
def test_K04_type_and_default_that_are_statements(work, column):
    """Types and defaults are the file's words: nothing of them is run, neither by those who write nor by those who verify."""
    other = work / "other.db"
    db = ledger.plain(other)
    db.execute("CREATE TABLE accounts AS SELECT 1 AS x")
    db.commit()
    db.close()
    path = work / "all.db"
    db = connect(path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")
    db.execute("INSERT INTO t VALUES (1, 'a')")
    db.execute("SELECT ledger_init(1)")
    db.execute("ALTER TABLE t ADD COLUMN " + column.replace("PLACE", str(other)))
    db.execute("INSERT INTO t(v) VALUES ('b')")
    db.execute("INSERT OR REPLACE INTO t(id, v) VALUES (1, 'c')")
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0, report
    db = ledger.plain(other)
    assert scalar(db, "SELECT count(*) FROM accounts") == 1
    db.close()


@pytest.mark.parametrize("name", ["ledger_entries", "database_ledger_x", "ledger_history_2024"])
def test_S27_table_whose_name_begins_like_the_ledger_s(work, name):
    path = work / "all.db"
    db = connect(path)
    db.execute(f"CREATE TABLE {name}(a)")
    db.execute(f"INSERT INTO {name} VALUES (1)")
    db.execute("CREATE TABLE inside(a)")
    db.execute("SELECT ledger_init(1)")
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    db = ledger.without_triggers(path)
    db.execute(f"UPDATE {name} SET a = 2")
    db.close()
    report = ledger.verify(path, digest)
    expected = (2, "COVERAGE_GAP") if name.endswith("2024") else (1, "ROW_ALTERED")
    assert report.exit_code == expected[0], report
    assert [finding["object"] for finding in report.findings if finding["code"] == expected[1]] == [name], report


def test_S28_triggers_off_and_changed_and_on_again(victim):
    db = ledger.without_triggers(victim.path)
    db.execute("UPDATE account SET units = 0 WHERE id = ?", (FRESH,))
    ledger.set_switch(db, ledger.DBCONFIG_ENABLE_TRIGGER, True)
    db.close()
    victim.demand({**ALTERED, "key": {"id": FRESH}, "columns": ["units"]})


def test_S28_trigger_removed_row_changed_trigger_restored(victim):
    number = victim.table_id("account")
    db = ledger.plain(victim.path)
    sql = scalar(db, "SELECT sql FROM sqlite_schema WHERE name = ?", f"ledger_update_{number}")
    db.execute(f"DROP TRIGGER ledger_update_{number}")
    db.execute("UPDATE account SET units = 0 WHERE id = ?", (FRESH,))
    db.execute(sql)
    db.close()
    victim.demand({**ALTERED, "key": {"id": FRESH}, "columns": ["units"]})


def test_S28_trigger_removed_with_writable_schema(whole_victim):
    victim = whole_victim
    victim.schema(("DELETE FROM sqlite_schema WHERE name = ?", (f"ledger_update_{victim.table_id('account')}",)))
    db = ledger.plain(victim.path)
    db.execute("UPDATE account SET units = 0 WHERE id = ?", (FRESH,))
    db.close()
    victim.demand({**ALTERED, "key": {"id": FRESH}, "columns": ["units"]}, "CAPTURE_OFF")


@pytest.mark.parametrize("name, change", [
    ("ledger_update_1", "sql = CAST(sql AS BLOB)"), ("account", "sql = CAST(sql AS BLOB)"),
    ("ledger_column_history", "sql = CAST(sql AS BLOB)"), ("ledger_column_history", "tbl_name = 'lEdger_column_history'"),
    ("account_name", "tbl_name = 'Account'"), ("ledger_update_1", "rootpage = 1"), ("ledger_update_1", "rootpage = x'30'")])
def test_S12_row_of_the_schema_that_is_written_in_another_way(work, name, change):
    """SQLite reads it all the same; queries of the schema miss it."""
    path, digest = work / "app.db", work / "app.json"
    db = connect(path)
    db.execute("CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT)")
    db.execute("CREATE INDEX account_name ON account(name)")
    db.execute("SELECT ledger_init(1)").fetchall()
    db.execute("INSERT INTO account VALUES (1, 'ada')")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(path, digest).exit_code == ledger.second_opinion(path, digest)[0] == 0
    db = ledger.with_writable_schema(path)
    assert db.execute(f"UPDATE sqlite_schema SET {change} WHERE name = ?", (name,)).rowcount == 1
    db.close()
    report, second = agree(path, digest), ledger.second_opinion(path, digest)
    assert report.exit_code == second[0] == 1 and "SCHEMA_DRIFT" in report.codes & second[1], (report, second)
    assert any(finding["code"] == "SCHEMA_DRIFT" and finding["object"] == name for finding in report.findings), report


def stub(db):
    """Functions that do nothing under the names of those that the triggers call."""
    for name in ("ledger_table_needs_indelible_extension", "ledger_stamp_transaction", "ledger_stamp_sequence"):
        db.create_function(name, -1, lambda *_: 1)


def test_S29_stub_registered_under_the_capture_function_s_name(victim):
    db = ledger.plain(victim.path)
    stub(db)
    sql = scalar(db, "SELECT group_concat(sql) FROM sqlite_schema WHERE type = 'trigger'")
    try:
        db.execute("UPDATE account SET units = 0 WHERE id = ?", (FRESH,))
    except sqlite3.Error as problem:
        # The trigger also writes to the capture table, which a stub written in Python can't offer; take that out.
        assert "ledger_capture" in str(problem) and "ledger_capture" in sql
        db.close()
        victim.schema("UPDATE sqlite_schema SET sql = replace(sql, 'INSERT INTO ledger_capture SELECT 1 WHERE 0;', '') "
                      "WHERE type = 'trigger'", "CREATE TABLE ledger_capture(x)")
        db = ledger.plain(victim.path)
        stub(db)
        db.execute("UPDATE account SET units = 0 WHERE id = ?", (FRESH,))
        db.execute("INSERT INTO account(id) VALUES (5000000)")
        db.close()
        victim.demand({**ALTERED, "key": {"id": FRESH}, "columns": ["units"]}, {"code": "ROW_EXTRA", "key": {"id": 5_000_000}},
                      allowed=["CAPTURE_CHANGED", "COVERAGE_GAP", "SCHEMA_DRIFT"])
        return
    db.close()
    victim.demand({**ALTERED, "key": {"id": FRESH}, "columns": ["units"]})


def test_S29_stub_with_a_table_named_like_the_capture_table(whole_victim):
    """Everything an ordinary program can register: the function, and a table under the virtual table's name."""
    victim = whole_victim
    db = ledger.plain(victim.path)
    stub(db)
    db.execute("CREATE TABLE ledger_capture(x)")
    db.execute("UPDATE account SET units = 0 WHERE id = ?", (NEW + 9,))
    db.execute("DELETE FROM account WHERE id = ?", (FRESH,))
    db.execute("INSERT INTO account(id) VALUES (5000000)")
    db.execute("DROP TABLE ledger_capture")
    db.close()
    victim.demand({**ALTERED, "key": {"id": NEW + 9}}, {"code": "ROW_MISSING", "key": {"id": FRESH}},
                  {"code": "ROW_EXTRA", "key": {"id": 5_000_000}})


def test_S30_view_in_the_temporary_schema(whole_victim):
    """A temp view or an attached file lives in one connection only; the verifier opens its own and names `main`."""
    victim = whole_victim
    other = victim.directory / "other.db"
    db = victim.honest()
    db.execute("ATTACH ? AS other", (str(other),))
    db.execute("CREATE TABLE other.account AS SELECT * FROM main.account")
    db.execute("CREATE TEMP VIEW account AS SELECT * FROM other.account")
    db.execute("UPDATE other.account SET balance = 0")
    db.execute("UPDATE main.account SET units = 9 WHERE id = 12")
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("rows", ["", " WITHOUT ROWID"])
@pytest.mark.parametrize("renamed", [False, True])
def test_a_table_that_was_dropped_past_the_ledger(work, rows, renamed):
    """Every row is named, also by a key of several columns."""
    path = work / "dropped.db"
    db = ledger.connect(path)
    db.execute("SELECT ledger_init(0)")
    db.execute(f"CREATE TABLE w(n INT, owner_id TEXT, i INT, PRIMARY KEY(owner_id, i)){rows}")
    db.execute("SELECT ledger_enable('w')").fetchall()
    db.execute("INSERT INTO w VALUES (1, 'a', 5), (2, 'b', 6), (3, 'b', 7)")
    if renamed:
        db.execute("ALTER TABLE w RENAME COLUMN owner_id TO owner")
    db.execute("DELETE FROM w WHERE n = 3")
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    with ledger.plain(path) as db:
        db.execute("DROP TABLE w")
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"ROW_MISSING", "SCHEMA_DRIFT"}, report
    owner = "owner" if renamed else "owner_id"
    keys = [tuple((part["column"], part["value"]) for part in finding["key"])
            for finding in report.findings if finding["code"] == "ROW_MISSING"]
    assert keys == ([((owner, "'a'"), ("i", "5")), ((owner, "'b'"), ("i", "6"))] if rows
                    else [(("rowid", "1"),), (("rowid", "2"),)]), report


def test_dropping_is_refused_with_the_remedy(whole_victim):
    victim = whole_victim
    db = victim.honest()
    for statement in ("DROP TABLE account", f"DROP TABLE {victim.history()}", "DROP TABLE database_ledger_blocks",
                      f"DELETE FROM {victim.history()}", f"UPDATE {victim.stamps()} SET transaction_id = 0",
                      "DELETE FROM database_ledger_transactions", "UPDATE database_ledger_blocks SET block_size = 0",
                      "DELETE FROM ledger_schema_events", "DELETE FROM ledger_leaf_chunks"):
        with pytest.raises(sqlite3.Error):
            db.execute(statement)
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_dropped_table_stays_verifiable(whole_victim):
    victim = whole_victim
    number = victim.table_id("customer")
    victim.honest("SELECT ledger_drop_table('customer')")
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    victim.plain(f"UPDATE ledger_history_{number} SET city = 'forged' WHERE email = 'c5@example.org'")
    report = victim.verify()
    assert report.exit_code == 1 and "ROW_ALTERED" in report.codes, report
    agree(victim.path, *victim.digests, report=report)


def remade(victim, table, sql):
    """The ledger's table made again with the rows it had, and its guards."""
    db = victim.plain()
    rows = db.execute(f"SELECT * FROM {table}").fetchall()
    triggers = db.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,)).fetchall()
    old = scalar(db, "SELECT sql FROM sqlite_schema WHERE name = ?", table)
    new = sql(old)
    assert new != old, old
    db.execute(f"DROP TABLE {table}")
    db.execute(new)
    marks = ", ".join("?" * len(rows[0]))
    names = ", ".join('"' + row[1] + '"' for row in db.execute(f"PRAGMA table_info({table})").fetchall()[:len(rows[0])])
    db.executemany(f"INSERT INTO {table}({names}) VALUES ({marks})", rows)
    for (trigger,) in triggers:
        db.execute(trigger)
    db.close()


@pytest.mark.parametrize("table", ["history", "stamps"])
@pytest.mark.parametrize("trigger", ["BEFORE INSERT ON {} BEGIN SELECT RAISE(IGNORE); END",
                                     "AFTER INSERT ON {} BEGIN UPDATE account SET units = 777 WHERE id = 3; END",
                                     "AFTER DELETE ON {} BEGIN SELECT 1; END"])
def test_S12_trigger_on_the_ledger_s_tables_of_a_table(victim, table, trigger):
    """It can keep versions from being written, or write along with every change, while every row is still right."""
    name = victim.history() if table == "history" else victim.stamps()
    victim.plain(f"CREATE TRIGGER z {trigger.format(name)}")
    victim.demand({"code": "CAPTURE_CHANGED", "object": "z"})


def test_S12_trigger_that_has_the_name_of_a_guard(victim):
    """Stamps have no guards: what is called like one is nobody's but the attacker's."""
    name = f"ledger_guard_insert_{victim.stamps()}"
    victim.plain(f"CREATE TRIGGER {name} BEFORE INSERT ON {victim.stamps()} BEGIN SELECT RAISE(IGNORE); END")
    victim.demand({"code": "CAPTURE_CHANGED", "object": name})


@pytest.mark.parametrize("table", ["database_ledger_transactions", "database_ledger_blocks", "ledger_leaf_chunks"])
def test_S12_trigger_on_a_table_of_the_ledger_s_own(chain_victim, table):
    """It writes along with every commit."""
    chain_victim.plain(f"CREATE TRIGGER z AFTER INSERT ON {table} BEGIN UPDATE account SET units = 777 WHERE id = 3; END")
    chain_victim.demand({"code": "CAPTURE_CHANGED", "object": "z"})


@pytest.mark.parametrize("change", ["unique", "extra", "check", "collation", "default"])
def test_S13_history_made_again_otherwise(victim, change):
    history = victim.history()
    remade(victim, history, lambda sql: {
        "unique": sql[:-1] + ", UNIQUE(ledger_end_transaction_id, ledger_end_sequence_number) ON CONFLICT IGNORE)",
        "extra": sql[:-1] + ", extra DEFAULT 5)",
        "check": sql[:-1] + ", CHECK(1))",
        "collation": sql.replace('"name"', '"name" COLLATE NOCASE'),
        "default": sql.replace('"name"', '"name" DEFAULT 5')}[change])
    victim.demand({"code": "CAPTURE_CHANGED", "object": history}, allowed=["SCHEMA_DRIFT"], repair=False)


def test_S13_history_with_a_generated_column(whole_victim):
    history = whole_victim.history()
    whole_victim.schema(("UPDATE sqlite_schema SET sql = replace(sql, '\"units\"', '\"units\" AS (5)') WHERE name = ?", (history,)))
    report = whole_victim.verify()
    assert report.exit_code == 1 and "CAPTURE_CHANGED" in report.codes, report


@pytest.mark.parametrize("change", ["extra", "generated", "unique"])
def test_S13_stamps_made_again_otherwise(victim, change):
    stamps = victim.stamps()
    remade(victim, stamps, lambda sql: {
        "extra": sql[:-1] + ", extra DEFAULT 5)",
        "generated": sql[:-1] + ", extra AS (transaction_id))",
        "unique": sql.replace("sequence_number", "sequence_number, UNIQUE(sequence_number, transaction_id) ON CONFLICT IGNORE")
    }[change])
    victim.demand({"code": "CAPTURE_CHANGED", "object": stamps}, repair=False)


def test_S13_unique_index_on_the_ledger_s_tables(whole_victim):
    """With INSERT OR IGNORE the stamp would be left out without a word. Other indexes only make reading faster."""
    whole_victim.plain(f"CREATE INDEX quicker ON {whole_victim.history()}(id)",
                       f"CREATE UNIQUE INDEX single ON {whole_victim.stamps()}(transaction_id, sequence_number)")
    report = whole_victim.demand({"code": "CAPTURE_CHANGED", "object": "single"}, repair=False)
    assert "quicker" not in str(report.findings), report


@pytest.mark.parametrize("index", ["database_ledger_transactions(commit_time, transaction_id)", "ledger_schema_events(body)"])
def test_S13_unique_index_on_a_table_of_the_ledger_s_own(chain_victim, index):
    chain_victim.plain(f"CREATE UNIQUE INDEX single ON {index}")
    chain_victim.demand({"code": "CAPTURE_CHANGED", "object": "single"}, repair=False)


def test_S13_histories_that_the_ledger_changed_itself(work):
    """Columns that came, went and were renamed, of every kind of table: never accused."""
    path = work / "all.db"
    db = connect(path)
    for statement in (
            "CREATE TABLE a(id INTEGER PRIMARY KEY, \"two words\" TEXT, v AS (id * 2), \"q\"\"uote\" TEXT)",
            "CREATE TABLE b(k TEXT COLLATE NOCASE, n INT, x, PRIMARY KEY(n, k)) WITHOUT ROWID",
            "CREATE TABLE c(x ANY, y TEXT) STRICT", "CREATE TABLE sqlite(x)", "SELECT ledger_init(1)",
            "INSERT INTO a VALUES (1, 'x', 'y')", "INSERT INTO b VALUES ('k', 1, 2)", "INSERT INTO c VALUES (1, 'y')",
            "ALTER TABLE a ADD COLUMN t TEXT DEFAULT TRUE", "ALTER TABLE a ADD COLUMN r REAL DEFAULT 5",
            "ALTER TABLE a ADD COLUMN n DEFAULT x'00ff'", "ALTER TABLE a ADD COLUMN d VARCHAR(10) NOT NULL DEFAULT \"dq\"",
            "ALTER TABLE a ADD COLUMN p TEXT DEFAULT (5)", "ALTER TABLE a ADD COLUMN m INT DEFAULT - 3",
            "ALTER TABLE a ADD COLUMN w AS (id) VIRTUAL", "ALTER TABLE c ADD COLUMN z ANY DEFAULT '1'",
            "ALTER TABLE c ADD COLUMN i INT NOT NULL DEFAULT 7", "SELECT ledger_refresh()", "UPDATE a SET t = 'new'",
            "ALTER TABLE a RENAME COLUMN \"two words\" TO \"three small words\"", "ALTER TABLE a RENAME COLUMN r TO \"R r\"",
            "ALTER TABLE b RENAME COLUMN k TO \"key\"", "SELECT ledger_refresh()", "UPDATE b SET x = 3", "UPDATE a SET n = 3",
            "SELECT ledger_drop_column('a', 'm')", "SELECT ledger_drop_column('a', 'three small words')", "DELETE FROM a",
            "ALTER TABLE a ADD COLUMN m TEXT DEFAULT 'again'", "ALTER TABLE c RENAME TO cc", "SELECT ledger_refresh()",
            "BEGIN", "ALTER TABLE b ADD COLUMN l DEFAULT 4", "ALTER TABLE b RENAME COLUMN l TO ll", "UPDATE b SET ll = 5",
            "SELECT ledger_drop_column('b', 'x')", "COMMIT", "SELECT ledger_drop_table('cc')", "INSERT INTO sqlite VALUES (1)"):
        db.execute(statement).fetchall()
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0 and not report.codes - {"TAIL_UNATTESTED"}, report
    db = ledger.plain(path)
    db.execute("VACUUM")
    db.close()
    assert agree(path, digest).exit_code == 0


def test_S27_a_table_named_sqlite_joins(work):
    """No view can be named sqlite_Ledger."""
    path = work / "all.db"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    for statement in ("CREATE TABLE a(v)", "CREATE TABLE sqlite(x)", "INSERT INTO a VALUES (1)", "INSERT INTO sqlite VALUES (2)",
                      "SELECT ledger_refresh()"):
        db.execute(statement).fetchall()
    assert db.execute("SELECT x, ledger_operation_type_desc FROM _sqlite_Ledger").fetchall() == [(2, "INSERT")]
    db.close()


def test_S27_all_tables_switched_off(whole_victim):
    """Whether new tables join is ledgered; capture goes by the copy beside the identity."""
    whole_victim.plain("UPDATE ledger_identity SET all_tables = 1 - all_tables")
    whole_victim.demand({"code": "CAPTURE_CHANGED", "object": "ledger_identity", "columns": ["all_tables"]}, repair=False)
