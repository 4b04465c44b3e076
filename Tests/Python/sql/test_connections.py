"""What applications do with their connections: closing them too early, interrupting them, naming who writes, replacing the database."""

import sqlite3
import subprocess

import pytest

from kit import ledger
from kit.ledger import agree, connect, scalar
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


def test_an_interrupt_in_the_first_write(app):
    for steps in range(5, 420, 5):
        db = connect(app)
        left = [steps]

        def step():
            left[0] -= 1
            return left[0] == 0
        db.set_progress_handler(step, 1)
        try:
            db.execute("INSERT INTO t(a) VALUES (?)", (steps,))
        except sqlite3.Error as error:
            assert "interrupted" in str(error), (steps, error)
        db.set_progress_handler(None, 0)
        try:
            db.execute("INSERT INTO t(a) VALUES (-1)")
        except sqlite3.Error as error:
            assert "must be rolled back" in str(error), (steps, error)
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
