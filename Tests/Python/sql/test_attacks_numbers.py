"""Numbers that no transaction, row operation or block can have, beside rows, versions, schema events and blocks: SQLite keeps 64 bits
with a sign, leaves hold them without one. And numbers and texts of the ledger's own tables in another storage class than SQLite keeps
them in."""

import re
import struct
import subprocess

import pytest

from kit import ledger
from kit.ledger import agree, connect, scalar
from support.node import run_cli

LEAST, MOST = -(1 << 63), (1 << 63) - 1
NONE = [-1, LEAST, 0, MOST]


@pytest.fixture
def accounts(work):
    """A database with a table of each kind and a version in history, and its digest."""
    path, digests = work / "accounts.db", work / "digests.json"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, balance INT)")
    db.execute("CREATE TABLE pair(k TEXT, n INT, v TEXT, PRIMARY KEY(k, n)) WITHOUT ROWID")
    db.execute("SELECT ledger_refresh()")
    db.execute("INSERT INTO account VALUES (1, 'ada', 10)")
    db.execute("UPDATE account SET balance = 11 WHERE id = 1")
    db.execute("INSERT INTO pair VALUES ('a', 1, 'x')")
    digests.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(path, digests).exit_code == 0
    return path, digests


def edit(path, *statements):
    db = ledger.without_triggers(path)
    for statement in statements:
        db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
    db.close()


def demand(accounts, *codes, table="account"):
    """Found by both verifiers, and by the program in each of its ways."""
    path, digests = accounts
    report = agree(path, digests)
    assert report.exit_code == 1 and set(codes) <= report.codes, report
    for options in (["--jobs", "1"], ["--jobs", "5"], ["--table", table]):
        again = ledger.verify(path, digests, options=options)
        assert again.exit_code == 1 and set(codes) <= again.codes, (options, again)
    return report


@pytest.mark.parametrize("sequence", [0, -1, LEAST, MOST])
@pytest.mark.parametrize("transaction", NONE)
def test_row_of_no_transaction(accounts, transaction, sequence):
    edit(accounts[0], "INSERT INTO account VALUES (99, 'mallory', 1000000)",
         ("INSERT INTO ledger_stamps_1 VALUES (99, ?, ?)", (transaction, sequence)))
    demand(accounts, "ROW_EXTRA")


@pytest.mark.parametrize("transaction", NONE)
def test_row_of_no_transaction_in_a_table_without_row_ids(accounts, transaction):
    edit(accounts[0], "INSERT INTO pair VALUES ('m', 9, 'forged')",
         ("INSERT INTO ledger_stamps_2 VALUES ('m', 9, ?, 0)", (transaction,)))
    demand(accounts, "ROW_EXTRA", table="pair")


@pytest.mark.parametrize("sequence", [-1, LEAST, MOST])
def test_row_at_no_operation(accounts, sequence):
    edit(accounts[0], "INSERT INTO account VALUES (99, 'mallory', 1000000)",
         ("INSERT INTO ledger_stamps_1 SELECT 99, transaction_id, ? FROM ledger_stamps_1", (sequence,)))
    demand(accounts, "ROW_EXTRA")


@pytest.mark.parametrize("end", [*NONE, 3])
@pytest.mark.parametrize("start", [*NONE, 3])
def test_version_of_no_transaction(accounts, start, end):
    edit(accounts[0], ("INSERT INTO ledger_history_1 VALUES (?, 0, ?, 0, 99, 'forged', 1)", (start, end)))
    path, digests = accounts
    report = agree(path, digests)
    assert report.exit_code == 1 and report.codes & {"ROW_EXTRA", "VERSION_LINK"}, report
    assert ledger.verify(path, digests, options=["--jobs", "1"]).exit_code == 1


def test_genuine_row_with_the_stamp_of_no_transaction(accounts):
    edit(accounts[0], "UPDATE account SET balance = 99 WHERE id = 1", "UPDATE ledger_stamps_1 SET transaction_id = -1")
    demand(accounts, "ROW_EXTRA", "ROW_MISSING")


@pytest.mark.parametrize("transaction", [-1, LEAST, 0])
def test_row_of_no_transaction_behind_the_last_verified_one(accounts, work, transaction):
    path, digests = accounts
    options = ["--since-last", "--state", work / "state.json"]
    assert ledger.verify(path, digests, options=options).exit_code == 0
    edit(path, "INSERT INTO account VALUES (99, 'mallory', 1000000)",
         ("INSERT INTO ledger_stamps_1 VALUES (99, ?, 0)", (transaction,)))
    report = ledger.verify(path, digests, options=options)
    assert report.exit_code == 1 and report.codes == {"ROW_EXTRA"}, report


@pytest.mark.parametrize("transaction", NONE)
def test_version_of_no_transaction_behind_the_last_verified_one(accounts, work, transaction):
    path, digests = accounts
    options = ["--since-last", "--state", work / "state.json"]
    assert ledger.verify(path, digests, options=options).exit_code == 0
    edit(path, ("INSERT INTO ledger_history_1 VALUES (?1, 0, ?1, 0, 99, 'forged', 1)", (transaction,)))
    report = ledger.verify(path, digests, options=options)
    assert report.exit_code == 1 and "ROW_EXTRA" in report.codes, report


@pytest.mark.parametrize("way", ["whole", "since"])
@pytest.mark.parametrize("transaction", NONE)
def test_event_of_no_transaction(accounts, work, transaction, way):
    """It would approve an attacker's trigger."""
    path, digests = accounts
    trigger = "CREATE TRIGGER evil AFTER UPDATE ON account BEGIN UPDATE account SET balance = 0 WHERE id = 1; END"
    options = ["--since-last", "--state", work / "state.json"]
    assert ledger.verify(path, digests, options=options).exit_code == 0
    copy = ledger.copy_database(path, work / "copy.db")
    db = connect(copy)
    db.execute(trigger)
    db.execute("SELECT ledger_refresh()")
    event = db.execute("SELECT event_type, table_id, body FROM ledger_schema_events ORDER BY event_id DESC LIMIT 1").fetchone()
    db.close()
    edit(path, trigger, ("INSERT INTO ledger_schema_events SELECT max(event_id) + 1, ?, 0, ?, ?, ? FROM ledger_schema_events",
                         (transaction, *event)))
    report = agree(path, digests) if way == "whole" else ledger.verify(path, digests, options=options)
    assert report.exit_code == 1 and "ROW_EXTRA" in report.codes, report
    if transaction != MOST:
        assert "SCHEMA_DRIFT" in report.codes, report


@pytest.mark.parametrize("way", ["whole", "since"])
@pytest.mark.parametrize("transaction", [-1, LEAST, 0])
def test_entry_of_no_transaction(accounts, work, transaction, way):
    path, digests = accounts
    options = ["--since-last", "--state", work / "state.json"]
    assert ledger.verify(path, digests, options=options).exit_code == 0
    edit(path, ("INSERT INTO database_ledger_transactions SELECT ?, block_id, transaction_ordinal, commit_time, 'mallory', "
                "login_name, application_name, table_hashes, leaves FROM database_ledger_transactions WHERE transaction_id = 1",
                (transaction,)))
    report = agree(path, digests) if way == "whole" else ledger.verify(path, digests, options=options)
    assert report.exit_code == 1 and report.codes == {"TX_EXTRA"}, report
    assert report.findings[0]["found"] == f"transaction {transaction}", report


@pytest.mark.parametrize("way", ["whole", "since"])
@pytest.mark.parametrize("block", [-1, LEAST])
def test_block_below_the_first(accounts, work, block, way):
    path, digests = accounts
    options = ["--since-last", "--state", work / "state.json"]
    assert ledger.verify(path, digests, options=options).exit_code == 0
    edit(path, ("INSERT INTO database_ledger_blocks VALUES (?, zeroblob(32), 1, 1, NULL, zeroblob(32), "
                "'2026-01-01T00:00:00.000000Z')", (block,)))
    report = agree(path, digests) if way == "whole" else ledger.verify(path, digests, options=options)
    assert report.exit_code == 1 and report.codes == {"BLOCK_ALTERED"}, report


@pytest.mark.parametrize("block", [-1, LEAST])
def test_watch_of_a_block_below_the_first(accounts, work, block):
    """Nothing traps."""
    path, _ = accounts
    edit(path, "DELETE FROM database_ledger_blocks", "DELETE FROM ledger_block_nodes",
         ("INSERT INTO database_ledger_blocks VALUES (?, zeroblob(32), 1, 1, NULL, zeroblob(32), "
          "'2026-01-01T00:00:00.000000Z')", (block,)))
    done = run_cli("sql", "watch", path, "--store", f"file://{work}/store", "--once")
    assert done.returncode in (1, 2) and "block" in done.stderr, done
    assert run_cli("sql", "status", path).returncode in (0, 1, 2)


def test_entries_that_claim_more_leaves_than_can_be_added(accounts):
    """Nothing traps."""
    path, digests = accounts
    db = ledger.without_triggers(path)
    last = db.execute("SELECT * FROM database_ledger_transactions ORDER BY transaction_id DESC LIMIT 1").fetchone()
    block = scalar(db, "SELECT max(block_id) + 1 FROM database_ledger_blocks")
    hashes = b"\1" + struct.pack(">IQ32sQ", 1, 1, b"x" * 32, (1 << 64) - 1)
    db.execute("BEGIN")
    db.executemany("INSERT INTO database_ledger_transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                   ((last[0] + 1 + at, block, at, *last[3:7], hashes) for at in range(700)))
    db.execute("COMMIT")
    db.close()
    report = ledger.verify(path, digests)
    assert report.exit_code == 1 and "ROW_MISSING" in report.codes, report


@pytest.mark.parametrize("number", NONE)
def test_derived_rows_of_no_transaction(accounts, number):
    """Hashes that nothing asks for: no verifier stumbles over them."""
    path, digests = accounts
    edit(path, ("INSERT INTO ledger_leaf_chunks(transaction_id, table_id, chunk, leaves) VALUES (?1, ?1, ?1, zeroblob(34))",
                (number,)), ("INSERT INTO ledger_block_nodes VALUES (?1, ?1, zeroblob(32))", (number,)) if number else "SELECT 1")
    assert agree(path, digests).exit_code == 0


# The ledger's own tables are STRICT: their numbers and texts are of one storage class, in which SQLite compares them. What converts
# them reads the same of others.


def in_another_class(path, table, statement):
    """As an edit of the record would: the definition is another one meanwhile."""
    db = ledger.plain(path)
    definition = scalar(db, "SELECT sql FROM sqlite_schema WHERE name = ?", table)
    version = scalar(db, "PRAGMA schema_version")
    db.close()

    def define(sql, version):
        db = ledger.with_writable_schema(path)
        db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, table))
        db.execute(f"PRAGMA schema_version = {version}")
        db.close()

    define(re.sub(r" (INTEGER|TEXT)(?! PRIMARY)| NOT NULL| STRICT", "", definition), version + 1)
    edit(path, statement)
    define(definition, version + 2)
    db = ledger.plain(path)
    assert scalar(db, "SELECT sql FROM sqlite_schema WHERE name = ?", table) == definition
    db.close()


def found_by_both(path, digests, exit_code, *codes):
    report = agree(path, digests)
    second = ledger.second_opinion(path, digests)
    assert report.exit_code == second[0] == exit_code, (report, second)
    assert set(codes) <= report.codes and set(codes) <= second[1], (report, second)
    return report


@pytest.mark.parametrize("kind", ["TEXT", "BLOB", "REAL"])
@pytest.mark.parametrize("which", ["event_type = 0", "event_type = 8"])
@pytest.mark.parametrize("column", ["event_type", "table_id", "body"])
def test_S02_value_of_an_event_in_another_class(accounts, column, which, kind):
    """The ledger's views lost the event, and it was read as before."""
    if column == "body" and kind != "BLOB":
        pytest.skip("a text already, and no number")
    value = f"CAST({column} AS {kind})"
    in_another_class(accounts[0], "ledger_schema_events", f"UPDATE ledger_schema_events SET {column} = {value} WHERE {which}")
    report = found_by_both(*accounts, 1, "ROW_ALTERED", "SCHEMA_DRIFT")
    assert any(finding["object"] == "ledger_schema_events" and finding.get("columns") == [column] for finding in report.findings)
    demand(accounts, "ROW_ALTERED")


@pytest.mark.parametrize("kind", ["TEXT", "BLOB", "REAL"])
@pytest.mark.parametrize("column", ["transaction_id", "sequence_number"])
def test_S02_place_of_an_event_in_another_class(accounts, work, column, kind):
    path, digests = accounts
    options = ["--since-last", "--state", work / "state.json"]
    assert ledger.verify(path, digests, options=options).exit_code == 0
    in_another_class(path, "ledger_schema_events",
                     f"UPDATE ledger_schema_events SET {column} = CAST({column} AS {kind}) WHERE event_id = 2")
    found_by_both(path, digests, 1, "VERSION_LINK", "SCHEMA_DRIFT")
    demand(accounts, "VERSION_LINK")
    assert "VERSION_LINK" in ledger.verify(path, digests, options=options).codes


def test_H13_close_time_in_another_class(accounts):
    """`WHERE close_time < '2100'` found no block."""
    in_another_class(accounts[0], "database_ledger_blocks",
                     "UPDATE database_ledger_blocks SET close_time = CAST(close_time AS BLOB)")
    found_by_both(*accounts, 1, "BLOCK_ALTERED")


@pytest.mark.parametrize("column, kind", [("name", "BLOB"), ("view", "BLOB"), ("kind", "BLOB"), ("is_dropped", "TEXT"),
                                          ("is_dropped", "BLOB"), ("is_dropped", "REAL")])
def test_E01_derived_values_in_another_class(accounts, column, kind):
    """`WHERE name = 'account'` found no table. Another one who writes through the ledger puts it right."""
    path, digests = accounts
    in_another_class(path, "ledger_tables", f"UPDATE ledger_tables SET {column} = CAST({column} AS {kind}) WHERE table_id = 1")
    found_by_both(path, digests, 1, "INDEX_DIVERGENCE")
    done = run_cli("sql", "repair", path, "--digest", digests, "--apply")
    assert done.returncode == 0, done
    assert agree(path, digests).exit_code == 0


@pytest.mark.parametrize("column, kind", [("path", "BLOB"), ("last_digest_block_id", "TEXT"), ("is_current", "TEXT")])
def test_H22_upload_noted_in_another_class(accounts, column, kind):
    path, digests = accounts
    db = connect(path)
    db.execute("SELECT ledger_record_upload('file:///store', 0, 1)")
    db.execute("SELECT ledger_record_upload('file:///other', NULL, 0)")
    db.close()
    assert agree(path, digests).exit_code == 0
    in_another_class(path, "database_ledger_digest_locations",
                     f"UPDATE database_ledger_digest_locations SET {column} = CAST({column} AS {kind})")
    found_by_both(path, digests, 1, "INDEX_DIVERGENCE")


@pytest.mark.parametrize("value, exit_code, codes", [
    ("format = '2'", 2, {"VERIFIER_BLOCKED"}), ("format = x'32'", 2, {"VERIFIER_BLOCKED"}),
    ("format = 2.0", 2, {"VERIFIER_BLOCKED"}),
    # The digest has the name.
    ("database_name = CAST(database_name AS BLOB)", 1, {"VERIFIER_BLOCKED", "DIGEST_MISMATCH"}),
    ("all_tables = '1'", 1, {"CAPTURE_CHANGED"}), ("all_tables = x'31'", 1, {"CAPTURE_CHANGED"}),
    ("all_tables = 2", 1, {"CAPTURE_CHANGED"}), ("all_tables = 1.0", 1, {"CAPTURE_CHANGED"})])
def test_H20_identity_in_another_class(accounts, value, exit_code, codes):
    path, digests = accounts
    in_another_class(path, "ledger_identity", f"UPDATE ledger_identity SET {value}")
    found_by_both(path, digests, exit_code, *codes)


@pytest.mark.parametrize("value", ["'yesterday'", "''", "NULL", "CAST(create_time AS BLOB)", "create_time || x'00'", "5",
                                   "'2026-02-30T00:00:00.000000Z'"])
def test_H24_time_of_the_ledger_that_is_none(accounts, value):
    """No hash holds when the ledger was made."""
    path, digests = accounts
    in_another_class(path, "ledger_identity", f"UPDATE ledger_identity SET create_time = {value}")
    report = found_by_both(path, digests, 2, "VERIFIER_BLOCKED")
    assert report.findings[0]["columns"] == ["create_time"], report


def test_H24_another_time_of_the_ledger(accounts):
    """That no verification can tell, and nothing calls it proven."""
    path, digests = accounts
    in_another_class(path, "ledger_identity", "UPDATE ledger_identity SET create_time = '1999-12-31T23:59:59.000000Z'")
    assert agree(path, digests).exit_code == 0
    assert "made 1999-12-31T23:59:59.000000Z, as it says" in run_cli("sql", "status", path).stdout


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_classes_that_honest_ledgers_have(work, encoding):
    """Of each encoding, vacuumed by SQLite, dumped and loaded again."""
    path, digests, loaded = work / "app.db", work / "app.json", work / "loaded.db"
    db = ledger.plain(path)
    db.execute(f"PRAGMA encoding = '{encoding}'")
    ledger.load(db)
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT UNIQUE, balance INT)")
    db.execute("CREATE VIEW rich AS SELECT * FROM account WHERE balance > 1")
    db.execute("CREATE VIRTUAL TABLE words USING fts5(word)")
    db.execute("CREATE INDEX main.Balances ON ACCOUNT(balance)")
    db.execute("CREATE TABLE pair(k TEXT, n INTEGER, PRIMARY KEY(k, n)) WITHOUT ROWID")
    db.execute("CREATE TABLE log(what TEXT)")
    db.execute("CREATE TRIGGER Noted AFTER INSERT ON ACCOUNT BEGIN INSERT INTO log VALUES (new.owner); END")
    db.execute("SELECT ledger_refresh()")
    db.execute("INSERT INTO account VALUES (1, 'ada', 10), (2, 'bob', 11)")
    db.execute("ALTER TABLE account RENAME TO customer")
    db.execute("ALTER TABLE customer RENAME COLUMN owner TO holder")
    db.execute("UPDATE customer SET balance = 1")
    db.execute("SELECT ledger_record_upload('file:///store', NULL, 1)")
    digests.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()

    def sound(path):
        report = agree(path, digests)
        assert report.exit_code == ledger.second_opinion(path, digests)[0] == 0, (report, ledger.second_opinion(path, digests))

    sound(path)
    db = ledger.plain(path)
    db.execute("ANALYZE")
    db.execute("PRAGMA auto_vacuum = FULL")
    db.execute("VACUUM")
    db.close()
    sound(path)
    dump = subprocess.run(["sqlite3", path, ".dump"], capture_output=True, check=True).stdout
    subprocess.run(["sqlite3", loaded], input=f"PRAGMA encoding = '{encoding}';\n".encode() + dump, capture_output=True, check=True)
    sound(loaded)
