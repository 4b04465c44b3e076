"""Several processes write to one database in WAL mode while another seals and uploads: no row, transaction or digest is lost,
and both verifiers agree. Documentation/AttackCatalogue.md, H30"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit import ledger
from kit.ledger import agree, connect, scalar
from support.node import binary, clean_environment

HERE = Path(__file__).parent
WRITERS, TURNS = 4, 60

# Every third transaction is rolled back, wholly or to a savepoint; all of them change one row that everybody changes.
WRITER = """
import sqlite3, sys
sys.path[:0] = [sys.argv[3], sys.argv[4]]
from kit import ledger
path, number, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[5])
db = ledger.connect(path)
db.execute("SELECT ledger_set_principal(?)", (f"writer {number}",))
print("ready", flush=True)
sys.stdin.readline()
for turn in range(turns):
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO entry VALUES (?, ?, ?)", (number, turn, "x" * (turn * 7 % 200)))
    db.execute("UPDATE counter SET n = n + 1 WHERE id = 1")
    db.execute("SAVEPOINT s")
    db.execute("INSERT INTO journal(writer, turn) VALUES (?, ?)", (number, turn))
    if turn % 3 == 1:
        db.execute("ROLLBACK TO s")
    db.execute("ROLLBACK" if turn % 3 == 2 else "COMMIT")
db.close()
"""


@pytest.fixture
def shared(work):
    path = work / "shared.db"
    db = connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("SELECT ledger_init()")
    db.execute("CREATE TABLE entry(writer INTEGER, turn INTEGER, text TEXT, PRIMARY KEY(writer, turn)) WITHOUT ROWID")
    db.execute("CREATE TABLE journal(id INTEGER PRIMARY KEY, writer INTEGER, turn INTEGER)")
    db.execute("CREATE TABLE counter(id INTEGER PRIMARY KEY, n INTEGER)")
    db.execute("SELECT ledger_enable('entry'), ledger_enable('journal', 'append-only'), ledger_enable('counter')")
    db.execute("INSERT INTO counter VALUES (1, 0)")
    db.close()
    return path


def test_H30_processes_write_while_another_seals(shared, work):
    store = work / "digests"
    store.mkdir()
    watch = subprocess.Popen(
        [str(binary()), "sql", "watch", str(shared), "--store", f"file://{store}", "--interval", "0.1", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment())
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(shared), str(number), str(HERE), str(HERE.parent), str(TURNS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(WRITERS)]
    try:
        for writer in writers:
            assert writer.stdout.readline() == "ready\n", writer.stderr.read()
        # All at once.
        for writer in writers:
            writer.stdin.write("\n")
            writer.stdin.flush()
        for writer in writers:
            _, problem = writer.communicate(timeout=240)
            assert writer.returncode == 0, problem
    finally:
        for writer in writers:
            writer.kill()
        watch.send_signal(signal.SIGTERM)
        told, _ = watch.communicate(timeout=60)
    assert watch.returncode == 0, told

    kept = WRITERS * TURNS * 2 // 3
    db = connect(shared)
    assert scalar(db, "SELECT count(*) FROM entry") == kept
    assert scalar(db, "SELECT count(*) FROM journal") == WRITERS * TURNS // 3
    assert scalar(db, "SELECT n FROM counter") == kept
    counts = dict(db.execute("SELECT principal_name, count(*) FROM database_ledger_transactions "
                             "WHERE principal_name LIKE 'writer %' GROUP BY 1").fetchall())
    assert counts == {f"writer {number}": kept // WRITERS for number in range(WRITERS)}
    first, last, count = db.execute(
        "SELECT min(transaction_id), max(transaction_id), count(*) FROM database_ledger_transactions").fetchone()
    assert (first, last) == (1, count), "numbers without gaps"
    # One version of the counter for each commit, each ended by the one after it.
    ended, chained = db.execute("""
        SELECT count(*), sum(n = place - 1) FROM (
            SELECT n, row_number() OVER (ORDER BY ledger_end_transaction_id) AS place FROM
            (SELECT * FROM ledger_history_3))""").fetchone()
    assert ended == chained == kept, "no change was lost"
    blocks = scalar(db, "SELECT count(*) FROM database_ledger_blocks")
    assert scalar(db, "SELECT sum(block_size) FROM database_ledger_blocks") == count, "the last round left nothing open"
    assert blocks > 1, "blocks were closed while the writers were at work"
    db.close()

    digests = sorted(store.rglob("*.json"))
    closed = {json.loads(line).get("blockId") for line in told.splitlines() if '"closed"' in line}
    assert digests and len(closed) == blocks, told
    report = agree(shared, *digests)
    assert report.exit_code == 0 and not report.findings, report


def test_repair_refuses_what_was_changed_meanwhile(work):
    """Somebody commits between the verification and the repair: the repair would undo an honest change."""
    path, digests = work / "app.db", work / "kept.json"
    clerk = connect(path)
    clerk.execute("SELECT ledger_init(1)")
    clerk.execute("CREATE TABLE a(id INTEGER PRIMARY KEY, n INT)")
    clerk.execute("INSERT INTO a VALUES (1, 1), (3, 3)")
    digests.write_text(scalar(clerk, "SELECT ledger_close_block()"))
    attacker = ledger.without_triggers(path)
    attacker.execute("UPDATE a SET n = 77 WHERE id = 3")
    attacker.close()
    clerk.execute("BEGIN IMMEDIATE")
    clerk.execute("UPDATE a SET n = 100 WHERE id = 3")
    repair = subprocess.Popen(
        [binary(), "sql", "repair", path, "--apply", "--digest", digests, "--principal", "auditor"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
    # Verification opens the file for reading only, so once it is open for writing the repair waits for the clerk.
    deadline = time.monotonic() + 60
    while not opened_for_writing(repair.pid, path):
        assert repair.poll() is None and time.monotonic() < deadline, repair.communicate()
        time.sleep(0.02)
    clerk.execute("COMMIT")
    out, err = repair.communicate(timeout=60)
    assert repair.returncode == 2 and "nothing was changed" in err and not out, (repair.returncode, out, err)
    assert clerk.execute("SELECT n FROM a WHERE id = 3").fetchall() == [(100,)]
    clerk.close()


def opened_for_writing(process, path):
    """Whether a process has a file open, and may write it (Linux)."""
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            if link.resolve() != path.resolve():
                continue
            flags = (link.parent.parent / "fdinfo" / link.name).read_text().split("flags:")[1].split()[0]
        except (OSError, IndexError):
            continue
        if int(flags, 8) & 3:
            return True
    return False
