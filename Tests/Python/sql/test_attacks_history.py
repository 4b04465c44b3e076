"""Catalogue H.4: attacks on history, transactions, blocks and digests."""

import datetime
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from kit import ledger, model
from kit import reference as ref
from kit.bank import FRESH, NEW
from kit.ledger import agree, connect, scalar
from support.node import binary, clean_environment

CHANGED = NEW + 12  # updated in three transactions of blocks 4 and 5
GONE = NEW + 31  # deleted in block 4


def history(number, code="ROW_ALTERED", **more):
    return {"code": code, "key": {"id": number}, **more}


def test_H01_history_value(victim):
    victim.plain((f"UPDATE {victim.history()} SET name = 'forged' WHERE id = ?", (GONE,)))
    victim.demand(history(GONE, columns=["name"]))


def test_H02_history_row_deleted(victim):
    victim.plain((f"DELETE FROM {victim.history()} WHERE id = ?", (GONE,)))
    report = victim.demand({"code": "ROW_MISSING"})
    assert all(finding["transaction"] and finding["sequence"] is not None for finding in report.findings
               if finding["code"] == "ROW_MISSING"), report


def test_H03_whole_key_deleted(victim):
    victim.plain(("DELETE FROM account WHERE id = ?", (CHANGED,)),
                 (f"DELETE FROM {victim.stamps()} WHERE row_id = ?", (CHANGED,)),
                 (f"DELETE FROM {victim.history()} WHERE id = ?", (CHANGED,)))
    report = victim.demand({"code": "ROW_MISSING"})
    transactions = {finding["transaction"] for finding in report.findings if finding["code"] == "ROW_MISSING"}
    assert len(transactions) >= 4, f"each version is missing somewhere\n{report}"


def test_H04_phantom_history_row(victim):
    """With the ids of a real transaction: the start of one row and the end of another."""
    victim.plain((f"INSERT INTO {victim.history()} SELECT ledger_start_transaction_id, 900, ledger_end_transaction_id, 900, "
                  f"5000000, name, nick, balance, units, spare, code, note, data FROM {victim.history()} WHERE id = ?",
                  (GONE,)))
    # Whoever reads only what is new sees nothing but the end of it.
    seen = victim.verify().codes
    victim.demand(history(5_000_000, "VERSION_LINK" if victim.mode == "since" and "VERSION_LINK" in seen else "ROW_EXTRA"))


def test_H04_phantom_history_row_at_taken_places(victim):
    victim.plain((f"INSERT INTO {victim.history()} SELECT ledger_start_transaction_id, ledger_start_sequence_number, "
                  "ledger_end_transaction_id, ledger_end_sequence_number, 5000000, name, nick, balance, units, spare, code, "
                  f"note, data FROM {victim.history()} WHERE id = ?", (GONE,)))
    victim.demand(history(5_000_000, "ROW_EXTRA"))


def forge_transaction(path, values=(5_000_000, "forged")):
    """A row with a new transaction of its own, every hash right. Answers the transaction's id."""
    db = ledger.without_triggers(path)
    db.execute("BEGIN IMMEDIATE")
    number = scalar(db, "SELECT max(transaction_id) + 1 FROM database_ledger_transactions")
    table = scalar(db, "SELECT table_id FROM ledger_tables WHERE name = 'account'")
    db.execute("INSERT INTO account(id, name) VALUES (?, ?)", values)
    db.execute(f"INSERT INTO ledger_stamps_{table} VALUES (?, ?, 0)", (values[0], number))
    block = scalar(db, "SELECT max(block_id) + 1 FROM database_ledger_blocks")
    db.execute("INSERT INTO database_ledger_transactions VALUES (?, ?, (SELECT count(*) FROM database_ledger_transactions "
               "WHERE block_id = ?), (SELECT max(commit_time) FROM database_ledger_transactions), 'alice', 'root', 'bank', ?, "
               "NULL)", (number, block, block, ref.encode_table_hashes([(table, bytes(32), 1)])))
    model.reroot(db, number, table)
    db.execute("COMMIT")
    db.close()
    return number


def test_H05_forged_transaction_in_the_tail(chain_victim):
    """Nothing can tell it from an honest one that nobody attested yet; the report says how much is unattested."""
    number = forge_transaction(chain_victim.path)
    report = chain_victim.verify()
    if chain_victim.anchored:
        assert report.exit_code == 0 and report.codes == {"TAIL_UNATTESTED"}, report
        assert report.json["tail"]["transactions"] == 1, report
    else:
        assert report.exit_code == 2, report
    assert number > 1
    if chain_victim.anchored:
        agree(chain_victim.path, *chain_victim.digests, report=report)


def test_H05_forged_transaction_in_a_closed_block(chain_victim):
    number = forge_transaction(chain_victim.path)
    chain_victim.plain(("UPDATE database_ledger_transactions SET block_id = 5, transaction_ordinal = 2 WHERE "
                        "transaction_id = ?", (number,)))
    report = chain_victim.verify()
    assert any(finding["transaction"] == number for finding in report.findings), report
    chain_victim.demand("TX_EXTRA", allowed=["BLOCK_ALTERED", "TX_ALTERED"])


@pytest.mark.parametrize("end", ["earlier", "sequence"])
def test_H06_history_row_seems_to_have_ended_otherwise(victim, end):
    change = {"earlier": "ledger_end_transaction_id = ledger_end_transaction_id - 1",
              "sequence": "ledger_end_sequence_number = ledger_end_sequence_number + 50"}[end]
    victim.plain((f"UPDATE {victim.history()} SET {change} WHERE id = ?", (GONE,)))
    report = victim.verify()
    assert report.exit_code == 1 and report.codes & {"VERSION_LINK", "ROW_ALTERED"}, report
    assert any(ledger.key_of(finding) == {"id": str(GONE)} for finding in report.findings), report
    victim.demand(*(report.codes & {"VERSION_LINK", "ROW_ALTERED"}), allowed=["ROW_MISSING", "ROW_EXTRA"])


@pytest.mark.parametrize("column", ["transaction_id", "sequence_number"])
def test_H06_history_row_seems_to_have_begun_otherwise(whole_victim, column):
    """With another transaction it is an operation that was moved (H09)."""
    victim = whole_victim
    victim.plain((f"UPDATE {victim.history()} SET ledger_start_{column} = ledger_start_{column} - 1 WHERE id = ?", (GONE,)))
    victim.demand(*([history(GONE, "VERSION_LINK")] if column == "sequence_number" else ["ROW_MISSING", "ROW_EXTRA"]))


def test_H07_dead_version_brought_back_to_life(whole_victim):
    """The version is in the history and in the table: it lives and has ended."""
    victim = whole_victim
    victim.plain((f"INSERT INTO account SELECT id, name, nick, balance, units, spare, code, note, data FROM "
                  f"{victim.history()} WHERE id = ?", (GONE,)),
                 (f"INSERT INTO {victim.stamps()} SELECT id, ledger_start_transaction_id, ledger_start_sequence_number FROM "
                  f"{victim.history()} WHERE id = ?", (GONE,)))
    victim.demand(history(GONE, "VERSION_LINK"))


def test_H08_operations_reordered_inside_a_transaction(victim):
    db = victim.plain()
    places = dict(db.execute(f"SELECT row_id, sequence_number FROM {victim.stamps()} WHERE row_id IN (?, ?)", (FRESH, FRESH + 1)))
    for number, other in ((FRESH, FRESH + 1), (FRESH + 1, FRESH)):
        db.execute(f"UPDATE {victim.stamps()} SET sequence_number = ? WHERE row_id = ?", (places[other], number))
    db.close()
    report = victim.verify()
    assert report.codes & {"VERSION_LINK", "ROW_ALTERED"}, report
    named = {ledger.key_of(finding).get("id") for finding in report.findings}
    assert named >= {str(FRESH), str(FRESH + 1)}, report
    victim.demand(*(report.codes & {"VERSION_LINK", "ROW_ALTERED"}))


def test_H09_operation_moved_to_another_transaction(victim):
    """To the end of a later transaction that touched the same table."""
    victim.plain((f"UPDATE {victim.stamps()} SET (transaction_id, sequence_number) = (SELECT transaction_id, 60 FROM "
                  f"{victim.stamps()} WHERE row_id = ?) WHERE row_id = ?", (NEW + 15, FRESH)))
    victim.demand({"code": "ROW_MISSING"}, {"code": "ROW_EXTRA", "key": {"id": FRESH}})


@pytest.mark.parametrize("column, value", [
    ("principal_name", "mallory"), ("commit_time", None), ("application_name", "mallory"), ("login_name", "mallory")])
def test_H10_transaction_entry_edited(chain_victim, column, value):
    victim = chain_victim
    db = victim.plain()
    number = scalar(db, "SELECT max(transaction_id) - 5 FROM database_ledger_transactions")
    if column == "commit_time":
        value = scalar(db, "SELECT commit_time FROM database_ledger_transactions WHERE transaction_id = ?", number)
        value = value[:-2] + ("1" if value[-2] == "0" else "0") + "Z"
    db.execute(f"UPDATE database_ledger_transactions SET {column} = ? WHERE transaction_id = ?", (value, number))
    db.close()
    victim.demand({"code": "TX_ALTERED", "transaction": number, "columns": [column]},
                  allowed=["TIME_ANOMALY", "BLOCK_ALTERED"])


def test_H11_transaction_deleted_with_its_rows(chain_victim):
    victim = chain_victim
    db = victim.plain()
    number = scalar(db, "SELECT ledger_end_transaction_id FROM " + victim.history() + " WHERE id = ?", CHANGED)
    db.execute(f"DELETE FROM {victim.history()} WHERE ledger_end_transaction_id = ?", (number,))
    db.execute(f"DELETE FROM {victim.stamps()} WHERE transaction_id = ?", (number,))
    db.execute("DELETE FROM database_ledger_transactions WHERE transaction_id = ?", (number,))
    db.execute("DELETE FROM ledger_leaf_chunks WHERE transaction_id = ?", (number,))
    db.close()
    victim.demand({"code": "TX_MISSING", "transaction": number}, {"code": "BLOCK_ALTERED", "block": 4},
                  allowed=["ROW_MISSING", "ROW_EXTRA", "VERSION_LINK", "COVERAGE_GAP"])


def test_H11_transaction_deleted_and_its_rows_left(chain_victim):
    """Nothing can be said of them any more, and that is said."""
    victim = chain_victim
    db = victim.plain()
    number = scalar(db, "SELECT ledger_end_transaction_id FROM " + victim.history() + " WHERE id = ?", CHANGED)
    db.execute("DELETE FROM database_ledger_transactions WHERE transaction_id = ?", (number,))
    db.close()
    victim.demand({"code": "TX_MISSING", "transaction": number}, {"code": "BLOCK_ALTERED", "block": 4},
                  {"code": "COVERAGE_GAP", "object": "account"})
    assert "COVERAGE_GAP" in ledger.second_opinion(victim.path, *victim.digests)[1]


def test_H05_forged_transaction_of_a_table_that_nobody_knows(whole_victim):
    """It may be honest, and yet its rows are not there to be read: unable to tell."""
    victim = whole_victim
    number = forge_transaction(victim.path)
    victim.plain(("UPDATE database_ledger_transactions SET table_hashes = ? WHERE transaction_id = ?",
                  (ref.encode_table_hashes([(99, bytes(32), 1)]), number)), "DELETE FROM account WHERE id = 5000000",
                 f"DELETE FROM {victim.stamps()} WHERE row_id = 5000000",
                 ("DELETE FROM ledger_leaf_chunks WHERE transaction_id = ?", (number,)))
    victim.demand({"code": "COVERAGE_GAP", "object": "table 99"}, exit_code=2, repair=False)
    assert ledger.second_opinion(victim.path, *victim.digests)[:2] == (2, {"COVERAGE_GAP", "TAIL_UNATTESTED"})


def test_H12_ordinals_swapped(chain_victim):
    victim = chain_victim
    db = victim.plain()
    a, b = (row[0] for row in db.execute(
        "SELECT transaction_id FROM database_ledger_transactions WHERE block_id = 4 ORDER BY transaction_ordinal LIMIT 2"))
    db.execute("UPDATE database_ledger_transactions SET transaction_ordinal = 1 - transaction_ordinal "
               "WHERE transaction_id IN (?, ?)", (a, b))
    db.close()
    victim.demand({"code": "BLOCK_ALTERED", "block": 4}, {"code": "TX_ALTERED", "transaction": a},
                  {"code": "TX_ALTERED", "transaction": b})


@pytest.mark.parametrize("column, value", [
    ("transactions_root_hash", "randomblob(32)"), ("previous_block_hash", "randomblob(32)"),
    ("history_root_hash", "randomblob(32)"), ("block_size", "block_size + 1"), ("block_size", "1"),
    ("first_transaction_id", "first_transaction_id + 1"), ("close_time", "'2001-01-01T00:00:00.000000Z'"),
    ("transactions_root_hash", "zeroblob(31)"), ("close_time", "'yesterday'"), ("previous_block_hash", "NULL")])
def test_H13_stored_block_edited(chain_victim, column, value):
    """The field is named."""
    chain_victim.plain(f"UPDATE database_ledger_blocks SET {column} = {value} WHERE block_id = 3")
    report = chain_victim.verify()
    assert report.codes & {"BLOCK_ALTERED", "CHAIN_BROKEN"}, report
    assert any(column in finding["columns"] and finding["block"] == 3 for finding in report.findings), report
    chain_victim.demand(*(report.codes & {"BLOCK_ALTERED", "CHAIN_BROKEN"}),
                        allowed=["DIGEST_MISMATCH", "TIME_ANOMALY", "TX_ALTERED", "TX_EXTRA", "TX_MISSING", "COVERAGE_GAP"])


def test_H13_block_deleted(chain_victim):
    chain_victim.plain("DELETE FROM database_ledger_blocks WHERE block_id = 3")
    chain_victim.demand("CHAIN_BROKEN", allowed=[
        "BLOCK_ALTERED", "DIGEST_MISMATCH", "TX_MISSING", "TX_ALTERED", "TIME_ANOMALY"])


def rewrite(victim, number=FRESH, first_block=3):
    """A row is changed and everything from its block to the head is computed again: the database agrees with itself."""
    db = victim.plain()
    transaction = scalar(db, f"SELECT transaction_id FROM {victim.stamps()} WHERE row_id = ?", number)
    db.execute("UPDATE account SET balance = 9999 WHERE id = ?", (number,))
    model.reroot(db, transaction, victim.table_id("account"))
    model.rechain(db, first_block)
    db.close()


def test_H14_everything_rewritten_consistently(chain_victim):
    rewrite(chain_victim)
    if not chain_victim.anchored:
        report = chain_victim.verify()
        assert report.exit_code == 2 and not report.codes - {"TAIL_UNATTESTED"}, (
            f"without a digest from outside this can't be seen; it must not say OK\n{report}")
        agree(chain_victim.path, report=report)
        return
    report = chain_victim.demand({"code": "DIGEST_MISMATCH", "block": 3})
    first = min(finding["block"] for finding in report.findings if finding["code"] == "DIGEST_MISMATCH")
    assert first == 3
    assert report.json["digests"]["last_good"]["block_id"] == 2, report.json["digests"]


def test_H14_digests_of_later_blocks_only(whole_victim):
    """The earliest block that differs is found as far as the digests allow."""
    rewrite(whole_victim)
    lines = whole_victim.bank.digests.read_text().splitlines()
    kept = whole_victim.directory / "some.json"
    kept.write_text("\n".join(lines[at] for at in (0, 4, 5)))
    whole_victim.digests = [kept]
    report = whole_victim.demand({"code": "DIGEST_MISMATCH", "block": 4})
    assert report.json["digests"]["last_good"]["block_id"] == 0, report.json["digests"]


def test_H15_rewritten_tail(chain_victim):
    victim = chain_victim
    victim.honest("UPDATE account SET units = 1 WHERE id = 9", "UPDATE account SET units = 2 WHERE id = 9")
    db = victim.plain()
    number = scalar(db, "SELECT max(transaction_id) FROM database_ledger_transactions")
    db.execute("UPDATE account SET units = 777 WHERE id = 9")
    model.reroot(db, number, victim.table_id("account"))
    db.close()
    report = victim.verify()
    if victim.anchored:
        assert report.exit_code == 0 and "TAIL_UNATTESTED" in report.codes, report
        assert report.json["tail"]["transactions"] == 2 and float(report.json["tail"]["seconds"]) >= 0, report
        agree(victim.path, *victim.digests, report=report)
        # A digest that was taken before the edit, of the block that held it, convicts.
    else:
        assert report.exit_code == 2, report


def test_H15_digest_of_the_tail_convicts(whole_victim):
    victim = whole_victim
    victim.honest("UPDATE account SET units = 1 WHERE id = 9")
    db = victim.honest()
    receipt = victim.directory / "receipt.json"
    receipt.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    db = victim.plain()
    number = scalar(db, "SELECT max(transaction_id) FROM database_ledger_transactions")
    db.execute("UPDATE account SET units = 777 WHERE id = 9")
    model.reroot(db, number, victim.table_id("account"))
    model.rechain(db, 6)
    db.close()
    assert victim.verify().exit_code == 0
    victim.digests.append(receipt)
    victim.demand({"code": "DIGEST_MISMATCH", "block": 6})


def truncate(path, block):
    """The last blocks, transactions and row versions are taken away; the state before is put together again."""
    db = ledger.without_triggers(path)
    first = scalar(db, "SELECT first_transaction_id FROM database_ledger_blocks WHERE block_id = ?", block)
    for (table,) in db.execute("SELECT table_id FROM ledger_tables").fetchall():
        name = scalar(db, "SELECT name FROM ledger_tables WHERE table_id = ?", table)
        body = json.loads(scalar(db, "SELECT body FROM ledger_schema_events WHERE table_id = ? ORDER BY event_id DESC", table))
        if body["rowid"] is None:
            continue
        columns = ", ".join(f'"{column["name"]}"' for column in body["columns"])
        db.execute(f"DELETE FROM {name} WHERE {body['rowid']} IN (SELECT row_id FROM ledger_stamps_{table} "
                   "WHERE transaction_id >= ?)", (first,))
        db.execute(f"DELETE FROM ledger_stamps_{table} WHERE transaction_id >= ?", (first,))
        if name == "account":
            db.execute(f"INSERT INTO account SELECT {columns} FROM ledger_history_{table} WHERE ledger_end_transaction_id >= ? "
                       "AND ledger_start_transaction_id < ?", (first, first))
            db.execute(f"INSERT INTO ledger_stamps_{table} SELECT id, ledger_start_transaction_id, "
                       f"ledger_start_sequence_number FROM ledger_history_{table} WHERE ledger_end_transaction_id >= ? "
                       "AND ledger_start_transaction_id < ?", (first, first))
        db.execute(f"DELETE FROM ledger_history_{table} WHERE ledger_end_transaction_id >= ?", (first,))
    db.execute("DELETE FROM database_ledger_transactions WHERE transaction_id >= ?", (first,))
    db.execute("DELETE FROM ledger_leaf_chunks WHERE transaction_id >= ?", (first,))
    db.execute("DELETE FROM ledger_transaction_chunks WHERE block_id >= ?", (block,))
    db.execute("DELETE FROM database_ledger_blocks WHERE block_id >= ?", (block,))
    db.text_factory = ref.Text
    ledger_id = scalar(db, "SELECT ledger_id FROM ledger_identity")
    model.write_nodes(db, model.block_hashes(db, ledger_id))
    db.close()


def test_H16_last_blocks_cut_off(chain_victim):
    truncate(chain_victim.path, 5)
    if chain_victim.anchored:
        chain_victim.demand({"code": "ROLLBACK", "block": 5})
    else:
        report = chain_victim.verify()
        assert report.exit_code == 2 and not report.codes - {"TAIL_UNATTESTED"}, report


def test_H16_last_blocks_cut_off_rows_left(chain_victim):
    chain_victim.plain("DELETE FROM database_ledger_blocks WHERE block_id = 5",
                       "DELETE FROM database_ledger_transactions WHERE block_id = 5")
    chain_victim.demand(*(["ROLLBACK"] if chain_victim.anchored else []), "ROW_EXTRA",
                        allowed=["INDEX_DIVERGENCE", "VERSION_LINK"])


def test_H17_older_backup_and_then_on(whole_victim):
    victim = whole_victim
    backup = ledger.copy_database(victim.path, victim.directory / "backup.db")
    db = victim.honest()
    later = victim.directory / "later.json"
    db.execute("UPDATE account SET units = 1 WHERE id = 9")
    later.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    victim.digests.append(later)
    assert victim.verify().exit_code == 0
    ledger.copy_database(backup, victim.path)
    victim.demand({"code": "ROLLBACK", "block": 6}, repair=False)
    db = victim.honest()
    db.execute("UPDATE account SET units = 2 WHERE id = 9")
    forked = victim.directory / "forked.json"
    forked.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    victim.digests.append(forked)
    victim.demand({"code": "FORK", "block": 6}, allowed=["DIGEST_MISMATCH"], repair=False)


def test_H18_copy_that_lags_behind(whole_victim):
    """A replica that has everything the digests name is the database."""
    victim = whole_victim
    copy = ledger.copy_database(victim.path, victim.directory / "replica.db")
    victim.honest("UPDATE account SET units = 1 WHERE id = 9")
    report = agree(copy, *victim.digests)
    assert report.exit_code == 0, report
    db = connect(copy)
    db.execute("UPDATE account SET units = 2 WHERE id = 9")
    digest = victim.directory / "replica.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(copy, *victim.digests, digest).exit_code == 0


def test_H19_split_view(whole_victim):
    """Two copies go on in parallel; whoever compares the digests of both sees the fork, on either copy."""
    victim = whole_victim
    other = ledger.copy_database(victim.path, victim.directory / "other.db")
    for path, units in ((victim.path, 1), (other, 2)):
        db = connect(path)
        db.execute("UPDATE account SET units = ? WHERE id = 9", (units,))
        file = victim.directory / f"{units}.json"
        file.write_text(scalar(db, "SELECT ledger_close_block()"))
        db.close()
        victim.digests.append(file)
    for path in (victim.path, other):
        report = agree(path, *victim.digests)
        assert report.exit_code == 1 and "FORK" in report.codes, report


def test_H20_internal_digest_record_replaced(whole_victim):
    """What the database says of its digests is not believed: only the outside copy counts."""
    victim = whole_victim
    rewrite(victim)
    victim.plain("INSERT OR REPLACE INTO database_ledger_digest_locations VALUES ('file:///nowhere', 5, 1)")
    victim.demand({"code": "DIGEST_MISMATCH", "block": 3}, allowed=["DIGEST_GAP", "POLICY_DRIFT"])


def store(directory):
    return f"file://{directory}"


def upload(victim, place, units):
    place.mkdir(exist_ok=True)
    victim.honest(f"UPDATE account SET units = {units} WHERE id = 9")
    done = ledger.run_cli("sql", "digest", victim.path, "--store", store(place))
    assert done.returncode == 0, done.stderr


def verify_store(victim, place, *options):
    return ledger.Report(ledger.run_cli("sql", "verify", victim.path, "--store", store(place), "--json", *options))


def stored_digest(place, block):
    files = [file for file in place.rglob("*") if file.is_file() and f'"block_id":{block},' in file.read_text()]
    assert len(files) == 1, [str(file) for file in place.rglob("*")]
    return files[0]


def test_H21_upload_dropped(whole_victim):
    """The database recorded an upload that the store has not got."""
    victim, place = whole_victim, whole_victim.directory / "store"
    upload(victim, place, 1)
    upload(victim, place, 2)
    good = verify_store(victim, place)
    assert good.exit_code == 0 and good.json["anchored_through_block"] == 7, good
    lost = stored_digest(place, 7)
    os.chmod(lost.parent, 0o755)
    lost.unlink()
    report = verify_store(victim, place)
    assert report.exit_code == 1 and "DIGEST_GAP" in report.codes, report
    gap = next(finding for finding in report.findings if finding["code"] == "DIGEST_GAP")
    assert gap["block"] == 7, gap


def later(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_H21_uploads_delayed(whole_victim):
    """Where a policy says how long a transaction may be in no digest: the start of the gap and its length."""
    victim = whole_victim
    time.sleep(1.1)
    lines = [json.loads(line) for line in victim.bank.digests.read_text().splitlines()]
    lines[5]["digest_time"] = later(0)
    file = victim.directory / "late.json"
    file.write_text("\n".join(json.dumps(lines[at]) for at in (0, 1, 5)))
    report = agree(victim.path, file)
    assert report.exit_code == 0, report
    report = ledger.verify(victim.path, file, options=["--max-digest-gap", "1s"])
    assert report.exit_code == 1 and report.codes - {"TAIL_UNATTESTED"} == {"DIGEST_GAP"}, report
    gap = next(finding for finding in report.findings if finding["code"] == "DIGEST_GAP" and finding["block"] == 2)
    assert float(gap["found"].removesuffix(" s")) > 1, gap


def at(offset, *words, code=0):
    """The program with the clock ahead or back."""
    faketime = shutil.which("faketime")
    if not faketime:
        pytest.skip("needs faketime")
    done = subprocess.run([faketime, "-f", offset, binary(), *map(str, words)], env=clean_environment(), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done


@pytest.fixture
def quiet(tmp_path):
    """A database of three days ago, with its digest in a store."""
    path, place = tmp_path / "quiet.db", tmp_path / "store"
    place.mkdir()
    at("-3d", "sql", "init", path)
    at("-3d", "sql", "exec", path, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
    at("-3d", "sql", "enable", path, "t")
    at("-3d", "sql", "watch", path, "--once", "--store", store(place))
    return path, place


def test_H21_an_uploader_that_stood_still(quiet):
    """Everything of two days is in one block."""
    path, place = quiet
    for days in 2, 1:
        at(f"-{days}d", "sql", "exec", path, "INSERT INTO t(x) VALUES(1)")
    at("+0", "sql", "watch", path, "--once", "--store", store(place))
    words = ["sql", "verify", path, "--json", "--store", store(place)]
    assert ledger.Report(ledger.run_cli(*words, "--max-digest-gap", "3d")).exit_code == 0
    report = ledger.Report(ledger.run_cli(*words, "--max-digest-gap", "1d"))
    assert report.exit_code == 1 and report.codes == {"DIGEST_GAP"}, report


def test_H21_a_quiet_database_is_not_accused(quiet):
    """Its first new row waits for the uploader's next round, and not since the last one."""
    path, place = quiet
    at("+0", "sql", "exec", path, "INSERT INTO t(x) VALUES(1)")
    report = ledger.Report(ledger.run_cli("sql", "verify", path, "--json", "--store", store(place), "--max-digest-age", "1h"))
    assert report.exit_code == 0 and report.json["tail"]["transactions"] == 1, report


def test_H22_digest_setting_points_elsewhere(whole_victim):
    """Digests go to another place than the one that the auditor pinned and reads."""
    victim, place, elsewhere = whole_victim, whole_victim.directory / "store", whole_victim.directory / "elsewhere"
    upload(victim, place, 1)
    pinned = ["--expect-store", store(place)]
    report = verify_store(victim, place, *pinned)
    assert report.exit_code == 0, report
    upload(victim, elsewhere, 2)
    victim.plain(("UPDATE database_ledger_digest_locations SET is_current = 0 WHERE path = ?", (store(place),)))
    report = verify_store(victim, place, *pinned)
    assert report.exit_code == 1 and report.codes >= {"POLICY_DRIFT", "DIGEST_GAP"}, report


@pytest.mark.parametrize("change", ["DELETE FROM database_ledger_digest_locations",
                                    "UPDATE database_ledger_digest_locations SET is_current = 0"])
def test_H22_list_of_uploads_emptied(whole_victim, change):
    victim, place = whole_victim, whole_victim.directory / "store"
    upload(victim, place, 1)
    assert verify_store(victim, place, "--expect-store", store(place)).exit_code == 0
    victim.plain(change)
    report = verify_store(victim, place, "--expect-store", store(place))
    assert report.exit_code == 1 and "DIGEST_GAP" in report.codes, report
    report = verify_store(victim, place)
    assert report.exit_code == 0, f"without a policy the list is no source\n{report}"


def test_H22_a_database_that_never_uploaded(whole_victim):
    report = ledger.verify(whole_victim.path, *whole_victim.digests, options=["--expect-store", "file:///agreed"])
    assert report.exit_code == 1 and "DIGEST_GAP" in report.codes, report


def test_H22_verification_says_where_digests_came_from(whole_victim):
    """The database's own list of stores is no source: who asks which store is for the auditor to say."""
    victim, place = whole_victim, whole_victim.directory / "store"
    upload(victim, place, 1)
    report = verify_store(victim, place)
    assert report.exit_code == 0 and any(f"1 digest from {store(place)}" in note for note in report.notes), report
    victim.plain(("UPDATE database_ledger_digest_locations SET path = ?", ("file:///elsewhere",)))
    report = verify_store(victim, place)
    assert any("file:///elsewhere" in note and "Nothing there was asked" in note for note in report.notes), report
    report = ledger.Report(ledger.run_cli("sql", "verify", victim.path, "--json"))
    assert report.exit_code == 2 and report.json["digests"]["given"] == 0, report


def test_H22_plain_writes_to_the_digest_setting_are_refused(whole_victim):
    victim = whole_victim
    upload(victim, whole_victim.directory / "store", 1)
    for db in (ledger.plain(victim.path), ledger.connect(victim.path)):
        for statement in ("UPDATE database_ledger_digest_locations SET path = 'file:///elsewhere'",
                          "DELETE FROM database_ledger_digest_locations",
                          "INSERT INTO database_ledger_digest_locations VALUES ('file:///elsewhere', 1, 1)"):
            with pytest.raises(sqlite3.Error, match="ledger_is_writing|only the ledger writes it"):
                db.execute(statement)
        db.close()


def test_H20_name_of_the_database_changed(whole_victim):
    """The name is for good and in every digest; with another one no evidence could be given any more."""
    whole_victim.plain("UPDATE ledger_identity SET database_name = 'evil'")
    whole_victim.demand({"code": "DIGEST_MISMATCH", "columns": ["database_name"]}, repair=False)


def test_H23_old_digest_replayed(whole_victim):
    """An old digest fits; a policy that wants a recent one says no. With a newer one the rollback shows."""
    victim = whole_victim
    first = victim.directory / "first.json"
    first.write_text(victim.bank.digests.read_text().splitlines()[0])
    report = agree(victim.path, first)
    assert report.exit_code == 0 and report.json["tail"]["transactions"] > 20, report
    report = ledger.verify(victim.path, first, options=["--max-tail", "3"])
    assert report.exit_code != 0, report
    time.sleep(1.1)
    old = json.loads(first.read_text())
    # With the time of another day, or as if it were made just now, it covers no more.
    for digest_time in "2026-01-01T00:00:00.000000Z", later(0), later(200):
        first.write_text(json.dumps(dict(old, digest_time=digest_time)))
        report = ledger.verify(victim.path, first, options=["--max-digest-age", "1s"])
        assert report.exit_code == 1 and "DIGEST_GAP" in report.codes, report
    truncate(victim.path, 5)
    victim.demand({"code": "ROLLBACK", "block": 5}, repair=False)


def test_H24_clock_set_back(whole_victim):
    """Commit times never decrease, whatever the clock says; a decreasing one was written by hand."""
    victim = whole_victim
    faketime = shutil.which("faketime")
    if faketime:
        code = ("import sys; sys.path[:0] = sys.argv[1:3]\nfrom kit import ledger\n"
                "ledger.connect(sys.argv[3]).execute('UPDATE account SET units = 3 WHERE id = 3')")
        subprocess.run([faketime, "2001-01-01", sys.executable, "-c", code, str(ledger.ROOT / "Tests/Python"),
                        str(ledger.ROOT / "Tests/Python/sql"), victim.path], check=True)
        assert agree(victim.path, *victim.digests).exit_code == 0
    victim.honest("UPDATE account SET units = 1 WHERE id = 9", "UPDATE account SET units = 2 WHERE id = 9")
    victim.plain("UPDATE database_ledger_transactions SET commit_time = '2001-01-01T00:00:00.000000Z' WHERE transaction_id = "
                 "(SELECT max(transaction_id) FROM database_ledger_transactions)")
    report = victim.verify()
    assert report.exit_code == 1 and "TIME_ANOMALY" in report.codes, report


def test_H24_digest_made_with_the_clock_back(tmp_path):
    """It is dated no earlier than what it covers, whoever makes it: it would accuse the database for good."""
    for name, words in (("watch", ["watch", "--once"]), ("digest", ["digest"]), ("kept", ["digest"])):
        path, place = tmp_path / f"{name}.db", tmp_path / name
        place.mkdir()
        for command in ["init"], ["exec", "CREATE TABLE t(id INTEGER PRIMARY KEY, x)"], ["enable", "t"]:
            done = ledger.run_cli("sql", command[0], path, *command[1:])
            assert done.returncode == 0, done.stderr
        assert ledger.run_cli("sql", "exec", path, "INSERT INTO t(x) VALUES(1)").returncode == 0
        if name == "kept":
            (tmp_path / "kept.json").write_text(at("-2h", "sql", *words, path).stdout)
            report = agree(path, tmp_path / "kept.json")
        else:
            at("-2h", "sql", *words, path, "--store", store(place))
            report = ledger.Report(ledger.run_cli("sql", "verify", path, "--json", "--store", store(place)))
        assert report.exit_code == 0, report


def test_H24_digest_dated_in_the_future(whole_victim):
    """It says nothing about when it was made, and silences no policy."""
    victim = whole_victim
    file = victim.directory / "future.json"
    digest = json.loads(victim.bank.digests.read_text().splitlines()[0])
    file.write_text(json.dumps(dict(digest, digest_time=later(86_400))))
    report = agree(victim.path, file)
    assert report.exit_code == 1 and report.codes - {"TAIL_UNATTESTED"} == {"TIME_ANOMALY"}, report
    time.sleep(1.1)
    report = ledger.verify(victim.path, file, options=["--max-digest-age", "1s"])
    assert "DIGEST_GAP" in report.codes, report


@pytest.mark.parametrize("default", ["", " DEFAULT 5", " DEFAULT 'd'", " DEFAULT -5.0", " DEFAULT 2.5"])
def test_H01_value_in_a_column_that_was_dropped_before(tmp_path, default):
    """No leaf holds it, and nobody but the ledger writes there."""
    path, digest = tmp_path / "dropped.db", tmp_path / "dropped.json"
    db = ledger.connect(path)
    for statement in ("CREATE TABLE t(id INTEGER PRIMARY KEY, first, v)", "SELECT ledger_init(1)", "INSERT INTO t VALUES(1, 2, 3)",
                      f"ALTER TABLE t ADD COLUMN d{default}", "UPDATE t SET v = 4", "SELECT ledger_drop_column('t', 'd')",
                      "SELECT ledger_drop_column('t', 'first')", "INSERT INTO t VALUES(2, 5)", "UPDATE t SET v = 6"):
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(path, digest).exit_code == 0
    db = ledger.without_triggers(path)
    names = [row[1] for row in db.execute("PRAGMA table_info(ledger_history_1)") if row[1].startswith("ledger_dropped_")]
    assert len(names) == 2
    for name in names:
        db.execute(f'UPDATE ledger_history_1 SET "{name}" = \'forged\' WHERE id = 2')
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"ROW_ALTERED"}, report
    assert ledger.second_opinion(path, digest)[:2] == (1, {"ROW_ALTERED"})


def test_H24_clock_put_back_before_a_block_closes(tmp_path):
    """A block closes no earlier than what it holds."""
    path, digest = tmp_path / "clock.db", tmp_path / "clock.json"
    db = ledger.connect(path)
    for statement in ("CREATE TABLE t(v)", "SELECT ledger_init(1)"):
        db.execute(statement).fetchall()
    db.close()
    # Nobody can tell the entry from one that was written while the clock was ahead.
    db = ledger.without_triggers(path)
    db.execute("UPDATE database_ledger_transactions SET commit_time = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '+100 seconds') "
               "WHERE transaction_id = (SELECT max(transaction_id) FROM database_ledger_transactions)")
    db.close()
    db = ledger.connect(path)
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    close, commit = db.execute("SELECT close_time, max(commit_time) FROM database_ledger_blocks, database_ledger_transactions").fetchone()
    assert close >= commit
    db.close()
    assert agree(path, digest).exit_code == 0


def test_H24_clock_set_forward(whole_victim):
    """A commit time after the digest's own time, or after the moment of verification."""
    victim = whole_victim
    victim.honest("UPDATE account SET units = 1 WHERE id = 9")
    victim.plain("UPDATE database_ledger_transactions SET commit_time = '2999-01-01T00:00:00.000000Z' WHERE transaction_id = "
                 "(SELECT max(transaction_id) FROM database_ledger_transactions)")
    digest = victim.directory / "future.json"
    db = victim.honest()
    text = json.loads(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    text["digest_time"] = "2026-06-01T00:00:00.000000Z"
    digest.write_text(json.dumps(text))
    victim.digests.append(digest)
    report = victim.verify()
    assert report.exit_code == 1 and "TIME_ANOMALY" in report.codes, report


def test_H24_commit_after_the_verifier_s_clock(whole_victim):
    """Where no digest covers it yet, too."""
    victim = whole_victim
    victim.honest("UPDATE account SET units = 1 WHERE id = 9")
    victim.plain("UPDATE database_ledger_transactions SET commit_time = '2999-01-01T00:00:00.000000Z' WHERE transaction_id = "
                 "(SELECT max(transaction_id) FROM database_ledger_transactions)")
    victim.demand({"code": "TIME_ANOMALY", "object": "database_ledger_transactions", "columns": ["commit_time"]}, repair=False)


def digest_with(victim, **members):
    """The newest digest, with other members."""
    file = victim.directory / "changed.json"
    file.write_text(json.dumps({**json.loads(victim.bank.digests.read_text().splitlines()[-1]), **members}))
    victim.digests = [file]


def test_H24_digest_older_than_what_it_covers(whole_victim):
    digest_with(whole_victim, digest_time="2001-01-01T00:00:00.000000Z")
    whole_victim.demand({"code": "TIME_ANOMALY", "columns": ["commit_time"]}, repair=False)


def test_H24_digest_with_another_commit_time(whole_victim):
    """Its hash covers the transaction, not what it says of the transaction's time."""
    digest_with(whole_victim, last_transaction_commit_time="2001-01-01T00:00:00.000000Z")
    whole_victim.demand({"code": "DIGEST_MISMATCH", "columns": ["last_transaction_commit_time"]}, repair=False)


@pytest.mark.parametrize("column, value, code", [
    ("previous_block_hash", "randomblob(32)", "CHAIN_BROKEN"), ("history_root_hash", "randomblob(32)", "CHAIN_BROKEN"),
    ("first_transaction_id", "first_transaction_id + 1", "BLOCK_ALTERED"),
    ("close_time", "'2001-01-01T00:00:00.000000Z'", "TIME_ANOMALY")])
def test_H14_block_that_everything_later_agrees_with(whole_victim, column, value, code):
    """What a block says of the ones before it, and of when it closed, is compared although the blocks behind it have its hash."""
    victim = whole_victim
    kept = victim.directory / "earlier.json"
    kept.write_text("".join(line + "\n" for line in victim.bank.digests.read_text().splitlines()[:3]))
    victim.digests = [kept]
    db = victim.plain()
    db.execute(f"UPDATE database_ledger_blocks SET {column} = {value} WHERE block_id = 3")
    model.rechain(db, 4)
    db.close()
    victim.demand({"code": code, "block": 3, "columns": [column]}, repair=False)


def test_H25_ids_do_not_come_from_sequences(whole_victim):
    """sqlite_sequence may say what it likes; ids come from the transactions themselves."""
    victim = whole_victim
    victim.honest("CREATE TABLE ticket(id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT)", "SELECT ledger_enable('ticket')",
                  "INSERT INTO ticket(what) VALUES ('a'), ('b')", "DELETE FROM ticket WHERE id = 2")
    victim.plain("UPDATE sqlite_sequence SET seq = 0", "DELETE FROM sqlite_sequence")
    victim.honest("INSERT INTO ticket(what) VALUES ('c')")
    db = ledger.plain(victim.path)
    numbers = [row[0] for row in db.execute("SELECT transaction_id FROM database_ledger_transactions ORDER BY 1")]
    db.close()
    assert numbers == list(range(1, len(numbers) + 1))
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_H26_ids_go_on_after_moving_to_a_new_file(whole_victim):
    victim = whole_victim
    dump = subprocess.run(["sqlite3", victim.path, ".dump"], capture_output=True, check=True).stdout
    moved = victim.directory / "moved.db"
    subprocess.run(["sqlite3", moved], input=dump, check=True, capture_output=True)
    db = connect(moved)
    before = scalar(db, "SELECT max(transaction_id) FROM database_ledger_transactions")
    db.execute("UPDATE account SET units = 4 WHERE id = 4")
    assert scalar(db, "SELECT max(transaction_id) FROM database_ledger_transactions") == before + 1
    db.close()
    assert agree(moved, *victim.digests).exit_code == 0


def test_H28_huge_transaction_with_savepoints(whole_victim):
    """Only what survives is a leaf."""
    victim = whole_victim
    db = victim.honest()
    db.execute("CREATE TABLE many(id INTEGER PRIMARY KEY, x)")
    db.execute("SELECT ledger_enable('many')")
    db.execute("BEGIN")
    kept = 0
    for number in range(2000):
        db.execute("SAVEPOINT s")
        db.execute("INSERT INTO many VALUES (?, ?)", (number, number))
        db.execute("SAVEPOINT t")
        db.execute("UPDATE many SET x = x + 1 WHERE id = ?", (number,))
        db.execute("ROLLBACK TO t" if number % 2 else "RELEASE t")
        if number % 3 == 0:
            db.execute("ROLLBACK TO s")
        else:
            kept += 1
        db.execute("RELEASE s")
        if number % 100 == 99:
            with pytest.raises(sqlite3.IntegrityError):
                db.execute("INSERT INTO many SELECT id + 1000000, x FROM many UNION ALL SELECT 1, NULL")
    db.executemany("INSERT INTO many VALUES (?, 'x')", ((10_000 + number,) for number in range(20_000)))
    db.execute("COMMIT")
    assert scalar(db, "SELECT count(*) FROM many") == kept + 20_000
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("inside", [
    "UPDATE account SET units = 0", "INSERT INTO visit VALUES ('undone', 0)", "DELETE FROM account WHERE id < 300",
    "ALTER TABLE account ADD COLUMN undone"])
@pytest.mark.parametrize("after", [
    "RELEASE s", "ROLLBACK", "UPDATE account SET units = 1 WHERE id = 2; RELEASE s",
    "SAVEPOINT t; DELETE FROM visit; ROLLBACK TO t; RELEASE s", "INSERT INTO visit VALUES ('kept', 0); COMMIT"])
def test_H28_savepoint_that_opens_the_transaction(whole_victim, inside, after):
    """Python's sqlite3 and other libraries use SAVEPOINT without BEGIN: rolling back to it takes everything back."""
    victim = whole_victim
    db = victim.honest()
    db.execute("SAVEPOINT s")
    db.execute(inside)
    db.execute("SELECT ledger_refresh()").fetchall()
    db.execute("ROLLBACK TO s")
    for statement in after.split("; "):
        db.execute(statement)
    db.execute("UPDATE account SET units = 2 WHERE id = 3")
    db.execute("SELECT ledger_close_block()").fetchall()
    db.close()
    code, codes, _ = ledger.second_opinion(victim.path, *victim.digests)
    assert code == 0, codes


def test_H29_rolled_back_and_killed_transactions(whole_victim):
    victim = whole_victim
    db = victim.honest()
    before = scalar(db, "SELECT count(*) FROM database_ledger_transactions")
    db.execute("BEGIN")
    db.execute("UPDATE account SET units = 0")
    db.execute("ROLLBACK")
    with pytest.raises(Exception):
        db.execute("INSERT INTO customer VALUES ('c1@example.org', 'twice', 'x')")
    with pytest.raises(Exception):
        db.execute("INSERT OR ROLLBACK INTO customer SELECT 'new' || email, full_name, city FROM customer UNION ALL "
                   "SELECT 'c1@example.org', 'twice', 'x'")
    db.close()
    code = ("import os, sys; sys.path[:0] = sys.argv[1:3]\nfrom kit import ledger\ndb = ledger.connect(sys.argv[3])\n"
            "db.execute('PRAGMA cache_size = 3')\ndb.execute('BEGIN')\n"
            "db.execute(\"UPDATE account SET note = hex(randomblob(500))\")\nos.kill(os.getpid(), 9)")
    done = subprocess.run([sys.executable, "-c", code, str(ledger.ROOT / "Tests/Python"), str(ledger.ROOT / "Tests/Python/sql"),
                           victim.path], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert (victim.directory / "bank.db-journal").exists(), "the writer was meant to leave a hot journal"
    report = victim.verify()
    assert report.exit_code in (0, 2) and not report.codes - {"VERIFIER_BLOCKED", "TAIL_UNATTESTED"}, (
        f"a hot journal is no tampering\n{report}")
    assert ledger.second_opinion(victim.path, *victim.digests)[0] == 0
    db = victim.honest()
    assert scalar(db, "SELECT count(*) FROM database_ledger_transactions") == before
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_H30_concurrent_writers(whole_victim):
    """Eight processes on one table and on others; all of them write ahead of the log."""
    victim = whole_victim
    victim.honest("PRAGMA journal_mode = WAL", "CREATE TABLE counter(id INTEGER PRIMARY KEY, n INTEGER)",
                  "SELECT ledger_enable('counter')", "INSERT INTO counter VALUES (1, 0)")
    code = ("import sys; sys.path[:0] = sys.argv[1:3]\nfrom kit import ledger\ndb = ledger.connect(sys.argv[3])\n"
            "for i in range(25):\n"
            " db.execute('BEGIN IMMEDIATE'); db.execute('UPDATE counter SET n = n + 1'); \n"
            " db.execute('INSERT INTO visit VALUES (?, ?)', (sys.argv[4], i)); db.execute('COMMIT')\n"
            " if i % 8 == 0: db.execute('SELECT ledger_close_block()').fetchall()\n")
    running = [subprocess.Popen([sys.executable, "-c", code, str(ledger.ROOT / "Tests/Python"),
                                 str(ledger.ROOT / "Tests/Python/sql"), victim.path, str(number)], stderr=subprocess.PIPE)
               for number in range(8)]
    for process in running:
        _, problem = process.communicate(timeout=120)
        assert process.returncode == 0, problem.decode()
    db = ledger.plain(victim.path)
    assert scalar(db, "SELECT n FROM counter") == 200
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


def test_combined(whole_victim):
    """R01, H14, H20 and S12 at once: the earliest digest that is provably good is still named."""
    victim = whole_victim
    victim.plain("UPDATE account SET balance = 1 WHERE id = 5")
    rewrite(victim)
    victim.plain("INSERT OR REPLACE INTO database_ledger_digest_locations VALUES ('file:///nowhere', 5, 1)")
    table = victim.table_id("account")
    victim.plain(f"DROP TRIGGER ledger_update_{table}",
                 f"CREATE TRIGGER ledger_update_{table} AFTER UPDATE ON account BEGIN SELECT 1; END")
    report = victim.verify()
    assert report.exit_code == 1, report
    assert report.codes >= {"ROW_ALTERED", "DIGEST_MISMATCH", "CAPTURE_CHANGED"}, report
    # Row 5 was written in block 2, so what digests prove without a doubt ends before that.
    assert report.json["digests"]["last_good"]["block_id"] == 1, report.json["digests"]
    assert report.json["digests"]["earliest_good"]["block_id"] == 0, report.json["digests"]


# Digests that are no digests

GOOD = {"block_count": 1, "block_id": 0, "database_name": "x", "digest_time": "2026-01-01T00:00:00.000000Z",
        "format": "indelible/digest/1", "hash": "0x" + "A" * 64,
        "last_transaction_commit_time": "2026-01-01T00:00:00.000000Z", "ledger_id": "0" * 32}


@pytest.mark.parametrize("text", [
    "", "null", "12", "[1]", "{}", "[[]]", "{", "\ufeff{}", '"' + "x" * 100_000, "[" * 100_000,
    json.dumps({**GOOD, "hash": GOOD["hash"].lower()}), json.dumps({**GOOD, "hash": "0x" + "A" * 63}),
    json.dumps({**GOOD, "more": 1}), json.dumps({key: value for key, value in GOOD.items() if key != "format"}),
    json.dumps({**GOOD, "block_id": "0"}), json.dumps({**GOOD, "block_id": -1}), json.dumps({**GOOD, "block_id": 0.5}),
    json.dumps({**GOOD, "block_count": 3}), json.dumps({**GOOD, "ledger_id": "F" * 32}),
    json.dumps({**GOOD, "digest_time": "2026-01-01"}), json.dumps({**GOOD, "format": "indelible/digest/2"}),
    json.dumps(GOOD)[:-1] + ',"block_id":0}', json.dumps({**GOOD, "block_id": 2**70, "block_count": 2**70 + 1}),
    json.dumps({**GOOD, "last_transaction_commit_time": "2026-13-01T00:00:00.000000Z"}),
], ids=range(24))
def test_hostile_digests(bank, work, text):
    """An error that names the rule, exit code 2, from both verifiers."""
    file = work / "digests.json"
    file.write_text(text)
    report = ledger.verify(bank.path, file)
    assert report.exit_code == 2, report
    if text.strip() and text != "[]":
        with pytest.raises((ref.BadDigest, RecursionError)):
            ref.read_digests(file)


def test_digests_of_another_ledger_and_of_a_clone(whole_victim):
    victim = whole_victim
    other = victim.directory / "other.db"
    db = connect(other)
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE t(a)")
    db.execute("INSERT INTO t VALUES (1)")
    foreign = victim.directory / "foreign.json"
    foreign.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    # Beside good ones they are of another database; under this one's name they are an alarm.
    report = agree(victim.path, *victim.digests, foreign)
    assert report.exit_code == 0 and report.notes, report
    text = json.loads(foreign.read_text())
    text["database_name"] = json.loads(victim.bank.digests.read_text().splitlines()[0])["database_name"]
    disguised = victim.directory / "disguised.json"
    disguised.write_text(json.dumps(text))
    report = agree(victim.path, *victim.digests, disguised)
    assert report.exit_code == 1 and "DIGEST_MISMATCH" in report.codes, report
    report = agree(victim.path, foreign)
    assert report.exit_code in (1, 2), report
    # A clone carries the same identity: its digests are a fork.
    clone = ledger.copy_database(victim.path, victim.directory / "clone.db")
    for path, units in ((clone, 5), (victim.path, 6)):
        db = connect(path)
        db.execute("UPDATE account SET units = ? WHERE id = 9", (units,))
        file = victim.directory / f"{units}.json"
        file.write_text(scalar(db, "SELECT ledger_close_block()"))
        db.close()
    report = agree(victim.path, *victim.digests, victim.directory / "5.json")
    assert report.exit_code == 1 and "DIGEST_MISMATCH" in report.codes, report


def test_verification_while_others_write(whole_victim):
    """One snapshot, no false alarm (with K06)."""
    victim = whole_victim
    victim.honest("PRAGMA journal_mode = WAL")
    stop, failed = threading.Event(), []

    def write():
        try:
            db = ledger.connect(victim.path)
            while not stop.is_set():
                db.execute("UPDATE account SET units = units + 1 WHERE id = 11")
                db.execute("SELECT ledger_close_block()").fetchall()
            db.close()
        except Exception as problem:
            failed.append(problem)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(8):
            report = ledger.verify(victim.path, *victim.digests)
            assert report.exit_code == 0, report
            assert ledger.second_opinion(victim.path, *victim.digests)[0] == 0
    finally:
        stop.set()
        thread.join()
    assert not failed, failed
