"""Random histories of statements on plain tables and on ledger tables: the application must see no difference, the ledger view must
tell every state that was, and both verifiers must find nothing; after one value is changed past the ledger they must.

`DIFFERENTIAL_SEEDS=1000-2000` plays others than the few of every run. `kit/histories.py` makes a history, `kit/differential.py` plays it.
"""

import os
import random
import sqlite3
from collections import Counter

import pytest

from kit import differential, histories, ledger
from kit.histories import quoted
from kit.ledger import agree, connect, scalar

BATCH = 22


def seeds():
    first, _, last = os.environ.get("DIFFERENTIAL_SEEDS", "0-110").partition("-")
    return range(int(first), int(last or int(first) + 1))


def told(seed, options, steps, problem):
    lines = "\n".join(f"    {step!r}," for step in steps)
    return f"seed {seed}: {problem}\n  the shortest history found, for kit.differential.run(directory, options, steps):\n  {options}\n{lines}"


def play(directory, seed, **more):
    options, steps = histories.make(seed)
    options |= more
    try:
        return differential.run(directory, options, steps, program=seed % 4 == 0)
    except differential.Difference as found:
        options, steps = differential.shrink(directory, options, steps, found.kind)
        try:
            differential.run(directory, options, steps, program=found.kind.startswith("program"))
        except differential.Difference as problem:
            found = problem
        pytest.fail(told(seed, options, steps, found), pytrace=False)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("first", range(seeds().start, seeds().stop, BATCH))
def test_histories(tmp_path, first):
    played = compared = tampered = 0
    for seed in range(first, min(first + BATCH, seeds().stop)):
        made, digest = play(tmp_path / "run", seed)
        played += made.done
        if digest is None:
            continue
        compared += made.compared
        if seed % 2 == 1:
            what = differential.tamper(made.path, random.Random(seed))
            if what:
                code, codes, _ = ledger.second_opinion(made.path, digest)
                assert code != 0, f"seed {seed}: {what}: the Python verifier finds nothing"
                assert seed % 4 == 3 or ledger.verify(made.path, digest).exit_code != 0, f"seed {seed}: {what}: the program finds nothing"
                tampered += 1
    assert played > 5 * BATCH and (tampered or first + BATCH > seeds().stop), (played, compared, tampered)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("first", range(seeds().start, seeds().stop, BATCH)[:2] if "DIFFERENTIAL_SEEDS" not in os.environ
                         else range(seeds().start, seeds().stop, BATCH))
def test_histories_of_attached_databases(tmp_path, first):
    """The same in databases that are attached to others, in memory, while the ledger's functions are called elsewhere."""
    compared = 0
    for seed in range(first, min(first + BATCH, seeds().stop)):
        compared += getattr(play(tmp_path / "run", seed, attached=True)[0], "compared", 0)
    assert compared or first + BATCH > seeds().stop


def tables(path):
    """Name → content of every ledger table."""
    db = ledger.plain(path)
    db.text_factory = differential.Text
    made = {}
    for name, in db.execute("SELECT name FROM ledger_tables WHERE NOT is_dropped").fetchall():
        name = name.decode()
        columns = [row[1].decode() for row in db.execute(f"PRAGMA table_xinfo({quoted(name)})") if row[6] in (0, 3)]
        rows = db.execute(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)} NOT INDEXED").fetchall()
        # The ledger takes -0.0 for 0.0.
        made[name] = Counter(differential.exact([value + 0.0 if isinstance(value, float) else value for value in row]) for row in rows)
    db.close()
    return made


def tamper_with_rows(path, rng):
    """Adds, changes and deletes rows past the ledger."""
    db = ledger.without_triggers(path)
    db.text_factory = differential.Text
    db.execute("PRAGMA ignore_check_constraints = ON")
    names = sorted(name.decode() for name, in db.execute("SELECT name FROM ledger_tables WHERE NOT is_dropped").fetchall())
    for _ in range(rng.choice([1, 1, 2, 3]) if names else 0):
        name = rng.choice(names)
        columns = [row[1].decode() for row in db.execute(f"PRAGMA table_xinfo({quoted(name)})") if row[6] == 0]
        first = quoted(columns[0])
        one = f"WHERE {first} IS (SELECT {first} FROM {quoted(name)} LIMIT 1 OFFSET {rng.randrange(4)})"
        values = [rng.choice(histories.VALUES) for _ in columns]
        statement = rng.choice([
            f"UPDATE {quoted(name)} SET {quoted(rng.choice(columns))} = {values[0]} {one}", f"DELETE FROM {quoted(name)} {one}",
            f"INSERT INTO {quoted(name)}({', '.join(map(quoted, columns))}) VALUES ({', '.join(values)})"])
        try:
            db.execute(statement)
        except sqlite3.Error:
            pass  # a constraint
    db.close()


@pytest.mark.timeout(0)
def test_repairs(tmp_path):
    """A repair does what it says or nothing: no other row is touched, whatever triggers and conflict clauses the table has."""
    outcomes = Counter()
    for seed in seeds():
        if seed >= seeds().start + 66 and "DIFFERENTIAL_SEEDS" not in os.environ:
            break
        options, steps = histories.make(seed)
        try:
            made, digest = differential.run(tmp_path / "run", options, steps, program=False)
        except differential.Difference:
            continue  # said by the tests above
        if digest is None:
            continue
        before = tables(made.path)
        tamper_with_rows(made.path, random.Random(seed))
        tampered = tables(made.path)
        if tampered == before:
            continue
        done = ledger.run_cli("sql", "repair", made.path, "--apply", "--digest", digest)
        after = tables(made.path)
        outcomes[done.returncode] += 1
        told = f"seed {seed}: {done.stdout}{done.stderr}"
        if done.returncode == 0:
            assert after == before, told
        elif done.returncode == 1:
            for name in before:
                assert not (before[name] & tampered[name]) - after[name], told
                # One of several values of a row may have been put right.
                new = after[name] - (before[name] | tampered[name])
                assert new.total() <= (tampered[name] - before[name]).total(), told
        else:
            assert done.returncode == 2 and after == tampered and "nothing was changed" in done.stderr and not done.stdout, told
    assert outcomes[0] > 2 and outcomes[1] > 2 or "DIFFERENTIAL_SEEDS" in os.environ, outcomes


OPTIONS = {"wal": False, "utf16": False, "all": False, "connections": 1, "recursive": False, "foreign": False, "own": False}


@pytest.mark.parametrize("kind, statement", [
    ("outcome", "SELECT count(*) FROM sqlite_schema"), ("contents", "INSERT INTO t SELECT NULL, ledger_version()"),
    ("counters", "INSERT INTO t SELECT 5, 1 UNION ALL SELECT 6, 1 FROM sqlite_schema WHERE name = 'ledger_tables'")])
def test_a_difference_is_found_and_shrunk(tmp_path, kind, statement, monkeypatch):
    """Statements that tell the two databases apart."""
    if kind == "contents":
        load = differential.Side.open

        def with_a_function(side, **how):
            db = load(side, **how)
            if not side.with_ledger:
                db.create_function("ledger_version", 0, lambda: "other")
            return db
        monkeypatch.setattr(differential.Side, "open", with_a_function)
    steps = [("sql", 0, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)"), ("sql", 0, "INSERT INTO t(b) VALUES (1)"), ("init", 0), ("enable", "t"),
             ("sql", 0, "UPDATE t SET b = 2"), ("sql", 0, statement), ("sql", 0, "DELETE FROM t WHERE a = 1")]
    with pytest.raises(differential.Difference) as found:
        differential.run(tmp_path / "run", OPTIONS, steps)
    assert found.value.kind.startswith(kind), found.value
    _, shrunk = differential.shrink(tmp_path / "run", OPTIONS, steps, found.value.kind)
    assert ("sql", 0, statement) in shrunk and len(shrunk) < 4, shrunk


def test_a_version_that_the_view_does_not_tell_is_found(tmp_path, monkeypatch):
    steps = [("sql", 0, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)"), ("init", 0), ("enable", "t"), ("sql", 0, "INSERT INTO t(b) VALUES (1)"),
             ("sql", 0, "UPDATE t SET b = 2"), ("sql", 0, "UPDATE t SET b = 3")]
    seal = differential.Run.seal

    def forget(run, directory):
        done = seal(run, directory)
        db = ledger.without_triggers(run.path)
        db.execute("DELETE FROM ledger_history_1 WHERE b = 2")
        db.close()
        return done
    differential.run(tmp_path / "run", OPTIONS, steps)
    monkeypatch.setattr(differential.Run, "seal", forget)
    with pytest.raises(differential.Difference) as found:
        differential.run(tmp_path / "run", OPTIONS, steps)
    assert found.value.kind == "history", found.value


# What histories have found.
FAULTS = {
    "replaced with rows of its own table WITHOUT ROWID, then a statement that failed": (
        "PRAGMA foreign_keys = ON", "CREATE TABLE t(a PRIMARY KEY, b, p REFERENCES t ON DELETE CASCADE) WITHOUT ROWID", "SELECT ledger_init(1)",
        "INSERT INTO t VALUES (2, 1, NULL)", "BEGIN", "INSERT INTO t VALUES (1, 1, 2)", "REPLACE INTO t VALUES (2, 7, NULL)",
        "-- fails\nINSERT INTO t VALUES (NULL, 1, 1)", "COMMIT"),
    "replaced row older than a column with a default": (
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES (1, 1)", "ALTER TABLE t ADD COLUMN n DEFAULT 5",
        "SELECT ledger_init(1)", "REPLACE INTO t VALUES (1, 7, 3)"),
    "column added beside a virtual one WITHOUT ROWID": (
        "CREATE TABLE t(a PRIMARY KEY, b, g AS (length(b))) WITHOUT ROWID", "SELECT ledger_init(1)", "ALTER TABLE t ADD COLUMN n",
        "INSERT INTO t(a, b, n) VALUES (2, 2, 4)"),
    "indexed child column of another type": (
        "PRAGMA foreign_keys = ON", "CREATE TABLE p(a TEXT PRIMARY KEY)", "CREATE TABLE c(p INTEGER UNIQUE REFERENCES p ON DELETE CASCADE)",
        "SELECT ledger_init(1)", "INSERT INTO p VALUES ('1')", "DELETE FROM p"),
    "default of type ANY": (
        "CREATE TABLE t(a ANY) STRICT", "SELECT ledger_init(1)", "INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD COLUMN n ANY DEFAULT '1'"),
    "UPDATE OR REPLACE of a row that its BEFORE trigger changes": (
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES (1, NULL), (4, NULL)",
        "CREATE TRIGGER r BEFORE UPDATE ON t WHEN OLD.a <> 4 BEGIN UPDATE t SET b = 10 WHERE a = OLD.a; END", "SELECT ledger_init(1)",
        "UPDATE OR REPLACE t SET a = 4 WHERE a = 1"),
    "column added, a rollback, and a trigger that changes its own row": (
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE)", "SELECT ledger_init(1)", "INSERT INTO t VALUES (1, 1), (2, 2)",
        "ALTER TABLE t ADD COLUMN n", "CREATE TRIGGER r AFTER UPDATE ON t BEGIN UPDATE t SET n = 1 WHERE a = OLD.a; END",
        "BEGIN", "UPDATE t SET n = 2", "ROLLBACK",
        "UPDATE t SET b = b + 10"),
    "renamed in a transaction with another change of definitions": (
        "CREATE TABLE t(a)", "SELECT ledger_init(1)", "BEGIN", "CREATE INDEX i ON t(a)", "INSERT INTO t VALUES (1)", "ALTER TABLE t RENAME TO u",
        "COMMIT", "INSERT INTO u VALUES (2)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_histories_found(tmp_path, fault):
    db = connect(tmp_path / "app.db")
    for statement in FAULTS[fault]:
        if statement.startswith("-- fails"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(statement)
        else:
            db.execute(statement).fetchall()
    (tmp_path / "digest.json").write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = agree(tmp_path / "app.db", tmp_path / "digest.json")
    assert report.exit_code == 0, report


@pytest.mark.parametrize("last", ["COMMIT", "CREATE TABLE u(a)"])
def test_last_insert_rowid_is_the_applications(tmp_path, last):
    """Also once a COMMIT or, in WAL mode, a definition has been ledgered."""
    answers = []
    for name, connection in (("plain.db", ledger.plain), ("app.db", connect)):
        db = connection(tmp_path / name)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY)")
        if connection is connect:
            db.execute("SELECT ledger_init(1)")
        for statement in (["BEGIN"] if last == "COMMIT" else []) + ["INSERT INTO t VALUES (7), (8), (9)", last]:
            db.execute(statement)
        answers.append(db.execute("SELECT last_insert_rowid()").fetchone())
        db.close()
    assert answers[0] == answers[1]


NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize("before, after", [
    ([f'CREATE TABLE "{name}"(id INTEGER PRIMARY KEY, v)' for name in (NFC, NFD)] + [f'INSERT INTO "{name}" VALUES (1, 1)' for name in (NFC, NFD)],
     [f'UPDATE "{NFD}" SET v = 2', f'UPDATE "{NFC}" SET v = 3']),
    (['CREATE TABLE "\u00c9"(a)', 'CREATE TABLE "\u00e9"(a)', 'INSERT INTO "\u00c9" VALUES (1)', 'INSERT INTO "\u00e9" VALUES (2)'],
     ['UPDATE "\u00e9" SET a = 9', 'UPDATE "\u00c9" SET a = 8']),
    ([f'CREATE TABLE t("{NFC}", "{NFD}", "\u00c9", "\u00e9")', "INSERT INTO t VALUES (1, 2, 3, 4)"], ['UPDATE t SET "\u00e9" = 7']),
    ([f'CREATE TABLE t("{NFC}", b)', "INSERT INTO t VALUES (1, 2)"],
     [f'ALTER TABLE t RENAME "{NFC}" TO "{NFD}"', f'ALTER TABLE t ADD COLUMN "{NFC}"', f'UPDATE t SET "{NFC}" = 4']),
    ([f'CREATE TABLE "{NFC}"(a)', f'INSERT INTO "{NFC}" VALUES (1)'], [f'ALTER TABLE "{NFC}" RENAME TO "{NFD}"', f'UPDATE "{NFD}" SET a = 4']),
])
def test_names_that_differ_in_bytes_are_different(tmp_path, before, after):
    """SQLite folds the case of ASCII letters and nothing else; Swift and people take more names for the same."""
    db = connect(tmp_path / "app.db")
    tables = {line.split('"')[1] if line.startswith('CREATE TABLE "') else "t" for line in before if line.startswith("CREATE")}
    for statement in [*before, "SELECT ledger_init(1)", *after]:
        db.execute(statement).fetchall()
    count = scalar(db, "SELECT count(*) FROM ledger_tables WHERE NOT is_dropped")
    (tmp_path / "digest.json").write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert count == len(tables)
    report = agree(tmp_path / "app.db", tmp_path / "digest.json")
    assert report.exit_code == 0, report
    for name in sorted(tables):
        new = tmp_path / "changed.db"
        new.write_bytes((tmp_path / "app.db").read_bytes())
        db = ledger.without_triggers(new)
        present = NFD if "RENAME TO" in str(after) else name
        last = db.execute("SELECT name FROM pragma_table_info(?) ORDER BY cid DESC", (present,)).fetchone()[0]
        db.execute(f'UPDATE "{present}" SET "{last}" = 77')
        db.close()
        assert agree(new, tmp_path / "digest.json").exit_code == 1
