"""A second writer of the formats: makes a small ledger database with nothing but Python's sqlite3, from the format pages.

It has no triggers and no capture; `Model.insert/update/delete` write the row, its stamp or history row and the leaves. Both
verifiers must accept what it makes. The functions below `# Forging` rebuild a chain consistently after an edit, which is
what a patient attacker does (catalogue H05, H14 to H16).
"""

import json
import os
import sqlite3
from datetime import datetime, timedelta, timezone

from . import reference as ref

SCHEMA = """
CREATE TABLE ledger_identity(id INTEGER PRIMARY KEY CHECK(id=1), ledger_id BLOB, format INTEGER, database_name TEXT,
  create_time TEXT, all_tables INTEGER) STRICT;
CREATE TABLE database_ledger_transactions(transaction_id INTEGER PRIMARY KEY, block_id INTEGER NOT NULL,
  transaction_ordinal INTEGER NOT NULL, commit_time TEXT NOT NULL, principal_name TEXT NOT NULL, login_name TEXT NOT NULL,
  application_name TEXT NOT NULL, table_hashes BLOB NOT NULL, leaves BLOB) STRICT;
CREATE TABLE database_ledger_blocks(block_id INTEGER PRIMARY KEY, transactions_root_hash BLOB NOT NULL,
  block_size INTEGER NOT NULL, first_transaction_id INTEGER NOT NULL, previous_block_hash BLOB,
  history_root_hash BLOB NOT NULL, close_time TEXT NOT NULL) STRICT;
CREATE TABLE ledger_block_nodes(level INTEGER, position INTEGER, hash BLOB, PRIMARY KEY(level, position))
  WITHOUT ROWID, STRICT;
CREATE TABLE ledger_leaf_chunks(chunk_id INTEGER PRIMARY KEY, transaction_id INTEGER NOT NULL, table_id INTEGER NOT NULL,
  chunk INTEGER NOT NULL, leaves BLOB NOT NULL, UNIQUE(transaction_id, table_id, chunk)) STRICT;
CREATE TABLE ledger_transaction_chunks(chunk_id INTEGER PRIMARY KEY, block_id INTEGER NOT NULL, chunk INTEGER NOT NULL,
  leaves BLOB NOT NULL, UNIQUE(block_id, chunk)) STRICT;
CREATE TABLE ledger_schema_events(event_id INTEGER PRIMARY KEY, transaction_id INTEGER NOT NULL,
  sequence_number INTEGER NOT NULL, event_type INTEGER, table_id INTEGER, body TEXT) STRICT;
CREATE TABLE ledger_tables(table_id INTEGER PRIMARY KEY, name TEXT NOT NULL, view TEXT NOT NULL, kind TEXT NOT NULL,
  is_dropped INTEGER NOT NULL) STRICT;
CREATE TABLE database_ledger_digest_locations(path TEXT PRIMARY KEY, last_digest_block_id INTEGER, is_current INTEGER)
  STRICT;
CREATE TABLE ledger_rowid_canary(x);
INSERT INTO ledger_rowid_canary(rowid, x) VALUES (1, 1), (3, 3);
"""


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Model:
    def __init__(self, path, ledger=None, name="model"):
        self.path, self.name = path, name
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.text_factory = ref.Text
        self.ledger = ledger or os.urandom(16)
        self.db.executescript(SCHEMA)
        self.clock = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.db.execute("INSERT INTO ledger_identity VALUES (1, ?, 2, ?, ?, 0)", (self.ledger, name, self.now()))
        self.tables = {}
        self.keeps_last_chunks = True
        self.number = 0
        self.open = None

    def now(self):
        self.clock += timedelta(seconds=1)
        return self.clock.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # Transactions: with model: …

    def __enter__(self):
        self.db.execute("BEGIN IMMEDIATE")
        self.number = self.db.execute("SELECT coalesce(max(transaction_id), 0) + 1 FROM database_ledger_transactions"
                                      ).fetchone()[0]
        self.open = {}
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.db.execute("ROLLBACK")
            return
        hashes = []
        for table, leaves in sorted(self.open.items()):
            hashes.append((table, ref.merkle_root([leaf for leaf, _ in leaves]), len(leaves)))
        kept = write_leaves(self.db, self.number, self.open, self.keeps_last_chunks)
        block, ordinal = self.db.execute(
            "SELECT (SELECT count(*) FROM database_ledger_blocks), (SELECT count(*) FROM database_ledger_transactions "
            "WHERE block_id = (SELECT count(*) FROM database_ledger_blocks))").fetchone()
        self.db.execute("INSERT INTO database_ledger_transactions VALUES (?, ?, ?, ?, 'alice', 'root', 'model', ?, ?)", (
            self.number, block, ordinal, self.now(), ref.encode_table_hashes(hashes), kept))
        self.db.execute("COMMIT")
        self.open = None

    def leaf(self, operation, table, schema, encoded, start=None):
        leaves = self.open.setdefault(table, [])
        place = (self.number, len(leaves))
        leaves.append((ref.row_leaf(operation, table, schema, *place, encoded, start=start),
                       [ref.column_check(value) for value in encoded]))
        return place

    def event(self, kind, table, body):
        text = ref.Text(canonical(body).encode())
        place = self.leaf(ref.CREATED, 0, ref.schema_digest(0, []), [ref.encode_value(value) for value in (kind, table, text)])
        self.db.execute("INSERT INTO ledger_schema_events(transaction_id, sequence_number, event_type, table_id, body) "
                        "VALUES (?, ?, ?, ?, CAST(? AS TEXT))", (*place, kind, table, text))

    # Tables: an INTEGER PRIMARY KEY column first

    def create(self, name, columns):
        """`columns` is the text between the parentheses."""
        number = len(self.tables) + 1
        sql = f"CREATE TABLE {name}({columns})"
        self.db.execute(sql)
        described = describe(self.db, name)
        names = [column["name"] for column in described]
        listed = ", ".join(map(ref.quoted, names))
        self.db.execute(f"CREATE TABLE ledger_history_{number}(ledger_start_transaction_id, ledger_start_sequence_number, "
                        f"ledger_end_transaction_id, ledger_end_sequence_number, {listed})")
        self.db.execute(f"CREATE TABLE ledger_stamps_{number}(row_id INTEGER PRIMARY KEY, transaction_id, sequence_number)")
        self.event(ref.CREATE, number, {
            "after": 0, "columns": described, "kind": "updatable", "objects": [], "previous": None,
            "rowid": names[0], "schema": ref.schema_digest(number, described).hex(), "sql": sql, "table": name,
            "view": f"{name}_Ledger"})
        self.db.execute("INSERT INTO ledger_tables VALUES (?, ?, ?, 'updatable', 0)", (number, name, f"{name}_Ledger"))
        self.tables[name] = (number, names, ref.schema_digest(number, described))

    def insert(self, name, *values):
        number, names, schema = self.tables[name]
        self.db.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values))})", values)
        stored = self.row(name, values[0])
        place = self.leaf(ref.CREATED, number, schema, [ref.encode_value(value) for value in stored])
        self.db.execute(f"INSERT INTO ledger_stamps_{number} VALUES (?, ?, ?)", (values[0], *place))

    def row(self, name, key):
        _, names, _ = self.tables[name]
        return self.db.execute(f"SELECT * FROM {name} WHERE {ref.quoted(names[0])} = ?", (key,)).fetchone()

    def end(self, name, key):
        number, names, schema = self.tables[name]
        stored = self.row(name, key)
        start = self.db.execute(f"SELECT transaction_id, sequence_number FROM ledger_stamps_{number} WHERE row_id = ?",
                                (key,)).fetchone()
        place = self.leaf(ref.ENDED, number, schema, [ref.encode_value(value) for value in stored], start=start)
        self.db.execute(f"INSERT INTO ledger_history_{number} SELECT ?, ?, ?, ?, * FROM {name} WHERE "
                        f"{ref.quoted(names[0])} = ?", (*start, *place, key))
        self.db.execute(f"DELETE FROM ledger_stamps_{number} WHERE row_id = ?", (key,))

    def update(self, name, key, **changes):
        number, names, schema = self.tables[name]
        self.end(name, key)
        for column, value in changes.items():
            self.db.execute(f"UPDATE {name} SET {column} = ? WHERE {ref.quoted(names[0])} = ?", (value, key))
        place = self.leaf(ref.CREATED, number, schema, [ref.encode_value(value) for value in self.row(name, key)])
        self.db.execute(f"INSERT INTO ledger_stamps_{number} VALUES (?, ?, ?)", (key, *place))

    def delete(self, name, key):
        self.end(name, key)
        self.db.execute(f"DELETE FROM {name} WHERE {ref.quoted(self.tables[name][1][0])} = ?", (key,))

    def close_block(self):
        """Seals the open block; answers its digest as text, or None when there was nothing to seal."""
        with_lock = self.db.execute("SELECT count(*) FROM database_ledger_transactions WHERE block_id = "
                                    "(SELECT count(*) FROM database_ledger_blocks)").fetchone()[0]
        if not with_lock:
            return None
        time = self.now()
        self.db.execute("BEGIN IMMEDIATE")
        block = seal(self.db, self.ledger, time)
        self.db.execute("COMMIT")
        return digest_of(self.db, self.name, block, time)

    def close(self):
        self.db.close()


def describe(db, name):
    return [{"default": None if row[4] is None else str(row[4], "utf-8"), "generated": row[6], "name": str(row[1], "utf-8"),
             "notnull": row[3], "pk": row[5], "type": str(row[2], "utf-8")}
            for row in db.execute(f"PRAGMA table_xinfo({ref.quoted(name)})")]


def chunked(leaves):
    for at in range(0, len(leaves), ref.LEAVES_PER_CHUNK):
        yield at // ref.LEAVES_PER_CHUNK, b"".join(
            leaf + len(checks).to_bytes(2, "big") + b"".join(check.to_bytes(2, "big") for check in checks)
            for leaf, checks in leaves[at : at + ref.LEAVES_PER_CHUNK])


def write_chunks(db, transaction, table, leaves):
    for chunk, blob in chunked(leaves):
        db.execute("INSERT INTO ledger_leaf_chunks(transaction_id, table_id, chunk, leaves) VALUES (?, ?, ?, ?)", (
            transaction, table, chunk, blob))


def write_leaves(db, transaction, tables, in_entry=True):
    """Stores the leaves of a transaction's tables. Answers what its entry keeps of them."""
    last = b"".join(blob for _, leaves in sorted(tables.items()) for _, blob in chunked(leaves[len(leaves) // 128 * 128 :]))
    in_entry = in_entry and 0 < len(last) <= 1024
    for table, leaves in tables.items():
        write_chunks(db, transaction, table, leaves[: len(leaves) // 128 * 128] if in_entry else leaves)
    return last if in_entry else None


# Forging


def entries_of(db, ledger, block):
    """(leaf, checks) of the stored transactions of a block, in ordinal order."""
    return [(ref.transaction_leaf(ledger, row[0], *(str(value, "utf-8") for value in row[1:5]), row[5]),
             ref.entry_checks(*row[1:]))
            for row in db.execute(
                "SELECT transaction_id, commit_time, principal_name, login_name, application_name, table_hashes "
                "FROM database_ledger_transactions WHERE block_id = ? ORDER BY transaction_ordinal", (block,))]


def block_hashes(db, ledger):
    return [ref.block_hash(ledger, row[0], *row[1:6], str(row[6], "utf-8")) for row in db.execute(
        "SELECT block_id, transactions_root_hash, block_size, first_transaction_id, previous_block_hash, "
        "history_root_hash, close_time FROM database_ledger_blocks ORDER BY block_id")]


def write_nodes(db, hashes):
    db.execute("DELETE FROM ledger_block_nodes")
    level, nodes = 0, [ref.leaf_hash(value) for value in hashes]
    while nodes:
        db.executemany("INSERT INTO ledger_block_nodes VALUES (?, ?, ?)", [
            (level, at, node) for at, node in enumerate(nodes)])
        level, nodes = level + 1, [ref.node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes) - 1, 2)]


def seal(db, ledger, time):
    """Closes the open block over whatever its transactions are now."""
    hashes = block_hashes(db, ledger)
    number = len(hashes)
    leaves = entries_of(db, ledger, number)
    first = db.execute("SELECT min(transaction_id) FROM database_ledger_transactions WHERE block_id = ?", (number,)).fetchone()[0]
    frontier = ref.Frontier()
    for value in hashes:
        frontier.append(ref.leaf_hash(value))
    db.execute("INSERT INTO database_ledger_blocks VALUES (?, ?, ?, ?, ?, ?, ?)", (
        number, ref.merkle_root([leaf for leaf, _ in leaves]), len(leaves), first, hashes[-1] if hashes else None, frontier.root(), time))
    write_nodes(db, block_hashes(db, ledger))
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger_transaction_chunks'").fetchone():
        return number
    db.execute("DELETE FROM ledger_transaction_chunks WHERE block_id = ?", (number,))
    for chunk, blob in chunked(leaves):
        db.execute("INSERT INTO ledger_transaction_chunks(block_id, chunk, leaves) VALUES (?, ?, ?)", (number, chunk, blob))
    return number


def digest_of(db, name, block, time):
    ledger = db.execute("SELECT ledger_id FROM ledger_identity").fetchone()[0]
    last = db.execute("SELECT commit_time FROM database_ledger_transactions WHERE transaction_id = (SELECT "
                      "first_transaction_id + block_size - 1 FROM database_ledger_blocks WHERE block_id = ?)", (block,)
                      ).fetchone()[0]
    last = str(last, "utf-8") if isinstance(last, bytes) else last
    return ref.make_digest(ledger, name, block, block_hashes(db, ledger)[block], last, time)


def rechain(db, first=0):
    """Rewrites the blocks from `first` to the head over the transactions as they are now: a consistent forgery."""
    factory, db.text_factory = db.text_factory, ref.Text
    ledger = db.execute("SELECT ledger_id FROM ledger_identity").fetchone()[0]
    times = [(row[0], str(row[1], "utf-8")) for row in db.execute(
        "SELECT block_id, close_time FROM database_ledger_blocks WHERE block_id >= ? ORDER BY block_id", (first,))]
    db.execute("DELETE FROM database_ledger_blocks WHERE block_id >= ?", (first,))
    for number, time in times:
        assert seal(db, ledger, time) == number
    db.text_factory = factory


def reroot(db, transaction, table):
    """Recomputes a transaction's table root and chunks from the rows as they are now, like an attacker who knows the
    formats. Answers the place of every leaf. Tables with INTEGER PRIMARY KEY and unchanged schema only."""
    factory, db.text_factory = db.text_factory, ref.Text
    body = json.loads(db.execute("SELECT body FROM ledger_schema_events WHERE table_id = ? ORDER BY event_id DESC",
                                 (table,)).fetchone()[0])
    columns = [column["name"] for column in body["columns"] if column["generated"] != 2]
    schema, listed = ref.schema_digest(table, body["columns"]), ", ".join(map(ref.quoted, columns))
    leaves = {}

    def add(operation, sequence, values, start=None):
        encoded = [ref.encode_value(value) for value in values]
        leaves[sequence] = (ref.row_leaf(operation, table, schema, transaction, sequence, encoded, start=start),
                            [ref.column_check(value) for value in encoded])

    for row in db.execute(f"SELECT s.sequence_number, {', '.join('t.' + ref.quoted(name) for name in columns)} FROM "
                          f"{ref.quoted(body['table'])} t JOIN ledger_stamps_{table} s ON s.row_id = "
                          f"t.{body['rowid']} WHERE s.transaction_id = ?", (transaction,)):
        add(ref.CREATED, row[0], row[1:])
    for row in db.execute(f"SELECT ledger_start_transaction_id, ledger_start_sequence_number, ledger_end_transaction_id, "
                          f"ledger_end_sequence_number, {listed} FROM ledger_history_{table}"):
        if row[0] == transaction:
            add(ref.CREATED, row[1], row[4:])
        if row[2] == transaction:
            add(ref.ENDED, row[3], row[4:], start=row[:2])
    ordered = [leaves[at] for at in sorted(leaves)]
    blob = db.execute("SELECT table_hashes FROM database_ledger_transactions WHERE transaction_id = ?", (transaction,)
                      ).fetchone()
    hashes = {entry[0]: entry for entry in ref.decode_table_hashes(blob[0])}
    hashes[table] = (table, ref.merkle_root([leaf for leaf, _ in ordered]), len(ordered))
    kept = db.execute("SELECT leaves FROM database_ledger_transactions WHERE transaction_id = ?", (transaction,)).fetchone()[0]
    old = {entry[0]: entry[2] % 128 for entry in ref.decode_table_hashes(blob[0]) if entry[2] % 128}
    last = ref.decode_entry_leaves(kept, old) if kept else {}
    if kept:
        last[table] = ordered[len(ordered) // 128 * 128 :]
        kept = b"".join(part for key in sorted(last) for _, part in chunked(last[key])) or None
    db.execute("UPDATE database_ledger_transactions SET table_hashes = ?, leaves = ? WHERE transaction_id = ?", (
        ref.encode_table_hashes([hashes[key] for key in sorted(hashes)]), kept, transaction))
    db.execute("DELETE FROM ledger_leaf_chunks WHERE transaction_id = ? AND table_id = ?", (transaction, table))
    write_chunks(db, transaction, table, ordered[: len(ordered) // 128 * 128] if kept else ordered)
    db.text_factory = factory
    return sorted(leaves)
