"""The Python verifier against the vectors of Vectors/sql, and against ledgers that a second writer made. Needs no build."""

import json
import sqlite3
from pathlib import Path

import pytest

from kit import model
from kit import reference as ref

pytestmark = pytest.mark.needs_nothing
VECTORS = Path(__file__).resolve().parents[3] / "Vectors/sql"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def value(item):
    kind = item["type"]
    if kind == "null":
        return None
    if kind == "integer":
        return int(item["value"])
    if kind == "real":
        import struct
        return struct.unpack(">d", bytes.fromhex(item["bits"]))[0]
    data = bytes.fromhex(item["hex"]) if "hex" in item else item["value"].encode()
    return ref.Text(data) if kind == "text" else data


def test_rows():
    for row in vectors("rows")["rows"]:
        encoded = [ref.encode_value(value(item)) for item in row["values"]]
        start = row["start"] and tuple(row["start"])
        leaf = ref.row_leaf(row["operation"], row["table_id"], bytes.fromhex(row["schema"]), row["transaction_id"],
                            row["sequence_number"], encoded, start=start)
        assert leaf.hex() == row["leaf"], row["about"]
        assert [ref.column_check(part) for part in encoded] == row["checks"], row["about"]


def test_trees():
    for count, root in enumerate(vectors("merkle")["roots"]):
        leaves = [ref.leaf_hash(str(number).encode()) for number in range(count)]
        frontier = ref.Frontier()
        for leaf in leaves:
            frontier.append(leaf)
        assert ref.merkle_root(leaves).hex() == root == frontier.root().hex(), count


def test_transactions():
    for item in vectors("transactions")["transactions"]:
        blob = bytes.fromhex(item["table_hashes"])
        fields = [item["commit_time"], item["principal_name"], item["login_name"], item["application_name"], blob]
        assert ref.transaction_leaf(bytes.fromhex(item["ledger_id"]), item["transaction_id"], *fields).hex() == item["leaf"]
        assert ref.entry_checks(*fields) == item["checks"]
        tables = [(table["table_id"], bytes.fromhex(table["root"]), table["leaf_count"]) for table in item["tables"]]
        assert ref.decode_table_hashes(blob) == tables and ref.encode_table_hashes(tables) == blob
    for item in vectors("transactions")["refused"]:
        with pytest.raises(ValueError):
            ref.decode_table_hashes(bytes.fromhex(item["table_hashes"]))


def test_last_chunks_in_entries():
    found = vectors("chunks")

    def read(item):
        hashes = ref.decode_table_hashes(bytes.fromhex(item["table_hashes"]))
        over = {table: count % 128 for table, _, count in hashes if count % 128}
        return ref.decode_entry_leaves(bytes.fromhex(item["leaves"]), over)

    for item in found["in_entry"]:
        assert {table: b"".join(blob for _, blob in model.chunked(leaves)).hex() for table, leaves in read(item).items()} == {
            table: blob for table, _, blob in item["chunks"]}
    for item in found["refused_in_entry"]:
        with pytest.raises(ValueError):
            read(item)


def test_blocks():
    found = vectors("blocks")
    for block in found["blocks"]:
        previous = block["previous_block_hash"] and bytes.fromhex(block["previous_block_hash"])
        assert ref.block_hash(bytes.fromhex(found["ledger_id"]), block["block_id"], bytes.fromhex(block["transactions_root_hash"]),
                              block["block_size"], block["first_transaction_id"], previous,
                              bytes.fromhex(block["history_root_hash"]), block["close_time"]).hex() == block["hash"]
        assert ref.merkle_root([bytes.fromhex(leaf) for leaf in block["transactions"]]).hex() == block["transactions_root_hash"]


def test_schemas():
    found = vectors("schema")
    assert ref.schema_digest(0, []).hex() == found["schema_0"]
    for item in found["schemas"]:
        assert ref.schema_digest(item["table"], item["columns"]).hex() == item["digest"]
    for item in found["events"]:
        assert model.canonical(item["body"]) == item["text"]


def test_digests():
    found = vectors("digests")
    for item in found["digests"]:
        assert ref.parse_digests(item["text"].encode(), "vector") == [item["members"]]
        assert ref.make_digest(bytes.fromhex(item["members"]["ledger_id"]), item["members"]["database_name"],
                               item["members"]["block_id"], bytes.fromhex(item["members"]["hash"][2:]),
                               item["members"]["last_transaction_commit_time"], item["members"]["digest_time"]) == item["text"]
    for item in found["lists"]:
        assert len(ref.parse_digests(item["text"].encode(), "vector")) == item["count"], item["about"]


# An array is no digest, but it is a list of digests.
@pytest.mark.parametrize("item", [item for item in vectors("digests")["refused"] if not item["text"].startswith("[")]
                         + vectors("digests")["refused_lists"], ids=lambda item: item["about"])
def test_refused_digests(item):
    with pytest.raises(ref.BadDigest):
        ref.parse_digests(item["text"].encode(), "vector")


# Ledgers that the second writer made


@pytest.fixture(params=["last chunks in entries", "last chunks with the others"])
def made(request, tmp_path):
    ledger = model.Model(tmp_path / "model.db")
    ledger.keeps_last_chunks = request.param == "last chunks in entries"
    with ledger:
        ledger.create("account", "id INTEGER PRIMARY KEY, name TEXT, balance REAL, note BLOB, any")
    with ledger:
        for number in range(300):
            ledger.insert("account", number, f"name{number}", number * 1.5, b"x" * number, [None, 1, 1.5, "t", b"b"][number % 5])
    digests = [ledger.close_block()]
    for step in range(5):
        with ledger:
            for number in range(step * 10, step * 10 + 10):
                ledger.update("account", number, balance=number + step)
            ledger.delete("account", 100 + step)
        digests.append(ledger.close_block())
    ledger.close()
    file = tmp_path / "digests.json"
    file.write_text("\n".join(digests))
    return tmp_path / "model.db", file


def check(made):
    return ref.verify(made[0], ref.read_digests(made[1]))


def test_ledger_of_the_second_writer(made):
    done = check(made)
    assert done.exit_code == 0 and not done.findings, done.report()
    assert done.anchored == 5


def test_ledger_of_the_second_writer_without_digests(made):
    done = ref.verify(made[0])
    assert done.exit_code == 2 and {finding["code"] for finding in done.findings} == {"TAIL_UNATTESTED"}


@pytest.mark.parametrize("statements, code, key, columns", [
    (["UPDATE account SET balance = 7777 WHERE id = 250"], "ROW_ALTERED", 250, ["balance"]),
    (["UPDATE account SET name = balance, balance = name WHERE id = 250"], "ROW_ALTERED", 250, ["balance", "name"]),
    (["DELETE FROM account WHERE id = 250"], "ROW_MISSING", 250, None),
    (["DELETE FROM account WHERE id = 250", "DELETE FROM ledger_stamps_1 WHERE row_id = 250"], "ROW_MISSING", None, None),
    (["INSERT INTO account(id) VALUES (5000)"], "ROW_EXTRA", 5000, None),
    (["INSERT INTO account(id) VALUES (5000)", "INSERT INTO ledger_stamps_1 VALUES (5000, 3, 3)"], "ROW_EXTRA", 5000, None),
    (["INSERT INTO account(id) VALUES (5000)", "INSERT INTO ledger_stamps_1 VALUES (5000, 3, 300)"], "ROW_EXTRA", 5000, None),
    (["UPDATE ledger_history_1 SET name = 'z' WHERE id = 3"], "ROW_ALTERED", 3, ["name"]),
    (["UPDATE ledger_history_1 SET ledger_end_sequence_number = 50 WHERE id = 3"], "VERSION_LINK", 3, None),
    (["INSERT INTO ledger_history_1 SELECT * FROM ledger_history_1 WHERE id = 3"], "ROW_DUPLICATE", 3, None),
    (["UPDATE database_ledger_transactions SET principal_name = 'bob' WHERE transaction_id = 2"], "TX_ALTERED", None,
     ["principal_name"]),
])
def test_edits_of_the_second_writer_s_ledger(made, statements, code, key, columns):
    db = sqlite3.connect(made[0], isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()
    done = check(made)
    assert done.exit_code == 1
    finding = next((finding for finding in done.findings if finding["code"] == code), None)
    assert finding, done.report()
    assert key is None or finding["key"] == [["id", key]]
    assert columns is None or finding["columns"] == columns


@pytest.mark.parametrize("statement", [
    "UPDATE ledger_leaf_chunks SET leaves = zeroblob(34) WHERE chunk = 1", "DELETE FROM ledger_leaf_chunks",
    "UPDATE ledger_transaction_chunks SET leaves = zeroblob(44)", "DELETE FROM ledger_transaction_chunks",
    "UPDATE database_ledger_transactions SET leaves = zeroblob(34)"])
def test_stored_leaves_prove_nothing(made, statement):
    only_derived(made, statement)


@pytest.mark.parametrize("made", ["last chunks in entries"], indirect=True)
@pytest.mark.parametrize("statement", [
    "UPDATE database_ledger_transactions SET leaves = zeroblob(length(leaves)) WHERE leaves IS NOT NULL",
    "UPDATE database_ledger_transactions SET leaves = zeroblob(0) WHERE transaction_id = 3",
    "UPDATE database_ledger_transactions SET leaves = NULL WHERE transaction_id = 4",
    "ALTER TABLE database_ledger_transactions DROP COLUMN leaves"])
def test_leaves_in_entries_prove_nothing(made, statement):
    only_derived(made, statement)


def only_derived(made, statement):
    """The rows are right, and nothing else is said of them; but without their leaves they cannot be proven to others."""
    db = sqlite3.connect(made[0], isolation_level=None)
    db.execute(statement)
    db.close()
    done = check(made)
    codes = {finding["code"] for finding in done.findings} - {"TAIL_UNATTESTED"}
    assert done.exit_code == 1 and codes == {"INDEX_DIVERGENCE"}, done.report()


def test_chunks_too_many_are_no_finding(made):
    db = sqlite3.connect(made[0], isolation_level=None)
    db.execute("INSERT INTO ledger_leaf_chunks(transaction_id, table_id, chunk, leaves) VALUES (900, 1, 0, x'00'), "
               "(2, 1, 999, x''), (2, 1, -1, x'')")
    db.close()
    done = check(made)
    assert done.exit_code == 0, done.report()


@pytest.mark.parametrize("statement, table", [
    ("DELETE FROM ledger_block_nodes", "ledger_block_nodes"),
    ("DELETE FROM ledger_block_nodes WHERE level = 1", "ledger_block_nodes"),
    ("UPDATE ledger_block_nodes SET hash = zeroblob(32) WHERE level = 1", "ledger_block_nodes"),
    ("DELETE FROM ledger_tables", "ledger_tables"), ("UPDATE ledger_tables SET is_dropped = 1", "ledger_tables"),
    ("INSERT INTO ledger_tables VALUES (9, 'n', 'v', 'updatable', 0)", "ledger_tables")])
def test_derived_tables_that_disagree(made, statement, table):
    db = sqlite3.connect(made[0], isolation_level=None)
    db.execute(statement)
    db.close()
    done = check(made)
    assert done.exit_code == 1, done.report()
    assert {(finding["code"], finding["object"]) for finding in done.findings} - {
        ("TAIL_UNATTESTED", "database_ledger_transactions")} == {("INDEX_DIVERGENCE", table)}, done.report()


def test_consistent_forgery_needs_a_digest_from_outside(made):
    db = sqlite3.connect(made[0], isolation_level=None)
    db.execute("UPDATE account SET name = 'forged' WHERE id = 250")
    model.reroot(db, 2, 1)
    model.rechain(db)
    db.close()
    assert {finding["code"] for finding in ref.verify(made[0]).findings} == {"TAIL_UNATTESTED"}
    done = check(made)
    assert done.exit_code == 1 and {finding["code"] for finding in done.findings} == {"DIGEST_MISMATCH", "TAIL_UNATTESTED"}


def test_the_program_s_verdict_of_the_second_writer_s_ledger(made):
    """Runs once there is a program."""
    from kit import ledger
    from support.node import binary
    if not binary().exists():
        pytest.skip("no program")
    report = ledger.verify(made[0], made[1])
    # It has no triggers and views: capture is off, but every hash is right.
    assert not report.codes & ledger.COMPARED, report
