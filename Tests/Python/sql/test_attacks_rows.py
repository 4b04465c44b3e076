"""Catalogue H.3: attacks on current rows. Every test is named by its id and runs with and without an outside digest, over the
whole database, one table, and only what is new. Documentation/AttackCatalogue.md has the list."""

import shutil
import sqlite3
import struct
import subprocess

import pytest

from kit import ledger
from kit.bank import FRESH, NEW, OTHER, fill, marker
from kit.ledger import agree, connect, scalar
from kit.pages import Pages

ALTERED = "ROW_ALTERED"


def altered(number, *columns):
    return {"code": ALTERED, "object": "account", "key": {"id": number}, **({"columns": list(columns)} if columns else {})}


def test_R01_update_with_triggers_switched_off(victim):
    victim.plain(("UPDATE account SET balance = 9999 WHERE id = ?", (FRESH,)))
    victim.demand(altered(FRESH, "balance"))


def test_R01_old_value_is_derived_from_history(whole_victim):
    """A live row that was copied from its predecessor except for one column: the history gives the rest. Where the value can't
    be derived the report must not invent one."""
    victim = whole_victim
    victim.plain(("UPDATE account SET balance = 9999 WHERE id = ?", (NEW + 1,)))
    report = victim.demand(altered(NEW + 1, "balance"))
    finding = next(finding for finding in report.findings if finding["code"] == ALTERED)
    was = (NEW + 1) * 0.25 + 0.125
    assert finding["repair"]["action"] in ("UPDATE", "NONE")
    if finding["repair"]["action"] == "UPDATE":
        assert {"column": "balance", "value": str(was)} in finding["repair"]["values"], finding


def test_R03_page_bytes(victim):
    pages = victim.pages()
    pages.replace(marker(FRESH).encode(), b"marker-x" + marker(FRESH).encode()[8:])
    pages.save()
    victim.demand(altered(FRESH, "name"))


@pytest.mark.parametrize("mark", ["whole", "table"])
def test_R03_one_row_in_twenty_thousand(big_bank, work, mark):
    path = ledger.copy_database(big_bank.path, work / "big.db")
    db = ledger.without_triggers(path)
    db.execute("UPDATE account SET units = units + 1 WHERE id = 13579")
    db.close()
    report = ledger.verify(path, big_bank.digests, tables=["account"] if mark == "table" else [])
    assert report.exit_code == 1
    assert len(report.findings) == 1 and report.findings[0]["code"] == ALTERED, report
    assert ledger.key_of(report.findings[0]) == {"id": "13579"} and report.findings[0]["columns"] == ["units"], report
    if mark == "whole":
        agree(path, big_bank.digests, report=report)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_R03_one_row_in_a_million(work):
    path, digests = work / "million.db", work / "digests.json"
    db = connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("SELECT ledger_init(1)")
    db.execute("CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT, nick TEXT, balance REAL, units INTEGER, "
               "spare INTEGER, code, note TEXT, data BLOB)")
    db.execute("SELECT ledger_refresh()")
    for first in range(0, 1_000_000, 50_000):
        db.execute("BEGIN")
        fill(db, first + 1, 50_000)
        db.execute("COMMIT")
    digests.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = agree(path, digests)
    assert report.exit_code == 0, report
    for statement, key, columns in (
            ("UPDATE account SET units = 0 WHERE id = 765432", "765432", ["units"]),
            ("UPDATE account SET name = nick, nick = name WHERE id = 1", "1", ["name", "nick"])):
        copy = ledger.copy_database(path, work / "altered.db")
        db = ledger.without_triggers(copy)
        db.execute(statement)
        db.close()
        report = ledger.verify(copy, digests)
        assert report.exit_code == 1 and len(report.findings) == 1, report
        finding = report.findings[0]
        assert (finding["code"], ledger.key_of(finding), sorted(finding["columns"])) == (ALTERED, {"id": key}, columns)


def test_R04_delete_with_triggers_switched_off(victim):
    victim.plain(("DELETE FROM account WHERE id = ?", (FRESH,)))
    # A verification of what is new only does not look for stamps without rows, so it can't tell the key.
    victim.demand({"code": "ROW_MISSING", "object": "account", **({} if victim.mode == "since" else {"key": {"id": FRESH}})})


def test_R04_delete_row_and_stamp(victim):
    victim.plain(("DELETE FROM account WHERE id = ?", (FRESH,)),
                 (f"DELETE FROM {victim.stamps()} WHERE row_id = ?", (FRESH,)))
    report = victim.demand({"code": "ROW_MISSING", "object": "account"})
    finding = next(finding for finding in report.findings if finding["code"] == "ROW_MISSING")
    assert finding["transaction"] and finding["sequence"] is not None


def test_R04_delete_key_without_rowid(whole_victim):
    victim = whole_victim
    victim.plain("DELETE FROM setting WHERE name = 'name7'", "DELETE FROM customer WHERE email = 'c7@example.org'",
                 "DELETE FROM visit WHERE at = 7")
    victim.demand({"code": "ROW_MISSING", "object": "setting", "key": {"area": "area", "name": "name7"}},
                  {"code": "ROW_MISSING", "object": "customer"}, {"code": "ROW_MISSING", "object": "visit"})


def test_R05_insert_without_a_stamp(victim):
    victim.plain("INSERT INTO account(id, name) VALUES (5000000, 'phantom')")
    victim.demand({"code": "ROW_EXTRA", "object": "account", "key": {"id": 5_000_000}})


def test_R05_insert_without_a_stamp_among_old_rows(victim):
    """Below the last row of the last verification `--since-last` does not look; the page says so."""
    victim.plain("INSERT INTO account(id, name) VALUES (-7, 'phantom')")
    if victim.mode == "since":
        assert victim.verify().exit_code == 0
        victim.mode = "whole"
    victim.demand({"code": "ROW_EXTRA", "object": "account", "key": {"id": -7}})


def test_R05_insert_with_the_stamp_of_another_row(victim):
    victim.plain("INSERT INTO account(id, name) VALUES (5000000, 'phantom')",
                 (f"INSERT INTO {victim.stamps()} SELECT 5000000, transaction_id, sequence_number FROM {victim.stamps()} "
                  "WHERE row_id = ?", (FRESH,)))
    victim.demand({"code": "ROW_EXTRA", "object": "account", "key": {"id": 5_000_000}})


def test_R05_insert_with_the_next_sequence_number(victim):
    victim.plain("INSERT INTO account(id, name) VALUES (5000000, 'phantom')",
                 (f"INSERT INTO {victim.stamps()} SELECT 5000000, transaction_id, max(sequence_number) + 1 FROM "
                  f"{victim.stamps()} WHERE transaction_id = (SELECT transaction_id FROM {victim.stamps()} WHERE row_id = ?)",
                  (FRESH,)))
    victim.demand({"code": "ROW_EXTRA", "object": "account", "key": {"id": 5_000_000}})


def test_R06_duplicate_of_a_row_without_a_key(whole_victim):
    victim = whole_victim
    victim.plain("INSERT INTO visit(rowid, what, at) SELECT 4000, what, at FROM visit WHERE at = 9",
                 f"INSERT INTO {victim.stamps('visit')} SELECT 4000, s.transaction_id, s.sequence_number FROM "
                 f"{victim.stamps('visit')} s JOIN visit v ON v.rowid = s.row_id WHERE v.at = 9")
    victim.demand({"code": "ROW_DUPLICATE", "object": "visit"})


def test_R06_duplicate_after_dropping_the_key(whole_victim):
    victim = whole_victim
    victim.schema("DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_customer_1'",
                  "UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY', '') WHERE name = 'customer'")
    victim.plain("INSERT INTO customer(rowid, email, full_name, city) SELECT 4000, email, full_name, city FROM customer "
                 "WHERE email = 'c9@example.org'",
                 f"INSERT INTO {victim.stamps('customer')} SELECT 4000, s.transaction_id, s.sequence_number FROM "
                 f"{victim.stamps('customer')} s JOIN customer c ON c.rowid = s.row_id WHERE c.email = 'c9@example.org'")
    victim.demand({"code": "ROW_DUPLICATE", "object": "customer"}, {"code": "SCHEMA_DRIFT", "object": "customer"},
                  allowed=["INDEX_DIVERGENCE"])


def test_R07_two_rows_swapped(victim):
    db = victim.plain()
    units = dict(db.execute("SELECT id, units FROM account WHERE id IN (?, ?)", (FRESH, OTHER)))
    for number, other in ((FRESH, OTHER), (OTHER, FRESH)):
        db.execute("UPDATE account SET units = ? WHERE id = ?", (units[other], number))
    db.close()
    victim.demand(altered(FRESH, "units"), altered(OTHER, "units"))


def test_R07_two_rows_swapped_whole_with_their_stamps(victim):
    """Rows and stamps change keys: the keys are in the leaves."""
    for table, column in (("account", "id"), (victim.stamps(), "row_id")):
        victim.plain((f"UPDATE {table} SET {column} = -1 WHERE {column} = ?", (FRESH,)),
                     (f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (FRESH, OTHER)),
                     (f"UPDATE {table} SET {column} = ? WHERE {column} = -1", (OTHER,)))
    victim.demand(altered(FRESH, "id"), altered(OTHER, "id"))


def test_R08_two_columns_swapped(victim):
    victim.plain(("UPDATE account SET name = nick, nick = name WHERE id = ?", (FRESH,)))
    victim.demand(altered(FRESH, "name", "nick"), allowed=["INDEX_DIVERGENCE"])


def test_R09_value_moved_to_another_column(victim):
    victim.plain(("UPDATE account SET spare = units, units = NULL WHERE id = ?", (FRESH,)))
    victim.demand(altered(FRESH, "units", "spare"))


@pytest.mark.parametrize("number, value", [(NEW + 14, ""), (NEW + 15, None)], ids=["null-to-empty", "empty-to-null"])
def test_R10_null_and_empty(whole_victim, number, value):
    db = whole_victim.plain()
    assert scalar(db, "SELECT note FROM account WHERE id = ?", number) == ("" if value is None else None)
    db.execute("UPDATE account SET note = ? WHERE id = ?", (value, number))
    db.close()
    whole_victim.demand(altered(number, "note"))


@pytest.mark.parametrize("name, nick", [("a", "bc"), ("abc", ""), ("", "abc"), ("a\0b", "c"), ("ab\0", "c")])
def test_R11_concatenation(whole_victim, name, nick):
    whole_victim.plain(("UPDATE account SET name = ?, nick = ? WHERE id = ?", (name, nick, NEW + 3)))
    columns = [column for column, now, was in (("name", name, "ab"), ("nick", nick, "c")) if now != was]
    whole_victim.demand(altered(NEW + 3, *columns))


def test_R12_text_that_compares_equal_as_a_number(whole_victim):
    """SQLite has no decimal type with a scale. Numbers kept as text are text: byte-exact."""
    victim = whole_victim
    victim.honest(("UPDATE account SET note = '1.0' WHERE id = ?", (FRESH,)))
    assert victim.verify().exit_code == 0
    victim.plain(("UPDATE account SET note = '1.00' WHERE id = ?", (FRESH,)))
    victim.demand(altered(FRESH, "note"))


def test_R13_minus_zero(whole_victim):
    """-0.0 and 0.0 are written alike (the format page says so): no finding, and no crash."""
    victim = whole_victim
    pages = victim.pages()
    _, _, _, at, local, _ = pages.cell_of(victim.root("account"), rowid=NEW + 6)
    payload = bytes(pages.data[at : at + local])
    zero = payload.index(struct.pack(">d", 0.0))
    pages.data[at + zero] = 0x80
    pages.save()
    db = ledger.plain(victim.path)
    assert scalar(db, "SELECT hex(CAST(code AS TEXT)) FROM account WHERE id = ?", NEW + 6) in ("2D302E30", "302E30")
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_R13_not_a_number(whole_victim):
    """SQLite reads a NaN as NULL."""
    victim = whole_victim
    pages = victim.pages()
    _, _, _, at, local, _ = pages.cell_of(victim.root("account"), rowid=FRESH)
    old = struct.pack(">d", FRESH * 0.25 + 0.125)
    place = bytes(pages.data[at : at + local]).index(old)
    pages.data[at + place : at + place + 8] = struct.pack(">Q", 0x7FF8000000000001)
    pages.save()
    victim.demand(altered(FRESH, "balance"), allowed=["INDEX_DIVERGENCE"])


@pytest.mark.parametrize("place", ["row", "end of a long row", "between two pages", "history", "key"])
@pytest.mark.parametrize("kind", ["7ff8000000000001", "fff0000000000001", 10, 11])
def test_R13_value_that_SQLite_never_writes(tmp_path, place, kind):
    """It reads as the NULL that was recorded, but who asks for its type finds a number: by the version of SQLite, and by where it stands."""
    path, digest = tmp_path / "pay.db", tmp_path / "digest.json"
    db = connect(path)
    db.execute("SELECT ledger_init(0)")
    db.execute(f"CREATE TABLE pay(id TEXT PRIMARY KEY, memo, amount, tail){' WITHOUT ROWID' if place == 'key' else ''}")
    db.execute("SELECT ledger_enable('pay')")
    memo = {"end of a long row": 9000, "between two pages": 476}.get(place, 10)
    for number in range(9):
        db.execute("INSERT INTO pay VALUES (?, zeroblob(?), NULL, zeroblob(?))", (f"k{number}", memo, 4000 if memo == 476 else 1))
    if place == "history":
        db.execute("DELETE FROM pay")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    assert agree(path, digest).exit_code == 0
    table = "ledger_history_1" if place == "history" else "pay"
    db = ledger.without_triggers(path)
    root = scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", table)
    if isinstance(kind, str):
        db.execute(f"UPDATE {table} SET amount = 12345.675 WHERE id = 'k4'")
    db.close()
    pages = Pages(path)
    cell = pages.cell_of(root, marker=b"k4")
    places = pages.places(cell)
    payload = bytes(pages.data[at] for at in places)
    if isinstance(kind, str):
        at, new = payload.index(struct.pack(">d", 12345.675)), bytes.fromhex(kind)
        assert (at < cell[4] < at + 8) == (place == "between two pages") and (at > cell[4]) == (place == "end of a long row")
    else:
        at, new = payload.index(0, 1, payload[0]), bytes([kind])
    for offset, byte in enumerate(new):
        pages.data[places[at + offset]] = byte
    pages.save()
    db = ledger.plain(path)
    assert db.execute(f"SELECT amount FROM {table} WHERE id = 'k4'").fetchone() == (None,)
    if place == "end of a long row" and isinstance(kind, str):
        assert db.execute("SELECT id FROM pay WHERE typeof(amount) = 'real'").fetchone() == ("k4",)
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert [(finding["object"], finding.get("count", 1)) for finding in report.findings] == [(table, 1)], report
    assert ledger.second_opinion(path, digest)[:2] == (1, {"INDEX_DIVERGENCE"})


@pytest.mark.parametrize("table", [
    "id INTEGER PRIMARY KEY, r DOUBLE, memo)", "r FLOAT, id INTEGER, memo, PRIMARY KEY (r, id)) WITHOUT ROWID",
    "v TEXT AS (memo || 'x'), memo TEXT, id INTEGER PRIMARY KEY, s TEXT AS (memo) STORED, r REAL) STRICT"])
@pytest.mark.parametrize("where", ["row", "index", "both"])
def test_R13_integer_in_place_of_a_real_that_it_is_not(tmp_path, table, where):
    """Scans read the real that is next to it, and so does SQLite's own check; searches compare the integer. SQLite before 3.33 wrote
    such, into the row and its entries, so where they agree that is a note."""
    path, digest, number = tmp_path / "pay.db", tmp_path / "digest.json", float(1 << 60)
    db = connect(path)
    for statement in ("SELECT ledger_init(0)", f"CREATE TABLE pay({table}", "CREATE INDEX i ON pay(memo, r)", "SELECT ledger_enable('pay')"):
        db.execute(statement)
    db.executemany("INSERT INTO pay(id, r, memo) VALUES (?, ?, 'memo')", [(at, number if at == 3 else at * 1e17) for at in range(1, 9)])
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    roots = dict(db.execute("SELECT name, rootpage FROM sqlite_schema WHERE name IN ('pay', 'i')").fetchall())
    db.close()
    assert agree(path, digest).exit_code == 0
    pages = Pages(path)
    names = {"row": ["pay"], "index": ["i"], "both": ["i", "pay"]}[where]
    for name in names:
        _, _, _, at, local, _ = pages.cell_of(roots[name], marker=struct.pack(">d", number))
        payload = bytes(pages.data[at : at + local])
        pages.data[at + payload.index(7, 1, payload[0])] = 6
        place = at + payload.index(struct.pack(">d", number))
        pages.data[place : place + 8] = struct.pack(">q", (1 << 60) + 1)
    pages.save()
    db = ledger.plain(path)
    if where == "both":
        assert not db.execute("SELECT 1 FROM pay INDEXED BY i WHERE memo = 'memo' AND r = ?", (number,)).fetchone()
        assert scalar(db, "PRAGMA integrity_check") == "ok"
    db.close()
    report = agree(path, digest) if where == "both" else ledger.verify(path, digest)
    assert {note.split(" ")[0] for note in report.notes if "that no real equals (1)" in note} == set(names), report
    assert (report.exit_code, report.codes) == ((0, set()) if where == "both" else (1, {"INDEX_DIVERGENCE"})), report
    code, codes, done = ledger.second_opinion(path, digest)
    assert (code, codes) == (0, set()) and sum("that no real equals (1)" in note for note in done.notes) == len(names), done.notes


@pytest.mark.parametrize("value", ["infinity", "-infinity", "-0044-03-15T12:00:00+00:00", "2026-01-01T01:00:00+01:00"])
def test_R14_times(whole_victim, value):
    """SQLite keeps times as text, so another zone's text for the same instant is another value."""
    whole_victim.plain(("UPDATE account SET nick = ? WHERE id = ?", (value, NEW + 6)))
    whole_victim.demand(altered(NEW + 6, "nick"), allowed=["INDEX_DIVERGENCE"])


@pytest.mark.parametrize("column, value, number", [
    ("name", marker(FRESH) + " ", FRESH), ("name", marker(FRESH).upper(), FRESH), ("name", '{"a":1}', NEW + 6),
], ids=["trailing-blank", "case", "json-whitespace"])
def test_R16_equal_under_other_comparisons(whole_victim, column, value, number):
    whole_victim.plain((f"UPDATE account SET {column} = ? WHERE id = ?", (value, number)))
    whole_victim.demand(altered(number, column))


def test_R16_case_in_a_column_that_ignores_case(whole_victim):
    whole_victim.plain("UPDATE customer SET city = 'TOWN' WHERE email = 'c3@example.org'")
    whole_victim.demand({"code": ALTERED, "object": "customer", "key": {"email": "c3@example.org"}, "columns": ["city"]})


def overflow_of(victim, number):
    pages = victim.pages()
    cell = pages.cell_of(victim.root("account"), rowid=number)
    chain = pages.overflow(cell)
    assert len(chain) > 3
    return pages, chain


def test_R18_bytes_in_an_overflow_page(victim):
    pages, chain = overflow_of(victim, NEW + 2)
    pages.data[pages.base(chain[2]) + 100] ^= 1
    pages.save()
    victim.demand(altered(NEW + 2))


def test_R18_overflow_chain_cut(victim):
    pages, chain = overflow_of(victim, NEW + 2)
    struct.pack_into(">I", pages.data, pages.base(chain[2]), 0)
    pages.save()
    report = victim.verify()
    assert report.exit_code in (1, 2) and report.codes & {"ROW_ALTERED", "VERIFIER_BLOCKED"}, report
    assert any("account" in finding["object"] for finding in report.findings), report
    code, codes, _ = ledger.second_opinion(victim.path, *victim.digests)
    assert code in (1, 2) and codes & {"ROW_ALTERED", "VERIFIER_BLOCKED"}


@pytest.mark.parametrize("value", ["Jose\u0301 na\u00efve", "J\u043es\u00e9 na\u00efve", "Jos\u00e9\u200b na\u00efve"],
                         ids=["decomposed", "homoglyph", "invisible"])
def test_R19_unicode(whole_victim, value):
    whole_victim.plain(("UPDATE account SET name = ? WHERE id = ?", (value, NEW + 5)))
    whole_victim.demand(altered(NEW + 5, "name"))


@pytest.mark.parametrize("value", ["1", 1.0, b"1"], ids=["text", "real", "blob"])
def test_R20_storage_class(whole_victim, value):
    whole_victim.plain(("UPDATE account SET code = ? WHERE id = ?", (value, NEW + 4)))
    whole_victim.demand(altered(NEW + 4, "code"), allowed=["INDEX_DIVERGENCE"])


def test_R21_invalid_text(victim):
    pages = victim.pages()
    old = marker(FRESH).encode()
    pages.replace(old, old[:7] + b"\xff\xfe\xc3" + old[10:])
    pages.save()
    victim.demand(altered(FRESH, "name"))


def test_R21_invalid_text_that_was_ledgered(whole_victim):
    """Text that is no UTF-8 is a value like any other."""
    victim = whole_victim
    victim.honest("UPDATE account SET name = CAST(x'4aff00fe' AS TEXT) WHERE id = 3")
    assert agree(victim.path, *victim.digests).exit_code == 0
    victim.plain("UPDATE account SET name = CAST(x'4aff00fd' AS TEXT) WHERE id = 3")
    victim.demand(altered(3, "name"))


def told(path, *digests):
    """The notes of the second verifier."""
    return ledger.second_opinion(path, *digests)[2].notes


def test_R21_honest_rebuild_as_utf16(whole_victim):
    victim = whole_victim
    dump = subprocess.run(["sqlite3", victim.path, ".dump"], capture_output=True, check=True).stdout
    other = victim.directory / "utf16.db"
    subprocess.run(["sqlite3", other], input=b"PRAGMA encoding = 'UTF-16le';\n" + dump, check=True, capture_output=True)
    db = ledger.plain(other)
    assert scalar(db, "PRAGMA encoding") == "UTF-16le"
    db.close()
    report = agree(other, *victim.digests)
    assert report.exit_code == 0, report
    # Texts are those recorded; in which order they compare depends on the encoding, which no hash holds.
    for notes in report.notes, ledger.verify(other, *victim.digests, tables=["account"]).notes, told(other, *victim.digests):
        assert any("stored as UTF-16le" in note for note in notes), notes
    for notes in victim.verify().notes, told(victim.path, *victim.digests):
        assert not any("stored as" in note for note in notes), notes
    db = connect(other)
    db.execute("UPDATE account SET name = 'nach dem Umzug: äöü' WHERE id = 5")
    db.execute("INSERT INTO visit VALUES ('ü', 7)")
    db.close()
    assert agree(other, *victim.digests).exit_code == 0


def test_R23_bulk_load(whole_victim, tmp_path):
    """The shell's .import."""
    victim = whole_victim
    rows = tmp_path / "rows.csv"
    rows.write_text("".join(f"{7_000_000 + number},bulk {number}\n" for number in range(2000)))
    victim.honest("CREATE TABLE bulk(id INTEGER PRIMARY KEY, name TEXT)", "SELECT ledger_enable('bulk')")
    done = subprocess.run(
        ["sqlite3", victim.path], capture_output=True, text=True,
        input=f".load {ledger.extension().with_suffix('')}\n.mode csv\n.import {rows} bulk\n")
    assert done.returncode == 0 and not done.stderr, done.stderr
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report
    db = connect(victim.path)
    assert scalar(db, "SELECT count(*) FROM bulk_Ledger") == 2000
    db.close()


def test_R24_upsert_returning_cascades_and_deferred_constraints(whole_victim):
    victim = whole_victim
    db = victim.honest()
    db.execute("PRAGMA foreign_keys = ON")
    db.executescript("""
        CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE child(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent(id) ON DELETE CASCADE
          ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, n INTEGER);
        CREATE TABLE orphan(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent(id) ON DELETE SET NULL
          ON UPDATE CASCADE);
    """)
    for table in ("parent", "child", "orphan"):
        db.execute("SELECT ledger_enable(?)", (table,))
    db.executescript("""
        INSERT INTO parent VALUES (1, 'a'), (2, 'b');
        INSERT INTO child VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0);
        INSERT INTO orphan VALUES (1, 1), (2, 2);
        INSERT INTO parent VALUES (3, 'a') ON CONFLICT(name) DO UPDATE SET id = excluded.id;
        INSERT INTO parent VALUES (4, 'b') ON CONFLICT DO NOTHING;
        DELETE FROM parent WHERE id = 2;
        BEGIN; INSERT INTO child VALUES (9, 77, 0); INSERT INTO parent VALUES (77, 'late'); COMMIT;
        BEGIN; UPDATE child SET n = 1; UPDATE child SET n = n + 1; UPDATE child SET n = n + 1; COMMIT;
    """)
    assert db.execute("INSERT INTO parent(name) VALUES ('r') RETURNING id, name").fetchall() == [(78, "r")]
    assert db.execute("UPDATE parent SET name = 'rr' WHERE name = 'r' RETURNING id, name").fetchall() == [(78, "rr")]
    assert db.execute("DELETE FROM parent WHERE name = 'rr' RETURNING id, name").fetchall() == [(78, "rr")]
    assert db.execute("SELECT id, parent, n FROM child ORDER BY id").fetchall() == [(1, 3, 3), (2, 3, 3), (9, 77, 3)]
    assert db.execute("SELECT id, parent FROM orphan ORDER BY id").fetchall() == [(1, 3), (2, None)]
    lines = db.execute("SELECT id, ledger_operation_type FROM child_Ledger WHERE id = 9 ORDER BY ledger_transaction_id, "
                       "ledger_sequence_number").fetchall()
    assert [operation for _, operation in lines] == [1] + [2, 1] * 3
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


@pytest.mark.parametrize("recursive", [0, 1])
def test_R25_replace(whole_victim, recursive):
    victim = whole_victim
    db = victim.honest()
    db.execute(f"PRAGMA recursive_triggers = {recursive}")
    db.execute("INSERT OR REPLACE INTO account(id, name) VALUES (?, 'replaced')", (FRESH,))
    db.execute("REPLACE INTO account(id, name, code) VALUES (?, 'two at once', ?)", (OTHER, f"code-{NEW + 20:08d}"))
    db.execute("UPDATE OR REPLACE account SET code = ? WHERE id = ?", (f"code-{NEW + 22:08d}", NEW + 21))
    db.execute("UPDATE OR REPLACE account SET id = ? WHERE id = ?", (NEW + 23, NEW + 24))
    db.execute("REPLACE INTO setting VALUES ('area', 'name1', 'replaced')")
    db.execute("REPLACE INTO customer VALUES ('c1@example.org', 'Replaced', 'There')")
    with pytest.raises(sqlite3.Error):
        db.execute("REPLACE INTO journal VALUES (1, 'replaced', 0)")
    for key, lines in ((FRESH, [1, 2, 1]), (NEW + 20, [1, 2]), (NEW + 22, [1, 2]), (NEW + 24, [1, 2])):
        assert [row[0] for row in db.execute(
            "SELECT ledger_operation_type FROM account_Ledger WHERE id = ? ORDER BY ledger_transaction_id, "
            "ledger_sequence_number", (key,))] == lines, key
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


def test_R26_emptied_through_the_ledger(whole_victim):
    """An updatable table may be emptied, each row is ledgered; an append-only one may not."""
    victim = whole_victim
    db = victim.honest()
    with pytest.raises(sqlite3.Error):
        db.execute("DELETE FROM journal")
    with pytest.raises(sqlite3.Error):
        db.execute("UPDATE journal SET amount = 0")
    db.execute("DELETE FROM account")
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 0, report


def test_R26_emptied_by_force(whole_victim):
    victim = whole_victim
    victim.plain("DELETE FROM account", f"DELETE FROM {victim.stamps()}")
    report = victim.demand({"code": "ROW_MISSING", "object": "account"})
    assert len(report.findings) < 60, f"{len(report.findings)} findings are not a summary"
    assert sum(finding.get("count", 1) for finding in report.findings if finding["code"] == "ROW_MISSING") > 400


def test_rows_older_than_the_last_verification_are_not_read_by_since_last(whole_victim):
    """The documented limit of `--since-last`: it reads what is new. The whole verification finds the rest."""
    victim = whole_victim
    victim.plain("UPDATE account SET balance = 1 WHERE id = 300")
    report = victim.verify(mode="since")
    assert report.exit_code in (0, 1), report
    if report.exit_code == 0:
        assert report.json["since_block"] is not None
    assert victim.verify(mode="whole").exit_code == 1


def test_refused_without_the_extension(whole_victim):
    """The message names the remedy; nothing is written."""
    victim = whole_victim
    db = ledger.plain(victim.path)
    for statement in ("INSERT INTO account(name) VALUES ('x')", "UPDATE account SET name = 'x' WHERE id = 1",
                      "DELETE FROM account WHERE id = 1", "REPLACE INTO account(id) VALUES (1)",
                      "INSERT INTO journal(line) VALUES ('x')", "UPDATE setting SET value = 0"):
        with pytest.raises(sqlite3.Error, match="indelible|ledger_capture"):
            db.execute(statement)
    assert scalar(db, "SELECT count(*) FROM account_Ledger") > 400
    assert scalar(db, "SELECT count(*) FROM database_ledger_transactions") > 20
    db.close()
    assert agree(victim.path, *victim.digests).exit_code == 0


def test_moved_aside_and_back(whole_victim, tmp_path):
    """A copied file is the same evidence."""
    victim = whole_victim
    copy = shutil.copy(victim.path, tmp_path / "other name.db")
    assert agree(copy, *victim.digests).exit_code == 0


@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID"])
@pytest.mark.parametrize("key", ["same", "other", "other, with its stamp"])
@pytest.mark.parametrize("insert", ["('a', 'first'), ('b', 'second'), ('c', 'third')", "('b', 'second')"])
@pytest.mark.parametrize("end", ["1, 1", "2, 40"])
def test_row_without_its_stamp_that_was_copied_into_the_history(tmp_path, row_ids, key, insert, end):
    """The copy stands for the row's beginning, but has an end that the ledger does not have: the row is what is genuine, and stays."""
    path, digest = tmp_path / "copied.db", tmp_path / "copied.json"
    db = ledger.connect(path)
    for statement in (f"CREATE TABLE t(id TEXT PRIMARY KEY, v){row_ids}", "SELECT ledger_init(1)",
                      f"INSERT INTO t VALUES{insert}", "INSERT INTO t VALUES('d', 'fourth')", "UPDATE t SET v = 'new' WHERE id = 'd'"):
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    db = ledger.without_triggers(path)
    stamp = "row_id = (SELECT rowid FROM t WHERE id = 'b')" if not row_ids else "id = 'b'"
    place = db.execute(f"SELECT transaction_id, sequence_number FROM ledger_stamps_1 WHERE {stamp}").fetchone()
    db.execute(f"INSERT INTO ledger_history_1 VALUES(?, ?, {end}, 'b', 'second')", place)
    if key != "other, with its stamp":
        db.execute(f"DELETE FROM ledger_stamps_1 WHERE {stamp}")
    elif not row_ids:
        db.execute(f"UPDATE ledger_stamps_1 SET row_id = 50 WHERE {stamp}")
    if key != "same":
        db.execute("UPDATE t SET id = 'z' WHERE id = 'b'")
    kept = db.execute("SELECT * FROM t ORDER BY id").fetchall()
    db.close()
    assert agree(path, digest).exit_code == 1
    done = ledger.run_cli("sql", "repair", path, "--digest", digest, "--apply")
    assert done.returncode in (0, 1), done
    db = ledger.plain(path)
    assert db.execute("SELECT * FROM t ORDER BY id").fetchall() == kept, done.stdout
    db.close()


# The last chunks that entries keep

LAST_CHUNKS = {
    "edited": lambda blob, _: bytes(32) + blob[32:],
    "cut short": lambda blob, _: blob[:-1],
    "padded": lambda blob, _: blob + b"\0",
    "a leaf more": lambda blob, _: blob + bytes(34),
    "emptied": lambda blob, _: b"",
    "deleted": lambda blob, _: None,
    "of another entry": lambda _, other: other,
    "more checks than bytes": lambda blob, _: blob[:32] + b"\xff\xff" + blob[34:],
    "longer than any": lambda blob, _: blob * 5000,
}


@pytest.mark.parametrize("change", LAST_CHUNKS)
def test_last_chunks_of_entries_prove_nothing(whole_victim, change):
    """They are not proven: altered ones hide nothing of the rows and invent nothing, but are named and can be computed again."""
    victim = whole_victim
    db = victim.plain()
    kept = db.execute("SELECT transaction_id, leaves FROM database_ledger_transactions WHERE leaves IS NOT NULL").fetchall()
    assert len(kept) > 5
    for (number, blob), (_, other) in zip(kept, kept[1:] + kept[:1]):
        db.execute("UPDATE database_ledger_transactions SET leaves = ? WHERE transaction_id = ?", (
            LAST_CHUNKS[change](blob, other), number))
    db.close()
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    copy = ledger.copy_database(victim.path, victim.directory / "copy.db")
    if victim.anchored:
        done = ledger.run_cli("sql", "repair", copy, "--digest", victim.digests[0], "--apply")
        assert done.returncode == 0 and "ledger_restore_derived" in done.stdout, done.stdout
        assert agree(copy, *victim.digests).exit_code == 0
    victim.plain(("UPDATE account SET units = 0 WHERE id = ?", (FRESH,)))
    report = agree(victim.path, *victim.digests)
    assert report.exit_code == 1 and "ROW_ALTERED" in report.codes, report


def test_last_chunks_of_entries_name_row_and_column(whole_victim):
    """Of a transaction of a few rows they are all that tells which one was changed."""
    victim = whole_victim
    db = victim.honest()
    db.execute("UPDATE account SET units = units + 1 WHERE id IN (?, ?, ?)", (FRESH, OTHER, NEW + 9))
    assert scalar(db, "SELECT length(leaves) FROM database_ledger_transactions ORDER BY transaction_id DESC LIMIT 1") > 6 * 34
    number = scalar(db, "SELECT max(transaction_id) FROM database_ledger_transactions")
    assert scalar(db, "SELECT count(*) FROM ledger_leaf_chunks WHERE transaction_id = ?", number) == 0
    db.close()
    victim.plain(("UPDATE account SET units = 0 WHERE id = ?", (OTHER,)))
    victim.demand(altered(OTHER, "units"))
