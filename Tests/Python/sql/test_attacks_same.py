"""What SQLite takes for the same and the verifier must not, and the other way round: names, types, texts and numbers."""

import sqlite3
import struct

import pytest

from kit import ledger
from kit.ledger import agree, connect, scalar
from kit.pages import Pages, varint


def made(tmp_path, *statements, encoding=None):
    """A small ledger database that is closed, and its digest."""
    path, digest = tmp_path / "small.db", tmp_path / "small.json"
    db = connect(path)
    if encoding:
        db.execute(f"PRAGMA encoding = '{encoding}'")
    db.execute("SELECT ledger_init(0)")
    for statement in statements:
        db.execute(statement).fetchall()
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    return path, digest


def verified(path, digest, **options):
    report = ledger.verify(path, digest, **options)
    assert report.exit_code == 0, report
    return path, digest


def scalar_of(path, query, *values):
    db = sqlite3.connect(path)
    found = scalar(db, query, *values)
    db.close()
    return found


def root(path, name):
    return scalar_of(path, "SELECT rootpage FROM sqlite_schema WHERE name = ?", name)


def schema(path, statement):
    db = ledger.with_writable_schema(path)
    db.execute(statement)
    db.close()


def rewrite(path, page, change):
    """Writes a leaf page without row ids anew, each payload as `change` gives it."""
    pages = Pages(path)
    payloads = [bytes(pages.data[at : at + local]) for _, _, _, at, local, _ in pages.cells(page)]
    assert pages.leaves(page) == [page]
    end = pages.usable
    for place, payload in enumerate(change(payloads)):
        length = len(payload)
        cell = (bytes([length]) if length < 128 else bytes([0x80 | length >> 7, length & 0x7F])) + payload
        end -= len(cell)
        pages.data[pages.base(page) + end : pages.base(page) + end + len(cell)] = cell
        struct.pack_into(">H", pages.data, pages.header(page) + 8 + 2 * place, end)
    struct.pack_into(">HHHB", pages.data, pages.header(page) + 1, 0, len(payloads), end, 0)
    pages.save()


TABLE = "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)"
ENABLE = "SELECT ledger_enable('t')"


def rows(count, first=1):
    return (f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {first + count - 1}) "
            "INSERT INTO t(id, v) SELECT i, printf('value-%05d', i) FROM n")


def other_entry(path, index, old, new):
    """Writes other bytes into one entry of an index."""
    pages = Pages(path)
    _, _, _, at, local, _ = pages.cell_of(root(path, index), marker=old)
    place = at + bytes(pages.data[at : at + local]).index(old)
    pages.data[place : place + len(new)] = new
    pages.save()


# Schema rows


@pytest.mark.parametrize("type, name, table", [
    ("'TRIGGER'", "'evil'", "'t'"), ("'trigger' || char(0) || 'z'", "'evil'", "'t'"),
    ("'trigger'", "'evil'", "'t' || char(0) || 'z'"), ("CAST('TRIGGER' AS BLOB)", "'evil'", "'t'"),
    ("'trigger'", "'evil' || char(0)", "'t'"), ("'TRIGGER'", "'evil'", "'ledger_history_1'"),
    ("'Trigger'", "'evil'", "'database_ledger_transactions'")])
@pytest.mark.parametrize("only", [[], ["t"]])
def test_S15_trigger_that_queries_of_the_schema_miss(tmp_path, type, name, table, only):
    path, digest = verified(*made(tmp_path, TABLE, ENABLE, rows(3)))
    on = table.split("'")[1]
    schema(path, f"INSERT INTO sqlite_schema VALUES({type}, {name}, {table}, 0, "
                 f"'CREATE TRIGGER evil BEFORE INSERT ON {on} BEGIN SELECT raise(ignore); END')")
    if on == "t":
        db = connect(path)
        db.execute("INSERT INTO t VALUES(999, 'x')")
        assert scalar(db, "SELECT count(*) FROM t WHERE id = 999") == 0
        db.close()
    report = ledger.verify(path, digest, tables=only)
    assert report.exit_code == 1, report
    if not only or on != "database_ledger_transactions":
        assert any({"code": "CAPTURE_CHANGED", "object": "evil"}.items() <= found.items() for found in report.findings), report
    assert "SCHEMA_DRIFT" in report.codes and report.codes <= {"CAPTURE_CHANGED", "SCHEMA_DRIFT"}, report


@pytest.mark.parametrize("change, codes", [
    ("type = 'INDEX'", {"INDEX_DIVERGENCE", "SCHEMA_DRIFT"}), ("name = 'I', tbl_name = 'T'", {"INDEX_DIVERGENCE", "SCHEMA_DRIFT"}),
    ("tbl_name = 't' || char(0) || 'x'", {"INDEX_DIVERGENCE", "SCHEMA_DRIFT"})])
def test_E01_index_that_queries_of_the_schema_miss(tmp_path, change, codes):
    path, digest = verified(*made(tmp_path, TABLE, "CREATE INDEX i ON t(v)", ENABLE, rows(50)))
    other_entry(path, "i", b"value-00040", b"value/00040")
    schema(path, f"UPDATE sqlite_schema SET {change} WHERE name = 'i'")
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == codes, report


def test_E01_index_of_a_constraint_that_is_said_to_be_another_table_s(tmp_path):
    """SQLite takes the table from the row's name, and does not look at whose index the row says it is."""
    path, digest = verified(*made(tmp_path, "CREATE TABLE t(k TEXT PRIMARY KEY, v)", ENABLE,
                                  "INSERT INTO t VALUES('key-one', 1), ('key-two', 2)"))
    other_entry(path, "sqlite_autoindex_t_1", b"key-two", b"key/two")
    schema(path, "UPDATE sqlite_schema SET tbl_name = 'x' WHERE name = 'sqlite_autoindex_t_1'")
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and "INDEX_DIVERGENCE" in report.codes, report


# Events


@pytest.mark.parametrize("change", ["-event_id", "event_id + 10", "CASE event_id WHEN 3 THEN 4 WHEN 4 THEN 3 ELSE event_id END"])
def test_S02_events_in_another_order(tmp_path, change):
    """No leaf holds the id of an event, and the ledger's views go by it. Writers do not, and go on as before."""
    path, digest = verified(*made(
        tmp_path, TABLE, "CREATE TABLE gone(x)", ENABLE, "SELECT ledger_enable('gone')", "ALTER TABLE t RENAME COLUMN v TO w", rows_w(1),
        "ALTER TABLE t RENAME COLUMN w TO v", "ALTER TABLE t ADD COLUMN n", "SELECT ledger_drop_table('gone')", rows(1, 2)))
    db = ledger.without_triggers(path)
    db.execute(f"CREATE TEMP TABLE e AS SELECT {change} AS event_id, transaction_id, sequence_number, event_type, table_id, body "
               "FROM ledger_schema_events")
    db.execute("DELETE FROM ledger_schema_events")
    db.execute("INSERT INTO ledger_schema_events SELECT * FROM e")
    db.close()
    for _ in range(2):
        report = ledger.agree(path, digest)
        assert report.exit_code == 1 and report.codes <= {"SCHEMA_DRIFT", "TAIL_UNATTESTED"}, report
        assert ledger.second_opinion(path, digest)[1] - {"TAIL_UNATTESTED"} == {"SCHEMA_DRIFT"}
        status = ledger.run_cli("sql", "status", path)
        assert status.returncode == 0 and "gone (dropped)" in status.stdout, status
        db = connect(path)
        db.execute("INSERT INTO t(v, n) VALUES('v', 'n')")
        db.close()


def rows_w(count):
    return rows(count).replace("t(id, v)", "t(id, w)")


DEFINITIONS = [
    ("id INTEGER PRIMARY KEY, n INT, g AS (n)", "AS (n)", "AS (n * 10)"),
    ("id INTEGER PRIMARY KEY, n INT CHECK(n > 0)", " CHECK(n > 0)", ""),
    ("id INTEGER PRIMARY KEY, n TEXT", "n TEXT", "n TEXT COLLATE NOCASE"),
    ("id INTEGER PRIMARY KEY, n INT REFERENCES t(id)", " REFERENCES t(id)", ""),
    ("id INTEGER PRIMARY KEY, n INT UNIQUE", "UNIQUE", "UNIQUE ON CONFLICT REPLACE"),
    ("id TEXT PRIMARY KEY, n INT, g AS (n)", "AS (n)", "AS (n * 10)")]


def redefine(path, old, new, name, spelling=None):
    """Writes another text for a table, which may name it in other letters."""
    spelling = spelling or name
    schema(path, "UPDATE sqlite_schema SET name = '{1}', tbl_name = '{1}', sql = replace(replace(sql, '{2}', '{3}'), 'TABLE {0}(', "
           "'TABLE {1}(') WHERE type = 'table' AND name = '{0}'".format(name, spelling, old, new))


@pytest.mark.parametrize("columns, old, new", DEFINITIONS)
@pytest.mark.parametrize("spelling", ["accounts", "Accounts"])
@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID"])
def test_S02_definition_of_a_table_in_other_letters(tmp_path, columns, old, new, spelling, row_ids):
    """SQLite finds the table by either name, and can't rename it to its own."""
    columns = columns.replace("REFERENCES t", "REFERENCES accounts")
    path, digest = verified(*made(
        tmp_path, f"CREATE TABLE accounts({columns}){row_ids}", "SELECT ledger_enable('accounts')",
        "INSERT INTO accounts(id, n) VALUES(1, 1)"))
    redefine(path, old.replace("t(id)", "accounts(id)"), new, "accounts", spelling)
    report = ledger.agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"SCHEMA_DRIFT"}, report
    assert ledger.second_opinion(path, digest)[:2] == (1, {"SCHEMA_DRIFT"})


@pytest.mark.parametrize("type, name, code", [
    ("table", "t", "SCHEMA_DRIFT"), ("table", "ledger_stamps_1", "SCHEMA_DRIFT"), ("table", "ledger_history_1", "SCHEMA_DRIFT"),
    ("table", "database_ledger_blocks", "SCHEMA_DRIFT"), ("view", "t_Ledger", "VIEW_DRIFT"),
    ("trigger", "ledger_update_1", "CAPTURE_CHANGED"), ("trigger", "ledger_guard_update_ledger_tables", "CAPTURE_CHANGED")])
def test_S02_name_in_other_letters(tmp_path, type, name, code):
    """Queries of sqlite_schema by name miss it."""
    path, digest = verified(*made(tmp_path, TABLE, ENABLE, rows(3)))
    schema(path, f"UPDATE sqlite_schema SET name = upper(name) WHERE type = '{type}' AND name = '{name}'")
    report = ledger.verify(path, digest)
    # A view's own name stands there twice.
    assert report.exit_code == 1 and report.codes == {code} | ({"SCHEMA_DRIFT"} if type == "view" else set()), report
    assert name in {finding["object"] for finding in report.findings}, report
    if (type, name) == ("table", "t"):
        assert "SCHEMA_DRIFT" in ledger.second_opinion(path, digest)[1]


FTS = "'table', 'site', 'site', 0, 'CREATE VIRTUAL TABLE site USING fts5(x)'"
IGNORE = "CREATE TRIGGER evil BEFORE INSERT ON site_content BEGIN SELECT RAISE(IGNORE); END"


@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID"])
@pytest.mark.parametrize("attack", ["definition", "trigger", "index"])
def test_S06_virtual_table_that_a_ledger_table_seems_to_belong_to(tmp_path, row_ids, attack):
    """SQLite takes a table for the contents of a virtual one by the names of both alone."""
    path, digest = verified(*made(
        tmp_path, f"CREATE TABLE site_content(id INTEGER PRIMARY KEY, v TEXT, w, g AS (id)){row_ids}", "CREATE INDEX i ON site_content(v)",
        "SELECT ledger_enable('site_content')", "INSERT INTO site_content(id, v) VALUES(1, 'value-1'), (2, 'value-2')"))
    if attack == "definition":
        redefine(path, "AS (id)", "AS (id * 10)", "site_content")
    elif attack == "trigger":
        schema(path, f"INSERT INTO sqlite_schema VALUES('trigger', 'evil', 'site_content', 0, '{IGNORE}')")
    else:
        other_entry(path, "i", b"value-2", b"value/2")
    schema(path, f"INSERT INTO sqlite_schema VALUES({FTS})")
    db = ledger.plain(path)
    assert scalar(db, "SELECT type FROM pragma_table_list WHERE name = 'site_content'") == "shadow"
    db.close()
    report = ledger.agree(path, digest)
    code = {"definition": "SCHEMA_DRIFT", "trigger": "CAPTURE_CHANGED", "index": "INDEX_DIVERGENCE"}[attack]
    assert report.exit_code == 1 and report.codes == {code}, report
    if attack == "definition":
        assert ledger.second_opinion(path, digest)[:2] == (1, {"SCHEMA_DRIFT"})


@pytest.mark.parametrize("all_tables", [0, 1])
def test_full_text_index_over_a_ledger_table_whose_name_it_takes(tmp_path, all_tables):
    """An honest one, beside others with tables of their own."""
    path, digest = tmp_path / "fts.db", tmp_path / "fts.json"
    db = connect(path)
    for statement in (
            f"SELECT ledger_init({all_tables})", "CREATE TABLE site_content(id INTEGER PRIMARY KEY, v TEXT)",
            "SELECT ledger_enable('site_content')", "INSERT INTO site_content VALUES(1, 'one')",
            "CREATE VIRTUAL TABLE site USING fts5(v, content='site_content', content_rowid='id')",
            "CREATE VIRTUAL TABLE own USING fts5(v)", "INSERT INTO own VALUES('two')",
            "INSERT INTO site(site) VALUES('rebuild')", "INSERT INTO site_content VALUES(2, 'two')",
            "ALTER TABLE site_content ADD COLUMN w DEFAULT 5", "UPDATE site_content SET v = 'three' WHERE id = 1"):
        db.execute(statement).fetchall()
    assert scalar(db, "SELECT type FROM pragma_table_list WHERE name = 'site_content'") == "shadow"
    with pytest.raises(sqlite3.Error, match="no ordinary table"):
        db.execute("SELECT ledger_enable('own_content')")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = ledger.agree(path, digest)
    assert report.exit_code == 0 and not report.codes, report


COMPOSED, DECOMPOSED = "pr\u00fcfe", "pru\u0308fe"


@pytest.mark.parametrize("known, name", [
    (f'CREATE TRIGGER "{DECOMPOSED}" BEFORE INSERT ON t WHEN NEW.v IS NULL BEGIN SELECT raise(abort, \'v\'); END', COMPOSED),
    ("CREATE INDEX i ON t(v)", "i")])
def test_S15_trigger_named_like_something_known(tmp_path, known, name):
    """The same name in other code points, or an index of the same name."""
    path, digest = verified(*made(tmp_path, TABLE, ENABLE, known, rows(3)))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f'CREATE TRIGGER "{name}" BEFORE INSERT ON t WHEN NEW.v = \'x\' BEGIN SELECT raise(ignore); END')
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == {"CAPTURE_CHANGED"}, report
    assert [finding["object"] for finding in report.findings] == [name], report


@pytest.mark.parametrize("first, second", [("K", "\u212a"), ("\u00c5", "\u212b")])
@pytest.mark.parametrize("renamed", [True, False])
def test_columns_whose_names_differ_only_in_code_points(tmp_path, first, second, renamed):
    statements = ["CREATE TABLE t(id INTEGER PRIMARY KEY, x)" if renamed else f'CREATE TABLE t(id INTEGER PRIMARY KEY, "{first}")',
                  ENABLE, "INSERT INTO t VALUES(1, 2)"]
    if renamed:
        statements += [f'ALTER TABLE t RENAME COLUMN x TO "{first}"', "INSERT INTO t VALUES(2, 2)"]
    path, digest = made(
        tmp_path, *statements, f'ALTER TABLE t ADD COLUMN "{second}"', "INSERT INTO t VALUES(3, 2, 3)",
        f'UPDATE t SET "{second}" = 5', f"SELECT ledger_drop_column('t', '{second}')", f'UPDATE t SET "{first}" = 6')
    verified(path, digest)
    db = ledger.plain(path)
    assert [column[1] for column in db.execute("PRAGMA table_info(ledger_history_1)")][5] == first
    db.close()


# Indexes


@pytest.mark.parametrize("strict", ["", " STRICT"])
def test_E01_index_that_differs_behind_a_hundred_harmless_lines(tmp_path, strict):
    """SQLite's check ends after a hundred lines, and finds the default of the wrong type in each row that is older than the column."""
    path, digest = verified(*made(
        tmp_path, TABLE + strict, "CREATE TABLE other(k TEXT PRIMARY KEY, v)", "CREATE INDEX i ON t(v)", ENABLE, rows(150),
        "ALTER TABLE t ADD COLUMN flag TEXT DEFAULT TRUE", rows(50, 151)))
    other_entry(path, "i", b"value-00180", b"value/00180")
    db = ledger.plain(path)
    assert len(db.execute("PRAGMA integrity_check(t)").fetchall()) == 100
    assert scalar(db, "SELECT count(*) FROM t WHERE v = 'value-00180'") == 0
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert [finding["object"] for finding in report.findings] == ["i"], report


@pytest.mark.parametrize("name", ["7", "0x1f", "2 a", "+3", "-1", "-2147483648", "2147483648", "99999999999"])
def test_E01_index_of_a_table_whose_name_is_a_number(tmp_path, name):
    """SQLite's check takes it for the number of lines to say of all tables, and finds something in foreign ones."""
    path, digest = made(
        tmp_path, f'CREATE TABLE "{name}"(id INTEGER PRIMARY KEY, v TEXT)', f'CREATE INDEX i ON "{name}"(v)',
        f"SELECT ledger_enable('{name}')", rows(40).replace("INTO t", f'INTO "{name}"'),
        *(f"CREATE TABLE other{number}(x)" for number in range(50)), *(f"INSERT INTO other{number} VALUES(NULL)" for number in range(50)))
    schema(path, "UPDATE sqlite_schema SET sql = replace(sql, '(x)', '(x NOT NULL)') WHERE name GLOB 'other*'")
    verified(path, digest)
    other_entry(path, "i", b"value-00020", b"value/00020")
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert [finding["object"] for finding in report.findings] == ["i"], report


def test_E01_keys_out_of_order_behind_a_hundred_harmless_lines(tmp_path):
    path, digest = verified(*made(
        tmp_path, "CREATE TABLE t(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID", ENABLE,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) "
        "INSERT INTO t SELECT printf('key-%03d', i), 'v' FROM n",
        "ALTER TABLE t ADD COLUMN f TEXT DEFAULT TRUE"))

    def swapped(payloads):
        payloads[110], payloads[118] = payloads[118], payloads[110]
        return payloads
    rewrite(path, root(path, "t"), swapped)
    db = ledger.plain(path)
    assert scalar(db, "SELECT count(*) FROM t WHERE k = 'key-111'") == 0
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes <= {"INDEX_DIVERGENCE", "TAIL_UNATTESTED"}, report
    assert report.findings[0]["object"] == "t", report


@pytest.mark.parametrize("column", ["TEXT DEFAULT TRUE", "TEXT DEFAULT FALSE", "TEXT NOT NULL DEFAULT TRUE"])
def test_strict_tables_with_defaults_of_another_type(tmp_path, column):
    verified(*made(tmp_path, TABLE + " STRICT", "CREATE INDEX i ON t(v)", ENABLE, rows(3), f"ALTER TABLE t ADD COLUMN f {column}"))


@pytest.mark.parametrize("how", ["whole", "since last"])
def test_E01_key_of_a_row_in_other_letters_in_its_index(tmp_path, how):
    """The columns of the key that SQLite appends to each index of a table without row ids."""
    path, digest = made(tmp_path, "CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v TEXT) WITHOUT ROWID",
                        "CREATE INDEX i ON t(v)", ENABLE, "INSERT INTO t VALUES('Old', 'w')")
    options = ["--since-last", "--state", tmp_path / "state"] if how != "whole" else []
    verified(path, digest, options=options)
    db = connect(path)
    db.execute("INSERT INTO t VALUES('Name', 'v')")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    honest = ledger.copy_database(path, tmp_path / "honest.db")
    other_entry(path, "i", b"Name", b"nAME")
    db = ledger.plain(path)
    assert scalar(db, "SELECT k FROM t WHERE v = 'v'") == "nAME"
    db.close()
    report = ledger.verify(path, digest, options=options)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    verified(honest, digest, options=options)


def as_real(payloads, number):
    """With an integer of two bytes, the first column, as a real."""
    old = struct.pack(">h", number)
    return [bytes([payload[0], 7, *payload[2 : payload[0]]]) + struct.pack(">d", number) + payload[payload[0] + 2 :]
            if payload[1] == 2 and payload[payload[0] :].startswith(old) else payload for payload in payloads]


@pytest.mark.parametrize("type", ["", "INT", "NUMERIC", "BLOB", "ANY"])
@pytest.mark.parametrize("how", ["whole", "since last"])
def test_E01_whole_number_as_a_real_in_an_index(tmp_path, type, how):
    """A query through the index divides reals."""
    path, digest = made(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, v {type})", "CREATE INDEX i ON t(v)", ENABLE,
                        "INSERT INTO t VALUES(300, 1500), (301, 15.5), (302, 'x')")
    options = ["--since-last", "--state", tmp_path / "state"] if how != "whole" else []
    verified(path, digest, options=options)
    db = connect(path)
    db.execute("INSERT INTO t VALUES(310, 1575), (311, 1576)")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    honest = ledger.copy_database(path, tmp_path / "honest.db")
    rewrite(path, root(path, "i"), lambda payloads: as_real(payloads, 1575))
    db = ledger.plain(path)
    assert scalar(db, "SELECT v / 10 FROM t WHERE v = 1575") == 157.5 and scalar(db, "SELECT v / 10 FROM t WHERE v = 1576") == 157
    db.close()
    report = ledger.verify(path, digest, options=options)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    verified(honest, digest, options=options)


@pytest.mark.parametrize("type", ["", "INT", "INTEGER", "REAL", "DOUBLE", "NUMERIC", "TEXT", "BLOB", "ANY", "BOOLEAN"])
@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID", " STRICT"])
def test_numbers_of_all_kinds_in_indexes(tmp_path, type, row_ids):
    """Honest ones."""
    if "STRICT" in row_ids and type in ("", "DOUBLE", "NUMERIC", "BOOLEAN"):
        pytest.skip("no type of STRICT tables")
    values = ["1", "1.0", "-0.0", "0", "1e3", "2.5", "'7'", "'7.0'", "'x'", "NULL", "9007199254740993", "9007199254740992.0",
              "9.3e18", "-9223372036854775808", "-9223372036854775808.0", "9223372036854775807", "1e300", "x'31'", "'1e2'"]
    g = "INT" if row_ids == " STRICT" else ""
    path, digest = tmp_path / "numbers.db", tmp_path / "numbers.json"
    db = connect(path)
    db.execute("SELECT ledger_init(0)")
    db.execute(f"CREATE TABLE t(k {type or ''}, id INT, v {type}, g {type} AS (v), h {g or type} AS (id * 1.0) STORED, "
               f"PRIMARY KEY (k, id)){row_ids}")
    for index in ("v", "g", "h", "v, g", "id", "v COLLATE NOCASE"):
        db.execute(f"CREATE INDEX \"i {index}\" ON t({index})")
    db.execute(ENABLE)
    written = 0
    for number, value in enumerate(values):
        try:
            db.execute(f"INSERT INTO t(k, id, v) VALUES({value}, {number}, {value})")
            written += 1
        except sqlite3.Error as problem:
            assert "STRICT" in row_ids or "NOT NULL" in str(problem), problem
    assert written
    for default in ("5.0", "TRUE", "'6'", "1e2"):
        try:
            db.execute(f"ALTER TABLE t ADD COLUMN \"{default}\" {type} DEFAULT {default}")
        except sqlite3.Error:
            assert "STRICT" in row_ids
            continue
        db.execute(f"CREATE INDEX \"j {default}\" ON t(\"{default}\")")
    if "STRICT" not in row_ids or type != "BLOB":
        db.execute("INSERT INTO t(k, id, v) VALUES(12, 100, 12)")
    db.execute("UPDATE t SET v = v, k = k WHERE id % 2 = 0")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    is_whole = scalar(db, "PRAGMA integrity_check") == "ok"
    db.close()
    report = ledger.verify(path, digest)
    # SQLite itself writes indexes of columns with such defaults that differ from the table.
    assert report.exit_code == 0 or not is_whole and type in ("TEXT",), report


# Entries that are not written as SQLite writes them


def longer_length(payload):
    """The header's length in two bytes."""
    return bytes([0x80, payload[0] + 1]) + payload[1:]


def more_columns(payload):
    """64 columns more, all NULL."""
    return bytes([payload[0] + 64]) + payload[1 : payload[0]] + bytes(64) + payload[payload[0] :]


def two_ways(payload):
    """An entry that a search reads as `value-00020` of row 20 and that says, read in full, that it is row 21's."""
    text = b"value-00020"
    record = bytearray(128) + text + bytes([20, 21])
    record[:3] = bytes([0x80, 35, 1])
    record[3:34] = bytes([8]) * 31
    record[34] = 1
    return bytes(record)


@pytest.mark.parametrize("keys, change", [
    ("TEXT", longer_length), ("TEXT", more_columns), ("INT", longer_length), ("INT", more_columns)])
def test_E12_row_whose_key_searches_misread(tmp_path, keys, change):
    path, digest = verified(*made(
        tmp_path, f"CREATE TABLE t(id {keys} PRIMARY KEY, v TEXT) WITHOUT ROWID", ENABLE, rows(40, 300)))
    rewrite(path, root(path, "t"),
            lambda payloads: [change(payload) if b"value-00320" in payload else payload for payload in payloads])
    db = ledger.plain(path)
    assert scalar(db, "SELECT count(*) FROM t WHERE +CAST(id AS INT) = 320") == 1
    # Searches for texts only go by the length.
    assert scalar(db, "SELECT count(*) FROM t WHERE id = 320") == (1 if keys == "TEXT" and change is more_columns else 0)
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert [finding["object"] for finding in report.findings] == ["t"], report


@pytest.mark.parametrize("change", [longer_length, more_columns, two_ways])
def test_E01_entry_that_searches_misread(tmp_path, change):
    path, digest = verified(*made(tmp_path, TABLE, "CREATE INDEX i ON t(v)", ENABLE, rows(40)))
    rewrite(path, root(path, "i"),
            lambda payloads: [change(payload) if b"value-00020" in payload else payload for payload in payloads])
    if change is two_ways:
        db = ledger.plain(path)
        assert scalar(db, "SELECT id FROM t WHERE v = 'value-00020'") == 21
        assert scalar(db, "PRAGMA integrity_check") == "ok"
        db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == {"INDEX_DIVERGENCE"}, report
    assert {finding["object"] for finding in report.findings} == {"i"}, report


@pytest.mark.parametrize("size", [512, 4096, 65536])
@pytest.mark.parametrize("columns", [1, 14, 130])
@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID"])
def test_entries_of_all_lengths(tmp_path, size, columns, row_ids):
    """Honest ones: headers of one, two and three bytes of length, on more than one page."""
    path, digest = tmp_path / "entries.db", tmp_path / "entries.json"
    db = connect(path)
    db.execute(f"PRAGMA page_size = {size}")
    db.execute("SELECT ledger_init(0)")
    names = [f"c{number}" for number in range(columns)]
    db.execute(f"CREATE TABLE t({', '.join(names)}, PRIMARY KEY ({', '.join(names)})){row_ids}")
    db.execute(f"CREATE INDEX i ON t({', '.join(reversed(names))})")
    db.execute("CREATE INDEX j ON t(c0, c0, length(c0)) WHERE c0 IS NOT NULL")
    db.execute(ENABLE)
    values = [0, 1, -1, 127, 128, 1 << 15, 1 << 23, 1 << 31, 1 << 47, 1 << 62, 0.5, -3.0, "", "x" * 57, "y" * 58, "z" * 8200, b"", b"b" * 300]
    mark = ", ".join("?" * columns)
    for number in range(len(values) * 3):
        row = [values[(number + place * (1 + number % 5)) % len(values)] for place in range(columns)]
        db.execute(f"INSERT OR IGNORE INTO t VALUES({mark})", [f"{row[0]}{number}", *row[1:]] if number % 2 else row)
    db.execute("ALTER TABLE t ADD COLUMN later DEFAULT 7")
    db.execute("CREATE INDEX k ON t(later)")
    db.execute("INSERT INTO t SELECT " + ", ".join(["'last'"] + names[1:]) + ", 8 FROM t LIMIT 1")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 0, report


# Pages above the rows of the ledger's own tables


@pytest.mark.parametrize("table", ["ledger_stamps_1", "ledger_history_1", "database_ledger_transactions"])
def test_E12_searches_led_past_rows_of_the_ledger_s_tables(tmp_path, table):
    path, digest = made(
        tmp_path, TABLE, ENABLE, rows(3000), "UPDATE t SET v = v || '.' WHERE id < 2000",
        *(f"UPDATE t SET v = {number} WHERE id = {number}" for number in range(1, 200)))
    verified(path, digest)
    pages = Pages(path)
    page = root(path, table)
    assert pages.kind(page) == 5
    pointers = pages.pointers(page)
    _, cell = pointers[len(pointers) // 2]
    key, end = varint(pages.data, cell + 4)
    pages.data[cell + 4 : end] = bytes([0x80 | key - 5 >> 7, key - 5 & 0x7F] if end - cell == 6 else [key - 5])
    assert varint(pages.data, cell + 4) == (key - 5, end)
    pages.save()
    db = ledger.plain(path)
    assert scalar(db, f"SELECT count(*) FROM {table} WHERE rowid = {key - 2}") == 0
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1, report
    assert any({"code": "INDEX_DIVERGENCE", "object": table}.items() <= found.items() for found in report.findings), report


# Rows


def test_dropped_column_filled_in_a_version_that_never_had_it(tmp_path):
    path, digest = verified(*made(
        tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v, salary)", ENABLE, "INSERT INTO t VALUES(1, 'a', 10)",
        "SELECT ledger_drop_column('t', 'salary')", "INSERT INTO t VALUES(2, 'b')", "UPDATE t SET v = 'c' WHERE id = 2"))
    db = ledger.without_triggers(path)
    column = list(db.execute("PRAGMA table_info(ledger_history_1)"))[-1][1]
    assert db.execute(f'UPDATE ledger_history_1 SET "{column}" = 99 WHERE id = 2').rowcount == 1
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and report.codes == {"ROW_ALTERED"}, report
    assert report.findings[0]["columns"] == ["salary"] and report.findings[0]["found"] == "99", report


@pytest.mark.parametrize("type", ["", "INT", "TEXT", "REAL"])
@pytest.mark.parametrize("default", ["5.0", "TRUE", "1e2", "-0.0", "'x'", "x'41'"])
def test_dropped_columns_with_defaults(tmp_path, type, default):
    """A history table gives later versions the default of a column that is no longer theirs."""
    verified(*made(
        tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)", ENABLE, "INSERT INTO t VALUES(1, 2)",
        f"ALTER TABLE t ADD COLUMN d {type} DEFAULT {default}", "INSERT INTO t(id, v) VALUES(2, 2)", "UPDATE t SET v = 3",
        "SELECT ledger_drop_column('t', 'd')", "INSERT INTO t VALUES(3, 2)", "UPDATE t SET v = v + 1", "DELETE FROM t WHERE id = 2"))


def test_all_names_of_the_row_id_taken_by_columns(tmp_path):
    """Nothing was changed, and nothing can be read."""
    path, digest = made(
        tmp_path, "CREATE TABLE t(a)", ENABLE, "INSERT INTO t VALUES(1), (2)", "ALTER TABLE t ADD COLUMN rowid",
        "ALTER TABLE t ADD COLUMN _rowid_")
    verified(path, digest)
    db = ledger.plain(path)
    db.execute("ALTER TABLE t ADD COLUMN oid")
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 2 and report.codes <= {"VERIFIER_BLOCKED", "COVERAGE_GAP", "TAIL_UNATTESTED"}, report
    assert any("all names of the row id" in finding["reason"] for finding in report.findings), report


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("table", ["t", "ledger_history_1"])
def test_R21_text_with_half_a_character(tmp_path, encoding, table):
    """SQLite leaves the half out where it converts the text, and compares it."""
    path, digest = verified(*made(
        tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, w)", ENABLE, "INSERT INTO t VALUES(1, 'value1', 7), (3, 'value3', 7)",
        "UPDATE t SET w = 8", encoding=encoding))
    pages = Pages(path)
    page, text = root(path, table), "value3".encode(encoding.lower())
    _, _, row, at, local, length = pages.cell_of(page, marker=text)
    payload = bytes(pages.data[at : at + local])
    place = payload.index(text)
    head, body = bytearray(payload[: payload[0]]), payload[place : place + len(text)]
    types = [at for at in range(1, len(head)) if head[at] == 13 + 2 * len(text)]
    assert len(types) == 1
    # The text is one byte longer, in a row that lies where nothing is.
    head[types[0]] += 2
    payload = bytes(head) + payload[payload[0] : place] + body + b"z" + payload[place + len(text) :]
    header = pages.header(page)
    end = struct.unpack_from(">H", pages.data, header + 5)[0] - len(payload) - 2
    cell = bytes([len(payload), row]) + payload
    pages.data[pages.base(page) + end : pages.base(page) + end + len(cell)] = cell
    pointer = next(pointer for pointer, place in pages.pointers(page) if place == at - 2)
    struct.pack_into(">H", pages.data, pointer, end)
    struct.pack_into(">H", pages.data, header + 5, end)
    pages.data[header + 7] = 0
    pages.save()
    db = ledger.plain(path)
    assert scalar(db, f"SELECT count(*) FROM {table} WHERE v = 'value3'") == 0
    assert scalar(db, f"SELECT count(*) FROM {table}") == 2
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and "ENCODING_DRIFT" in report.codes, report
    assert {"object": table, "columns": ["v"]}.items() <= next(
        found for found in report.findings if found["code"] == "ENCODING_DRIFT").items(), report


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("units", ["\ud83d\u0200", "\ude00\u0200", "\udc3d\ude00", "\ud83d\ud83d"])
@pytest.mark.parametrize("row_ids", ["", " WITHOUT ROWID"])
def test_R21_text_with_half_a_surrogate_pair(tmp_path, encoding, units, row_ids):
    """SQLite makes the character of a whole pair of it, which the leaf holds, and compares the text as it stands."""
    path, digest = verified(*made(
        tmp_path, f"CREATE TABLE t(v TEXT PRIMARY KEY, w){row_ids}", ENABLE, "INSERT INTO t VALUES('a\U0001f600b', 1), ('c', 2)",
        "UPDATE t SET w = 3", encoding=encoding))
    old, new = ((f"a{pair}b").encode(encoding, "surrogatepass") for pair in ("\ud83d\ude00", units))
    path.write_bytes(path.read_bytes().replace(old, new))
    db = ledger.plain(path)
    assert scalar(db, "SELECT count(*) FROM t WHERE v = 'a\U0001f600b'") == 0
    db.close()
    report = ledger.agree(path, digest)
    # Some convert to another character.
    assert report.exit_code == (2 if "ROW_ALTERED" not in report.codes else 1), report
    assert {"VERIFIER_BLOCKED"} <= report.codes <= {"VERIFIER_BLOCKED", "ROW_ALTERED"}, report
    blocked = {(found["object"], *found.get("columns", [])) for found in report.findings if found["code"] == "VERIFIER_BLOCKED"}
    assert {("t", "v"), ("ledger_history_1", "v")} <= blocked, report


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_R21_text_of_the_ledger_s_own_with_half_a_character(tmp_path, encoding):
    """Who did something is searched for by name."""
    path, digest = verified(*made(tmp_path, TABLE, ENABLE, "INSERT INTO t VALUES(1, 'v')", encoding=encoding))
    name = scalar_of(path, "SELECT principal_name FROM database_ledger_transactions WHERE transaction_id = 1")
    table = "database_ledger_transactions"
    strict = scalar_of(path, f"SELECT sql FROM sqlite_schema WHERE name = '{table}'")
    schema(path, f"UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = '{table}'")
    longer = name.encode(encoding) + b"A"
    db = ledger.without_triggers(path)
    db.execute(f"UPDATE {table} SET principal_name = ? WHERE transaction_id = 1", (longer,))
    db.close()
    schema(path, f"UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = '{table}'")
    assert scalar_of(path, f"SELECT sql FROM sqlite_schema WHERE name = '{table}'") == strict
    entries = Pages(path)
    _, _, _, at, local, _ = entries.cell_of(root(path, table), marker=longer)
    kinds = bytes(entries.data[at : at + entries.data[at]])
    entries.data[at + kinds.index(12 + 2 * len(longer))] += 1  # a text
    entries.save()
    db = ledger.plain(path)
    assert scalar(db, f"SELECT count(*) FROM {table} WHERE principal_name <> ?", name) == 1
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and "ENCODING_DRIFT" in report.codes, report
    assert "ENCODING_DRIFT" in ledger.second_opinion(path, digest)[1]


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_rowid_canary", "DELETE FROM ledger_rowid_canary WHERE rowid = 1",
                                       "INSERT INTO ledger_rowid_canary(rowid) VALUES(2)"])
def test_rows_of_the_canary(tmp_path, statement):
    path, digest = verified(*made(tmp_path, "CREATE TABLE t(v)", ENABLE, "INSERT INTO t VALUES(1), (2)", "DELETE FROM t WHERE v = 1"))
    db = ledger.without_triggers(path)
    db.execute(statement)
    db.close()
    report = ledger.verify(path, digest)
    assert report.exit_code == 1 and {"code": "INDEX_DIVERGENCE", "object": "ledger_rowid_canary"}.items() <= report.findings[0].items()
    db = connect(path)
    db.execute("INSERT INTO t VALUES(3)")
    digest.write_text(scalar(db, "SELECT ledger_close_block()"))
    db.close()


@pytest.mark.parametrize("value", ["NULL", "'other'"])
@pytest.mark.parametrize("key", ["id INTEGER PRIMARY KEY, v)", "id TEXT PRIMARY KEY, v) WITHOUT ROWID"])
def test_H01_default_of_a_column_that_an_ended_version_had(tmp_path, key, value):
    """The leaf says nothing of columns that came later, so the history must hold what the table showed."""
    path, digest = verified(*made(
        tmp_path, f"CREATE TABLE t({key}", ENABLE, "INSERT INTO t VALUES(1, 'x'), (2, 'x')", "DELETE FROM t WHERE id = 2",
        "ALTER TABLE t ADD COLUMN status TEXT DEFAULT 'active'", "UPDATE t SET v = 'y'"))
    agree(path, digest)
    for number in (1, 2):
        copy = ledger.copy_database(path, tmp_path / f"forged {number}.db")
        db = ledger.without_triggers(copy)
        db.execute(f"UPDATE ledger_history_1 SET status = {value} WHERE id = {number} OR id = '{number}'")
        db.close()
        report = agree(copy, digest)
        assert report.exit_code == 1 and report.codes == {"ROW_ALTERED"} and report.findings[0]["columns"] == ["status"], report


@pytest.mark.parametrize("key, row, stamp", [
    ("k INTEGER PRIMARY KEY", "5", "'5'"), ("k INT PRIMARY KEY", "5", "'05'"), ("k REAL PRIMARY KEY", "5.5", "'5.5'"),
    ("k NUMERIC PRIMARY KEY", "5", "'5.0'"), ("k TEXT COLLATE NOCASE, PRIMARY KEY(k COLLATE BINARY)", "'a'", "'A'")])
@pytest.mark.parametrize("options", [[], ["--table", "t"], ["--since-last"]])
def test_R05_stamp_that_only_a_column_takes_for_a_row_s(tmp_path, key, row, stamp, options):
    """A second stamp, and the ledger view shows the row with any transaction."""
    columns = key.replace(", PRIMARY", ", v, PRIMARY") if ", PRIMARY" in key else f"{key}, v"
    path, digest = made(tmp_path, f"CREATE TABLE t({columns}) WITHOUT ROWID", ENABLE, f"INSERT INTO t VALUES({row}, 'one')",
                        "INSERT INTO t VALUES('zz', 'two')" if "INT" not in key else "INSERT INTO t VALUES(77, 'two')")
    agree(path, digest)
    verified(path, digest, options=options)
    if "--since-last" in options:
        db = connect(path)
        db.execute("INSERT INTO t VALUES('later', 'three')" if "INT" not in key else "INSERT INTO t VALUES(78, 'three')")
        digest.write_text(scalar(db, "SELECT ledger_close_block()"))
        db.close()
    db = ledger.without_triggers(path)
    db.execute(f"INSERT INTO ledger_stamps_1 SELECT {stamp}, max(transaction_id), 0 FROM ledger_stamps_1")
    assert scalar(db, "SELECT count(*) FROM t_Ledger WHERE v = 'one'") == (1 if "NOCASE" in key else 2)
    db.close()
    report = ledger.verify(path, digest, options=options)
    assert report.exit_code == 1 and report.codes == {"VERSION_LINK"}, report
    if not options:
        agree(path, digest, report=report)


def authors(path):
    db = ledger.plain(path)
    found = db.execute("SELECT l.v, x.principal_name FROM t_Ledger AS l JOIN database_ledger_transactions AS x "
                       "ON x.transaction_id = l.ledger_transaction_id ORDER BY 1").fetchall()
    db.close()
    return found


def of_three(tmp_path, *statements):
    return verified(*made(
        tmp_path, "CREATE TABLE t(v)", ENABLE, *(statement for name in ("ada", "bob", "eve") for statement in (
            f"SELECT ledger_set_principal('{name}')", f"INSERT INTO t VALUES('{name}')")), *statements))


def test_E15_row_ids_and_canary_moved(tmp_path):
    """Rows are matched in order then, and the ledger view names other authors."""
    path, digest = of_three(tmp_path)
    honest = authors(path)
    db = ledger.without_triggers(path)
    for number in (3, 2, 1):
        db.execute("UPDATE t SET rowid = rowid + 1 WHERE rowid = ?", (number,))
    db.execute("UPDATE ledger_rowid_canary SET rowid = 2 WHERE rowid = 3")
    db.close()
    assert authors(path) != honest
    report = agree(path, digest)
    assert report.exit_code == 1 and report.codes == {"VERSION_LINK"}, report
    assert report.findings[0]["repair"]["action"] == "REINSTALL", report
    done = ledger.run_cli("sql", "repair", path, "--digest", digest, "--apply")
    assert done.returncode == 0, done.stdout
    assert authors(path) == honest and agree(path, digest).exit_code == 0


@pytest.mark.parametrize("index", [[], ["CREATE INDEX i ON t(v)"]])
def test_E15_vacuum_and_the_ledger_view(tmp_path, index):
    """SQLite counts the rows of tables without an index anew. The view is wrong until somebody realigns the stamps, and verification
    says so."""
    path, digest = of_three(tmp_path, "DELETE FROM t WHERE v = 'ada'", *index)
    honest = authors(path)
    db = ledger.plain(path)
    db.execute("VACUUM")
    db.close()
    report = agree(path, digest)
    assert report.exit_code == 0 and any("ledger_refresh()" in note for note in report.notes) == (authors(path) != honest), report
    assert bool(index) == (authors(path) == honest)
    done = ledger.run_cli("sql", "history", path, "t")
    assert done.returncode == (0 if index else 2) and bool(index) != ("ledger_refresh()" in done.stderr), done.stderr
    evidence = ("evidence", "export", path, "--table", "t", "--key", "v=bob", "--digest", digest, "--out", tmp_path / "row.json")
    done = ledger.run_cli(*evidence)
    assert done.returncode == (0 if index else 2) and bool(index) != ("ledger_refresh()" in done.stderr), done.stderr
    db = connect(path)
    db.execute("SELECT ledger_refresh()")
    db.close()
    assert authors(path) == honest
    assert ledger.run_cli("sql", "history", path, "t").returncode == 0 and ledger.run_cli(*evidence).returncode == 0
    report = agree(path, digest)
    assert report.exit_code == 0 and not any("moved" in note for note in report.notes), report
