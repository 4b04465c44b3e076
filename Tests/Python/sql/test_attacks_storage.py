"""Catalogue H.6: attacks on the read path, storage and environment."""

import os
import shutil
import sqlite3
import struct
import subprocess
import sys

import pytest

from kit import ledger
from kit.bank import FRESH, NEW, marker
from kit.ledger import agree, connect, fingerprint, scalar
from kit.pages import Pages


def test_E01_index_entry_points_elsewhere(victim):
    pages = victim.pages()
    root = victim.root("account_nick")
    pages_of = pages.cell_of(root, marker=f"nick-{FRESH:08d}".encode())
    _, _, _, at, local, _ = pages_of
    place = bytes(pages.data[at : at + local]).index(b"nick-")
    pages.data[at + place + 5 : at + place + 8] = b"zzz"
    pages.save()
    victim.demand({"code": "INDEX_DIVERGENCE", "object": "account_nick"})


def test_E01_index_entry_removed(victim):
    pages = victim.pages()
    page, index, *_ = pages.cell_of(victim.root("account_nick"), marker=f"nick-{FRESH:08d}".encode())
    pages.remove_cell(page, index)
    pages.save()
    db = ledger.plain(victim.path)
    assert scalar(db, "SELECT count(*) FROM account WHERE nick = ?", f"nick-{FRESH:08d}") == 0
    db.close()
    victim.demand({"code": "INDEX_DIVERGENCE", "object": "account_nick"}, allowed=["VERIFIER_BLOCKED"], repair=False)


@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID"])
@pytest.mark.parametrize("index", ["v", "v COLLATE NOCASE", "n, v DESC", "g", "k, v", "v) WHERE (n > 3", "upper(v)"])
def test_E01_entry_of_a_new_row_removed(work, index, row_ids):
    """`--since-last` looks each new row up in each index; an index over a part of the rows or an expression it reads as a whole."""
    path, state, digest = work / "new.db", work / "seen.json", work / "digest.json"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    db.execute(f"CREATE TABLE t(k TEXT PRIMARY KEY, v TEXT, n REAL, g AS (v || n)){row_ids}")
    db.execute(f"CREATE INDEX i ON t({index})")
    fill = "INSERT INTO t VALUES (?, ?, ?)"
    db.executemany(fill, [(f"k{number}", None if number % 9 == 0 else f"Old{number}", number) for number in range(300)])
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    options = ["--since-last", "--state", state]
    assert ledger.verify(path, digest, options=options).exit_code == 0
    db.executemany(fill, [("k-zero", None, None), ("k-one", "New-mark", 5.5), ("k-two", "New-mark", 7)])
    db.execute("UPDATE t SET n = n + 1 WHERE k = 'k3'")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'i'")
    db.close()
    seen = state.read_bytes()
    assert ledger.verify(path, digest, options=options).exit_code == 0
    pages = Pages(path)
    page, place, *_ = pages.cell_of(root, marker=b"NEW-MARK" if index.startswith("upper") else b"New-mark")
    pages.remove_cell(page, place)
    pages.save()
    state.write_bytes(seen)
    report = ledger.verify(path, digest, options=options)
    assert report.exit_code == 1 and report.codes <= {"INDEX_DIVERGENCE", "VERIFIER_BLOCKED"}, report
    assert {"code": "INDEX_DIVERGENCE", "object": "i"}.items() <= report.findings[0].items(), report


@pytest.mark.parametrize("statement, table", [
    ("DELETE FROM ledger_block_nodes", "ledger_block_nodes"), ("DELETE FROM ledger_tables", "ledger_tables"),
    ("UPDATE ledger_tables SET is_dropped = 1", "ledger_tables"),
    ("INSERT INTO ledger_pending VALUES (1, 1, 1, 1)", "ledger_pending")])
def test_derived_tables_that_disagree(whole_victim, statement, table):
    """They prove nothing, but without them no block can close. A repair puts them back; writing goes on in any case."""
    victim = whole_victim
    db = victim.honest()
    with pytest.raises(sqlite3.Error, match="is not allowed on the ledger's table"):
        db.execute(statement)
    db.close()
    victim.plain(statement)
    victim.demand({"code": "INDEX_DIVERGENCE", "object": table})
    assert "INDEX_DIVERGENCE" in ledger.second_opinion(victim.path, *victim.digests)[1]
    victim.honest("ALTER TABLE account ADD COLUMN z", "UPDATE account SET z = 1 WHERE id = 3", "SELECT ledger_refresh()",
                  "SELECT ledger_close_block()")
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("table", ["ledger_leaf_chunks", "ledger_transaction_chunks"])
@pytest.mark.parametrize("change", [
    lambda blob: bytes(32) + blob[32:], lambda blob: blob[: len(blob) // 2], lambda blob: blob + b"\0"],
    ids=["another hash", "half of them", "a byte more"])
def test_stored_leaves_that_disagree(whole_victim, table, change):
    """Of whole chunks and of the entries of blocks, which have other places than the last leaves of an entry."""
    victim = whole_victim
    db = victim.plain()
    stored = db.execute(f"SELECT rowid, leaves FROM {table}").fetchall()
    assert stored
    for row, blob in stored:
        db.execute(f"UPDATE {table} SET leaves = ? WHERE rowid = ?", (change(blob), row))
    db.close()
    victim.demand({"code": "INDEX_DIVERGENCE", "object": table})
    assert "INDEX_DIVERGENCE" in ledger.second_opinion(victim.path, *victim.digests)[1]


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_byte_behind_the_stored_leaves_of_a_large_transaction(tmp_path, chunk):
    path, digest = tmp_path / "large.db", tmp_path / "large.json"
    db = connect(path)
    for statement in ("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "SELECT ledger_init(1)",
                      "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) SELECT i, i FROM n"):
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(path, digest).exit_code == 0
    db = ledger.without_triggers(path)
    place = "table_id = 1 AND chunk = ?"
    blob = scalar(db, f"SELECT leaves FROM ledger_leaf_chunks WHERE {place}", chunk)
    db.execute(f"UPDATE ledger_leaf_chunks SET leaves = ? WHERE {place}", (blob + b"\0", chunk))
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report


def test_node_of_a_block_that_disagrees(whole_victim):
    whole_victim.plain("UPDATE ledger_block_nodes SET hash = zeroblob(32) WHERE level = 0 AND position = 3")
    whole_victim.demand({"code": "BLOCK_ALTERED", "object": "ledger_block_nodes", "block": 3})


def test_E02_unique_entry_removed_and_the_key_inserted_again(whole_victim):
    victim = whole_victim
    pages = victim.pages()
    page, index, *_ = pages.cell_of(victim.root("sqlite_autoindex_customer_1"), marker=b"c9@example.org")
    pages.remove_cell(page, index)
    pages.save()
    victim.plain("INSERT INTO customer VALUES ('c9@example.org', 'Forged', 'Town')")
    report = victim.verify()
    assert report.exit_code == 1, report
    assert report.codes & {"ROW_DUPLICATE", "VERSION_LINK", "ROW_EXTRA"} and "INDEX_DIVERGENCE" in report.codes, report


def test_E03_index_made_again_as_a_partial_one(whole_victim):
    victim = whole_victim
    victim.plain("DROP INDEX account_nick", "CREATE INDEX account_nick ON account(nick) WHERE id < 10")
    victim.demand({"code": "SCHEMA_DRIFT"})


def test_E03_unique_index_dropped(whole_victim):
    whole_victim.plain("DROP INDEX account_code")
    whole_victim.demand({"code": "SCHEMA_DRIFT"})


def test_E09_table_copied_from_an_older_file(whole_victim):
    """The pages of the table are those of another time; the ledger's are new."""
    victim = whole_victim
    older = ledger.copy_database(victim.path, victim.directory / "older.db")
    victim.honest("UPDATE account SET units = 4 WHERE id = 4", "DELETE FROM account WHERE id = 5")
    db = victim.plain()
    db.execute("ATTACH ? AS older", (str(older),))
    db.execute("DELETE FROM main.account")
    db.execute("INSERT INTO main.account SELECT * FROM older.account")
    db.close()
    report = victim.verify()
    assert report.exit_code == 1 and report.codes & {"ROW_ALTERED", "ROW_EXTRA"}, report
    assert {ledger.key_of(finding).get("id") for finding in report.findings} >= {"4", "5"}, report
    agree(victim.path, *victim.digests, report=report)


def test_E10_page_zeroed(whole_victim):
    victim = whole_victim
    pages = victim.pages()
    page = pages.leaves(victim.root("account"))[3]
    pages.data[pages.base(page) : pages.base(page) + pages.size] = bytes(pages.size)
    pages.save()
    report = victim.verify()
    assert report.exit_code in (1, 2) and report.codes & {"ROW_MISSING", "VERIFIER_BLOCKED"}, report
    code, codes, _ = ledger.second_opinion(victim.path, *victim.digests)
    assert code in (1, 2) and codes & {"ROW_MISSING", "VERIFIER_BLOCKED"}


@pytest.mark.parametrize("left", [0, 1])
def test_E10_leaf_page_emptied(whole_victim, left):
    """The page says that it holds fewer rows. SQLite notices a page without any, and nothing otherwise."""
    victim = whole_victim
    pages = victim.pages()
    page = pages.leaves(victim.root("account"))[3]
    rows = len(pages.pointers(page))
    struct.pack_into(">H", pages.data, pages.header(page) + 3, left)
    pages.save()
    if left == 0:
        report = victim.verify()
        assert report.exit_code in (1, 2) and report.codes & {"ROW_MISSING", "VERIFIER_BLOCKED"}, report
        assert ledger.second_opinion(victim.path, *victim.digests)[0] in (1, 2)
        return
    report = victim.demand({"code": "ROW_MISSING", "object": "account"}, allowed=["INDEX_DIVERGENCE", "VERIFIER_BLOCKED"])
    missing = [finding for finding in report.findings if finding["code"] == "ROW_MISSING"]
    assert sum(finding.get("count", 1) for finding in missing) == rows - left > 1, report


@pytest.mark.parametrize("at", ["table", "header", "schema"])
def test_E10_rubbish(whole_victim, at):
    victim = whole_victim
    pages = victim.pages()
    place = {"table": pages.base(victim.root("account")), "header": 0, "schema": 108}[at]
    pages.data[place : place + 64] = bytes(range(100, 164))
    pages.save()
    report = victim.verify()
    assert report.exit_code in (1, 2) and report.verdict != "verified", report
    assert ledger.second_opinion(victim.path, *victim.digests)[0] in (1, 2)


def test_E10_file_cut_short(whole_victim):
    victim = whole_victim
    size = victim.path.stat().st_size
    for length in (size - 4096, size // 2, 5000, 512, 50, 0):
        os.truncate(victim.path, length)
        report = victim.verify()
        assert report.exit_code in (1, 2), report


def in_wal(victim):
    """A log that was never folded into the database: the last transactions are only there."""
    keep = ledger.connect(victim.path)
    keep.execute("PRAGMA journal_mode = WAL")
    keep.execute("PRAGMA wal_autocheckpoint = 0")
    keep.execute("UPDATE account SET name = 'wal-marker-one' WHERE id = 60")
    digest = victim.directory / "wal.json"
    digest.write_text(scalar(keep, "SELECT ledger_close_block()"))
    keep.execute("UPDATE account SET name = 'wal-marker-two' WHERE id = 61")
    target = ledger.copy_database(victim.path, victim.directory / "crashed.db")
    keep.close()
    os.remove(str(target) + "-shm")
    return target, digest


def test_E11_log_left_by_a_crash_is_read(whole_victim):
    path, digest = in_wal(whole_victim)
    before = fingerprint(path)
    report = agree(path, *whole_victim.digests, digest)
    assert report.exit_code == 0, report
    assert report.json["tail"]["transactions"] == 1, report
    assert fingerprint(path) == before, "verification changed the log"


def test_E11_log_edited(whole_victim):
    """With the frame's checksum left alone the frame and what follows are gone: that is a rollback. The ledger's own frames
    come last, so a cut in the middle shows too."""
    path, digest = in_wal(whole_victim)
    log = path.with_name(path.name + "-wal")
    data = bytearray(log.read_bytes())
    place = data.index(b"wal-marker-one")
    data[place : place + 4] = b"xxxx"
    log.write_bytes(data)
    report = agree(path, *whole_victim.digests, digest)
    assert report.exit_code == 1 and "ROLLBACK" in report.codes, report


def wal_checksum(data, order, s0=0, s1=0):
    for a, b in struct.iter_unpack(order + "II", data):
        s0 = (s0 + a + s1) & 0xFFFFFFFF
        s1 = (s1 + b + s0) & 0xFFFFFFFF
    return s0, s1


def test_E11_log_edited_with_right_checksums(whole_victim):
    path, digest = in_wal(whole_victim)
    log = path.with_name(path.name + "-wal")
    data = bytearray(log.read_bytes())
    while b"wal-marker-one" in data:
        place = data.index(b"wal-marker-one")
        data[place : place + 4] = b"xxxx"
    order = ">" if data[3] & 1 else "<"
    size = struct.unpack_from(">I", data, 8)[0]
    s0, s1 = wal_checksum(bytes(data[:24]), order)
    at = 32
    while at + 24 + size <= len(data) and data[at + 8 : at + 16] == data[16:24]:
        s0, s1 = wal_checksum(bytes(data[at : at + 8]) + bytes(data[at + 24 : at + 24 + size]), order, s0, s1)
        struct.pack_into(">II", data, at + 16, s0, s1)
        at += 24 + size
    log.write_bytes(data)
    report = agree(path, *whole_victim.digests, digest)
    assert report.exit_code == 1 and "ROW_ALTERED" in report.codes, report
    finding = next(finding for finding in report.findings if finding["code"] == "ROW_ALTERED")
    assert ledger.key_of(finding) == {"id": "60"} and finding["columns"] == ["name"]


def test_E11_log_of_another_time(whole_victim):
    """A stale log beside a newer database: its salts do not fit, or it takes the database back."""
    victim = whole_victim
    path, digest = in_wal(victim)
    kept = shutil.copy(str(path) + "-wal", victim.directory / "stale-wal")
    db = connect(path)
    for number in range(70, 75):
        db.execute("UPDATE account SET units = 1 WHERE id = ?", (number,))
    newer = victim.directory / "newer.json"
    newer.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    shutil.copy(kept, str(path) + "-wal")
    report = ledger.verify(path, *victim.digests, digest, newer)
    assert report.exit_code in (0, 1, 2), report
    if report.exit_code != 0:
        assert report.codes & {"ROLLBACK", "ROW_ALTERED", "VERIFIER_BLOCKED", "DIGEST_MISMATCH", "TX_ALTERED", "CHAIN_BROKEN",
                               "BLOCK_ALTERED"}, report


def test_E11_hot_journal_of_another_time(whole_victim):
    """A forged hot journal takes pages back to an older state as soon as somebody opens the file to write."""
    victim = whole_victim
    older = victim.path.read_bytes()
    victim.honest("UPDATE account SET units = 4 WHERE id = 4", "SELECT ledger_close_block()")
    db = victim.honest()
    digest = victim.directory / "newest.json"
    digest.write_text(scalar(db, "SELECT ledger_digest()"))
    db.close()
    size = struct.unpack_from(">H", older, 16)[0]
    pages = len(older) // size
    nonce = 7
    header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">IIIII", pages, nonce, pages, 512, size)
    body = b""
    for page in range(pages):
        data = older[page * size : (page + 1) * size]
        check = (nonce + sum(data[at] for at in range(size - 200, 0, -200))) & 0xFFFFFFFF
        body += struct.pack(">I", page + 1) + data + struct.pack(">I", check)
    journal = victim.path.with_name(victim.path.name + "-journal")
    journal.write_bytes(header.ljust(512, b"\0") + body)
    before = fingerprint(victim.path)
    report = ledger.verify(victim.path, *victim.digests, digest)
    assert fingerprint(victim.path) == before, "verification carried out the rollback"
    assert report.exit_code == 2 or report.exit_code == 1 and "ROLLBACK" in report.codes, report
    code, codes, _ = ledger.second_opinion(victim.path, *victim.digests, digest)
    assert code == 1 and "ROLLBACK" in codes, codes


def journal_of(pages, count, size):
    """The bytes of a hot journal that puts `pages` (number → contents) back."""
    nonce, body = 7, b""
    for number, data in pages.items():
        check = (nonce + sum(data[at] for at in range(size - 200, 0, -200))) & 0xFFFFFFFF
        body += struct.pack(">I", number) + data + struct.pack(">I", check)
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(">IIIII", len(pages), nonce, count, 512, size)
    return head.ljust(512, b"\0") + body


@pytest.fixture(params=["DELETE", "WAL"])
def hidden(request, tmp_path):
    """(database, digest, the journal that forges a row in it), nothing beside the database."""
    path, digest = tmp_path / "app.db", tmp_path / "digest.json"
    db = connect(path)
    for statement in (f"PRAGMA journal_mode = {request.param}", "SELECT ledger_init(0)",
                      "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)", "SELECT ledger_enable('t')",
                      "INSERT INTO t VALUES (1, 'value001'), (2, 'value002')"):
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 't'")
    db.close()
    data = path.read_bytes()
    size = struct.unpack_from(">H", data, 16)[0]
    page = data[(root - 1) * size : root * size]
    assert b"value001" in page and not list(tmp_path.glob("app.db-*"))
    forged = {root: page.replace(b"value001", b"FORGED!!")}
    return path, digest, journal_of(forged, len(data) // size, size)


def seen_by_applications(path, value):
    """Whether an application that opens a copy of everything sees `value`."""
    copy = ledger.copy_database(path, path.with_name("elsewhere.db"))
    db = sqlite3.connect(copy)
    found = {row[0] for row in db.execute("SELECT v FROM t")}
    db.close()
    return value in found


def refuted(path, digest, code="ROW_ALTERED"):
    before = fingerprint(path)
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and code in report.codes, report
    assert fingerprint(path) == before and not list(path.parent.glob(f"{path.name}-shm"))
    assert ledger.second_opinion(path, digest)[:2] == (1, {code})


def test_E11_hot_journal_whatever_the_header_says(hidden):
    path, digest, journal = hidden
    path.with_name("app.db-journal").write_bytes(journal)
    assert seen_by_applications(path, "FORGED!!")
    refuted(path, digest)


@pytest.mark.parametrize("beside", ["a harmless journal", "nothing"])
def test_E11_log_whatever_the_header_says(hidden, beside):
    path, digest, _ = hidden
    versions = path.read_bytes()[18:20]
    db = ledger.without_triggers(path)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    db.execute("UPDATE t SET v = 'FORGED!!' WHERE id = 1")
    log = path.with_name("app.db-wal").read_bytes()
    data = bytearray(path.read_bytes())
    db.close()
    data[18:20] = versions
    path.write_bytes(data)
    path.with_name("app.db-wal").write_bytes(log)
    if beside == "a harmless journal":
        size = struct.unpack_from(">H", data, 16)[0]
        path.with_name("app.db-journal").write_bytes(
            journal_of({2: bytes(data[size : 2 * size])}, len(data) // size, size))
    assert seen_by_applications(path, "FORGED!!")
    refuted(path, digest)


def test_E11_journal_that_names_a_file(hidden):
    """After a rollback SQLite deletes the super-journal that the journal names."""
    path, digest, journal = hidden
    thesis = path.with_name("thesis.txt")
    size = struct.unpack_from(">H", path.read_bytes(), 16)[0]
    name = str(thesis).encode()
    record = struct.pack(">I", 2**30 // size + 1) + name + struct.pack(">II", len(name), sum(name)) + journal[:8]
    path.with_name("app.db-journal").write_bytes(journal + record)
    # Its transaction was committed: there is nothing to play back.
    assert not seen_by_applications(path, "FORGED!!")
    assert ledger.verify(path, digest).exit_code == 0
    assert ledger.second_opinion(path, digest)[0] == 0
    thesis.write_text("all of it")
    report = ledger.verify(path, digest)
    assert report.exit_code == 2 and "several databases" in str(report), report
    assert ledger.second_opinion(path, digest)[0] == 2
    done = ledger.run_cli("sql", "status", path)
    assert thesis.read_text() == "all of it", done


@pytest.mark.parametrize("forged", [False, True])
def test_E11_log_beside_the_file_that_a_link_leads_to(tmp_path, forged):
    path, digest, link = tmp_path / "app.db", tmp_path / "digest.json", tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    db = connect(path)
    for statement in ("PRAGMA journal_mode = WAL", "SELECT ledger_init(0)",
                      "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)", "SELECT ledger_enable('t')",
                      "INSERT INTO t VALUES (1, 'old')", "PRAGMA wal_checkpoint(TRUNCATE)", "INSERT INTO t VALUES (2, 'new')"):
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    if forged:
        past = ledger.without_triggers(path)
        past.execute("UPDATE t SET v = 'forged' WHERE id = 2")
        past.close()
    report = ledger.verify(link, digest)
    assert report.exit_code == (1 if forged else 0), report
    assert ledger.second_opinion(link, digest)[0] == report.exit_code
    db.close()


def test_E12_cell_taken_out_of_its_page(victim):
    pages = victim.pages()
    page, index, *_ = pages.cell_of(victim.root("account"), rowid=FRESH)
    pages.remove_cell(page, index)
    pages.save()
    # SQLite's own check also notices that the page's free space is not accounted for.
    victim.demand({"code": "ROW_MISSING", **({} if victim.mode == "since" else {"key": {"id": FRESH}})},
                  allowed=["INDEX_DIVERGENCE", "VERIFIER_BLOCKED"], repair=False)


def test_E12_deleted_row_resurrected(whole_victim):
    victim = whole_victim
    gone = NEW + 31
    victim.plain(f"INSERT INTO account SELECT id, name, nick, balance, units, spare, code, note, data FROM {victim.history()} "
                 f"WHERE id = {gone}")
    victim.demand({"code": "ROW_EXTRA", "key": {"id": gone}})


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory):
    """(database, digest): a table of 40,000 rows, which is verified in parts, and one of them missing since ever."""
    path = tmp_path_factory.mktemp("many") / "many.db"
    db = connect(path)
    for statement in (
            "CREATE TABLE acc(id INTEGER PRIMARY KEY, owner TEXT)", "SELECT ledger_init(0)", "SELECT ledger_enable('acc')",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40001) "
            "INSERT INTO acc SELECT i, 'owner ' || i FROM n WHERE i <> 20000",
            "UPDATE acc SET owner = owner || '.' WHERE id <> 20000"):
        db.execute(statement).fetchall()
    digest = path.with_name("digest.json")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.execute("PRAGMA journal_mode = DELETE").fetchall()
    db.close()
    return path, digest


def copied(many_rows, tmp_path):
    """A copy, its digest, and a way to write to it past the ledger."""
    path, digest = many_rows
    copy = shutil.copyfile(path, tmp_path / "copy.db")
    db = sqlite3.connect(copy, isolation_level=None)
    triggers = db.execute("SELECT rowid, * FROM sqlite_schema WHERE type = 'trigger'").fetchall()

    def write(statement):
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_schema WHERE type = 'trigger'")
        db.execute("PRAGMA writable_schema = RESET")
        db.execute(statement)
        db.execute("PRAGMA writable_schema = ON")
        for trigger in triggers:
            db.execute("INSERT INTO sqlite_schema(rowid, type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?, ?)", trigger)
        db.execute("PRAGMA writable_schema = RESET")
        db.close()
    return copy, digest, write


@pytest.mark.parametrize("table", ["acc", "ledger_history_1", "ledger_stamps_1"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_E12_row_between_the_parts_that_are_read(many_rows, tmp_path, table, jobs):
    """A row id at the end of one part that is far too high: a part ends there, and the next one begins behind it."""
    path, digest, write = copied(many_rows, tmp_path)
    values = {"acc": "20000, 'mallory'", "ledger_stamps_1": "20000, 2, 19999"}
    if table == "ledger_history_1":
        db = sqlite3.connect(path)
        assert scalar(db, f"SELECT max(rowid) FROM {table}") == 40000
        db.close()
        write(f"UPDATE {table} SET rowid = rowid WHERE rowid = 20000")
    else:
        write(f"INSERT INTO {table} VALUES ({values[table]})")
    db = sqlite3.connect(path)
    root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    before = scalar(db, f"SELECT count(*) FROM {table}")
    db.close()
    pages = Pages(path)
    _, _, _, at, *_ = pages.cell_of(root, rowid=20000)
    assert pages.data[at - 3 : at] == b"\x81\x9c\x20"
    pages.data[at - 3 : at] = b"\xbd\x84\x40"
    pages.save()
    assert scalar(sqlite3.connect(path), f"SELECT count(*) FROM {table}") == before
    report = ledger.verify(path, digest, options=["--jobs", str(jobs)])
    assert report.exit_code == 2 and report.codes == {"VERIFIER_BLOCKED"} or report.exit_code == 1, report
    assert ledger.second_opinion(path, digest)[0] != 0 or table == "ledger_history_1"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("table", ["acc", "ledger_history_1", "ledger_stamps_1", "database_ledger_transactions", "ledger_schema_events"])
def test_E14_pages_that_lead_to_the_same_page_over_and_over(many_rows, tmp_path, table):
    """Six levels of 300 pointers to one page each: to read what hangs below them would take years."""
    path, digest, _ = copied(many_rows, tmp_path)
    db = sqlite3.connect(path)
    root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    db.close()
    pages = Pages(path)
    child = pages.leaves(root)[0]

    def append(page):
        pages.data += bytes(page).ljust(pages.size, b"\0")
        struct.pack_into(">I", pages.data, 28, len(pages.data) // pages.size)
        return len(pages.data) // pages.size

    def interior():
        cells = [struct.pack(">I", child) + bytes([0x80 | key >> 7, key & 0x7F]) for key in range(1, 301)]
        page = bytearray(pages.size)
        struct.pack_into(">BHHHBI", page, 0, 5, 0, 300, pages.size - 6 * 300, 0, child)
        for place, cell in enumerate(cells):
            at = pages.size - 6 * (place + 1)
            struct.pack_into(">H", page, 12 + 2 * place, at)
            page[at : at + 6] = cell
        return page
    if child == root:
        child = append(pages.data[pages.base(root) : pages.base(root) + pages.size])
    for _ in range(6):
        child = append(interior())
    pages.data[pages.base(root) : pages.base(root) + pages.size] = interior()
    pages.save()
    report = ledger.verify(path, digest)
    assert report.exit_code in (1, 2) and "VERIFIER_BLOCKED" in report.codes, report


@pytest.mark.parametrize("statement", [
    "UPDATE ledger_stamps_1 SET transaction_id = '2x' WHERE row_id = 200", "UPDATE ledger_stamps_1 SET transaction_id = 3.5 WHERE row_id = 200",
    "UPDATE ledger_stamps_1 SET sequence_number = CAST(sequence_number AS TEXT) WHERE row_id = 200",
    "UPDATE ledger_history_1 SET ledger_end_transaction_id = x'33' WHERE rowid = 7",
    "UPDATE ledger_history_1 SET ledger_start_sequence_number = NULL WHERE ledger_start_sequence_number = 0"])
def test_R19_place_of_a_version_that_is_no_integer(many_rows, tmp_path, statement):
    """As a number it may be right, but the ledger view shows something else, and finds no transaction for it."""
    path, digest, write = copied(many_rows, tmp_path)
    write(statement)
    report = agree(path, digest)
    assert report.exit_code == 1 and "VERSION_LINK" in report.codes, report


@pytest.mark.parametrize("mode", ["DELETE", "WAL", "WAL in use", "WAL left by a crash"])
def test_E12_searches_led_past_a_row(many_rows, tmp_path, mode):
    """Every row is there and right, but a number beside a pointer between pages leads searches for some of them elsewhere."""
    path, digest, _ = copied(many_rows, tmp_path)
    db = sqlite3.connect(path)
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'acc'")
    db.execute(f"PRAGMA journal_mode = {mode.split()[0]}").fetchall()
    db.close()
    assert ledger.verify(path, digest).exit_code == 0
    pages = Pages(path)
    first, second = (cell + 4 for _, cell in pages.pointers(root)[:2])
    assert all(pages.data[at] >= 0x80 > pages.data[at + 1] for at in (first, second)), "row ids of two bytes"
    pages.data[first : first + 2] = pages.data[second : second + 2]
    pages.save()
    db = sqlite3.connect(path, isolation_level=None)
    lost = [number for number in range(1, 2000) if not db.execute("SELECT 1 FROM acc WHERE id = ?", (number,)).fetchone()]
    assert lost and scalar(db, "SELECT count(*) FROM acc") == 40000
    if " " in mode:
        db.execute("PRAGMA user_version = 7")
        assert path.with_name(path.name + "-wal").stat().st_size
    if mode.endswith("crash"):
        path = ledger.copy_database(path, tmp_path / "crashed.db")
        os.remove(f"{path}-shm")
    if not mode.endswith("use"):
        db.close()
    report = ledger.verify(path, digest)
    db.close()
    assert report.exit_code == 1 and {"code": "INDEX_DIVERGENCE", "object": "acc"}.items() <= report.findings[0].items(), report
    assert len(report.findings) == 1, report


def test_E13_older_copy_of_the_file(chain_victim):
    """Undetectable without a newer digest, and the report does not claim otherwise."""
    victim = chain_victim
    older = victim.path.read_bytes()
    db = victim.honest()
    db.execute("UPDATE account SET units = 4 WHERE id = 4")
    newest = victim.directory / "newest.json"
    newest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    victim.path.write_bytes(older)
    if victim.anchored:
        assert victim.verify().exit_code == 0
        victim.digests.append(newest)
        victim.demand({"code": "ROLLBACK", "block": 6}, repair=False)
    else:
        assert victim.verify().exit_code == 2


def test_E14_freelist(whole_victim):
    """Pages on the freelist hold nothing; rubbish there changes no row. A freelist that names live pages damages on the next
    write, not now."""
    victim = whole_victim
    victim.honest("CREATE TABLE big(x)", "INSERT INTO big SELECT hex(randomblob(30000)) FROM account LIMIT 20", "DROP TABLE big")
    pages = victim.pages()
    trunk, count = struct.unpack_from(">II", pages.data, 32)
    assert trunk and count > 3
    leaf = struct.unpack_from(">I", pages.data, pages.base(trunk) + 8)[0]
    pages.data[pages.base(leaf) : pages.base(leaf) + pages.size] = b"\xa5" * pages.size
    pages.save()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    pages = victim.pages()
    struct.pack_into(">I", pages.data, pages.base(trunk) + 8, victim.root("account"))
    pages.save()
    report = victim.verify()
    assert report.exit_code in (0, 1, 2), report
    if report.exit_code:
        assert report.codes & {"INDEX_DIVERGENCE", "VERIFIER_BLOCKED"}, report


def test_E14_hex_editor_everywhere(whole_victim):
    """One flipped bit at many places: never a crash, and never OK where a row that SQLite can still read differs."""
    victim = whole_victim
    original = victim.path.read_bytes()
    step = len(original) // 23
    found = 0
    for place in range(97, len(original), step):
        data = bytearray(original)
        data[place] ^= 0x10
        victim.path.write_bytes(data)
        report = ledger.verify(victim.path, *victim.digests)
        code, codes, _ = ledger.second_opinion(victim.path, *victim.digests)
        assert report.exit_code in (0, 1, 2), report
        assert (code == 0) or report.exit_code != 0, f"byte {place}: Python says {codes}\n{report}"
        found += report.exit_code != 0
    assert found > 5


def test_E15_vacuum_renumbers(whole_victim):
    victim = whole_victim
    victim.honest("DELETE FROM visit WHERE at IN (3, 4, 9)", "INSERT INTO visit VALUES ('again', 3)")
    db = ledger.plain(victim.path)
    db.execute("VACUUM")
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    victim.honest("UPDATE visit SET what = 'after' WHERE at = 20", "DELETE FROM visit WHERE at = 21",
                  "INSERT INTO visit VALUES ('after', 22)")
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    db = ledger.plain(victim.path)
    lines = db.execute("SELECT at FROM visit_Ledger WHERE ledger_operation_type = 2 ORDER BY ledger_transaction_id DESC, "
                       "ledger_sequence_number DESC LIMIT 2").fetchall()
    db.close()
    assert lines == [(21,), (20,)], "the wrong row was ended"
    ledger.without_triggers(victim.path).execute("UPDATE visit SET what = 'forged' WHERE at = 30")
    victim.demand({"code": "ROW_ALTERED", "object": "visit", "columns": ["what"]})


def test_E15_row_deleted_and_then_vacuumed(whole_victim):
    victim = whole_victim
    victim.plain("DELETE FROM visit WHERE at = 11")
    db = ledger.plain(victim.path)
    db.execute("VACUUM")
    db.close()
    report = victim.verify()
    assert report.exit_code == 1 and "ROW_MISSING" in report.codes, report


def test_E16_report_says_what_was_read(whole_victim):
    victim = whole_victim
    backup = ledger.copy_database(victim.path, victim.directory / "backup of bank.db")
    report = ledger.verify(backup, *victim.digests)
    assert report.exit_code == 0 and "backup of bank.db" in report.json["source"], report.json
    db = ledger.plain(backup)
    assert report.json["ledger_id"] == scalar(db, "SELECT lower(hex(ledger_id)) FROM ledger_identity")
    db.close()


def test_E17_verifier_killed_or_without_memory(whole_victim):
    """A verification that does not end says nothing; one that can't go on says so."""
    victim = whole_victim
    words = [str(ledger.ROOT), str(victim.path), str(victim.digests[0])]
    code = ("import os, resource, subprocess, sys\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))\n"
            "os.execv(sys.argv[1], [sys.argv[1], 'sql', 'verify', sys.argv[2], '--digest', sys.argv[3], '--json'])")
    from support.node import binary
    done = subprocess.run([sys.executable, "-c", code, str(binary()), *words[1:]], capture_output=True, text=True)
    assert done.returncode != 0, done.stdout
    assert '"verdict":"verified"' not in done.stdout


def test_E17_unreadable(whole_victim):
    victim = whole_victim
    report = ledger.verify(victim.directory, *victim.digests)
    assert report.exit_code == 2, report
    report = ledger.verify(victim.directory / "absent.db", *victim.digests)
    assert report.exit_code == 2 and not (victim.directory / "absent.db").exists(), report
    (victim.directory / "text.db").write_text("this is no database")
    assert ledger.verify(victim.directory / "text.db", *victim.digests).exit_code == 2
    db = ledger.plain(victim.directory / "plain.db")
    db.execute("CREATE TABLE t(a)")
    db.close()
    assert ledger.verify(victim.directory / "plain.db", *victim.digests).exit_code == 2


def test_E17_locked(whole_victim):
    """An exclusive lock held by somebody else."""
    victim = whole_victim
    db = ledger.plain(victim.path)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    try:
        # Each look at the file waits 5 seconds for the lock; one that is kept must not be waited for at every statement.
        report = ledger.verify(victim.path, *victim.digests, timeout=45)
        assert report.exit_code in (0, 2), report
        if report.exit_code == 2:
            assert report.codes <= {"VERIFIER_BLOCKED"}, report
    finally:
        db.execute("ROLLBACK")
        db.close()


def test_E17_read_only_directory(whole_victim):
    victim = whole_victim
    os.chmod(victim.path, 0o444)
    os.chmod(victim.directory, 0o555)
    try:
        report = agree(victim.path, *victim.digests)
        assert report.exit_code == 0, report
    finally:
        os.chmod(victim.directory, 0o755)


def test_E18_claimed_and_operating_system_s_identity(whole_victim):
    """The claimed principal is kept beside the login, which the operating system tells."""
    victim = whole_victim
    db = victim.honest()
    db.execute("SELECT ledger_set_principal('the emperor of china')")
    db.execute("SELECT ledger_set_application('throne')")
    db.execute("UPDATE account SET units = 1 WHERE id = 1")
    import getpass
    assert db.execute("SELECT principal_name, login_name, application_name FROM database_ledger_transactions ORDER BY "
                      "transaction_id DESC LIMIT 1").fetchone() == ("the emperor of china", getpass.getuser(), "throne")
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


@pytest.mark.parametrize("size", ["big", "too big"])
def test_big_values(whole_victim, size):
    """Large values are streamed; what SQLite itself refuses is refused with nothing written."""
    victim = whole_victim
    db = victim.honest()
    if size == "big":
        db.execute("INSERT INTO account(id, data, note) VALUES (4000001, zeroblob(30000000), hex(zeroblob(5000000)))")
        db.execute("UPDATE account SET units = 1 WHERE id = 4000001")
    else:
        with pytest.raises(sqlite3.Error):
            db.execute("INSERT INTO account(id, data) VALUES (4000001, zeroblob(2200000000))")
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


def without_entry(victim, table, column, row):
    """An index on `column` of one of the ledger's own tables that does not know of row `row`."""
    victim.plain(f"CREATE INDEX lacking ON {table}({column}) WHERE rowid <> {row}")
    victim.schema("UPDATE sqlite_schema SET sql = substr(sql, 1, instr(sql, ' WHERE') - 1) WHERE name = 'lacking'")


@pytest.mark.parametrize("table, column", [("history", "id"), ("stamps", "transaction_id"),
                                           ("database_ledger_transactions", "commit_time")])
def test_E01_index_on_the_ledger_s_own_tables(whole_victim, table, column):
    """Views and history are read through these."""
    victim = whole_victim
    name = {"history": victim.history(), "stamps": victim.stamps()}.get(table, table)
    db = ledger.plain(victim.path)
    row = scalar(db, f"SELECT max(rowid) FROM {name}")
    db.close()
    without_entry(victim, name, column, row)
    victim.demand({"code": "INDEX_DIVERGENCE", "object": "lacking"}, repair=False)


def test_E01_keys_of_a_table_without_row_ids_out_of_order(work):
    """Every row is there and right, and a query by key does not find it."""
    path = work / "keys.db"
    db = connect(path)
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID")
    db.execute("BEGIN")
    db.executemany("INSERT INTO w VALUES (?, ?)", [(f"k{number:05d}", number) for number in range(3000)])
    db.execute("COMMIT")
    digest = work / "digest.json"
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'w'")
    db.close()
    assert agree(path, digest).exit_code == 0
    pages = Pages(path)
    pointers = pages.pointers(pages.leaves(root)[3])
    (a, _), (b, _) = pointers[2], pointers[-3]
    pages.data[a : a + 2], pages.data[b : b + 2] = pages.data[b : b + 2], pages.data[a : a + 2]
    pages.save()
    db = ledger.plain(path)
    lost = [number for number in range(3000) if not db.execute("SELECT 1 FROM w WHERE k = ?", (f"k{number:05d}",)).fetchone()]
    db.close()
    assert lost
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and {"code": "INDEX_DIVERGENCE", "object": "w"}.items() <= report.findings[0].items(), report


def small(tmp_path, *statements):
    """A small ledger database that is closed, and its digest."""
    path, digest = tmp_path / "small.db", tmp_path / "small.json"
    db = connect(path)
    db.execute("SELECT ledger_init(0)")
    for statement in statements:
        db.execute(statement)
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 0, report
    return path, digest


@pytest.mark.parametrize("mode", ["DELETE", "WAL in use"])
@pytest.mark.parametrize("index", ["", "CREATE INDEX i ON t(v)"])
def test_E12_length_of_a_row_that_only_searches_misread(tmp_path, mode, index):
    """Whoever reads the length of a row stops after its ninth byte; a search steps over it and goes on where that byte is 0x80
    or more. SQLite's own check reads."""
    path, digest = small(
        tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)", index, "SELECT ledger_enable('t')",
        *(f"INSERT INTO t VALUES({number}, 'value-{number}')" for number in range(1, 21)))
    db = sqlite3.connect(path, isolation_level=None)
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 't'")
    db.execute(f"PRAGMA journal_mode = {mode.split()[0]}").fetchall()
    db.close()
    pages = Pages(path)
    cells, pointers = [], pages.pointers(root)
    for (_, cell), (_, _, number, at, local, length) in zip(pointers, pages.cells(root)):
        head = bytes(pages.data[cell:at])
        cells.append((bytes([0x80] * 8 + [0x80 | length]) + head[1:] if number == 10 else head) + pages.data[at : at + local])
    end = pages.base(root) + pages.usable
    for (pointer, _), cell in zip(pointers, cells):
        end -= len(cell)
        pages.data[end : end + len(cell)] = cell
        struct.pack_into(">H", pages.data, pointer, end - pages.base(root))
    struct.pack_into(">H", pages.data, pages.header(root) + 5, end - pages.base(root))
    pages.save()
    db = sqlite3.connect(path, isolation_level=None)
    assert not db.execute("SELECT 1 FROM t WHERE id = 10").fetchone() and scalar(db, "SELECT count(*) FROM t") == 20
    assert scalar(db, "PRAGMA integrity_check") == "ok"
    if " " in mode:
        db.execute("PRAGMA user_version = 7")
        assert path.with_name(path.name + "-wal").stat().st_size
    report = ledger.verify(path, digest)
    db.close()
    assert report.exit_code == 1 and {"code": "INDEX_DIVERGENCE", "object": "t"}.items() <= report.findings[0].items(), report
    assert len(report.findings) == 1, report


@pytest.mark.parametrize("table", [
    "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT COLLATE NOCASE)",
    "CREATE TABLE t(v TEXT COLLATE NOCASE, id TEXT, PRIMARY KEY (id, v)) WITHOUT ROWID"])
@pytest.mark.parametrize("how", ["whole", "since last"])
def test_E01_text_that_is_the_same_to_the_index(tmp_path, table, how):
    """SQLite compares index and table by the collation; a query through the index shows the letters that the index holds."""
    path, digest = small(tmp_path, table, "CREATE INDEX i ON t(v)", "SELECT ledger_enable('t')")
    options = ["--since-last", "--state", tmp_path / "state"] if how != "whole" else []
    assert ledger.verify(path, digest, options=options).exit_code == 0
    db = connect(path)
    db.execute("INSERT INTO t(id, v) VALUES ('a', 'to ALICE'), ('b', 'to Bob')")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'i'")
    db.close()
    honest = ledger.copy_database(path, tmp_path / "honest.db")
    pages = Pages(path)
    _, _, _, at, local, _ = pages.cell_of(root, marker=b"to ALICE")
    place = at + bytes(pages.data[at : at + local]).index(b"ALICE")
    pages.data[place : place + 5] = b"alice"
    pages.save()
    db = sqlite3.connect(path)
    assert db.execute("SELECT v FROM t INDEXED BY i WHERE v = 'TO alice'").fetchall() == [("to alice",)]
    db.close()
    report = ledger.verify(path, digest, options=options)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert [(finding["object"], finding["count"]) for finding in report.findings] == [("i", 1)], report
    report = ledger.verify(honest, digest, options=options)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("statement", ["CREATE  UNIQUE INDEX", "CREATE/**/UNIQUE INDEX"])
def test_S13_unique_index_in_other_words(tmp_path, statement):
    path, digest = small(tmp_path, "CREATE TABLE t(a)", "SELECT ledger_enable('t')", "INSERT INTO t VALUES (1)")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE UNIQUE INDEX evil ON ledger_history_1(ledger_end_transaction_id)")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'CREATE UNIQUE INDEX', ?) WHERE name = 'evil'", (statement,))
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and {"code": "CAPTURE_CHANGED", "object": "evil"}.items() <= report.findings[0].items(), report


def test_S13_schema_event_of_another_type(tmp_path):
    """A column that came is told as one that was renamed: the place of its removal is beyond all others."""
    path, digest = small(
        tmp_path, "CREATE TABLE t(a)", "SELECT ledger_enable('t')", "ALTER TABLE t ADD COLUMN b", "INSERT INTO t VALUES (1, 2)",
        "SELECT ledger_drop_column('t', 'b')")
    db = sqlite3.connect(path, isolation_level=None)
    guards = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'ledger_schema_events'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    assert db.execute("UPDATE ledger_schema_events SET event_type = 5 WHERE event_type = 4").rowcount == 1
    for _, sql in guards:
        db.execute(sql)
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.verdict == "tampered", report


@pytest.mark.parametrize("column", ["ok TEXT DEFAULT TRUE", "ok INTEGER DEFAULT 'x'", "ok TEXT COLLATE NOCASE DEFAULT TRUE"])
@pytest.mark.parametrize("index", ["b", "b, ok"])
def test_a_default_that_SQLite_calls_of_the_wrong_type_is_no_damage(tmp_path, column, index):
    path, digest = small(
        tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, b)", "CREATE INDEX i ON t(b)", "SELECT ledger_enable('t')",
        "INSERT INTO t VALUES (1, 2)", f"ALTER TABLE t ADD COLUMN {column}", "INSERT INTO t(id, b) VALUES (2, 2)")
    db = connect(path)
    db.execute(f"CREATE INDEX j ON t({index})")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("mode", ["DELETE", "WAL", "WAL left by a crash"])
@pytest.mark.parametrize("table", ["id INTEGER PRIMARY KEY, memo TEXT, amount TEXT)", "id INTEGER PRIMARY KEY, memo TEXT, amount TEXT) WITHOUT ROWID",
                                   "history"])
def test_E12_end_of_a_long_row_read_from_another_page(tmp_path, mode, table):
    """SQLite steps over the pages of a long row by the pointer map of an auto-vacuum file, and does not ask the pages."""
    columns = table if table != "history" else "id INTEGER PRIMARY KEY, memo TEXT, amount TEXT)"
    path, digest = small(
        tmp_path, f"CREATE TABLE pay({columns}", "SELECT ledger_enable('pay')",
        *(f"INSERT INTO pay VALUES ({number}, replace(hex(zeroblob(2500)), '00', 'm{number:04d}'), 'HONEST-{number:06d}')" for number in range(1, 11)),
        *(["DELETE FROM pay WHERE id = 3"] if table == "history" else []))
    db = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA auto_vacuum = FULL", "VACUUM", f"PRAGMA journal_mode = {mode.split()[0]}"):
        db.execute(statement).fetchall()
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0, report
    pages = Pages(path)
    place = bytes(pages.data).index(b"HONEST-000003")
    last = place // pages.size + 1
    entry = pages.map_entry(last)
    kind, before = struct.unpack_from(">BI", pages.data, entry)
    assert (kind, before) == (4, last - 1), "the page follows the one before it in the file"
    other = len(pages.data) // pages.size + 1
    pages.data += pages.data[pages.base(last) : pages.base(last) + pages.size]
    struct.pack_into(">I", pages.data, pages.base(before), other)
    struct.pack_into(">BI", pages.data, pages.map_entry(other), 4, before)
    struct.pack_into(">I", pages.data, 28, other)
    pages.data[place : place + 13] = b"FORGED-999999"
    pages.save()
    db = sqlite3.connect(path, isolation_level=None)
    name = "ledger_history_1" if table == "history" else "pay"
    assert db.execute(f"SELECT amount FROM {name} WHERE id = 3").fetchone() == ("FORGED-999999",)
    assert db.execute(f"SELECT memo, amount FROM {name} WHERE id = 3").fetchone()[1] == "HONEST-000003"
    if mode.endswith("crash"):
        db.execute("PRAGMA user_version = 7")
        path = ledger.copy_database(path, tmp_path / "crashed.db")
        os.remove(f"{path}-shm")
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert {"object": "the pointer map", "count": 1}.items() <= {"count": 1, **report.findings[0]}.items(), report
    assert ledger.second_opinion(path, digest)[:2] == (1, {"INDEX_DIVERGENCE"})
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("VACUUM")
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("how", ["whole", "WAL in use", "since last"])
@pytest.mark.parametrize("unique", ["", "UNIQUE"])
@pytest.mark.parametrize("kind", ["REAL", "NUMERIC", "INTEGER", "BLOB"])
def test_E01_entry_that_is_no_number(tmp_path, kind, unique, how):
    """SQLite finds a NaN the same as every number and reads NULL: its own check sees nothing, and sums over the index are others."""
    path, digest = small(
        tmp_path, f"CREATE TABLE pay(id INTEGER PRIMARY KEY, memo TEXT, amount {kind})", "SELECT ledger_enable('pay')",
        f"CREATE {unique} INDEX i ON pay(amount)", "INSERT INTO pay(amount) VALUES (NULL)")
    options = ["--since-last", "--state", tmp_path / "state"] if how == "since last" else []
    assert ledger.verify(path, digest, options=options).exit_code == 0
    db = connect(path)
    numbers = [number * (10 ** 14 + 1) if kind == "INTEGER" else number + 0.625 for number in range(1, 101)]
    db.executemany("INSERT INTO pay(memo, amount) VALUES ('a memo', ?)", [(number,) for number in numbers])
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'i'")
    db.execute(f"PRAGMA journal_mode = {'WAL' if ' in ' in how else 'DELETE'}").fetchall()
    db.close()
    honest = ledger.copy_database(path, tmp_path / "honest.db")
    pages = Pages(path)
    _, _, _, at, local, _ = pages.cell_of(root, marker=struct.pack(">q" if kind == "INTEGER" else ">d", numbers[50]))
    pages.data[at + 1] = 7
    pages.data[at + local - 1 - 8 : at + local - 1] = bytes.fromhex("7ff8000000000000")
    pages.save()
    db = sqlite3.connect(path, isolation_level=None)
    assert scalar(db, "SELECT count(amount) FROM pay") == 99 and scalar(db, "SELECT count(amount) FROM pay NOT INDEXED") == 100
    if " in " in how:
        db.execute("PRAGMA user_version = 7")
        assert path.with_name(path.name + "-wal").stat().st_size
    report = ledger.verify(path, digest, options=options)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert {finding["object"] for finding in report.findings} == {"i"}, report
    if how == "whole":
        assert ledger.second_opinion(path, digest)[:2] == (1, {"INDEX_DIVERGENCE"})
    db.close()
    report = ledger.verify(honest, digest, options=options)
    assert report.exit_code == 0, report
