"""Makes SQL ledgers and evidence bundles from Documentation/spec/sql-*.md and evidence-bundle.md alone."""

import copy
import hashlib
import json
import struct


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def u32(n: int) -> bytes:
    return struct.pack(">I", n)


def u64(n: int) -> bytes:
    return struct.pack(">Q", n)


def text(s: str) -> bytes:
    return u32(len(s.encode())) + s.encode()


def canonical(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# Merkle trees, the recursive definition of RFC 6962.

def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))


def path(index: int, leaves: list[bytes]) -> list[str]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + ["R" + root(leaves[k:]).hex()]
    return path(index - k, leaves[k:]) + ["L" + root(leaves[:k]).hex()]


class RawText(bytes):
    """Text of a database that is not UTF-8."""


def encode(value) -> bytes:
    if value is None:
        return b"\0"
    if isinstance(value, int):
        return b"\1" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\2" + struct.pack(">d", value + 0.0)
    if isinstance(value, RawText):
        return b"\3" + u64(len(value)) + value
    if isinstance(value, str):
        return b"\3" + u64(len(value.encode())) + value.encode()
    return b"\4" + u64(len(value)) + value


def disclose(value) -> dict:
    if value is None:
        return {"type": "null"}
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    if isinstance(value, float):
        value += 0.0  # -0.0 is never written
        shown = {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(value, repr(value))
        return {"type": "real", "bits": struct.pack(">d", value).hex(), "value": shown}
    if isinstance(value, RawText):
        return {"type": "text", "hex": value.hex()}
    if isinstance(value, str):
        return {"type": "text", "value": value}
    return {"type": "blob", "hex": value.hex()}


def column(name, type="", notnull=0, pk=0, generated=0, default=None) -> dict:
    return {"name": name, "type": type, "notnull": notnull, "pk": pk, "generated": generated, "default": default}


class Table:
    def __init__(self, id: int, name: str, columns: list[dict]):
        self.id, self.name, self.columns = id, name, columns

    @property
    def schema(self) -> bytes:
        if self.id == 0:
            return sha(b"indelible/schema/0")
        return sha(b"indelible/schema/1\0", u64(self.id), u32(len(self.columns)), *(
            text(c["name"]) + text(c["type"]) + bytes([c["notnull"]]) + u32(c["pk"]) + bytes([c["generated"]])
            for c in self.columns))


class Row:
    """One operation on one row version."""

    def __init__(self, table: Table, values: list, operation: int = 1, start=None):
        self.table, self.values, self.operation, self.start = table, values, operation, start

    def leaf(self, transaction: int, sequence: int) -> bytes:
        start = u64(self.start[0]) + u64(self.start[1]) if self.operation == 2 else b""
        return sha(b"\0", b"indelible/row/1\0", bytes([self.operation]), u64(self.table.id), self.table.schema,
                   u64(transaction), u64(sequence), start, u32(len(self.values)), *map(encode, self.values))


class Transaction:
    def __init__(self, ledger, rows, principal, login, application, commit_time):
        self.ledger, self.id, self.rows = ledger, len(ledger.transactions) + 1, rows
        self.principal, self.login, self.application, self.commit_time = principal, login, application, commit_time

    def rows_of(self, table_id: int) -> list[Row]:
        return [r for r in self.rows if r.table.id == table_id]

    def leaves(self, table_id: int) -> list[bytes]:
        return [r.leaf(self.id, i) for i, r in enumerate(self.rows_of(table_id))]

    @property
    def table_hashes(self) -> bytes:
        ids = sorted({r.table.id for r in self.rows})
        return b"\1" + u32(len(ids)) + b"".join(
            u64(i) + root(self.leaves(i)) + u64(len(self.leaves(i))) for i in ids)

    @property
    def leaf(self) -> bytes:
        return sha(b"\0", b"indelible/tx/1\0\0", self.ledger.id, u64(self.id), self.commit_time.encode(),
                   text(self.principal), text(self.login), text(self.application), text_bytes(self.table_hashes))


def text_bytes(b: bytes) -> bytes:
    return u32(len(b)) + b


class Block:
    def __init__(self, ledger, transactions, close_time):
        self.ledger, self.id, self.transactions, self.close_time = ledger, len(ledger.blocks), transactions, close_time
        self.previous = ledger.blocks[-1].hash if ledger.blocks else None
        self.history = root(ledger.block_leaves())
        self.root = root([t.leaf for t in transactions])
        self.hash = sha(b"\2", b"indelible/block/1\0", ledger.id, u64(self.id), self.root, u64(len(transactions)),
                        u64(transactions[0].id), self.previous or bytes(32), self.history, close_time.encode())


class SQLLedger:
    """A ledger without a database. Times are made up and ascend."""

    def __init__(self, id: bytes = bytes(range(16)), database: str = "shop"):
        self.id, self.database = id, database
        self.transactions: list[Transaction] = []
        self.blocks: list[Block] = []
        self.clock = 0

    def time(self) -> str:
        self.clock += 1
        return f"2026-11-21T{self.clock // 3600:02}:{self.clock // 60 % 60:02}:{self.clock % 60:02}.{self.clock % 1000:06}Z"

    def commit(self, *rows: Row, principal="ada", login="root", application="till") -> Transaction:
        self.transactions.append(Transaction(self, list(rows), principal, login, application, self.time()))
        return self.transactions[-1]

    def close(self) -> Block:
        done = self.blocks[-1].transactions[-1].id if self.blocks else 0
        self.blocks.append(Block(self, self.transactions[done:], self.time()))
        return self.blocks[-1]

    def block_leaves(self, count=None) -> list[bytes]:
        return [sha(b"\0", b.hash) for b in self.blocks[:count]]

    def block_of(self, transaction: Transaction) -> Block:
        return next(b for b in self.blocks if transaction in b.transactions)

    def digest(self, block: Block) -> dict:
        return {
            "block_count": block.id + 1, "block_id": block.id, "database_name": self.database,
            "digest_time": f"2026-11-22T00:00:00.{block.id:06}Z", "format": "indelible/digest/1",
            "hash": "0x" + block.hash.hex().upper(),
            "last_transaction_commit_time": block.transactions[-1].commit_time, "ledger_id": self.id.hex()}

    # Evidence

    def item(self, transaction: Transaction, table: Table, sequence: int, current=False) -> dict:
        row, block = transaction.rows_of(table.id)[sequence], self.block_of(transaction)
        place = transaction.id - block.transactions[0].id
        return {
            "kind": "row", "table": table.name, "table_id": table.id,
            "operation": {1: "created", 2: "ended"}[row.operation], "schema": {"columns": copy.deepcopy(table.columns)},
            "transaction": {
                "id": transaction.id, "commit_time": transaction.commit_time, "principal": transaction.principal,
                "login": transaction.login, "application": transaction.application,
                "table_hashes": transaction.table_hashes.hex()},
            "sequence_number": sequence,
            "start": {"transaction_id": row.start[0], "sequence_number": row.start[1]} if row.operation == 2 else None,
            "values": [disclose(v) for v in row.values],
            "row_path": path(sequence, transaction.leaves(table.id)),
            "transaction_path": path(place, [t.leaf for t in block.transactions]),
            "block": block.id, "current": {"claimed": current}}

    def block_entry(self, block: Block, covered_by: Block) -> dict:
        return {
            "block_id": block.id, "ledger_id": self.id.hex(), "transactions_root_hash": block.root.hex(),
            "block_size": len(block.transactions), "first_transaction_id": block.transactions[0].id,
            "previous_block_hash": block.previous.hex() if block.previous else None,
            "history_root_hash": block.history.hex(), "close_time": block.close_time, "digest_block": covered_by.id,
            "block_path": [] if block is covered_by else path(block.id, self.block_leaves(covered_by.id))}

    def bundle(self, items: list[dict], covered_by: Block, anchor: dict | None = None, certificate=None) -> dict:
        """`anchor`: entry and receipt for the digest of `covered_by`."""
        ids = sorted({i["block"] for i in items} | {covered_by.id})
        return {
            "format": "indelible/evidence/1", "ledger_id": self.id.hex(), "database_name": self.database,
            "items": items, "blocks": [self.block_entry(self.blocks[i], covered_by) for i in ids],
            "digests": [{"digest": self.digest(covered_by), "source": None, "entry": None, "receipt": None}
                        | (anchor or {})],
            "service_certificate": certificate, "service_certificate_chain": []}


def sample() -> tuple[SQLLedger, dict]:
    """A ledger of nine blocks with every kind of value, and the rows that tests disclose by name."""
    ledger = SQLLedger()
    orders = Table(1, "orders", [
        column("id", "INTEGER", pk=1), column("customer", "TEXT", notnull=1), column("amount", "REAL"),
        column("note"), column("double", "REAL", generated=2), column("paper", "BLOB", generated=3, default="x''")])
    pairs = Table(2, 'odd "name"', [column("é", "TEXT", notnull=1, pk=1)])
    events = Table(0, "ledger_schema_events", [
        column("event_type", "INTEGER"), column("table_id", "INTEGER"), column("body", "TEXT")])
    rows = {}

    def keep(name, transaction, table, sequence):
        rows[name] = (transaction, table, sequence)

    t = ledger.commit(Row(events, [0, 1, '{"columns":[]}']), principal="setup")
    keep("schema event", t, events, 0)
    ledger.close()
    t = ledger.commit(*(Row(orders, [i, f"customer {i}", i / 4, None, b"\x00\xff"]) for i in range(5)))
    keep("row", t, orders, 3)
    keep("last row", t, orders, 4)
    t2 = ledger.commit(
        Row(orders, [3, "customer 3", 0.75, None, b"\x00\xff"], 2, (t.id, 3)),
        Row(orders, [3, "customer 3", 1e300, "changed", b""]),
        Row(pairs, ["日本 e\u0301 \u202e\u0007"]))
    keep("ended row", t2, orders, 0)
    keep("changed row", t2, orders, 1)
    keep("odd text", t2, pairs, 0)
    ledger.close()
    for number in range(5):
        t = ledger.commit(Row(orders, [100 + number, "x" * number, -0.0, RawText(b"\xff\xfe"), b""]))
        keep(f"block of five {number}", t, orders, 0)
    ledger.close()
    t = ledger.commit(
        Row(orders, [-(2**63), "", float("inf"), RawText(b"\xc3"), b"a" * 300]),
        Row(orders, [2**63 - 1, "<b>bold</b><img src=x onerror=alert(1)>", float("-inf"), "a\0b", b"\1"]))
    keep("extremes", t, orders, 0)
    keep("markup", t, orders, 1)
    for _ in range(6):
        ledger.close()
        ledger.commit(Row(pairs, ["filler"]))
    ledger.close()
    return ledger, rows
