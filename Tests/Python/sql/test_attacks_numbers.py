"""Numbers that no transaction, row operation or block can have, beside rows, versions, schema events and blocks: SQLite keeps 64 bits
with a sign, leaves hold them without one."""

import struct

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
