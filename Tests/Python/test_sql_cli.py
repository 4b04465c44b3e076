"""The commands for ledger databases, without a server: digests go to files and directories.

The tampering here is done the attacker's way, on the file: with a plain `sqlite3` connection that has no triggers
(`writable_schema`) or on bytes. What each attack must be called is tested by the Swift attack suite; here it is what the
command line says, writes and exits with.
"""

import html.parser
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.node import ROOT, binary, clean_environment, run_cli


class Database:
    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "app.db"
        self.store = f"file://{folder}/digests"
        (folder / "digests").mkdir(parents=True)
        self.environment = {"XDG_STATE_HOME": str(folder / "state")}

    def run(self, command, *words, code=0, stdin=None, database=None):
        done = run_cli("sql", command, database or self.path, *words, stdin=stdin, environment=self.environment)
        assert done.returncode == code, (command, words, done.returncode, done.stdout, done.stderr)
        return done

    def sql(self, *statements, code=0, **options):
        return self.run("exec", *statements, code=code, **options)

    def rows(self, statement, *words):
        return lines(self.run("exec", statement, "--json", *words))

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def digest(self, *words):
        return self.run("digest", *words).stdout

    def verify(self, *words, code=0, **options):
        return self.run("verify", *words, code=code, **options)

    def report(self, *words, code=0):
        return json.loads(self.verify("--json", *words, code=code).stdout)

    def tamper(self, *statements):
        """As someone who has the file and a SQLite without the extension: capture is out of the way meanwhile."""
        database = sqlite3.connect(self.path)
        triggers = database.execute("SELECT rowid, * FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        database.execute("PRAGMA writable_schema = ON")
        database.execute("DELETE FROM sqlite_schema WHERE type = 'trigger'")
        database.commit()
        database.close()
        database = sqlite3.connect(self.path)
        for statement in statements:
            database.execute(statement)
        database.execute("PRAGMA writable_schema = ON")
        for row in triggers:
            database.execute("INSERT INTO sqlite_schema (rowid, type, name, tbl_name, rootpage, sql) VALUES (?,?,?,?,?,?)", row)
        database.commit()
        database.close()


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def empty(tmp_path):
    return Database(tmp_path)


@pytest.fixture
def app(empty):
    """Two ledger tables with some history, no block closed yet."""
    plain = sqlite3.connect(empty.path)
    plain.executescript(
        """
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, amount REAL);
        CREATE TABLE notes (body TEXT);
        INSERT INTO accounts VALUES (1, 'Ada', 10.5), (2, 'Bob', 20), (3, 'Cleo', 30);
        INSERT INTO notes VALUES ('adopted');
        """)
    plain.close()
    empty.run("init")
    empty.run("enable", "accounts", "--principal", "setup")
    empty.run("enable", "notes", "--append-only")
    empty.sql("UPDATE accounts SET amount = 11 WHERE id = 1", "--principal", "alice", "--application", "bank")
    empty.sql("INSERT INTO notes VALUES ('second')")
    return empty


# Making ledger tables

def test_init_makes_a_file_and_repeats_without_change(empty):
    first = empty.run("init")
    assert re.search(r"ledger [0-9a-f]{32}", first.stdout)
    again = empty.run("init")
    assert re.findall(r"[0-9a-f]{32}", again.stdout) == re.findall(r"[0-9a-f]{32}", first.stdout)
    assert empty.status()["allTables"] is False


def test_all_tables(empty):
    plain = sqlite3.connect(empty.path)
    plain.executescript("CREATE TABLE a (x); INSERT INTO a VALUES (1); CREATE VIRTUAL TABLE words USING fts5(body);")
    plain.close()
    done = empty.run("init", "--all-tables")
    assert "a" in done.stdout and "words" in done.stdout
    empty.sql("CREATE TABLE b (y)", "INSERT INTO b VALUES (1)")
    status = empty.status()
    assert {table["name"] for table in status["tables"]} == {"a", "b"}
    assert status["notCovered"] == [] and status["leftOut"] == ["words"]


def test_enable_says_which_view_it_made(app):
    app.sql("ALTER TABLE accounts RENAME TO accounts_old", "CREATE TABLE accounts (id INTEGER PRIMARY KEY)")
    refused = app.run("enable", "accounts", "--view", "accounts_Ledger", code=2)
    assert "there is an object 'accounts_Ledger' already" in refused.stderr
    assert "accounts is a ledger table (updatable); its view is accounts_Ledger2" in app.run("enable", "accounts").stdout
    app.sql("INSERT INTO accounts VALUES (7)")
    assert app.rows("SELECT id, ledger_operation_type AS type FROM accounts_Ledger2") == [{"id": 7, "type": 1}]
    assert app.rows("SELECT count(*) AS lines FROM accounts_Ledger") == [{"lines": 5}]


def test_enable_all_or_nothing(app):
    app.sql("CREATE TABLE c (x)")
    failed = app.run("enable", "c", "missing", code=2)
    assert "missing" in failed.stderr
    assert {table["name"] for table in app.status()["tables"]} == {"accounts", "notes"}


@pytest.mark.parametrize("words, says", [
    (["status", "postgres://host/db"], "PostgreSQL"),
    (["status", "postgresql:db"], "PostgreSQL"),
    (["status", "mysql://host/db"], "mysql"),
    (["status", "sqlite://host/db"], "host"),
    (["status", "/nonexistent.db"], "/nonexistent.db"),
    (["status", "/tmp"], "directory"),
    (["status", ":memory:"], "memory"),
    (["enable", "x.db"], "table"),
    (["verify", "x.db", "--jobs", "0"], "--jobs"),
    (["verify", "x.db", "--max-digest-age", "soon"], "soon"),
    (["verify", "x.db", "--max-digest-age", "0x10"], "0x10"),
    (["verify", "x.db", "--max-digest-gap", "1e3"], "1e3"),
    (["verify", "x.db", "--max-digest-gap", "-1h"], "--max-digest-gap"),
    (["watch", "x.db", "--interval", "0x10"], "0x10"),
    (["verify", "x.db", "--table"], "--table"),
    (["verify", "x.db", "--max-tail", "\x1b[31mred\nerror: FORGED"], "\\u{1b}[31mred\\nerror: FORGED"),
    (["\x1b[2Jverify"], "\\u{1b}[2J"),
    (["repair", "x.db"], "--dry-run"),
    (["watch", "x.db", "--interval", "0"], "--interval"),
])
def test_wrong_usage(words, says):
    done = run_cli("sql", *words)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert "\x1b" not in done.stderr and "\nerror: FORGED" not in done.stderr


def test_a_plain_database_and_no_database(empty, tmp_path):
    sqlite3.connect(empty.path).execute("CREATE TABLE t (x)").connection.close()
    for command in (["status"], ["digest"], ["history", "t"], ["blocks"], ["enable", "t"]):
        done = run_cli("sql", command[0], empty.path, *command[1:])
        assert done.returncode == 2 and "sql init" in done.stderr, command
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database at all" * 100)
    done = run_cli("sql", "status", garbage)
    assert done.returncode == 2 and "not a database" in done.stderr


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_a_pipe_is_no_database(app, tmp_path, ending):
    """Opening it would wait for ever."""
    path = tmp_path / "other.db"
    if ending:
        shutil.copyfile(app.path, path)
    os.mkfifo(f"{path}{ending}")
    for words in ("status",), ("verify",), ("exec", "SELECT 1"), ("init",), ("digest",):
        assert f"{path}{ending}: is not a regular file" in app.run(words[0], *words[1:], code=2, database=path).stderr


def test_a_format_of_another_version(app, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    app.tamper("UPDATE ledger_identity SET format = 1")
    before = app.path.read_bytes()
    for command, *words in (["status"], ["digest"], ["exec", "UPDATE accounts SET amount = 0"], ["history", "accounts"],
                            ["blocks"], ["enable", "notes"], ["verify", "--digest", kept]):
        done = app.run(command, *words, code=2)
        assert "format 1" in done.stdout + done.stderr and "only format 2" in done.stdout + done.stderr, command
    assert app.path.read_bytes() == before


# Statements

def test_exec(app):
    assert app.rows("SELECT id, owner FROM accounts ORDER BY id")[0] == {"id": 1, "owner": "Ada"}
    assert app.rows("SELECT ? AS a, ? AS b, ? AS c, ? AS d", "-p", "5", "-p", "'5'", "-p", "NULL", "-p", "1.5") == [
        {"a": 5, "b": "5", "c": None, "d": 1.5}]
    assert app.rows("SELECT :x AS x", "--named", "x=it's") == [{"x": "it's"}]
    assert app.rows("SELECT x'00ff' AS b, 'a' AS n, 'b' AS n") == [{"b": {"hex": "00ff"}, "n": "a", "n:2": "b"}]
    assert "1 parameter" in app.sql("SELECT ?", code=2).stderr
    assert "no statement has any" in app.sql("SELECT 1", "-p", "1", code=2).stderr
    shown = app.sql("SELECT char(27) || '[31mred' || char(10) || 'x' AS t").stdout
    assert "\x1b" not in shown and "\\u{1b}" in shown and len(shown.splitlines()) == 2


@pytest.mark.parametrize("words, why", [
    (["-p", "2", "DELETE FROM accounts"], "no statement has any"),
    (["--named", "id=2", "DELETE FROM accounts"], "no statement has any"),
    (["-p", "2", "DELETE FROM accounts", "SELECT 1 AS \"?\", '?', [:a] -- ?", "/* ? */ SELECT ':x'"], "no statement has any"),
    (["--named", "idd=3", "--named", "id=2", "DELETE FROM notes; DELETE FROM accounts WHERE id = :id"], "'idd'"),
    (["--named", "a=3", "DELETE FROM notes; DELETE FROM accounts WHERE id IN (:a, @b)"], "@b of the statement was not given"),
    (["--named", "id=3", "--named", "id=2", "DELETE FROM accounts WHERE id = :id"], "given twice"),
    (["-p", "2", "-p", "3", "DELETE FROM notes; DELETE FROM accounts WHERE id = ?1 OR amount = ?1"], "1 parameter, 2 were given"),
    (["-p", "2", "DELETE FROM notes; DELETE FROM accounts WHERE id IN (?, ?2)"], "2 parameters, 1 were given"),
    (["-p", "2", "DELETE FROM notes WHERE body = ?", "DELETE FROM accounts WHERE id = ?"], "2 statements have parameters"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_parameters_that_do_not_fit_change_nothing(app, tmp_path, words, why):
    """A value without a place is mostly a forgotten WHERE."""
    count = "SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM notes) AS notes"
    before = app.rows(count), app.status()["transactions"]
    text = ";\n".join(word for word in words if " " in word)
    values = [word for word in words if " " not in word]
    script = tmp_path / "script.sql"
    script.write_text(text)
    for run in (lambda: app.sql(*words, code=2), lambda: app.sql(*words, "--single-transaction", code=2),
                lambda: app.sql(*values, stdin=text, code=2), lambda: app.sql(*values, "--file", script, code=2)):
        done = run()
        assert why in done.stderr and done.stdout == "", done
        assert (app.rows(count), app.status()["transactions"]) == before


def test_parameters_are_found_as_sqlite_finds_them(app):
    """Also in statements that need what the ones before them make."""
    app.sql("-p", "1", "-p", "2", "-p", "3", "CREATE TABLE m2 (a, b$x, [c?], `d:d`);",
            "INSERT INTO m2 SELECT ?, 'it''s ?'/* :no */, ?3, ?2 AS [?] -- ?")
    assert app.rows("SELECT * FROM m2") == [{"a": 1, "b$x": "it's ?", "c?": 3, "d:d": 2}]
    assert "4 parameters" in app.sql("SELECT ?, ?3, ?", "-p", "1", code=2).stderr
    named = ["--named", "a=1", "--named", "$b::c(x y)=2", "--named", "é=3", "--named", "3=4"]
    assert "'$b::c(x y)'" in app.sql("SELECT :a, :é, ?3, :a", *named, code=2).stderr
    named = ["--named", "a=1", "--named", "b::c(x)=2", "--named", "é=3", "--named", "4=4"]
    assert app.rows("SELECT :a AS a, $b::c(x) AS b, @é AS c, ?4 AS d, :a AS e", *named) == [
        {"a": 1, "b": 2, "c": 3, "d": 4, "e": 1}]
    assert lines(app.run("exec", "-p", "8", "--json", stdin="SELECT 1 AS b;\nSELECT ? AS a;\n")) == [{"b": 1}, {"a": 8}]


def on_a_terminal(app, command, *words, typed):
    """What a command says (standard output, standard error) to somebody who types at a terminal."""
    master, slave = os.openpty()
    try:
        process = subprocess.Popen(
            [binary(), "sql", command, app.path, *words], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**clean_environment(), **app.environment}, text=True)
        os.write(master, typed.encode() + b"\x04")
        return (*process.communicate(timeout=60), process.returncode)
    finally:
        os.close(slave)
        os.close(master)


def test_a_shell_on_a_terminal_counts_the_rows_of_the_statement(app):
    """Not those that triggers and the ledger write along."""
    app.sql("CREATE TABLE log (x); CREATE TRIGGER tr AFTER INSERT ON accounts BEGIN INSERT INTO log VALUES (1); END")
    for statement, expected in (
            ("INSERT INTO accounts VALUES (21, 'a', 1)", "1 row changed"),
            ("INSERT INTO accounts VALUES (22, 'b', 1), (23, 'c', 2)", "2 rows changed"),
            ("replace INTO accounts VALUES (22, 'bb', 1)", "1 row changed"),
            ("/* all */ UPDATE accounts SET amount = 3 WHERE id > 20", "3 rows changed"),
            ("WITH gone(id) AS (VALUES (21), (22)) DELETE FROM accounts WHERE id IN gone", "2 rows changed"),
            ("BEGIN; INSERT INTO notes VALUES ('x')", "1 row changed"), ("COMMIT", None),
            ("WITH one(id) AS (VALUES (21)) SELECT * FROM one", None), ("CREATE TABLE made (id INTEGER PRIMARY KEY, v)", None),
            ("UPDATE accounts SET amount = 4 WHERE id = 999", None), ("SELECT ledger_enable('made')", None)):
        if statement == "COMMIT":
            statement = "BEGIN; COMMIT"
        out, told, code = on_a_terminal(app, "shell", typed=statement + ";\n")
        assert re.findall(r"\d+ rows? changed", out) == ([expected] if expected else []), (statement, out, told)
        assert "changed" not in told


def test_reading_from_a_terminal_is_said(app):
    out, told, code = on_a_terminal(app, "exec", "--json", typed="SELECT 17 AS n;\n")
    assert (out, told, code) == ('{"n":17}\n', "reading from the terminal; end with Ctrl-D\n", 0)
    assert app.sql("SELECT 17").stderr == "" == app.sql(stdin="SELECT 17").stderr


def test_exec_says_what_was_not_kept(app):
    done = app.sql("BEGIN; INSERT INTO notes VALUES ('lost')", code=2)
    assert "BEGIN without COMMIT" in done.stderr
    assert app.rows("SELECT count(*) AS n FROM notes") == [{"n": 2}]
    for option in ("--principal", "--application"):
        assert "is empty" in app.sql("INSERT INTO notes VALUES ('x')", option, "", code=2).stderr
    assert "only the ledger writes" in app.sql("INSERT INTO ledger_history_1 VALUES (1)", code=2).stderr
    assert app.rows("SELECT count(*) AS n FROM notes") == [{"n": 2}]


def test_exec_file_in_one_transaction(app, tmp_path):
    text = "INSERT INTO accounts VALUES (7, 'G', 1);\nINSERT INTO nowhere VALUES (1);\n"
    assert "nowhere" in app.run("exec", "--single-transaction", "--file", "-", stdin=text, code=2).stderr
    assert app.rows("SELECT count(*) AS n FROM accounts") == [{"n": 3}]
    script = tmp_path / "s.sql"
    script.write_text(
        "CREATE TABLE log (x);\nCREATE TRIGGER tr AFTER INSERT ON accounts BEGIN\n  INSERT INTO log VALUES (';');\nEND;\n"
        "INSERT INTO accounts VALUES (8, 'H;''--', 1); -- a comment; with a semicolon\nSELECT count(*) AS n FROM log")
    assert lines(app.run("exec", "--file", script, "--json")) == [{"n": 1}]


@pytest.mark.parametrize("end", ["COMMIT", "end transaction", "/* x */ ROLLBACK;", "\ufeffcommit", "rollback transaction"])
def test_a_single_transaction_is_not_ended_from_within(app, end):
    before = app.rows("SELECT count(*) AS n FROM accounts")
    done = app.sql("--single-transaction", f"DELETE FROM accounts; {end}; SELECT 1", code=2)
    assert "ends the transaction itself" in done.stderr
    assert app.rows("SELECT count(*) AS n FROM accounts") == before


def test_savepoints_within_a_single_transaction(app):
    app.sql("--single-transaction", "SAVEPOINT s; DELETE FROM accounts; ROLLBACK TO s; SAVEPOINT t; "
            "ROLLBACK TRANSACTION TO SAVEPOINT t; UPDATE accounts SET owner = 'all' WHERE id = 1")
    assert app.rows("SELECT count(*) AS n FROM accounts WHERE owner = 'all'") == [{"n": 1}]


def test_history_of_names_that_differ_beyond_ascii(app):
    """SQLite ignores the case of ASCII letters and of no others."""
    app.sql("CREATE TABLE É(x); CREATE TABLE é(x); SELECT ledger_enable('É'); SELECT ledger_enable('é'); "
            "INSERT INTO É VALUES ('great'); INSERT INTO é VALUES ('small')")
    for name, other in (("É", "small"), ("é", "great")):
        shown = app.run("history", name).stdout
        assert other not in shown and len(shown.splitlines()) == 2, shown
    app.sql("SELECT ledger_drop_table('é')")
    assert "small" in app.run("history", "é").stdout
    app.sql("CREATE TABLE Ö(x); SELECT ledger_enable('Ö')")
    assert "ö" in app.run("history", "ö", code=2).stderr


def test_evidence_against_a_digest_of_ones_own(app, tmp_path):
    """What is for good in the digests of a block must agree; when the digest was made is open if one's own says otherwise."""
    kept, out, altered = tmp_path / "kept.json", tmp_path / "evidence.json", tmp_path / "altered.json"
    kept.write_text(app.digest())
    done = run_cli("evidence", "export", app.path, "--table", "accounts", "--key", "1", "--digest", kept, "--out", out)
    assert done.returncode == 0, done.stderr

    def verify(change):
        bundle = json.loads(out.read_text())
        change(bundle, bundle["digests"][0]["digest"])
        altered.write_text(json.dumps(bundle))
        done = run_cli("evidence", "verify", altered, "--digest", kept, "--json")
        return done.returncode, json.loads(done.stdout)

    open_time = "when the digests were made, unless your own say the same time: it is what their makers wrote"
    code, report = verify(lambda bundle, digest: None)
    assert code == 0 and open_time not in report["not_proven"], report
    code, report = verify(lambda bundle, digest: digest.update(digest_time="1999-01-01T00:00:00.000000Z"))
    assert code == 0 and open_time in report["not_proven"], report
    code, report = verify(lambda bundle, digest: digest.update(last_transaction_commit_time="1999-01-01T00:00:00.000000Z"))
    assert code == 1 and "has another last commit time" in str(report), report
    code, report = verify(lambda bundle, digest: (digest.update(database_name="evil"), bundle.update(database_name="evil")))
    assert code == 1 and "has another database name" in str(report), report


def test_evidence_is_of_one_row(empty, tmp_path):
    """Versions of other rows must not come along, however little of a key was given."""
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    empty.run("init", "--all-tables")
    empty.sql("CREATE TABLE patients(id INTEGER PRIMARY KEY, ward, diagnosis); CREATE TABLE lines(o, n, text, PRIMARY KEY(o, n))")
    empty.sql("INSERT INTO patients VALUES (1, 'A', 'S1'), (2, 'A', 'S2'), (3, 'B', 'S3'); "
              "INSERT INTO lines VALUES ('x', 1, 'L1'), ('x', 2, 'L2'), ('', 5, 'L3'), ('5', 9, 'L4'), ('a,b', 1, 'L5'), "
              "('O''Brien', 5, 'B1'), ('O''Brien,5', 1, 'B2')")
    empty.sql("UPDATE patients SET diagnosis = 'S1b' WHERE id = 1; DELETE FROM patients WHERE id > 1; DELETE FROM lines WHERE o = 'x'")
    kept.write_text(empty.digest())

    def export(table, *words, code=0):
        out.unlink(missing_ok=True)
        done = evidence(empty, "export", empty.path, "--table", table, *words, "--digest", kept, "--out", out, code=code)
        assert out.exists() == (code == 0)
        items = json.loads(out.read_text())["items"] if code == 0 else []
        return sorted({item["values"][2]["value"] for item in items}) if code == 0 else done.stderr

    for words in (["--row", ""], ["--row", "", "--version", "all"], ["--row", ",", "--version", "all"], ["--row", "2,"]):
        export("patients", *words, code=2)
    assert "several rows" in export("patients", "--key", "ward=A", "--version", "all", code=2)
    assert "several rows" in export("patients", "--key", "ward=A", "--version", "2", code=2)
    assert "several rows" in export("lines", "--key", "x", "--version", "all", code=2)
    assert export("patients", "--key", "ward=A") == ["S1b"], "one row is current"
    assert export("patients", "--key", "ward=B", "--version", "all") == ["S3"]
    assert export("patients", "--row", "1", "--version", "all") == ["S1", "S1b"]
    assert export("lines", "--row", "x,2", "--version", "all") == ["L2"]
    assert export("lines", "--row", ",5") == ["L3"] and export("lines", "--row", "'a,b',1") == ["L5"]
    # A quote opens only where a value begins, and is doubled in it.
    for row, text in ("O'Brien,5", "B1"), ("'O''Brien,5',1", "B2"), ("o=O'Brien,n=5", "B1"), ("o='O''Brien,5',n=1", "B2"):
        assert export("lines", "--row", row) == [text], row


def test_a_name_is_not_proven_by_a_later_event(app, tmp_path):
    """Whoever renames a table proves nothing about the name of rows from before."""
    kept, out, mixed = tmp_path / "kept.json", tmp_path / "row.json", tmp_path / "mixed.json"
    app.sql("ALTER TABLE accounts RENAME TO drafts")
    app.sql("INSERT INTO drafts VALUES (9, 'Eve', 1)")
    kept.write_text(app.digest())

    def bundle(key):
        evidence(app, "export", app.path, "--table", "drafts", "--key", key, "--with-schema", "--digest", kept, "--out", out)
        return json.loads(out.read_text())

    old, new = bundle("1"), bundle("9")
    assert [item["table"] for item in new["items"]] == ["drafts", "ledger_schema_events"]
    old["items"][1:] = new["items"][1:]
    for item, name in ((old, None), (new, new["items"][1]["transaction"]["id"])):
        mixed.write_text(json.dumps(item))
        shown = evidence(app, "verify", mixed, "--digest", kept).stdout
        assert (f"called drafts, as of transaction {name}" if name else "called drafts; ") in shown, shown
        assert ("the names of tables: the leaves have their numbers" in shown) == (name is None), shown


def test_evidence_says_what_it_is_of(app, tmp_path):
    """Names as of when they are proven, a digest by its place, texts that cannot be taken for others; and --json has it all."""
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    app.sql("ALTER TABLE accounts RENAME TO drafts", "--principal", "al (login root)")
    app.sql("INSERT INTO drafts VALUES (9, 'pay\u200bpal \u00a0', 1)", "--principal", "al (login root)")
    kept.write_text(app.digest())
    evidence(app, "export", app.path, "--table", "drafts", "--key", "9", "--with-schema", "--digest", kept, "--out", out)
    shown = evidence(app, "verify", out, "--digest", kept).stdout
    assert "called drafts, as of transaction " in shown and "still called so when its row was written" in shown
    assert "by 'al (login root)'" in shown and "'pay' || char(8203) || 'pal ' || char(160)" in shown
    report = json.loads(evidence(app, "verify", out, "--digest", kept, "--json").stdout)
    row = report["evidence"]["rows"][0]
    assert (row["table"], row["principal"], row["operation"]) == ("drafts", "al (login root)", "created")
    assert {"column": "id", "value": {"type": "integer", "value": "9"}} in row["values"]
    ledger = json.loads(kept.read_text())["ledger_id"]
    assert report["evidence"]["database"]["ledger_id"] == ledger
    evidence(app, "verify", out, "--digest", kept, "--expect-ledger", ledger)
    other = evidence(app, "verify", out, "--digest", kept, "--expect-ledger", "0" * 32, "--json", code=1)
    assert json.loads(other.stdout)["evidence"] is None and "expected was 0000" in other.stdout
    evidence(app, "verify", out, "--digest", kept, "--expect-collection", "app", code=1)
    # A file with nothing of any database is none of the expected one either.
    vector = json.loads((Path(__file__).parents[2] / "Vectors/sql/evidence/entry.json").read_text())
    (tmp_path / "entry.json").write_text(vector["document"])
    (tmp_path / "pin.pem").write_text(vector["serviceCertificate"])
    words = ["verify", tmp_path / "entry.json", "--service-certificate", tmp_path / "pin.pem"]
    evidence(app, *words)
    assert "which was expected" in evidence(app, *words, "--expect-ledger", ledger, code=1).stdout
    # Nor is an entry of another collection, or a row whose digest is in one.
    for file, collection in (("entry", "notes"), ("good", "digests/shop")):
        vector = json.loads((Path(__file__).parents[2] / f"Vectors/sql/evidence/{file}.json").read_text())
        (tmp_path / "entry.json").write_text(vector["document"])
        (tmp_path / "pin.pem").write_text(vector["serviceCertificate"])
        evidence(app, *words, "--expect-collection", collection)
        told = evidence(app, *words, "--expect-collection", "others", "--json", code=1).stdout
        assert json.loads(told)["evidence"] is None and f"'{collection}', expected was 'others'" in told, told
    # To standard output, whatever it is called, goes the bundle alone.
    for name in ("-", "/dev/stdout"):
        done = evidence(app, "export", app.path, "--table", "drafts", "--key", "9", "--digest", kept, "--out", name)
        assert json.loads(done.stdout)["format"] == "indelible/evidence/1"


def test_more_versions_than_a_bundle_holds(empty, tmp_path):
    kept = tmp_path / "kept.json"
    empty.run("init", "--all-tables")
    empty.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES (1, 0)")
    empty.sql(";".join(f"UPDATE t SET n = {number}" for number in range(5_100)))
    kept.write_text(empty.digest())
    done = evidence(empty, "export", empty.path, "--table", "t", "--key", "1", "--version", "all", "--digest", kept, "--out", "-", code=2)
    assert "more than the 10000 items" in done.stderr and "--version" in done.stderr


def test_shell(app):
    done = app.run("shell", stdin=(
        ".tables\n"
        "SELECT owner\n  FROM accounts\n  WHERE id = 2;\n"
        "SELECT * FROM nowhere;\n"
        ".schema notes\n.nonsense\n.help\n"
        "INSERT INTO accounts VALUES (9, 'Zoe', 0);\n"
        "SELECT owner FROM accounts WHERE id = 9\n"), code=2)
    assert "accounts" in done.stdout and "Bob" in done.stdout and "CREATE TABLE notes" in done.stdout
    assert "nowhere" in done.stderr and ".nonsense" in done.stderr and ".quit" in done.stdout
    assert "Zoe" in done.stdout, "errors do not end the shell, and the last statement needs no semicolon"
    assert app.run("shell", stdin="SELECT 1;\n.quit\nSELECT 2;\n").stdout.split() == ["1", "1"]
    left = app.run("shell", stdin="BEGIN; DELETE FROM accounts;\n", code=2)
    assert "rolled back" in left.stderr and app.rows("SELECT count(*) AS n FROM accounts") == [{"n": 4}]


def test_a_write_without_the_extension_is_refused(app):
    plain = sqlite3.connect(app.path)
    with pytest.raises(sqlite3.OperationalError, match="ledger_table_needs_indelible_extension"):
        plain.execute("DELETE FROM accounts")
    assert plain.execute("SELECT count(*) FROM accounts").fetchone() == (3,)


# What is there

def test_status_history_blocks(app):
    status = app.status()
    assert status["transactions"] >= 4 and status["openTransactions"] == status["transactions"]
    assert [(table["name"], table["kind"]) for table in status["tables"]] == [
        ("accounts", "updatable"), ("notes", "append-only")]
    history = lines(app.run("history", "accounts", "--key", "1", "--json"))
    assert [(line["operation"], line["amount"]) for line in history] == [
        ("created", 10.5), ("ended", 10.5), ("created", 11)]
    assert history[-1]["principal"] == "alice" and history[-1]["application"] == "bank"
    assert app.run("history", "accounts", "--key", "id=1").stdout.count("\n") == 4
    assert "nowhere" in app.run("history", "nowhere", code=2).stderr
    assert app.run("blocks", "--json").stdout == ""
    digest = json.loads(app.digest())
    blocks = lines(app.run("blocks", "--json"))
    assert [block["blockId"] for block in blocks] == [0]
    assert "0x" + blocks[0]["hash"].upper() == digest["hash"]
    assert app.status()["openTransactions"] == 0


def test_history_and_evidence_of_a_dropped_table(empty, tmp_path):
    kept, out = tmp_path / "kept.json", tmp_path / "rows.json"
    name = 'weird "name'
    empty.run("init")
    empty.sql('CREATE TABLE "weird ""name"(id INTEGER PRIMARY KEY, x)', "SELECT ledger_enable('weird \"name')",
              'INSERT INTO "weird ""name" VALUES (1, 2), (3, 4)', "SELECT ledger_drop_table('weird \"name')")
    kept.write_text(empty.digest())
    history = lines(empty.run("history", name, "--key", "x=2", "--json"))
    assert [(line["operation"], line["id"], line["x"]) for line in history] == [("created", 1, 2), ("ended", 1, 2)]
    assert len(lines(empty.run("history", name, "--json"))) == 4
    assert "NAME=VALUE" in empty.run("history", name, "--key", "1", code=2).stderr
    words = ["export", empty.path, "--table", name, "--version", "all", "--digest", kept, "--out", out]
    evidence(empty, *words, "--key", "x=2")
    assert "valid" in evidence(empty, "verify", out, "--digest", kept).stdout
    assert "NAME=VALUE" in evidence(empty, *words, "--key", "2", code=2).stderr


def test_a_key_with_a_misspelled_column(app, tmp_path):
    """It is not the value of the first column: nothing has such a key, and that says nothing about the row that was meant."""
    says = "--key: accounts has no column 'idd'"
    assert says in app.run("history", "accounts", "--key", "idd=1", code=2).stderr
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    kept.write_text(app.digest())
    words = ["export", app.path, "--table", "accounts", "--digest", kept, "--out", out]
    assert says in evidence(app, *words, "--key", "idd=1", code=2).stderr
    assert says in evidence(app, *words, "--row", "idd=1", code=2).stderr
    # Values that hold =: base64, with no identifier before it, quoted, or with the column's name.
    app.sql("CREATE TABLE t(k TEXT PRIMARY KEY)", "SELECT ledger_enable('t')",
            "INSERT INTO t VALUES ('aGk='), ('YQ=='), ('1=2'), ('a b=c'), ('a=b')")
    for word in ("aGk=", "YQ==", "1=2", "a b=c", "'a=b'", "k=a=b"):
        assert len(lines(app.run("history", "t", "--key", word, "--json"))) == 1, word
    assert "'k=a=b'" in app.run("history", "t", "--key", "a=b", code=2).stderr, "it says how"


def test_rows_with_blob_keys(empty, tmp_path):
    kept = tmp_path / "kept.json"
    empty.run("init")
    empty.sql("CREATE TABLE b(k BLOB PRIMARY KEY, v)", "SELECT ledger_enable('b')", "INSERT INTO b VALUES (x'00ff', 7)")
    kept.write_text(empty.digest())
    for key in ("x'00ff'", "X'00FF'", "k=x'00ff'"):
        assert [line["v"] for line in lines(empty.run("history", "b", "--key", key, "--json"))] == [7]
        evidence(empty, "export", empty.path, "--table", "b", "--key", key, "--digest", kept, "--out", tmp_path / "b.json")
    assert empty.rows("SELECT typeof(?) AS t", "-p", "x'00ff'") == [{"t": "blob"}]
    assert empty.rows("SELECT ? AS t", "-p", "x'0'") == [{"t": "x'0'"}]


# Digests

def test_a_digest_is_printed_even_when_a_store_fails(app, tmp_path):
    done = app.run("digest", "--store", f"file://{tmp_path}/nowhere", "--store", app.store, code=2)
    assert json.loads(done.stdout)["block_id"] == 0 and "nowhere" in done.stderr
    assert "nowhere" not in done.stdout and app.status()["openTransactions"] == 0
    app.verify("--store", app.store)


def test_digest_goes_to_a_store_once(app):
    first = app.digest("--store", app.store)
    assert json.loads(first)["block_id"] == 0
    again = app.digest("--upload")
    assert json.loads(again)["hash"] == json.loads(first)["hash"]
    store = app.status()["stores"]
    assert [(line["path"], line["lag"], line["isCurrent"]) for line in store] == [(app.store, 0, True)]
    assert app.run("digest", "--store", "ftp://x", code=2).stderr


def test_digest_goes_to_named_stores_only(app, tmp_path):
    """Whoever can write to the file can change the list of its stores, and hold up nobody by it."""
    app.digest("--store", app.store)
    others = [f"file://{tmp_path}/other", "https://127.0.0.1:9?collection=x"]
    (tmp_path / "other").mkdir()
    for other in others:
        app.sql(f"SELECT ledger_record_upload('{other}', NULL, 1)")
    app.sql("UPDATE accounts SET amount = 12 WHERE id = 1")
    app.digest("--store", app.store)
    assert not any((tmp_path / "other").iterdir())
    assert {line["path"]: line["isCurrent"] for line in app.status()["stores"]} == dict.fromkeys([app.store, *others], True)
    assert {line["path"]: line["lag"] for line in app.status()["stores"]}[app.store] == 0
    # The list is used when it is asked for, and then said; what cannot be opened is one of several.
    app.sql("UPDATE accounts SET amount = 13 WHERE id = 1")
    done = app.run("digest", "--upload", code=2)
    assert "as the database says" in done.stderr and f"uploaded to {others[0]}" in done.stderr
    assert f"uploaded to {app.store}" in done.stderr and json.loads(done.stdout)["block_id"] == 2


def test_digest_covers_what_it_takes_in(empty):
    """A table of a program without the extension joins when a block closes: it is in that block."""
    app = empty
    app.run("init", "--all-tables")
    app.sql("CREATE TABLE earlier(id INTEGER PRIMARY KEY)", "INSERT INTO earlier VALUES (1)")
    db = sqlite3.connect(app.path)
    db.execute("CREATE TABLE later(id INTEGER PRIMARY KEY, v)")
    db.execute("INSERT INTO later VALUES (1, 'x')")
    db.commit()
    db.close()
    app.digest()
    assert app.status()["openTransactions"] == 0
    assert [line["v"] for line in lines(app.run("history", "later", "--json"))] == ["x"]


def test_watch_once_and_until_stopped(app):
    app.run("watch", "--once", "--store", app.store)
    assert app.status()["stores"][0]["lag"] == 0
    watcher = subprocess.Popen(
        [str(binary()), "sql", "watch", str(app.path), "--interval", "0.2", "--json"], stdout=subprocess.PIPE,
        text=True, env={**clean_environment(), **app.environment})
    try:
        app.sql("UPDATE accounts SET amount = 12 WHERE id = 1")
        # The first line may tell how far the store was before.
        told = []
        while not told or (told[-1]["event"], told[-1]["blockId"]) != ("uploaded", 1):
            told.append(json.loads(watcher.stdout.readline()))
        assert told[-1]["store"] == app.store and told[-2]["event"] == "closed"
        app.sql("UPDATE accounts SET amount = 13 WHERE id = 1")
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(20) == 0
    finally:
        watcher.kill()
    status = app.status()
    assert status["openTransactions"] == 0 and status["stores"][0]["lag"] == 0, "the last round took what was left"
    assert app.verify("--store", app.store).stdout.startswith("VERIFIED")


def test_watch_without_a_store(app):
    assert "--store" in app.run("watch", "--once", code=2).stderr


def test_a_store_that_is_away_is_named_and_caught_up(app, tmp_path):
    gone = f"file://{tmp_path}/not/there"
    failed = app.run("watch", "--once", "--store", gone, "--store", app.store, code=2)
    assert gone in failed.stderr + failed.stdout
    assert {store["path"]: store["lag"] for store in app.status()["stores"]}[app.store] == 0
    (tmp_path / "not/there").mkdir(parents=True)
    app.run("watch", "--once", "--store", gone, "--store", app.store)
    assert {store["path"]: store["lag"] for store in app.status()["stores"]}[gone] == 0


@pytest.fixture
def silent():
    """Takes connections, says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        pin = json.loads((ROOT / "Vectors/sql/evidence/good.json").read_text())["serviceCertificate"]
        yield f"https://127.0.0.1:{server.getsockname()[1]}?collection=app", pin


@pytest.mark.timeout(90)
def test_watch_once_names_a_store_that_does_not_answer(app, tmp_path, silent):
    """While it waits; what the others have is said at once."""
    url, pin = silent
    (tmp_path / "pin.pem").write_text(pin)
    watch = subprocess.Popen(
        [str(binary()), "sql", "watch", str(app.path), "--once", "--store", url, "--store", app.store,
         "--service-certificate", str(tmp_path / "pin.pem")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment())
    began, at = time.monotonic(), {}
    for line in watch.stdout:
        at.setdefault(line.split(" ", 1)[1].split(" for ")[0].strip(), time.monotonic() - began)
    assert watch.wait() == 2
    (good,) = [when for line, when in at.items() if "digests through block 0 are at file://" in line]
    named = [when for line, when in at.items() if "has not answered" in line]
    assert good < 10 and named and 14 < named[0] < 30, at
    assert "HTTPClientError" not in " ".join(at), at


@pytest.mark.timeout(90)
def test_evidence_from_the_stores_that_answer(app, tmp_path):
    out = tmp_path / "row.json"
    gone = f"file://{tmp_path}/not/there"
    row = ["export", app.path, "--table", "accounts", "--key", "1", "--out", out]
    app.digest("--store", app.store)
    done = evidence(app, *row, "--store", gone, "--store", app.store)
    assert f"warning: {gone}: could not be read" in done.stderr and out.exists(), done
    out.unlink()
    done = evidence(app, *row, "--store", gone, code=2)
    assert "error: no digest" in done.stderr and f"\n{gone}: could not be read" in done.stderr and not out.exists(), done
    app.sql("UPDATE accounts SET amount = 12 WHERE id = 1")
    app.digest()
    done = evidence(app, *row, "--store", gone, "--store", app.store, code=2)
    assert f"\n{gone}: could not be read" in done.stderr and not out.exists(), done


# Verification

def test_nothing_anchors(app):
    done = app.verify(code=2)
    assert "anchor" in done.stdout
    report = app.report(code=2)
    assert report["verdict"] == "unable" and report["anchored_through_block"] is None


def test_verified_from_file_pipe_and_store(app, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest("--store", app.store))
    assert app.verify("--digest", kept).stdout.startswith("VERIFIED")
    assert app.verify("--digest", "-", stdin=kept.read_text()).stdout.startswith("VERIFIED")
    assert app.report("--store", app.store)["anchored_through_block"] == 0
    assert app.verify("--digest", kept, "--table", "accounts").returncode == 0
    assert app.verify("--digest", kept, "--jobs", "2").returncode == 0
    assert "digest" in app.verify("--digest", app.path, code=2).stderr
    assert app.verify("--digest", "/nonexistent", code=2).stderr


def test_the_file_is_not_changed(app, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    os.chmod(app.path, 0o444)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    app.verify("--digest", kept)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}


def test_tampering_is_named(app, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 2")
    done = app.verify("--digest", kept, code=1)
    assert done.stdout.startswith("TAMPERED") and "Eve" in done.stdout
    finding, = [line for line in app.report("--digest", kept, code=1)["findings"] if line["code"] == "ROW_ALTERED"]
    assert finding["object"] == "accounts" and finding["columns"] == ["owner"]
    assert finding["key"] == [{"column": "id", "value": "2"}] and finding["principal"] == "setup"


def test_JSON_is_one_line_to_whoever_splits_lines(empty):
    """Line ends of other kinds and control characters of a terminal are written as escapes."""
    text = "a\u0085b\u009b31m\u2028c\u202ed\u007fe\U0001f600ü"
    empty.run("init")
    done = empty.run("exec", "SELECT ? AS v", "-p", text, "--json")
    assert len(done.stdout.splitlines()) == 1 and json.loads(done.stdout) == {"v": text}
    assert "\\u2028" in done.stdout and "\\u009b" in done.stdout and "\U0001f600ü" in done.stdout


def test_repair(app, tmp_path):
    kept = tmp_path / "kept.json"
    app.sql("UPDATE accounts SET amount = 21 WHERE id = 2")
    kept.write_text(app.digest())
    app.tamper("INSERT INTO accounts VALUES (66, 'Mallory', 1e6)")
    assert "anchor" in app.run("repair", "--dry-run", code=2).stderr
    shown = app.run("repair", "--dry-run", "--digest", kept, code=1)
    assert "DELETE" in shown.stdout and "66" in shown.stdout
    assert len(app.rows("SELECT * FROM accounts")) == 4
    app.run("repair", "--apply", "--digest", kept, "--principal", "auditor")
    assert len(app.rows("SELECT * FROM accounts")) == 3
    # What was taken away is in the history, as the change of whoever did it.
    gone = lines(app.run("history", "accounts", "--key", "66", "--json"))
    assert [(line["operation"], line["owner"], line["principal"]) for line in gone] == [
        ("created", "Mallory", "auditor"), ("ended", "Mallory", "auditor")]
    kept.write_text(app.digest())
    app.verify("--digest", kept)


def test_repair_of_a_row_in_a_table_without_a_key(empty, tmp_path):
    kept = tmp_path / "kept.json"
    empty.run("init")
    empty.sql("CREATE TABLE log(line)", "SELECT ledger_enable('log')", "INSERT INTO log VALUES ('one')")
    kept.write_text(empty.digest())
    empty.tamper("INSERT INTO log VALUES ('stray')")
    empty.run("repair", "--apply", "--digest", kept)
    assert empty.rows("SELECT * FROM log") == [{"line": "one"}]
    assert [line["line"] for line in lines(empty.run("history", "log", "--json"))] == ["one", "stray", "stray"]


def test_keys_of_all_kinds(empty, tmp_path):
    """Negative numbers, NULL, a column that is called rowid and a row id that is not."""
    kept = tmp_path / "kept.json"
    empty.run("init")
    empty.sql("CREATE TABLE n(id INTEGER PRIMARY KEY, a)", "CREATE TABLE k(a, b, PRIMARY KEY(a, b))", "CREATE TABLE r(x, rowid, PRIMARY KEY(x, rowid))",
              "CREATE TABLE o(rowid TEXT)", *(f"SELECT ledger_enable('{name}')" for name in "nkro"),
              "INSERT INTO n VALUES (-17, 1), (-2, 2)", "INSERT INTO k VALUES (NULL, 2), (1, NULL)", "INSERT INTO r VALUES (1, 2)", "INSERT INTO o VALUES ('x')")
    kept.write_text(empty.digest())
    for table, *key in (("n", "-17"), ("k", "NULL", "2"), ("k", "b=NULL"), ("r", "1", "2"), ("r", "rowid=2"), ("o", "rowid=x"), ("o", "1")):
        words = [word for value in key for word in ("--key", value)]
        out = tmp_path / "row.json"
        done = run_cli("evidence", "export", empty.path, "--table", table, *words, "--digest", kept, "--out", out)
        assert done.returncode == 0, (table, key, done.stderr)
        assert len(json.loads(out.read_text())["items"]) == 1
        assert run_cli("evidence", "verify", out, "--digest", kept).returncode == 0
        if (table, *key) != ("o", "1"):
            assert len(lines(empty.run("history", table, *words, "--json"))) == 1, key
    assert "has no key" in empty.run("history", "o", "--key", "1", code=2).stderr
    assert empty.run("exec", "SELECT ? + 1 AS n", "-p", "-5", "--json").stdout == '{"n":-4}\n'


def test_repair_leaves_other_rows_alone(empty, tmp_path):
    """A trigger would delete more than the row that is in the way."""
    kept = tmp_path / "kept.json"
    empty.run("init")
    empty.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, a)", "SELECT ledger_enable('t')", "INSERT INTO t VALUES (1, 1), (2, 2)",
              "CREATE TRIGGER clears AFTER DELETE ON t BEGIN DELETE FROM t; END")
    kept.write_text(empty.digest())
    empty.tamper("INSERT INTO t VALUES (3, 'stray')")
    refused = empty.run("repair", "--apply", "--digest", kept, code=2)
    assert "clears" in refused.stderr and "nothing was changed" in refused.stderr and not refused.stdout
    assert len(empty.rows("SELECT * FROM t")) == 3
    empty.sql("DROP TRIGGER clears")
    empty.run("repair", "--apply", "--digest", kept)
    assert len(empty.rows("SELECT * FROM t")) == 2


def test_repair_keeps_row_ids(empty, tmp_path):
    """A row that is missing has its row id still."""
    kept = tmp_path / "kept.json"
    empty.run("init")
    empty.sql("CREATE TABLE t(k TEXT PRIMARY KEY)", "SELECT ledger_enable('t')", "INSERT INTO t VALUES ('a'), ('b')")
    kept.write_text(empty.digest())
    empty.tamper("INSERT INTO t(rowid, k) VALUES (-5, 'stray')", "DELETE FROM t WHERE k = 'b'")
    assert "ROW_MISSING" in empty.run("repair", "--apply", "--digest", kept, code=1).stdout
    assert empty.rows("SELECT k FROM t") == [{"k": "a"}]


def test_repair_of_generated_columns(empty, tmp_path):
    kept = tmp_path / "kept.json"
    empty.run("init")
    empty.sql("CREATE TABLE g(id INTEGER PRIMARY KEY, a, s AS (a * 2) STORED)", "SELECT ledger_enable('g')",
              "INSERT INTO g(id, a) VALUES (1, 5), (2, 6)")
    kept.write_text(empty.digest())
    empty.tamper("UPDATE g SET a = 50 WHERE id = 1")
    finding, = [found for found in empty.report("--digest", kept, code=1)["findings"] if found["code"] == "ROW_ALTERED"]
    assert finding["columns"] == ["a", "s"] and "SET a = 5 WHERE id = 1" in empty.verify("--digest", kept, code=1).stdout
    empty.run("repair", "--apply", "--digest", kept, code=0)
    assert empty.rows("SELECT * FROM g WHERE id = 1") == [{"id": 1, "a": 5, "s": 10}]


@pytest.fixture
def ten(empty, tmp_path):
    """Two tables with rows and versions, and the digest of all of it."""
    empty.run("init")
    empty.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE, n INT)",
              "CREATE TABLE k(x INT, y TEXT, z, PRIMARY KEY(x, y)) WITHOUT ROWID", "SELECT ledger_enable('a')", "SELECT ledger_enable('k')",
              *(f"INSERT INTO a VALUES ({at}, 'v{at}', {at * 7})" for at in range(1, 6)),
              "INSERT INTO k VALUES (1, 'p', 10), (2, 'q', 20), (3, 'r', 30)", "UPDATE k SET z = 11 WHERE x = 1", "DELETE FROM k WHERE x = 3")
    empty.kept = tmp_path / "kept.json"
    empty.kept.write_text(empty.digest())
    empty.was = empty.rows("SELECT * FROM a"), empty.rows("SELECT * FROM k")
    return empty


def repaired(database, code=None):
    """The findings, and what is in the tables after a repair."""
    findings = database.report("--digest", database.kept, code=1)["findings"]
    done = run_cli("sql", "repair", database.path, "--apply", "--digest", database.kept)
    assert done.returncode == (1 if code is None else code), (done.stdout, done.stderr)
    return findings, (database.rows("SELECT * FROM a"), database.rows("SELECT * FROM k"))


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_stamps_1 WHERE row_id = 3", "DELETE FROM ledger_stamps_1", "DELETE FROM ledger_stamps_2",
                                       "UPDATE ledger_stamps_1 SET row_id = 50 WHERE row_id = 3",
                                       "UPDATE ledger_stamps_2 SET y = 'other' WHERE x = 2"])
def test_repair_keeps_rows_whose_stamps_are_gone(ten, statement):
    """They are what the ledger wants, so they are no strangers."""
    ten.tamper(statement)
    findings, now = repaired(ten)
    assert now == ten.was
    assert all(finding["repair"]["action"] == "NONE" for finding in findings if finding["repair"])


def test_repair_keeps_rows_whose_stamps_were_given_to_others(ten):
    ten.tamper("INSERT INTO a SELECT 50, v || 'x', n FROM a WHERE id = 3", "UPDATE ledger_stamps_1 SET row_id = 50 WHERE row_id = 3")
    _, now = repaired(ten)
    assert {"id": 3, "v": "v3", "n": 21} in now[0]


@pytest.mark.parametrize("statement", ["UPDATE a SET id = 1000 WHERE id = 3", "UPDATE k SET x = 77 WHERE x = 2",
                                       "UPDATE a SET id = 1000, v = 'other' WHERE id = 3"])
def test_repair_keeps_what_is_left_of_rows_under_other_keys(ten, statement):
    ten.tamper(statement)
    before = ten.rows("SELECT * FROM a"), ten.rows("SELECT * FROM k")
    findings, now = repaired(ten)
    assert now == before
    assert {finding["code"] for finding in findings} >= {"ROW_MISSING", "ROW_EXTRA"}


def test_repair_keeps_current_rows_that_were_copied_into_history(ten):
    ten.tamper("INSERT INTO ledger_history_1 SELECT s.transaction_id, s.sequence_number, s.transaction_id + 1, 7, a.* FROM a "
               "JOIN ledger_stamps_1 AS s ON s.row_id = a.id WHERE a.id = 3")
    findings, now = repaired(ten)
    assert now == ten.was
    assert [(finding["code"], finding["object"]) for finding in findings] == [("VERSION_LINK", "ledger_history_1")]


def test_repair_takes_away_rows_that_came_back(ten):
    ten.tamper("INSERT INTO k VALUES (3, 'r', 30)",
               "INSERT INTO ledger_stamps_2 SELECT 3, 'r', ledger_start_transaction_id, ledger_start_sequence_number FROM ledger_history_2 WHERE x = 3")
    _, now = repaired(ten, code=0)
    assert now == ten.was


def test_repair_of_rows_and_of_what_records_changes(ten):
    """Triggers first, so that the repair itself is recorded."""
    ten.tamper("UPDATE a SET n = 77 WHERE id = 3")
    database = sqlite3.connect(ten.path)
    database.execute("DROP TRIGGER ledger_update_1")
    database.close()
    _, now = repaired(ten, code=0)
    assert now == ten.was
    assert [(line["operation"], line["n"]) for line in lines(ten.run("history", "a", "--key", "3", "--json"))][1:] == [("ended", 77), ("created", 21)]


@pytest.fixture
def unique(empty, tmp_path):
    empty.run("init")
    empty.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, v)", "SELECT ledger_enable('t')",
              "INSERT INTO t VALUES (1, 101, 10), (2, 102, 20), (3, 103, 30)")
    empty.kept = tmp_path / "kept.json"
    empty.kept.write_text(empty.digest())
    return empty


def test_repair_that_is_refused_stops_no_other(unique):
    """Two values that were exchanged are in each other's way."""
    unique.tamper("UPDATE t SET v = 31 WHERE id = 3", "UPDATE t SET u = 0 WHERE id = 1", "UPDATE t SET u = 101 WHERE id = 2",
                  "UPDATE t SET u = 102 WHERE id = 1")
    done = unique.run("repair", "--apply", "--digest", unique.kept, code=1)
    assert done.stdout.count("not made: UNIQUE constraint failed: t.u") == 2 and "1 repair made" in done.stdout, done.stdout
    rows = [{"id": 1, "u": 102, "v": 10}, {"id": 2, "u": 101, "v": 20}, {"id": 3, "u": 103, "v": 30}]
    assert unique.rows("SELECT * FROM t") == rows
    told = lines(unique.run("repair", "--apply", "--digest", unique.kept, "--json", code=1))
    assert [(line["isDone"], "UNIQUE" in line["explanation"]) for line in told if line["action"] == "UPDATE"] == [(False, True)] * 2
    assert unique.rows("SELECT * FROM t") == rows


def test_repair_that_another_one_makes_way_for(unique):
    unique.tamper("UPDATE t SET u = 0 WHERE id = 1", "UPDATE t SET u = 101 WHERE id = 2")
    unique.run("repair", "--apply", "--digest", unique.kept)
    assert unique.rows("SELECT u FROM t ORDER BY id") == [{"u": 101}, {"u": 102}, {"u": 103}]


def test_repair_that_a_trigger_refuses(unique):
    unique.sql("CREATE TRIGGER no BEFORE UPDATE ON t WHEN new.id = 2 BEGIN SELECT RAISE(ABORT, 'not that one'); END")
    unique.kept.write_text(unique.digest())
    unique.tamper("UPDATE t SET v = 0")
    done = unique.run("repair", "--apply", "--digest", unique.kept, code=1)
    assert "not made: not that one (the table's own triggers fire: no)" in done.stdout, done.stdout
    assert unique.rows("SELECT v FROM t ORDER BY id") == [{"v": 10}, {"v": 0}, {"v": 30}]


def test_repair_tells_texts_apart_as_the_key_does(empty, tmp_path):
    empty.run("init")
    empty.sql("CREATE TABLE w(k TEXT COLLATE NOCASE, v, PRIMARY KEY(k COLLATE BINARY)) WITHOUT ROWID", "SELECT ledger_enable('w')",
              "INSERT INTO w VALUES ('a', 1), ('A', 2)")
    kept = tmp_path / "kept.json"
    kept.write_text(empty.digest())
    for word, value in (("a", 1), ("A", 2)):
        done = run_cli("evidence", "export", empty.path, "--table", "w", "--key", word, "--digest", kept, "--out", tmp_path / f"{value}.json")
        assert done.returncode == 0, done.stderr
        assert [line["v"] for line in lines(empty.run("history", "w", "--key", word, "--json"))] == [value]
    empty.tamper("UPDATE w SET v = 2.0 WHERE k = 'A' COLLATE BINARY")
    assert "WHERE k COLLATE BINARY = 'A'" in empty.verify("--digest", kept, code=1).stdout
    empty.run("repair", "--apply", "--digest", kept)
    assert empty.rows("SELECT * FROM w ORDER BY v") == [{"k": "a", "v": 1}, {"k": "A", "v": 2}]


def test_evidence_of_a_text_that_looks_like_another_number(empty, tmp_path):
    empty.run("init")
    empty.sql("CREATE TABLE x(id TEXT PRIMARY KEY, v)", "CREATE TABLE i(id INTEGER PRIMARY KEY, v)", "SELECT ledger_enable('x')",
              "SELECT ledger_enable('i')", "INSERT INTO x VALUES ('7', 'seven'), ('100.0', 'hundred')", "INSERT INTO i VALUES (7, 'seven')")
    kept = tmp_path / "kept.json"
    kept.write_text(empty.digest())
    for table, word, code in (("x", "007", 2), ("x", "+7", 2), ("x", "1e2", 2), ("x", "7", 0), ("x", "100.0", 0), ("i", "7", 0)):
        done = run_cli("evidence", "export", empty.path, "--table", table, "--key", word, "--digest", kept, "--out", tmp_path / f"{table}{word}.json")
        assert (done.returncode == 0) == (code == 0), (table, word, done.stdout, done.stderr)
        assert bool(lines(empty.run("history", table, "--key", word, "--json"))) == (code == 0)


def test_history_with_columns_that_are_called_like_its_own(empty):
    empty.run("init")
    empty.sql('CREATE TABLE t(id INTEGER PRIMARY KEY, time TEXT, "time:2" TEXT, "time:3" TEXT)', "SELECT ledger_enable('t')",
              "INSERT INTO t VALUES (1, 'T1', 'T2', 'T3')")
    line, = lines(empty.run("history", "t", "--json"))
    assert {"T1", "T2", "T3"} <= set(line.values()) and line["time"].startswith("20")


def test_since_last(app, tmp_path):
    app.digest("--store", app.store)
    first = app.report("--store", app.store)
    assert first["since_block"] is None
    state, = (tmp_path / "state/indelible/verified").iterdir()
    assert state.name == first["ledger_id"] + ".json" and state.stat().st_mode & 0o777 == 0o600
    app.sql("UPDATE accounts SET amount = 14 WHERE id = 3")
    app.digest("--store", app.store)
    second = app.report("--store", app.store, "--since-last")
    assert second["since_block"] == 0 and second["anchored_through_block"] == 1
    assert app.status()["lastVerified"]["blockId"] == 1
    before = state.read_bytes()
    app.sql("UPDATE accounts SET amount = 15 WHERE id = 3")
    app.digest("--store", app.store)
    app.tamper("DELETE FROM accounts WHERE id = 3")
    assert app.report("--store", app.store, "--since-last", code=1)["verdict"] == "tampered"
    assert state.read_bytes() == before, "only a verified run moves the mark"
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 2")
    findings = app.report("--store", app.store, "--since-last", code=1)["findings"]
    assert not any(finding["key"] == [{"column": "id", "value": "2"}] for finding in findings), \
        "as documented: older rows are not read again"
    findings = app.report("--store", app.store, code=1)["findings"]
    assert any(finding["key"] == [{"column": "id", "value": "2"}] for finding in findings)


def test_since_last_after_vacuum(empty, tmp_path):
    """Row ids are given anew, so the table is read as a whole; what older transactions wrote is no news."""
    kept = tmp_path / "kept.json"
    empty.run("init", "--all-tables")
    empty.sql("CREATE TABLE t(k TEXT PRIMARY KEY, v)", "INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4)", "DELETE FROM t WHERE k = 'b'")
    kept.write_text(empty.digest())
    empty.verify("--digest", kept, "--since-last")
    for statement in "SELECT 1", "INSERT INTO t VALUES ('e', 5)", "UPDATE t SET v = 6 WHERE k = 'a'":
        empty.sql(statement)
        database = sqlite3.connect(empty.path)
        database.execute("VACUUM")
        database.close()
        kept.write_text(empty.digest())
        assert empty.report("--digest", kept, "--since-last")["findings"] == []
    empty.tamper("UPDATE t SET v = 7 WHERE k = 'e'")
    assert [found["code"] for found in empty.report("--digest", kept, code=1)["findings"]] == ["ROW_ALTERED"]


def test_a_rollback_is_seen_from_what_was_verified_last(app, tmp_path):
    app.digest("--store", app.store)
    older = app.path.read_bytes()
    app.sql("UPDATE accounts SET amount = 14 WHERE id = 3")
    app.digest("--store", app.store)
    app.verify("--store", app.store)
    app.path.write_bytes(older)
    for digest in (tmp_path / "digests").rglob("*"):
        if digest.is_file():
            digest.chmod(0o644)
            digest.unlink()
    codes = {line["code"] for line in app.report("--since-last", code=1)["findings"]}
    assert "ROLLBACK" in codes


def without_newest_digests(app, rest):
    """A store from which the newest digests were taken."""
    digests = sorted(file for file in Path(app.store.removeprefix("file://")).rglob("*.json") if file.is_file())
    for digest in digests[rest:]:
        digest.unlink()


def test_a_rollback_is_seen_by_a_whole_verification(app, tmp_path):
    """What this machine verified is a digest like others: it is compared, and not replaced by an older one."""
    app.digest("--store", app.store)
    app.sql("UPDATE accounts SET amount = 13 WHERE id = 3")
    (tmp_path / "older.json").write_text(app.digest("--store", app.store))
    older = app.path.read_bytes()
    app.sql("UPDATE accounts SET amount = 14 WHERE id = 3")
    app.digest("--store", app.store)
    app.verify("--store", app.store)
    state, = (tmp_path / "state/indelible/verified").iterdir()
    before = state.read_bytes()
    report = app.report("--digest", tmp_path / "older.json")
    assert report["anchored_through_block"] == 1 and any(str(state) in note for note in report["notes"])
    assert state.read_bytes() == before, "an older digest sets nothing back"
    assert app.report(code=2)["digests"]["given"] == 0, "it vouches for nothing where nobody names a digest"
    # A backup may lag behind what was verified in the place of the database, and sets nothing back.
    copy = tmp_path / "copy.db"
    copy.write_bytes(older)
    told = app.run("verify", "--digest", tmp_path / "older.json", database=copy).stdout
    assert f"not compared with block 2, which this machine verified last of this ledger, in {app.path}" in told
    told = app.run("status", database=copy).stdout
    assert "through block 1" in told and ", in " not in told
    assert "through block 2" in app.run("status").stdout
    app.verify("--digest", tmp_path / "older.json", "--since-last", "--state", tmp_path / "other.json", database=copy)
    before = state.read_bytes()
    app.path.write_bytes(older)
    without_newest_digests(app, 2)
    assert "through block 2" in app.run("status").stdout and "this database has not" in app.run("status").stdout
    for words in ["--store", app.store], ["--store", app.store, "--since-last"], []:
        findings = app.report(*words, code=1)["findings"]
        assert ("ROLLBACK", str(state)) in [(found["code"], found["object"]) for found in findings]
        assert state.read_bytes() == before
    app.verify("--store", app.store, "--table", "notes")
    # Written on, it is another history.
    app.sql("UPDATE accounts SET amount = 15 WHERE id = 3")
    app.digest("--store", app.store)
    assert {found["code"] for found in app.report("--store", app.store, code=1)["findings"]} >= {"DIGEST_MISMATCH"}
    # Whoever restored it on purpose says so.
    state.unlink()
    assert app.verify("--store", app.store).stdout.startswith("VERIFIED up to block 2:")


def test_what_was_verified_last_goes_by_the_file(app, tmp_path):
    """By the name that was given and the one without links; each file has its own."""
    app.digest("--store", app.store)
    older = tmp_path / "older.db"
    older.write_bytes(app.path.read_bytes())
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    for amount in 13, 14:
        app.sql(f"UPDATE accounts SET amount = {amount} WHERE id = 3")
        app.digest("--store", app.store)
        app.verify("--store", app.store)
    backup = tmp_path / "backup.db"
    backup.write_bytes(app.path.read_bytes())
    app.run("exec", "UPDATE accounts SET amount = 15 WHERE id = 3", database=backup)
    later = tmp_path / "later.json"
    later.write_text(app.run("digest", database=backup).stdout)
    app.verify("--digest", later, database=backup)
    # A copy that lags behind, continued: what it has not got is no rollback of it.
    told = app.verify("--digest", kept, "--since-last", database=older).stdout
    assert f"not compared with block 3, which this machine verified last of this ledger, in {backup}: everything was read" in told
    link, folder = tmp_path / "link.db", tmp_path / "folder"
    link.symlink_to(app.path)
    folder.symlink_to(tmp_path)
    content = app.path.read_bytes()
    app.path.write_bytes(older.read_bytes())
    for path in app.path, link, folder / "app.db":
        assert "ROLLBACK" in [found["code"] for found in json.loads(
            app.verify("--json", "--digest", kept, code=1, database=path).stdout)["findings"]], path
    app.path.unlink()
    app.path.symlink_to(older)
    assert "ROLLBACK" in [found["code"] for found in app.report("--digest", kept, code=1)["findings"]]
    app.path.unlink()
    app.path.write_bytes(content)
    app.verify("--store", app.store)


def test_outputs_beside_links_and_in_stores(app, tmp_path):
    app.digest("--store", app.store)
    (tmp_path / "apart").mkdir()
    link = tmp_path / "apart/link.db"
    link.symlink_to(app.path)
    done = app.verify("--store", app.store, "--html", f"{app.path}-wal", code=2, database=link)
    assert "is what this command reads" in done.stderr and not Path(f"{app.path}-wal").exists()
    stored, = (file for file in (tmp_path / "digests").rglob("*.json"))
    before = stored.read_bytes()
    for place in stored, stored.parent / "new.html", tmp_path / "digests/new.html":
        assert "is in a place that this command reads" in app.verify("--store", app.store, "--html", place, code=2).stderr
        done = run_cli("evidence", "export", app.path, "--table", "accounts", "--key", "1", "--store", app.store, "--out", place)
        assert done.returncode == 2 and "is in a place that this command reads" in done.stderr
    assert stored.read_bytes() == before
    app.verify("--store", app.store, "--html", tmp_path / "digests.html")


def test_a_digest_on_standard_input_is_read_once(app, tmp_path):
    digest = app.digest()
    evidence(app, "export", app.path, "--table", "accounts", "--key", "1", "--digest", "-", "--out", tmp_path / "row.json", stdin=digest)


def test_what_was_verified_last_hushes_no_digest_of_another_ledger(app, tmp_path):
    kept, foreign = tmp_path / "kept.json", tmp_path / "foreign.json"
    kept.write_text(app.digest())
    foreign.write_text(json.dumps({**json.loads(kept.read_text()), "ledger_id": "00" * 16, "database_name": "other"}))
    app.verify("--digest", kept)
    assert "DIGEST_MISMATCH" in [found["code"] for found in app.report("--digest", foreign, code=1)["findings"]]


@pytest.mark.timeout(60)
def test_no_state_takes_the_place_of_something_else(app, tmp_path):
    kept, notes, fresh = tmp_path / "kept.json", tmp_path / "notes.txt", tmp_path / "sub" / "fresh.json"
    kept.write_text(app.digest())
    notes.write_text("mine")
    pipe, device = tmp_path / "pipe", tmp_path / "null"
    os.mkfifo(pipe)
    others = [notes, pipe, tmp_path]
    if os.geteuid() == 0:
        try:
            os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
            device.chmod(0o666)
            others.append(device)
        except PermissionError:
            pass  # not in every container
    for file in others:
        before = file.stat()
        for words in [], ["--since-last"]:
            done = app.verify("--digest", kept, "--state", file, *words, code=2)
            assert f"{file}: cannot be read as what this program verified last, and is not replaced" in done.stderr, done
        assert (file.stat().st_mode, file.stat().st_ino) == (before.st_mode, before.st_ino)
    assert notes.read_text() == "mine"
    app.verify("--digest", kept, "--state", fresh)
    assert fresh.stat().st_mode & 0o777 == 0o600
    fresh.chmod(0o640)
    app.verify("--digest", kept, "--state", fresh)
    assert fresh.stat().st_mode & 0o777 == 0o640, "a file that was there keeps its mode"
    other = Database(tmp_path / "other")
    other.run("init")
    other.sql("CREATE TABLE t (x)", "SELECT ledger_enable('t')")
    (tmp_path / "others.json").write_text(other.digest())
    before = fresh.read_bytes()
    assert "is of another ledger" in other.verify("--digest", tmp_path / "others.json", "--state", fresh, code=2).stderr
    assert fresh.read_bytes() == before


def test_no_output_takes_the_place_of_an_input(app, tmp_path):
    """Who mixes up two words does not lose the database for it."""
    kept, second, link = tmp_path / "kept.json", tmp_path / "second.db", tmp_path / "link.db"
    kept.write_text(app.digest())
    second.hardlink_to(app.path)
    link.symlink_to(app.path)
    before = app.path.read_bytes(), kept.read_bytes()
    files = [app.path, second, link, kept, f"{app.path}-wal", f"{app.path}-journal", f"{tmp_path}/./app.db-wal"]
    row = ["--table", "accounts", "--key", "1"]
    for file in files:
        for option in "--state", "--html":
            done = app.verify("--digest", kept, option, file, code=2)
            assert f"{option}: {file}: is what this command reads" in done.stderr and done.stdout == "", done
        done = evidence(app, "export", app.path, *row, "--digest", kept, "--out", file, code=2)
        assert f"--out: {file}: is what this command reads" in done.stderr, done
    app.verify("--digest", kept)
    state, = (tmp_path / "state/indelible/verified").iterdir()
    assert "--html" in app.verify("--digest", kept, "--html", state, code=2).stderr
    assert (app.path.read_bytes(), kept.read_bytes()) == before and not Path(f"{app.path}-wal").exists()
    assert "--out" in evidence(app, "export", "--entry", "2.1", "--service-certificate", kept, "--out", kept, code=2).stderr
    app.verify("--digest", kept, "--html", tmp_path / "page.html", "--state", tmp_path / "state.json")


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_digests_that_an_editor_saved_with_a_byte_order_mark(app, tmp_path, mark):
    kept, marked, row = tmp_path / "kept.json", tmp_path / "marked.json", tmp_path / "row.json"
    kept.write_text(app.digest())
    marked.write_bytes(kept.read_text().encode(mark))
    says = "marked.json: begins with a byte order mark"
    assert says in app.verify("--digest", marked, code=2).stderr
    evidence(app, "export", app.path, "--table", "accounts", "--key", "1", "--digest", kept, "--out", row)
    assert says in evidence(app, "verify", row, "--digest", marked, code=2).stderr
    row.write_bytes(row.read_text().encode(mark))
    assert "row.json: begins with a byte order mark" in evidence(app, "verify", row, "--digest", kept, code=2).stderr
    said = app.verify("--digest", "-", stdin=marked.read_bytes(), code=2).stderr
    assert "standard input: begins with a byte order mark" in said


# The SQL of a report

SUBTLE = ["12 High Street\nLondon", "back\\nslash", "Ada\u200b", "\u00a0", "a\tb\r\nc", "it's\n'quoted'", "\n", "\u202egnp\U000e0041",
          "\n".join("line" for _ in range(2_000)), "x\u2028", "日本 ☕ e\u0301", ""]


def test_the_SQL_of_a_repair_writes_what_it_says(empty, tmp_path):
    """Of a text that does not show as it is, too; and what differs is seen to."""
    kept, out = tmp_path / "kept.json", tmp_path / "page.html"
    empty.run("init")
    empty.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)", "SELECT ledger_enable('t')")
    for number, text in enumerate(SUBTLE):
        # Originals are looked for in other rows.
        empty.sql(f"INSERT INTO t SELECT id, CAST(x'{text.encode().hex()}' AS TEXT) FROM "
                  f"(SELECT {number} AS id UNION ALL SELECT {number + 100})")
    kept.write_text(empty.digest())
    empty.tamper("UPDATE t SET note = 'forged' WHERE id < 100")
    report = empty.verify("--digest", kept, "--html", out, code=1).stdout
    assert "UPDATE t SET note = '12 High Street' || char(10) || 'London' WHERE id = 0" in report
    assert "UPDATE t SET note = '12 High Street' || char(10) || 'London' WHERE id = 0" in page(out)
    found = {finding["key"][0]["value"]: finding["expected"] for finding in empty.report("--digest", kept, code=1)["findings"]}
    assert found["1"] == "'back\\nslash'" and found["2"] == "'Ada' || char(8203)" and found["6"] == "char(10)"
    shown = empty.run("repair", "--digest", kept, "--dry-run", code=1).stdout
    statements = [line.strip() for line in shown.splitlines() if line.startswith("  UPDATE")]
    assert statements == [line["statement"] + ";" for line in lines(
        empty.run("repair", "--digest", kept, "--dry-run", "--json", code=1))]
    assert len(statements) == len(SUBTLE)
    empty.sql("\n".join(statements))
    assert [row["note"] for row in empty.rows("SELECT note FROM t WHERE id < 100 ORDER BY id")] == SUBTLE
    # Two texts that look the same do not in a report.
    empty.tamper("UPDATE t SET note = 'Ada' WHERE id = 2")
    report = empty.verify("--digest", kept, code=1).stdout
    assert "expected   'Ada' || char(8203)\n" in report and "found      'Ada'\n" in report


def test_what_differs_is_seen_to_differ(empty, tmp_path):
    """Definitions that differ in what does not show, and texts that are only encoded differently."""
    kept, out = tmp_path / "kept.json", tmp_path / "page.html"
    empty.run("init")
    empty.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT CHECK (note <> 'bad'))", "SELECT ledger_enable('t')",
              "INSERT INTO t VALUES (1, 'caf\u00e9'), (2, 'caf\u00e9')")
    kept.write_text(empty.digest())
    empty.tamper("UPDATE t SET note = 'cafe\u0301' WHERE id = 1")
    database = sqlite3.connect(empty.path)
    database.executescript("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'bad', 'bad' || char(8203)) "
                           "WHERE name = 't'")
    database.close()
    report = empty.verify("--digest", kept, "--html", out, code=1).stdout
    for text in report, page(out):
        assert "'caf\u00e9' (in UTF-8: 27636166c3a927)" in text and "'cafe\u0301' (in UTF-8: 2763616665cc8127)" in text, text
        assert "'bad\\u{200b}'" in text and "\u200b" not in text


def test_texts_in_evidence_do_not_look_like_others(empty, tmp_path):
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    empty.run("init")
    empty.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)", "SELECT ledger_enable('t')")
    for number, (text, principal) in enumerate([("a\nb", "p\nq"), ("a\\nb", "p\\nq")]):
        empty.sql(f"INSERT INTO t VALUES ({number}, '{text}')", "--principal", principal)
    kept.write_text(empty.digest())
    seen = []
    for number in range(2):
        evidence(empty, "export", empty.path, "--table", "t", "--key", str(number), "--digest", kept, "--out", out)
        shown = evidence(empty, "verify", out, "--digest", kept).stdout
        seen.append((re.search("note = (.*)", shown)[1], re.search("by (.*) [(]login", shown)[1]))
    assert seen == [("'a' || char(10) || 'b'", r"'p\nq'"), (r"'a\nb'", r"'p\\nq'")]


def test_a_value_that_was_cut_says_how_long_it_is(empty, tmp_path):
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    empty.run("init")
    empty.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT, photo BLOB)", "SELECT ledger_enable('t')",
              "INSERT INTO t VALUES (1, printf('%.30000c', 'ü'), zeroblob(20000))")
    kept.write_text(empty.digest())
    evidence(empty, "export", empty.path, "--table", "t", "--key", "1", "--digest", kept, "--out", out)
    shown = evidence(empty, "verify", out, "--digest", kept).stdout
    assert "… (60000 bytes)\n" in shown and "… (20000 bytes)\n" in shown


# What stands in a database, in lines of its own

FORGED = "x\n\nFORGED up to block 7: every row leads to a digest from outside.\n  FORGED\r\u2028FORGED"


def no_forged_line(*finished):
    text = "".join(done.stdout + done.stderr for done in finished)
    assert "FORGED" in text
    for line in re.split("[\n\r\u2028\u2029\x0b\x0c\x85]", text):
        assert not line.removeprefix("error:").strip().startswith("FORGED"), text


def test_recorded_texts_make_no_lines(empty, tmp_path):
    kept = tmp_path / "kept.json"
    name, column = (word.replace('"', '""') for word in (FORGED, "c" + FORGED))
    made = FORGED.replace("'", "''")
    empty.run("init", "--all-tables")
    empty.sql(f'CREATE TABLE "{name}" (id TEXT PRIMARY KEY, "{column}" TEXT)')
    empty.sql(f"SELECT ledger_set_principal('{made}')", f"INSERT INTO \"{name}\" VALUES ('{made}', 'a'), ('b', '{made}')")
    kept.write_text(empty.digest())
    no_forged_line(empty.verify("--digest", kept, "--table", FORGED))
    no_forged_line(empty.run("status"), empty.run("history", FORGED), empty.run("enable", FORGED))
    out = tmp_path / "rows.json"
    evidence(empty, "export", empty.path, "--table", FORGED, "--key", "b", "--digest", kept, "--out", out)
    no_forged_line(evidence(empty, "verify", out, "--digest", kept, "--steps"))
    empty.tamper(f"""UPDATE "{name}" SET "{column}" = 'found ' || '{made}'""")
    empty.tamper(f"INSERT INTO database_ledger_digest_locations VALUES ('{made}', 0, 1)")
    empty.tamper(f"INSERT INTO \"{name}\" VALUES ('{made}2', 'past')")
    found = empty.verify("--digest", kept, code=1)
    no_forged_line(found)
    # Nothing of that is in lines of another kind.
    for line in found.stdout.splitlines():
        assert re.match(r"$|  \S|[A-Z_]+ |TAMPERED: |Note: ", line), line
    no_forged_line(empty.run("repair", "--digest", kept, "--dry-run", code=1), empty.run("status"))


def test_definitions_steer_no_terminal(empty):
    empty.run("init")
    empty.sql('CREATE TABLE "a\x1b[31mb" (\n  id INTEGER\n)')
    shown = empty.run("shell", stdin=".schema\n").stdout
    assert "\x1b" not in shown and '"a\\u{1b}[31mb" (\n  id INTEGER\n);' in shown, shown


def test_texts_of_the_store_list_make_no_lines(app):
    app.digest()
    app.tamper("INSERT INTO database_ledger_digest_locations VALUES ('file:///nope/%0AFORGED%20digests%1B[2J', 0, 1)",
               "INSERT INTO database_ledger_digest_locations VALUES ('file:///nope/%0AFORGED%20digests%1B%5B2J', 0, 1)")
    app.sql("UPDATE accounts SET amount = 12 WHERE id = 1")
    no_forged_line(app.run("watch", "--once", code=2))
    no_forged_line(app.run("digest", "--upload", code=2))
    no_forged_line(app.verify("--store", "file:///nope/%0AFORGED%1B", code=2))


def test_expected_stores_are_compared_as_places(app, tmp_path):
    """Uploads are recorded in one spelling, which is not always the one in which a store was named."""
    app.digest("--store", app.store)
    folder = app.store.removeprefix("file://")
    for url in f"file://{folder}/", f"FILE://{folder}", app.store.replace("digests", "d%69gests"):
        app.verify("--store", app.store, "--expect-store", url)
    for url in folder, "file://host/x", "ftp://host", "https://host?other=1", "":
        done = app.verify("--store", app.store, "--expect-store", url, code=2)
        assert "--expect-store" in done.stderr and done.stdout == "", done


def test_a_digest_that_nobody_could_read_is_not_stored(app, tmp_path):
    app.run("watch", "--once", "--store", app.store)
    honest = app.path.read_bytes()
    stored = sorted((tmp_path / "digests").rglob("*"))
    for number in 9_223_372_036_854_775_807, 9_007_199_254_740_992:
        app.tamper(
            f"INSERT INTO database_ledger_blocks SELECT {number}, transactions_root_hash, block_size, first_transaction_id, "
            "previous_block_hash, history_root_hash, close_time FROM database_ledger_blocks",
            "DELETE FROM database_ledger_digest_locations")
        app.run("watch", "--once", "--store", app.store, code=2)
        app.run("digest", "--no-close", "--store", app.store, code=2)
        app.path.write_bytes(honest)
        assert sorted((tmp_path / "digests").rglob("*")) == stored
    assert app.verify("--store", app.store).stdout.startswith("VERIFIED")


def test_policy(app):
    app.digest("--store", app.store)
    ledger = app.status()["ledgerId"]
    app.verify("--store", app.store, "--expect-ledger", ledger, "--expect-store", app.store)
    assert app.verify("--store", app.store, "--expect-store", "file:///elsewhere", code=1).stdout.count("POLICY_DRIFT")
    app.verify("--store", app.store, "--expect-ledger", "0" * 32, code=1)
    app.sql("UPDATE accounts SET amount = 15 WHERE id = 1")
    assert app.report("--store", app.store)["tail"]["transactions"] == 1
    assert app.verify("--store", app.store, "--max-tail", "0", code=2).stdout.count("TAIL_UNATTESTED")


class Strict(html.parser.HTMLParser):
    """Collects text, and refuses what an auditor's page may not hold."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.open = [], []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "img", "iframe", "object", "link"), tag
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attributes), attributes
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page(path):
    parser = Strict()
    parser.feed(path.read_text())
    parser.close()
    assert parser.open == []
    return "".join(parser.text)


def test_an_output_file_that_is_a_directory(app, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    assert f"{tmp_path}: is a directory" in app.verify("--digest", kept, "--html", tmp_path, code=2).stderr
    assert app.verify("--digest", kept, "--table", "ACCOUNTS").stdout.startswith("VERIFIED IN PART")


def test_a_verdict_says_what_it_holds_for(app, tmp_path):
    """What is altered outside of what was read is not called unchanged."""
    kept, out = tmp_path / "kept.json", tmp_path / "page.html"
    kept.write_text(app.digest())
    assert app.verify("--digest", kept).stdout.startswith("VERIFIED up to block 0: ")
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 2")
    for words, part in ((["--table", "notes"], "only table notes"), (["--since-last"], "only what came after block 0"),
                        (["--table", "notes", "--since-last"], "only table notes, and of that only what came after block 0")):
        text = app.verify("--digest", kept, "--html", out, *words).stdout
        assert text.startswith(f"VERIFIED IN PART up to block 0, {part}: "), text
        assert f"verified in part, {part}" in page(out) and "cannot say" in page(out)
    app.path.write_bytes(app.path.read_bytes()[:9000])
    assert app.verify("--digest", kept, "--html", out, code=2).stdout.startswith("UNABLE TO VERIFY")
    assert "not everything could be checked" in page(out) and "not anchored" not in page(out)


def test_a_verdict_does_not_hold_for_the_tail(app, tmp_path):
    """No digest covers what is newer than the newest: the verdict says so, wherever it stands."""
    kept, out = tmp_path / "kept.json", tmp_path / "page.html"
    kept.write_text(app.digest())

    def head(*words):
        return app.verify("--digest", kept, "--html", out, *words).stdout.splitlines()[0]

    assert head() == "VERIFIED up to block 0: every row leads to a digest from outside."
    assert "all of them lead to a digest" in page(out) and "no digest yet" not in page(out)
    app.sql("CREATE TABLE fresh (id INTEGER PRIMARY KEY, v)")
    app.sql("SELECT ledger_enable('fresh')")
    tail = app.report("--digest", kept)["tail"]["transactions"]
    assert tail == 1
    assert head() == ("VERIFIED up to block 0: every row recorded up to there leads to a digest from outside; "
                      "the newest transaction is in none yet.")
    assert "could have written it differently" in page(out) and "the newest transaction (" in page(out)
    app.sql("INSERT INTO fresh VALUES (1, 'x')")
    assert head("--table", "fresh") == (
        "VERIFIED IN PART up to block 0, only table fresh: every row of this recorded up to there leads to a digest from "
        "outside; the newest 2 transactions are in none yet.")
    text = page(out)
    assert "all that were recorded up to block 0 lead to a digest" in text and "all of them" not in text
    assert "But the newest 2 transactions are in no digest yet" in text
    kept.write_text(app.digest())
    assert head() == "VERIFIED up to block 1: every row leads to a digest from outside."


def test_a_finding_that_stands_for_several(app, tmp_path):
    """The headline counts what is listed below it."""
    kept = tmp_path / "kept.json"
    app.digest()
    for number in range(2):
        app.sql(f"INSERT INTO notes VALUES ('more {number}')")
        kept.write_text(app.digest())
    foreign = json.loads(kept.read_text())
    foreign["ledger_id"] = "00" * 16
    (tmp_path / "foreign.json").write_text(json.dumps([
        {**foreign, "block_id": number, "block_count": number + 1} for number in range(3)]))
    report = app.report("--digest", tmp_path / "foreign.json", code=1)
    counts = [finding["count"] for finding in report["findings"] if finding["code"] == "DIGEST_MISMATCH"]
    assert counts == [3]
    text = app.verify("--digest", tmp_path / "foreign.json", code=1).stdout
    assert text.startswith("TAMPERED: 1 finding, which stands for 3.\n") and "\n  stands for 3 findings\n" in text
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 2")
    text = app.verify("--digest", tmp_path / "foreign.json", code=1).stdout
    assert text.startswith("TAMPERED: 2 findings, which stand for 4.\n")
    assert app.verify("--digest", kept, code=1).stdout.startswith("TAMPERED: 1 finding.\n")


def test_a_verdict_is_told_whatever_cannot_be_written(app, tmp_path):
    kept, missing = tmp_path / "kept.json", tmp_path / "missing" / "page.html"
    kept.write_text(app.digest())
    app.environment["XDG_STATE_HOME"] = "/dev/null"
    done = app.verify("--digest", kept)
    assert done.stdout.startswith("VERIFIED") and "warning: what was verified cannot be kept" in done.stderr, done
    done = app.verify("--digest", kept, "--html", missing, "--json", code=2)
    assert json.loads(done.stdout)["verdict"] == "verified" and f"error: --html: {missing}: there is no directory {missing.parent}\n" in done.stderr
    assert "Failure(" not in done.stderr and "for the next verification: /dev/null" in done.stderr
    assert app.verify("--digest", kept, "--html", "-").stdout.startswith("<!DOCTYPE html>")
    assert "standard output" in app.verify("--digest", kept, "--html", "-", "--json", code=2).stderr
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 2")
    assert app.verify("--digest", kept, "--html", missing, code=1).stdout.startswith("TAMPERED")


def test_html(empty, tmp_path):
    hostile = "</code><script>alert('1')</script>&amp;\"'\x1b[31m"
    plain = sqlite3.connect(empty.path)
    plain.execute('CREATE TABLE "<img src=x onerror=alert(1)>" (id INTEGER PRIMARY KEY, "<b>" TEXT)')
    plain.execute('INSERT INTO "<img src=x onerror=alert(1)>" VALUES (1, ?)', [hostile])
    plain.commit()
    plain.close()
    empty.run("init", "--all-tables", "--principal", "<i>p</i>")
    kept, good, bad = tmp_path / "kept.json", tmp_path / "good.html", tmp_path / "bad.html"
    kept.write_text(empty.digest())
    empty.verify("--digest", kept, "--html", good)
    empty.verify("--html", tmp_path / "none.html", code=2)
    assert "not anchored" in page(tmp_path / "none.html")
    assert "verified" in page(good) and "None." in page(good)
    empty.tamper('UPDATE "<img src=x onerror=alert(1)>" SET "<b>" = "<b>" || \'<svg onload=x>\'')
    empty.verify("--digest", kept, "--html", bad, code=1)
    text = page(bad)
    assert "tampered with" in text and "ROW_ALTERED" in text and "<img src=x onerror=alert(1)>" in text
    assert "<i>p</i>" in text and "\x1b" not in bad.read_text()


def test_sqlite_urls(app):
    assert json.loads(run_cli("sql", "status", f"sqlite://{app.path}", "--json").stdout)["tables"]
    assert json.loads(run_cli("sql", "status", f"sqlite:{app.path}", "--json").stdout)["tables"]


# Evidence

def evidence(app, *words, code=0, **options):
    done = run_cli("evidence", *words, environment=app.environment, **options)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done


def test_evidence_with_a_digest_that_was_kept(app, tmp_path):
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    kept.write_text(app.digest())
    done = evidence(app, "export", app.path, "--table", "accounts", "--key", "2", "--digest", kept, "--out", out, "--json")
    assert json.loads(done.stdout)["verdict"] == "verified"
    text = out.read_text()
    assert "Bob" in text and "Ada" not in text and "adopted" not in text, "no other row is disclosed"
    shown = evidence(app, "verify", out, "--digest", kept).stdout
    assert "owner = 'Bob'" in shown and "still current" in shown
    assert evidence(app, "verify", out, code=2).stdout.startswith("not anchored")
    for value, other in (("Bob", "Bot"), ("setup", "setuq"), ('"sequence_number":1', '"sequence_number":2')):
        assert value in text
        (tmp_path / "changed.json").write_text(text.replace(value, other))
        evidence(app, "verify", tmp_path / "changed.json", "--digest", kept, code=1)
    (tmp_path / "cut.json").write_text(text[:-10])
    assert "not evidence" in evidence(app, "verify", tmp_path / "cut.json", code=2).stderr


def test_names_in_evidence_are_compared_by_their_bytes(app, tmp_path):
    """To SQLite, hashes and the page, equivalent spellings are two names."""
    kept, out = tmp_path / "kept.json", tmp_path / "row.json"
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    other = Database(tmp_path / "other")
    other.path = other.folder / f"{composed}.db"
    other.run("init", "--all-tables")
    other.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, 'x')")
    kept.write_text(other.digest())
    evidence(other, "export", other.path, "--table", "t", "--key", "1", "--digest", kept, "--out", out)
    bundle = json.loads(out.read_text())
    assert bundle["database_name"] == composed
    evidence(other, "verify", out, "--digest", kept)
    bundle["database_name"] = decomposed
    out.write_text(json.dumps(bundle))
    assert "another ledger or database" in evidence(other, "verify", out, "--digest", kept, code=1).stdout


def test_evidence_of_all_versions_and_across_blocks_and_schemas(app, tmp_path):
    kept, out = tmp_path / "kept.json", tmp_path / "rows.json"
    app.digest()
    app.sql("ALTER TABLE accounts RENAME COLUMN owner TO holder", "ALTER TABLE accounts ADD COLUMN note TEXT DEFAULT 'n'")
    app.sql("UPDATE accounts SET holder = 'Al' WHERE id = 1")
    app.digest()
    app.sql("SELECT ledger_drop_column('accounts', 'amount')", "DELETE FROM accounts WHERE id = 1")
    kept.write_text(app.digest())
    evidence(app, "export", app.path, "--table", "accounts", "--row", "1", "--row", "2", "--version", "all",
             "--with-schema", "--digest", kept, "--out", out)
    report = json.loads(evidence(app, "verify", out, "--digest", kept, "--json").stdout)
    assert report["verdict"] == "verified" and "ledger_schema_events" in out.read_text()
    shown = evidence(app, "verify", out, "--digest", kept).stdout
    assert "owner = 'Ada'" in shown and "holder = 'Al'" in shown and "called accounts, as of transaction" in shown and "; ended in transaction" in shown
    gone = evidence(app, "export", app.path, "--table", "accounts", "--key", "1", "--digest", kept, "--out", out, code=2)
    assert "ended versions" in gone.stderr
    evidence(app, "export", app.path, "--table", "accounts", "--key", "1", "--version", "99", "--digest", kept, "--out",
             out, code=2)


def test_evidence_that_cannot_be_had(app, tmp_path):
    out = tmp_path / "x.json"
    words = ["export", app.path, "--table", "accounts", "--key", "1", "--out", out]
    assert "closed block" in evidence(app, *words, "--store", app.store, code=2).stderr
    app.digest()
    assert "digest" in evidence(app, *words, code=2).stderr
    assert "nowhere" in evidence(app, "export", app.path, "--table", "nowhere", "--key", "1", "--out", out, code=2).stderr
    assert "--table" in evidence(app, "export", app.path, "--out", out, code=2).stderr
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 1")
    assert "sql verify" in evidence(app, *words, "--digest", kept, code=2).stderr
    assert not out.exists()


def test_evidence_page(app, tmp_path):
    evidence(app, "page", "--out", tmp_path / "page.html")
    page_text = (tmp_path / "page.html").read_text()
    assert page_text.startswith("<!") and "crypto.subtle" in page_text
    assert not re.search(r"""(src|href)\s*=\s*["']https?:""", page_text), "it needs no network"


# The verifier in Python

def second(app, *words):
    script = ROOT / "Examples/python/verify_sql_ledger.py"
    return subprocess.run([sys.executable, script, app.path, *words], capture_output=True, text=True, timeout=120)


def test_the_second_verifier_names_what_it_did_not_read(app, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(app.digest())
    whole = second(app, "--digests", kept)
    assert whole.returncode == 0 and whole.stdout.splitlines()[-1].startswith("ok: ")
    part = second(app, "--digests", kept, "--table", "ACCOUNTS")
    assert part.returncode == 0 and part.stdout.splitlines()[-1].startswith("ok in part, only of ACCOUNTS: ")
    for words in (["nowhere"], ["accounts", "--table", "nowhere"], ["ÀCCOUNTS", "--table", "nowhere"], [""]):
        done = second(app, "--digests", kept, "--table", *words)
        assert done.returncode == 2 and f"VERIFIER_BLOCKED {words[-1]}: there is no ledger table" in done.stdout, done.stdout
        report = json.loads(second(app, "--digests", kept, "--json", "--table", *words).stdout)
        assert report["verdict"] == "unable" and report["tables"] == [word for word in words if word != "--table"]
    assert app.verify("--digest", kept, "--table", "nowhere", code=2).stdout.count("VERIFIER_BLOCKED nowhere") == 1


def test_the_second_verifier_reads_its_own_folder_of_a_store(app, tmp_path):
    other = Database(tmp_path / "other")
    other.run("init")
    other.sql("CREATE TABLE accounts (id INTEGER PRIMARY KEY)", "SELECT ledger_enable('accounts')",
              "INSERT INTO accounts VALUES (1)")
    other.run("watch", "--once", "--store", app.store)
    store = app.folder / "digests"
    alone = second(app, "--digests", store)
    assert alone.returncode == 2 and "holds no digest of this ledger" in alone.stdout and "MISMATCH" not in alone.stdout
    app.run("watch", "--once", "--store", app.store)
    assert len(list(store.iterdir())) == 2
    for database in (app, other):
        done = second(database, "--digests", store)
        assert done.returncode == 0 and "the digests of 1 other ledger were not read" in done.stdout, done.stdout
    foreign = next(file for file in store.rglob("*.json") if file.parent.name != app.status()["ledgerId"])
    done = second(app, "--digests", foreign)
    assert done.returncode == 1 and "DIGEST_MISMATCH" in done.stdout
    app.tamper("UPDATE accounts SET owner = 'Eve' WHERE id = 2")
    assert second(app, "--digests", store).returncode == 1
