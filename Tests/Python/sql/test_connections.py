"""What applications do with their connections: closing them too early, interrupting them, naming who writes, replacing the database."""

import ctypes
import sqlite3
import subprocess
import sys

import pytest

from kit import ledger
from kit.ledger import DBCONFIG_ENABLE_TRIGGER, agree, connect, scalar, set_switch
from support.node import run_cli


@pytest.fixture
def app(work):
    path = work / "app.db"
    db = connect(path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a)")
    db.execute("INSERT INTO t(a) VALUES ('x'), ('y')")
    db.execute("SELECT ledger_init(0)")
    db.execute("SELECT ledger_enable('t')").fetchall()
    db.close()
    return path


def sound(path):
    db = connect(path)
    digest = path.with_name("digest.json")
    digest.write_text(scalar(db, "SELECT ledger_close_block()") or scalar(db, "SELECT ledger_digest()"))
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("statement", [
    "INSERT INTO t(a) VALUES (1) RETURNING id", "UPDATE t SET a = 9 RETURNING id", "DELETE FROM t RETURNING id",
    "REPLACE INTO t VALUES (1, 2) RETURNING id"])
def test_a_connection_that_is_closed_before_its_statement_has_ended(app, statement):
    """SQLite tells virtual tables of a rollback then, and commits when the statement is let go."""
    db = connect(app)
    rows = db.execute("SELECT * FROM t").fetchall()
    cursor = db.execute(statement)
    db.close()
    del cursor
    with ledger.plain(app) as now:
        assert now.execute("SELECT * FROM t").fetchall() == rows
    sound(app)


def close_early(db):
    """`sqlite3_close` of a connection that has statements, which leaves it open."""
    import _sqlite3
    library = ctypes.CDLL(_sqlite3.__file__)
    assert library.sqlite3_close(ctypes.c_void_p(ledger._handle(db))) == sqlite3.SQLITE_BUSY


@pytest.mark.parametrize("callback", [
    "set_trace_callback(lambda statement: None)", "set_progress_handler(lambda: 0, 1)", "set_authorizer(lambda *action: 0)"])
def test_definitions_that_are_ledgered_at_the_end_call_nothing_of_the_application(work, callback):
    """Python frees what its callbacks need before it closes the connection."""
    path = work / "new.db"
    script = f"""if True:
        import sqlite3

        def use():
            db = sqlite3.connect({str(path)!r}, isolation_level=None)
            db.enable_load_extension(True)
            db.load_extension({str(ledger.extension().with_suffix(''))!r})
            if "authorizer" not in {callback!r}:
                db.{callback}
            for statement in ("SELECT ledger_init(0)", "CREATE TABLE t(a)", "SELECT ledger_enable('t')",
                              "INSERT INTO t VALUES (1)", "ALTER TABLE t ADD COLUMN b"):
                db.execute(statement)
            if "authorizer" in {callback!r}:
                db.{callback}
            db.close()

        use()
        """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done
    with ledger.plain(path) as now:
        assert "b" in [row[1] for row in now.execute("SELECT * FROM pragma_table_info('ledger_history_1')")]
    sound(path)


STEPS_BACK = {
    "savepoint": ["SAVEPOINT s", "INSERT INTO t(a) VALUES (4)", "ROLLBACK TO s"],
    "failed row": ["INSERT INTO t VALUES (1, 1)"],
    "failed rows": ["INSERT INTO plain VALUES (1), (2), (1)"],
}


@pytest.mark.parametrize("back", STEPS_BACK)
@pytest.mark.parametrize("cause", ["blob", "closed", "triggers"])
def test_what_could_not_be_ledgered_stays_refused_when_something_else_is_taken_back(app, cause, back):
    db = connect(app)
    db.execute("CREATE TABLE plain(x UNIQUE)")
    rows = db.execute("SELECT * FROM t").fetchall()
    db.execute("BEGIN")
    db.execute("INSERT INTO t(a) VALUES (3)")
    if cause == "blob":
        with db.blobopen("t", "a", 1) as blob:
            blob.write(b"E")
    elif cause == "closed":
        reading = db.execute("SELECT * FROM t")
        reading.fetchone()
        close_early(db)
        reading.close()
        db.execute("INSERT INTO t(a) VALUES (5)")
    else:
        set_switch(db, DBCONFIG_ENABLE_TRIGGER, False)
        db.execute("UPDATE t SET a = 'unseen' WHERE id = 1")
        set_switch(db, DBCONFIG_ENABLE_TRIGGER, True)
    for statement in STEPS_BACK[back]:
        try:
            db.execute(statement)
        except sqlite3.Error as error:
            assert "UNIQUE" in str(error)
    reason = {"blob": "incremental writing of blobs", "closed": "closed in the middle", "triggers": "triggers switched off"}[cause]
    with pytest.raises(sqlite3.Error, match=reason):
        db.execute("COMMIT")
    if db.in_transaction:
        db.execute("ROLLBACK")
    assert db.execute("SELECT * FROM t").fetchall() == rows
    db.execute("INSERT INTO t(a) VALUES (6)")
    db.close()
    sound(app)


@pytest.mark.parametrize("cause", ["blob", "triggers"])
def test_what_could_not_be_ledgered_may_be_taken_back(app, cause):
    db = connect(app)
    db.execute("BEGIN")
    db.execute("INSERT INTO t(a) VALUES (3)")
    db.execute("SAVEPOINT s")
    if cause == "blob":
        with db.blobopen("t", "a", 1) as blob:
            blob.write(b"E")
    else:
        set_switch(db, DBCONFIG_ENABLE_TRIGGER, False)
        db.execute("UPDATE t SET a = 'unseen'")
        set_switch(db, DBCONFIG_ENABLE_TRIGGER, True)
    db.execute("SAVEPOINT inner")
    db.execute("RELEASE inner")
    db.execute("ROLLBACK TO s")
    db.execute("COMMIT")
    assert db.execute("SELECT a FROM t").fetchall() == [("x",), ("y",), (3,)]
    db.close()
    sound(app)


def interrupt_after(db, steps):
    """Once, after so many steps of SQLite's machine."""
    left = [steps]

    def step():
        left[0] -= 1
        return left[0] == 0
    db.set_progress_handler(step, 1)


def test_an_interrupt_in_the_first_write_leaves_the_next_transaction_alone():
    interrupted = 0
    for steps in range(1, 120):
        db = connect(":memory:")
        db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a)")
        db.execute("CREATE TABLE plain(x)")
        db.execute("SELECT ledger_init(0)")
        db.execute("SELECT ledger_enable('t')").fetchall()
        interrupt_after(db, steps)
        try:
            db.execute("INSERT INTO t(a) VALUES (1)")
        except sqlite3.Error:
            interrupted += 1
        db.set_progress_handler(None, 0)
        db.execute("INSERT INTO plain VALUES (1)")
        db.execute("INSERT INTO t(a) VALUES (2)")
        db.close()
    assert interrupted > 20


def test_an_interrupt_in_the_first_write(app):
    for steps in range(5, 420, 5):
        db = connect(app)
        interrupt_after(db, steps)
        try:
            db.execute("INSERT INTO t(a) VALUES (?)", (steps,))
        except sqlite3.Error as error:
            assert "interrupted" in str(error), (steps, error)
        db.set_progress_handler(None, 0)
        db.execute("INSERT INTO t(a) VALUES (-1)")
        db.execute("INSERT INTO t(a) VALUES (-2)")
        db.close()
    sound(app)


def test_who_writes(app):
    db = connect(app)
    who = "SELECT principal_name FROM database_ledger_transactions ORDER BY transaction_id DESC LIMIT 1"
    for value, recorded in (("ada", "ada"), (17, "17"), ("Zo\u00eb", "Zo\u00eb")):
        db.execute("SELECT ledger_set_principal(?)", (value,)).fetchall()
        db.execute("INSERT INTO t(a) VALUES (1)")
        assert scalar(db, who) == recorded
    for function in ("ledger_set_principal", "ledger_set_application"):
        for value in (b"ada", "", 1.5):
            with pytest.raises(sqlite3.Error, match=f"{function} takes a text that is not empty, an integer, or NULL"):
                db.execute(f"SELECT {function}(?)", (value,)).fetchall()
    db.execute("INSERT INTO t(a) VALUES (2)")
    assert scalar(db, who) == "Zo\u00eb", "a refused name changes nothing"
    db.execute("SELECT ledger_set_principal(NULL)").fetchall()
    db.execute("INSERT INTO t(a) VALUES (3)")
    assert scalar(db, who) == scalar(db, "SELECT ledger_principal()") != "Zo\u00eb"
    for flag in ("yes", 2, None):
        with pytest.raises(sqlite3.Error, match="ledger_init takes one argument, 0 or 1"):
            db.execute("SELECT ledger_init(?)", (flag,)).fetchall()


def test_a_database_put_in_the_place_of_another(app):
    """SQLite would use what it has freed."""
    source = ledger.plain(app)
    image = source.serialize()
    source.close()
    db = connect(":memory:")
    db.deserialize(image)
    db.execute("INSERT INTO t(a) VALUES (1)")
    db.deserialize(image)
    with pytest.raises(sqlite3.Error, match="was replaced by another one; open a new connection"):
        db.execute("INSERT INTO t(a) VALUES (2)")
    db.close()


def test_triggers_switched_off(app, work):
    if "enable_trigger" not in subprocess.run(["sqlite3", ":memory:", ".dbconfig"], capture_output=True, text=True).stdout:
        pytest.fail("this shell has no .dbconfig")
    script = f".load {ledger.extension().with_suffix('')}\n.dbconfig enable_trigger off\nINSERT INTO t(a) VALUES ('unseen');\n"
    done = subprocess.run(["sqlite3", str(app)], input=script, capture_output=True, text=True)
    assert "constraint failed" in done.stderr, done
    assert scalar(ledger.plain(app), "SELECT count(*) FROM t WHERE a = 'unseen'") == 0
    sound(app)


@pytest.mark.parametrize("between", [["off", "unseen", "on"], ["off", "unseen", "on", "seen"], ["seen", "off", "unseen"]])
def test_triggers_switched_off_for_a_part_of_a_transaction(app, between):
    db = connect(app)
    rows = db.execute("SELECT * FROM t").fetchall()
    db.execute("BEGIN")
    for step in between:
        if step in ("off", "on"):
            set_switch(db, DBCONFIG_ENABLE_TRIGGER, step == "on")
        else:
            db.execute("INSERT INTO t(a) VALUES (?)", (step,))
    with pytest.raises(sqlite3.Error, match="constraint failed|triggers switched off"):
        db.execute("COMMIT")
    if db.in_transaction:
        db.execute("ROLLBACK")
    assert db.execute("SELECT * FROM t").fetchall() == rows
    db.close()
    sound(app)


@pytest.mark.parametrize("where", ["transaction", "elsewhere"])
@pytest.mark.parametrize("statement", [
    "INSERT INTO r(a) VALUES (2)", "INSERT INTO r(a, rowid) VALUES (2, 1)", "UPDATE r SET a = 3", "DELETE FROM r"])
def test_a_column_that_takes_the_name_of_the_row_id(work, where, statement):
    path = work / "rowid.db"
    db = connect(path)
    db.execute("CREATE TABLE r(a)")
    db.execute("SELECT ledger_init(0)")
    db.execute("SELECT ledger_enable('r')").fetchall()
    db.execute("INSERT INTO r VALUES (1)")
    if where == "transaction":
        db.execute("BEGIN")
        db.execute("ALTER TABLE r ADD COLUMN rowid")
    else:
        with ledger.plain(path) as other:
            other.execute("ALTER TABLE r ADD COLUMN rowid")
        other.close()
    with pytest.raises(sqlite3.Error, match="run SELECT ledger_refresh"):
        db.execute(statement)
    if db.in_transaction:
        db.execute("ROLLBACK")
        db.execute("BEGIN")
        db.execute("ALTER TABLE r ADD COLUMN rowid")
    db.execute("SELECT ledger_refresh()").fetchall()
    db.execute(statement)
    db.execute("INSERT INTO r(a, rowid) VALUES (4, 1)")
    if db.in_transaction:
        db.execute("COMMIT")
    db.close()
    sound(path)


UNRECORDED = "a change of ledger table '.' was not recorded, because the statement ended before the ledger's trigger"


@pytest.mark.parametrize("table", ["t(id INTEGER PRIMARY KEY, a)", "t(b, id, a, PRIMARY KEY(id, b)) WITHOUT ROWID"])
@pytest.mark.parametrize("raising", ["IGNORE", "FAIL, 'no'", "ABORT, 'no'"])
@pytest.mark.parametrize("event, statement", [
    ("INSERT", "INSERT INTO t(id, b, a) VALUES (7, 7, 1), (8, 8, 2)"), ("UPDATE", "UPDATE t SET a = a + 1"),
    ("UPDATE", "UPDATE t SET id = id + 10"), ("DELETE", "DELETE FROM t")])
def test_a_trigger_that_keeps_a_change_from_the_ledger(work, table, raising, event, statement):
    """A temporary one runs first. What it keeps from the ledger is not committed; what it takes back is nothing."""
    path = work / "kept.db"
    db = connect(path)
    for sql in (f"CREATE TABLE {table.replace('a)', 'a, b)') if 'ROWID' not in table else table}", "CREATE TABLE o(a)",
                "SELECT ledger_init(1)", "INSERT INTO t(id, b, a) VALUES (1, 1, 1), (2, 2, 2)",
                f"CREATE TEMP TRIGGER x AFTER {event} ON t BEGIN SELECT RAISE({raising}); END"):
        db.execute(sql).fetchall()
    for end in ("COMMIT", "ROLLBACK TO s"):
        db.execute("BEGIN")
        db.execute("INSERT INTO o VALUES (1)")
        db.execute("SAVEPOINT s")
        try:
            db.execute(statement)
        except sqlite3.IntegrityError as problem:
            assert str(problem) == "no"
        if end != "COMMIT":
            db.execute(end)
        db.execute("INSERT INTO o VALUES (2)")
        if end == "COMMIT" and "ABORT" not in raising and event != "DELETE":
            with pytest.raises(sqlite3.OperationalError, match=UNRECORDED):
                db.execute("COMMIT")
            assert not db.in_transaction
        else:
            db.execute("COMMIT")
    db.close()
    sound(path)


def test_append_only_tables_of_a_ledger_database(work):
    """A table that has not joined yet gets its kind from who names it."""
    path = work / "all.db"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    db.execute("BEGIN")
    db.execute("CREATE TABLE log(a)")
    db.execute("CREATE TABLE other(a)")
    db.execute("SELECT ledger_enable('log', 'append-only')").fetchall()
    db.execute("INSERT INTO log VALUES (1)")
    db.execute("COMMIT")
    with pytest.raises(sqlite3.Error, match="Updates are not allowed for the append only"):
        db.execute("UPDATE log SET a = 2")
    db.close()
    plain = ledger.plain(path)
    plain.execute("CREATE TABLE one(a)")
    plain.execute("CREATE TABLE two(a)")
    plain.execute("CREATE TABLE third(a)")
    plain.close()
    done = run_cli("sql", "enable", path, "one", "two", "--append-only")
    assert done.returncode == 0, done
    db = connect(path)
    db.execute("INSERT INTO other VALUES (1)")
    db.execute("INSERT INTO third VALUES (1)")
    kinds = dict(db.execute("SELECT name, kind FROM ledger_tables").fetchall())
    assert kinds == {"log": "append-only", "other": "updatable", "one": "append-only", "two": "append-only", "third": "updatable"}
    db.close()
    done = run_cli("sql", "enable", path, "other", "--append-only")
    assert done.returncode == 2 and "is a ledger table already, updatable; its kind is for good" in done.stderr, done
    done = run_cli("sql", "enable", path, "other", "--view", "mine")
    assert done.returncode == 2 and "its ledger view is 'other_Ledger'" in done.stderr, done
    sound(path)


FINALISE = """if True:
    import ctypes, sys, _sqlite3
    sqlite = ctypes.CDLL(_sqlite3.__file__)
    pointer = ctypes.c_void_p
    sqlite.sqlite3_next_stmt.restype = pointer
    sqlite.sqlite3_next_stmt.argtypes = [pointer, pointer]
    sqlite.sqlite3_finalize.argtypes = [pointer]
    path, extension, order, then = sys.argv[1:]
    db = pointer()
    assert sqlite.sqlite3_open(path.encode(), ctypes.byref(db)) == 0
    assert sqlite.sqlite3_db_config(db, 1005, 1, pointer()) == 0
    assert sqlite.sqlite3_load_extension(db, extension.encode(), None, None) == 0

    def run(sql):
        code = sqlite.sqlite3_exec(db, sql.encode(), None, None, None)
        assert code == 0, (sql, code)

    run("INSERT INTO t VALUES (5, 1); UPDATE t SET a = 2; BEGIN; DELETE FROM t WHERE id = 5; COMMIT")
    if then == "in a transaction":
        run("BEGIN; UPDATE t SET a = 3")
    found = [sqlite.sqlite3_next_stmt(db, None)]
    while found[-1]:
        found.append(sqlite.sqlite3_next_stmt(db, found[-1]))
    assert len(found) > 4
    for statement in found[:-1][::int(order)]:
        assert sqlite.sqlite3_finalize(statement) == 0
    # Statements of the application's may have the places of those that are gone.
    mine = [pointer() for _ in range(12 if then != "close" else 0)]
    for statement in mine:
        assert sqlite.sqlite3_prepare_v2(db, b"DELETE FROM plain", -1, ctypes.byref(statement), None) == 0
    if then != "close":
        run("UPDATE t SET a = 4; INSERT INTO t VALUES (6, 6)")
        if then == "in a transaction":
            run("COMMIT")
        for statement in mine:
            sqlite.sqlite3_finalize(statement)
    assert sqlite.sqlite3_close(db) == 0
    """


@pytest.mark.parametrize("then", ["close", "write", "in a transaction"])
@pytest.mark.parametrize("order", [1, -1])
def test_an_application_that_finalises_every_statement_that_sqlite_names(app, then, order):
    """The ledger's are among them. They were used and finalised once more."""
    with ledger.plain(app) as db:
        db.execute("CREATE TABLE plain(x)")
        db.execute("INSERT INTO plain VALUES (1)")
    db.close()
    done = subprocess.run(
        [sys.executable, "-c", FINALISE, str(app), str(ledger.extension().with_suffix("")), str(order), then],
        capture_output=True, text=True)
    assert done.returncode == 0, done
    with ledger.plain(app) as db:
        assert scalar(db, "SELECT count(*) FROM plain") == 1
        assert scalar(db, "SELECT a FROM t WHERE id = 6") == (None if then == "close" else 6)
    db.close()
    sound(app)


def secretive(action, table, *_):
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_READ and table == "secret" else sqlite3.SQLITE_OK


def keeps_the_secret(db):
    try:
        db.execute("SELECT a FROM secret").fetchall()
        return False
    except sqlite3.DatabaseError as problem:
        assert "prohibited" in str(problem)
        return True


def test_the_authorizer_of_an_application_whose_database_has_no_ledger(work):
    """SQLite has one, and does not say whose it is."""
    db = ledger.plain(work / "without.db")
    db.execute("CREATE TABLE secret(a)")
    db.set_authorizer(secretive)
    ledger.load(db)
    db.execute("CREATE TABLE t(a)")
    db.execute("INSERT INTO t VALUES (1)")
    assert keeps_the_secret(db)
    db.execute("SELECT ledger_init(0)")
    db.execute("SELECT ledger_enable('t')").fetchall()
    assert not keeps_the_secret(db), "as documented"
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        db.execute("DROP TABLE t")
    db.set_authorizer(secretive)
    assert keeps_the_secret(db)
    db.execute("INSERT INTO t VALUES (2)")
    db.close()
    sound(work / "without.db")


def test_guards_come_with_the_first_ledger_of_a_connection(app, work):
    db = connect(work / "main.db")
    db.execute("CREATE TABLE plain(a)")
    db.execute("ATTACH ? AS other", (str(app),))
    db.execute("INSERT INTO other.t(a) VALUES (1)")
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        db.execute("DROP TABLE other.t")
    db.execute("ALTER TABLE other.t ADD COLUMN b")
    db.execute("UPDATE other.t SET b = 1")
    db.close()
    sound(app)
    first, second = connect(work / "main.db"), connect(work / "main.db")
    first.execute("SELECT ledger_init(1)")
    first.close()
    second.execute("INSERT INTO plain VALUES (1)")
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        second.execute("DROP TABLE plain")
    second.close()
    sound(work / "main.db")


COMMIT_HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
ROLLBACK_HOOK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def library():
    import _sqlite3
    found = ctypes.CDLL(_sqlite3.__file__)
    for name in ("sqlite3_commit_hook", "sqlite3_rollback_hook", "sqlite3_preupdate_hook"):
        getattr(found, name).restype = ctypes.c_void_p
        getattr(found, name).argtypes = [ctypes.c_void_p] * 3
    return found


def set_hooks(db, names, called):
    """Hooks of the application's. Answers what keeps them, and what SQLite says of the hooks before."""
    handle = ctypes.c_void_p(ledger._handle(db))
    hooks = {"commit": COMMIT_HOOK(lambda _: called.append("commit") or 0), "rollback": ROLLBACK_HOOK(lambda _: called.append("rollback"))}
    before = [getattr(library(), f"sqlite3_{name}_hook")(handle, ctypes.cast(hooks[name], ctypes.c_void_p), None) for name in names]
    return hooks, before


@pytest.mark.parametrize("names", [[], ["rollback"], ["commit"], ["commit", "rollback"]], ids="-".join)
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("cause", ["blob", "triggers"])
def test_a_refusal_ends_with_its_transaction(app, cause, end, names):
    """Also where the application has hooks of its own: nobody else is told of a rollback."""
    db = connect(app)
    rows = db.execute("SELECT * FROM t").fetchall()
    hooks, _ = set_hooks(db, names, [])
    db.execute("BEGIN")
    if cause == "blob":
        with db.blobopen("t", "a", 1) as blob:
            blob.write(b"E")
    else:
        set_switch(db, DBCONFIG_ENABLE_TRIGGER, False)
        db.execute("UPDATE t SET a = 'unseen' WHERE id = 1")
        set_switch(db, DBCONFIG_ENABLE_TRIGGER, True)
    if end == "COMMIT":
        with pytest.raises(sqlite3.Error, match="constraint failed"):
            db.execute(end)
    else:
        db.execute(end)
    assert not db.in_transaction
    for statement in ("CREATE TEMP TABLE x(a)", "PRAGMA user_version = 5", "CREATE TABLE plain(a)", "UPDATE t SET a = a"):
        db.execute(statement)
    assert db.execute("SELECT * FROM t").fetchall() == rows
    db.close()
    sound(app)


def test_hooks_of_the_application_go_on(app):
    """Perl's driver takes what SQLite says of the hook before for a value of its own."""
    db = connect(app)
    called = []
    hooks, before = set_hooks(db, ["commit", "rollback"], called)
    assert before == [None, None]
    db.execute("INSERT INTO t(a) VALUES (1)")
    db.execute("BEGIN")
    db.execute("INSERT INTO t(a) VALUES (2)")
    db.execute("ROLLBACK")
    assert called == ["commit", "rollback"]
    db.close()
    sound(app)


def test_what_an_earlier_transaction_left_unrecorded_is_no_matter_of_the_next(app):
    db = connect(app)
    hooks, _ = set_hooks(db, ["commit", "rollback"], [])
    db.execute("CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT RAISE(IGNORE); END")
    db.execute("INSERT INTO t(a) VALUES ('unseen')")
    db.execute("DROP TRIGGER x")
    db.execute("INSERT INTO t(a) VALUES ('seen')")
    assert scalar(db, "SELECT count(*) FROM t_Ledger WHERE a = 'seen'") == 1
    db.close()


def test_a_host_that_sets_all_hooks_anew(app):
    """Tcl's driver does so with each. What it is handed of the ledger's looks like nothing."""
    db = connect(app)
    handle = ctypes.c_void_p(ledger._handle(db))
    db.execute("INSERT INTO t(a) VALUES (1)")
    for back in (lambda: ledger.load(db), lambda: db.execute("SELECT ledger_take_hooks()").fetchall()):
        before = library().sqlite3_preupdate_hook(handle, None, handle)
        assert ctypes.string_at(before, 512) == bytes(512)
        with pytest.raises(sqlite3.Error, match="loading the extension again, or SELECT ledger_take_hooks"):
            db.execute("INSERT INTO t(a) VALUES (2)")
        back()
        db.execute("REPLACE INTO t VALUES (1, 3)")
    db.close()
    sound(app)


def test_names_of_columns_with_those_of_their_tables(app):
    """Old switches of SQLite's for the names of results."""
    db = connect(app)
    for statement in ("PRAGMA full_column_names = ON", "PRAGMA short_column_names = OFF", "INSERT INTO t(a) VALUES (1)",
                      "ALTER TABLE t ADD COLUMN b", "UPDATE t SET b = 1", "SELECT ledger_refresh()", "SELECT ledger_restore_derived()",
                      "SELECT ledger_close_block()", "SELECT ledger_drop_column('t', 'b')", "CREATE TABLE u(x)", "SELECT ledger_enable('u')"):
        db.execute(statement).fetchall()
    db.close()
    sound(app)
