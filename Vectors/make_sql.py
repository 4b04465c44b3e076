#!/usr/bin/env python3
"""Writes the vectors of the SQL ledger's formats under Vectors/sql.

    python3 Vectors/make_sql.py

Written from Documentation/spec/sql-*.md, without the Swift code. Each file has good values under the name of what
they are, and values that must be refused under `refused`, each with the code of the error.
"""

import hashlib, json, pathlib, struct

HERE = pathlib.Path(__file__).parent / "sql"
HERE.mkdir(exist_ok=True)

H = lambda data: hashlib.sha256(data).digest()
u16 = lambda n: struct.pack(">H", n)
u32 = lambda n: struct.pack(">I", n)
u64 = lambda n: struct.pack(">Q", n)
text = lambda s: u32(len(s.encode())) + s.encode()
canonical = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# --- Merkle trees -----------------------------------------------------------------------------------------------------


def leaf_hash(preimage):
    return H(b"\0" + preimage)


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return H(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return H(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + ["R" + root(leaves[k:]).hex()]
    return path(index - k, leaves[k:]) + ["L" + root(leaves[:k]).hex()]


# --- Rows -------------------------------------------------------------------------------------------------------------


def value(v):
    """v: {"type": …} as in evidence bundles."""
    kind = v["type"]
    if kind == "null":
        return b"\0"
    if kind == "integer":
        return b"\1" + struct.pack(">q", int(v["value"]))
    if kind == "real":
        return b"\2" + bytes.fromhex(v["bits"])
    data = v["value"].encode() if "value" in v else bytes.fromhex(v["hex"])
    return {"text": b"\3", "blob": b"\4"}[kind] + u64(len(data)) + data


def row_preimage(op, table, schema, transaction, sequence, start, values):
    out = b"indelible/row/1\0" + bytes([op]) + u64(table) + schema + u64(transaction) + u64(sequence)
    if op == 2:
        out += u64(start[0]) + u64(start[1])
    return out + u32(len(values)) + b"".join(map(value, values))


def check(encoded):
    mask = (1 << 64) - 1
    h = 0x9E3779B97F4A7C15 ^ len(encoded)
    for i in range(0, len(encoded), 8):
        h = (h ^ int.from_bytes(encoded[i : i + 8], "little")) * 0xFF51AFD7ED558CCD & mask
        h ^= h >> 32
    return (h * 0xFF51AFD7ED558CCD & mask) >> 48


def chunk(leaves_and_checks):
    return b"".join(leaf + u16(len(checks)) + b"".join(map(u16, checks)) for leaf, checks in leaves_and_checks)


integer = lambda n: {"type": "integer", "value": str(n)}
real = lambda x: {"type": "real", "bits": struct.pack(">d", x).hex()}
string = lambda s: {"type": "text", "value": s}
raw_text = lambda b: {"type": "text", "hex": b.hex()}
blob = lambda b: {"type": "blob", "hex": b.hex()}
null = {"type": "null"}

rows = []


def row(about, op, table, schema, transaction, sequence, start, values):
    preimage = row_preimage(op, table, schema, transaction, sequence, start, values)
    rows.append(
        {
            "about": about,
            "operation": op,
            "table_id": table,
            "schema": schema.hex(),
            "transaction_id": transaction,
            "sequence_number": sequence,
            "start": start,
            "values": values,
            "leaf": leaf_hash(preimage).hex(),
            "checks": [check(value(v)) for v in values],
        }
    )
    if len(preimage) < 1024:
        rows[-1]["preimage"] = preimage.hex()
    return leaf_hash(preimage)


S = H(b"a schema")
row("one integer", 1, 1, S, 1, 0, None, [integer(1)])
row("NULL", 1, 1, S, 1, 1, None, [null])
for n in [0, -1, 2**63 - 1, -(2**63)]:
    row(f"the integer {n}", 1, 1, S, 1, 2, None, [integer(n)])
for x in [0.0, 1.5, -2.25, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf")]:
    row(f"the real {x}", 1, 1, S, 1, 3, None, [real(x)])
row("-0.0 is written as +0.0", 1, 1, S, 1, 3, None, [real(0.0)])
row("the empty text", 1, 1, S, 1, 4, None, [string("")])
row("text of seven bytes", 1, 1, S, 1, 4, None, [string("1234567")])
row("text that ends in 2", 1, 1, S, 1, 4, None, [string("1.21.22")])
row("text that ends in 3", 1, 1, S, 1, 4, None, [string("1.21.23")])
row("text with NUL and beyond ASCII", 1, 1, S, 1, 4, None, [string("a\0b é 漢 🜚")])
row("text that is not UTF-8", 1, 1, S, 1, 4, None, [raw_text(b"\xff\xfe")])
row("the empty blob", 1, 1, S, 1, 5, None, [blob(b"")])
row("a blob with the bytes of a text", 1, 1, S, 1, 5, None, [blob(b"1234567")])
row("no columns", 1, 1, S, 1, 6, None, [])
row("every type", 1, 7, S, 2**40, 99, None, [integer(42), real(0.5), string("x"), blob(b"\0\1"), null])
row("the end of a version", 2, 7, S, 2**40 + 1, 0, [2**40, 99], [integer(42), real(0.5), string("x"), blob(b"\0\1"), null])
row("300 columns", 1, 3, S, 5, 0, None, [integer(i) if i % 3 else null for i in range(300)])
row("texts of 0 to 5000 bytes", 1, 3, S, 5, 0, None, [string("text " * i) for i in (0, 1, 2, 100, 1000)])
row("the largest numbers", 2, 2**64 - 1, S, 2**64 - 1, 2**64 - 1, [2**64 - 1, 2**64 - 1], [integer(1)])
(HERE / "rows.json").write_text(json.dumps({"rows": rows}, indent=1, ensure_ascii=False) + "\n")

# --- Merkle trees -----------------------------------------------------------------------------------------------------

leaves = [leaf_hash(str(i).encode()) for i in range(130)]
merkle = {
    "about": "Leaf i is the leaf hash of the decimal text of i.",
    "leaves": [leaf.hex() for leaf in leaves[:4]],
    "roots": [root(leaves[:n]).hex() for n in range(131)],
    "paths": [
        {"index": i, "size": n, "path": path(i, leaves[:n])}
        for i, n in [(0, 1), (0, 2), (1, 2), (2, 3), (4, 7), (6, 7), (127, 128), (0, 129), (128, 129), (100, 130), (129, 130)]
    ],
}
(HERE / "merkle.json").write_text(json.dumps(merkle, indent=1) + "\n")

# --- Transactions -----------------------------------------------------------------------------------------------------

LEDGER = bytes(range(16))
TIME = "2026-11-21T03:04:05.678901Z"


def table_hashes(tables, version=1, count=None):
    out = bytes([version]) + u32(len(tables) if count is None else count)
    for table, table_root, leaf_count in tables:
        out += u64(table) + table_root + u64(leaf_count)
    return out


def transaction_preimage(ledger, number, time, principal, login, application, hashes):
    return (
        b"indelible/tx/1\0\0" + ledger + u64(number) + time.encode() + text(principal) + text(login)
        + text(application) + u32(len(hashes)) + hashes
    )


transactions = []


def transaction(about, number, time, principal, login, application, tables, ledger=LEDGER):
    hashes = table_hashes(tables)
    preimage = transaction_preimage(ledger, number, time, principal, login, application, hashes)
    transactions.append(
        {
            "about": about,
            "ledger_id": ledger.hex(),
            "transaction_id": number,
            "commit_time": time,
            "principal_name": principal,
            "login_name": login,
            "application_name": application,
            "table_hashes": hashes.hex(),
            "tables": [{"table_id": t, "root": r.hex(), "leaf_count": n} for t, r, n in tables],
            "preimage": preimage.hex(),
            "leaf": leaf_hash(preimage).hex(),
            "checks": [check(value(string(t))) for t in (time, principal, login, application)] + [check(value(blob(hashes)))],
        }
    )
    return leaf_hash(preimage)


A, B = root(leaves[:1]), root(leaves[:5])
transaction_leaves = [
    transaction("one table", 1, TIME, "grace", "grace", "shop", [(1, A, 1)]),
    transaction("a schema event and a table", 2, TIME, "grace", "root", "sqlite3", [(0, A, 1), (1, B, 5)]),
    transaction("nobody in particular", 3, "2026-11-21T03:04:06.000000Z", "", "", "", [(2, B, 5)]),
    transaction("names beyond ASCII", 4, "2026-11-21T03:04:07.000000Z", "Å", "漢", "\u0000\n\"", [(2**64 - 1, B, 2**64 - 1)]),
]
one = (1, A, 1)
good = table_hashes([one, (2, B, 5)])
refused = lambda about, code, data: {"about": about, "code": code, "table_hashes": data.hex()}
hostile = [
    refused("empty", "truncated", b""),
    refused("only a version", "truncated", b"\1"),
    refused("another version", "unsupported", table_hashes([one], version=2)),
    refused("no table", "out-of-range", table_hashes([])),
    refused("one byte short", "truncated", good[:-1]),
    refused("one byte more", "trailing-bytes", good + b"\0"),
    refused("a count above the tables", "truncated", table_hashes([one], count=2)),
    refused("a count below the tables", "trailing-bytes", table_hashes([one, (2, B, 5)], count=1)),
    refused("a count no memory can hold", "truncated", table_hashes([one], count=2**32 - 1)),
    refused("a table twice", "duplicate-member", table_hashes([one, one])),
    refused("a table twice with another root", "duplicate-member", table_hashes([one, (1, B, 5)])),
    refused("descending", "malformed", table_hashes([(2, B, 5), one])),
    refused("a table without leaves", "out-of-range", table_hashes([(1, A, 0)])),
]
(HERE / "transactions.json").write_text(
    json.dumps({"transactions": transactions, "refused": hostile}, indent=1, ensure_ascii=False) + "\n"
)

# --- Blocks -----------------------------------------------------------------------------------------------------------

blocks, block_hashes = [], []


def block_preimage(ledger, number, transactions_root, size, first, previous, history, time):
    return (
        b"\2indelible/block/1\0" + ledger + u64(number) + transactions_root + u64(size) + u64(first) + previous
        + history + time.encode()
    )


def block(own_leaves, first, time):
    number = len(blocks)
    history = root([leaf_hash(h) for h in block_hashes])
    previous = block_hashes[-1] if block_hashes else bytes(32)
    preimage = block_preimage(LEDGER, number, root(own_leaves), len(own_leaves), first, previous, history, time)
    blocks.append(
        {
            "block_id": number,
            "transactions": [leaf.hex() for leaf in own_leaves],
            "transactions_root_hash": root(own_leaves).hex(),
            "block_size": len(own_leaves),
            "first_transaction_id": first,
            "previous_block_hash": previous.hex() if block_hashes else None,
            "history_root_hash": history.hex(),
            "close_time": time,
            "chunk": chunk([(leaf, []) for leaf in own_leaves]).hex(),
            "preimage": preimage.hex(),
            "hash": H(preimage).hex(),
        }
    )
    block_hashes.append(H(preimage))


block(transaction_leaves[:1], 1, TIME)
block(transaction_leaves[1:4], 2, "2026-11-21T03:04:30.000000Z")
for number in range(5, 16):
    block([leaf_hash(b"transaction %d" % number)], number, "2026-11-21T03:05:%02d.000000Z" % number)
history_paths = [
    {"block_id": i, "digest_block": n, "path": path(i, [leaf_hash(h) for h in block_hashes[:n]])}
    for i, n in [(0, 1), (0, 2), (1, 2), (3, 12), (11, 12)]
]
(HERE / "blocks.json").write_text(
    json.dumps({"ledger_id": LEDGER.hex(), "blocks": blocks, "history_paths": history_paths}, indent=1) + "\n"
)

# --- Digests ----------------------------------------------------------------------------------------------------------

digest = {
    "block_count": 2,
    "block_id": 1,
    "database_name": "shop",
    "digest_time": "2026-11-21T03:04:31.000001Z",
    "format": "indelible/digest/1",
    "hash": "0x" + block_hashes[1].hex().upper(),
    "last_transaction_commit_time": "2026-11-21T03:04:07.000000Z",
    "ledger_id": LEDGER.hex(),
}
odd = {**digest, "database_name": 'a "b" \\ \n \u0001 漢', "block_count": 1, "block_id": 0}
first = {**digest, "block_id": 0, "block_count": 1, "hash": "0x" + block_hashes[0].hex().upper()}
changed = lambda **members: json.dumps({**digest, **members})
without = lambda name: json.dumps({k: v for k, v in digest.items() if k != name})
refused = lambda about, code, data: {"about": about, "code": code, "text": data}
TEXT = canonical(digest)
hostile = [
    *[refused(f"without {name}", "missing-member", without(name)) for name in digest],
    *[refused(f"{name} null", "invalid-member", changed(**{name: None})) for name in digest],
    refused("an unknown member", "unexpected-member", changed(comment="")),
    refused("a member twice", "duplicate-member", TEXT[:-1] + ',"block_id":1}'),
    refused("a member twice, once escaped", "duplicate-member", TEXT[:-1] + ',"block\\u005fid":1}'),
    refused("another format", "unsupported", changed(format="indelible/digest/2")),
    refused("a hash without 0x", "invalid-member", changed(hash=digest["hash"][2:])),
    refused("a hash with 0X", "invalid-member", changed(hash="0X" + digest["hash"][2:])),
    refused("a hash in lower case", "invalid-member", changed(hash=digest["hash"].lower())),
    refused("a hash of 62 digits", "invalid-member", changed(hash=digest["hash"][:-2])),
    refused("a hash of 66 digits", "invalid-member", changed(hash=digest["hash"] + "00")),
    refused("a hash with a space", "invalid-member", changed(hash=digest["hash"] + " ")),
    refused("a hash that is a number", "invalid-member", changed(hash=1)),
    refused("a ledger id in upper case", "invalid-member", changed(ledger_id=LEDGER.hex().upper())),
    refused("a ledger id of 30 digits", "invalid-member", changed(ledger_id=LEDGER.hex()[:-2])),
    refused("a ledger id with hyphens", "invalid-member", changed(ledger_id="00010203-0405-0607-0809-0a0b0c0d0e0f")),
    refused("a block count of another block", "invalid-member", changed(block_count=3)),
    refused("a block id that is text", "invalid-member", changed(block_id="1")),
    refused("a block id with a fraction", "invalid-member", TEXT.replace('"block_id":1', '"block_id":1.0')),
    refused("a block id with an exponent", "invalid-member", TEXT.replace('"block_id":1', '"block_id":1e0')),
    refused("a block id with a leading zero", "malformed", TEXT.replace('"block_id":1', '"block_id":01')),
    refused("a negative block id", "invalid-member", changed(block_id=-1, block_count=0)),
    refused("a block id of 2^53", "invalid-member", changed(block_id=2**53, block_count=2**53 + 1)),
    refused("a block id of 2^64", "invalid-member", changed(block_id=2**64, block_count=2**64 + 1)),
    refused("a time with an offset", "invalid-member", changed(digest_time="2026-11-21T03:04:31.000001+00:00")),
    refused("a time with milliseconds", "invalid-member", changed(digest_time="2026-11-21T03:04:31.000Z")),
    refused("a time with seven digits", "invalid-member", changed(digest_time="2026-11-21T03:04:31.0000010Z")),
    refused("a time with a space", "invalid-member", changed(digest_time="2026-11-21 03:04:31.000001Z")),
    refused("a time with a small z", "invalid-member", changed(digest_time="2026-11-21T03:04:31.000001z")),
    refused("30 February", "invalid-member", changed(digest_time="2026-02-30T03:04:31.000001Z")),
    refused("29 February of a year without", "invalid-member", changed(digest_time="2026-02-29T03:04:31.000001Z")),
    refused("month 13", "invalid-member", changed(digest_time="2026-13-01T03:04:31.000001Z")),
    refused("hour 24", "invalid-member", changed(digest_time="2026-11-21T24:00:00.000000Z")),
    refused("second 60", "invalid-member", changed(digest_time="2026-12-31T23:59:60.000000Z")),
    refused("an array", "invalid-member", "[" + TEXT + "]"),
    refused("a string", "invalid-member", '"digest"'),
    refused("text after the object", "trailing-bytes", TEXT + "x"),
    refused("two objects", "trailing-bytes", TEXT + TEXT),
    refused("nothing", "malformed", ""),
    refused("cut short", "malformed", TEXT[:-1]),
    refused("a byte order mark", "malformed", "\ufeff" + TEXT),
    refused("single quotes", "malformed", TEXT.replace('"', "'")),
    refused("a comma at the end", "malformed", TEXT[:-1] + ",}"),
    refused("a comment", "malformed", "/**/" + TEXT),
    refused("nested too deeply", "out-of-range", changed(database_name=[["x"]])),
]
lists = [
    {"about": "one object", "count": 1, "text": TEXT},
    {"about": "one object on several lines", "count": 1, "text": json.dumps(digest, indent=2) + "\n"},
    {"about": "an array", "count": 2, "text": "[" + TEXT + ",\n " + canonical(odd) + "]\n"},
    {"about": "lines", "count": 2, "text": TEXT + "\n" + canonical(odd) + "\n"},
    {"about": "lines with empty lines and CR", "count": 3, "text": "\n" + TEXT + "\r\n\r\n" + canonical(odd) + "\n \n" + TEXT},
]
refused_lists = [
    refused("nothing", "missing-member", ""),
    refused("spaces", "missing-member", " \n\t\n"),
    refused("an empty array", "missing-member", "[]"),
    refused("an array in an array", "invalid-member", "[[" + TEXT + "]]"),
    refused("a digest and a number", "invalid-member", "[" + TEXT + ",1]"),
    refused("two on one line", "trailing-bytes", TEXT + " " + TEXT + "\n" + TEXT),
    refused("a bad line", "missing-member", TEXT + "\n{}\n"),
    refused("text after the array", "trailing-bytes", "[" + TEXT + "]" + TEXT),
]
(HERE / "digests.json").write_text(
    json.dumps(
        {
            "digests": [{"members": d, "text": canonical(d)} for d in (digest, first, odd)],
            "refused": hostile,
            "lists": lists,
            "refused_lists": refused_lists,
        },
        indent=1,
        ensure_ascii=False,
    )
    + "\n"
)

# --- Schema -----------------------------------------------------------------------------------------------------------


def schema_digest(table, columns):
    out = b"indelible/schema/1\0" + u64(table) + u32(len(columns))
    for c in columns:
        out += text(c["name"]) + text(c["type"]) + bytes([c["notnull"]]) + u32(c["pk"]) + bytes([c["generated"]])
    return H(out)


def column(name, declared="", notnull=0, pk=0, generated=0, default=None):
    return {"default": default, "generated": generated, "name": name, "notnull": notnull, "pk": pk, "type": declared}


COLUMNS = [
    column("id", "INTEGER", 0, 1),
    column("name", "TEXT", 1),
    column("balance", "REAL", 1, default="0"),
    column("full", "", generated=2),
    column("sum", "INTEGER", generated=3),
]
CREATE = {
    "after": 0,
    "columns": COLUMNS,
    "kind": "updatable",
    "objects": [
        {"name": "by_name", "sql": "CREATE INDEX by_name ON account(name)", "type": "index"},
        {"name": "a", "sql": "CREATE TRIGGER a AFTER INSERT ON account BEGIN SELECT 1; END", "type": "trigger"},
    ],
    "previous": None,
    "rowid": "id",
    "schema": schema_digest(1, COLUMNS).hex(),
    "sql": 'CREATE TABLE account(\n\tid INTEGER PRIMARY KEY, "name" TEXT NOT NULL)',
    "table": "account",
    "view": "account_Ledger",
}
events = [
    {"type": 0, "table": 1, "body": CREATE},
    {"type": 2, "table": 1, "body": {**CREATE, "after": 5, "previous": "acount", "objects": []}},
    {"type": 0, "table": 2, "body": {**CREATE, "kind": "append-only", "rowid": None, "table": "Käse \u0001\u007f\b\f", "schema": schema_digest(2, COLUMNS).hex()}},
    {"type": 8, "table": 0, "body": {"all_tables": 1}},
]
event_list = []
for index, e in enumerate(events):
    body = canonical(e["body"])
    values = [integer(e["type"]), integer(e["table"]), string(body)]
    preimage = row_preimage(1, 0, H(b"indelible/schema/0"), 9, index, None, values)
    event_list.append(
        {**e, "text": body, "transaction_id": 9, "sequence_number": index, "leaf": leaf_hash(preimage).hex()}
    )
refused = lambda about, code, body, kind=0, table=1: {
    "about": about, "code": code, "type": kind, "table": table,
    "text": body if isinstance(body, str) else canonical(body),
}
BODY = canonical(CREATE)
swap = lambda index, **members: {**CREATE, "columns": [{**c, **(members if i == index else {})} for i, c in enumerate(COLUMNS)]}
hostile = [
    refused("a space", "malformed", BODY.replace(",", ", ", 1)),
    refused("a line feed at the end", "malformed", BODY + "\n"),
    refused("members in another order", "malformed", json.dumps(dict(reversed(CREATE.items())), separators=(",", ":"))),
    refused("an escape that is not needed", "malformed", BODY.replace('"account"', '"\\u0061ccount"')),
    refused("a slash escaped", "malformed", BODY.replace("account_Ledger", "account\\/Ledger")),
    refused("a tab as \\u0009", "malformed", BODY.replace("\\t", "\\u0009")),
    refused("beyond ASCII escaped", "malformed", BODY.replace("account_Ledger", "\\u00e9")),
    refused("a member twice", "duplicate-member", BODY[:-1] + ',"view":"x"}'),
    refused("an unknown member", "unexpected-member", {**CREATE, "comment": ""}),
    *[refused(f"without {name}", "missing-member", {k: v for k, v in CREATE.items() if k != name}) for name in CREATE],
    refused("another schema digest", "invalid-member", {**CREATE, "schema": "00" * 32}),
    refused("the schema digest of another table", "invalid-member", BODY, table=2),
    refused("the schema digest in upper case", "invalid-member", {**CREATE, "schema": CREATE["schema"].upper()}),
    refused("a column renamed", "invalid-member", swap(1, name="nom")),
    refused("a column of another type", "invalid-member", swap(1, type="BLOB")),
    refused("a column that may be NULL now", "invalid-member", swap(1, notnull=0)),
    refused("generated 1", "invalid-member", swap(3, generated=1)),
    refused("notnull 2", "invalid-member", swap(1, notnull=2)),
    refused("notnull true", "invalid-member", swap(1, notnull=True)),
    refused("no columns", "invalid-member", {**CREATE, "columns": []}),
    refused("another kind", "invalid-member", {**CREATE, "kind": "updateable"}),
    refused("objects in another order", "invalid-member", {**CREATE, "objects": CREATE["objects"][::-1]}),
    refused("an object twice", "invalid-member", {**CREATE, "objects": CREATE["objects"][:1] * 2}),
    refused("after negative", "invalid-member", {**CREATE, "after": -1}),
    refused("after as text", "invalid-member", {**CREATE, "after": "0"}),
    refused("no object", "invalid-member", "[]"),
    refused("nothing", "malformed", ""),
    refused("type 9", "invalid-member", BODY, kind=9),
    refused("a table event of table 0", "invalid-member", BODY, table=0),
    refused("a negative table", "invalid-member", BODY, table=-1),
    refused("settings of a table", "invalid-member", '{"all_tables":1}', kind=8, table=1),
    refused("settings with 2", "invalid-member", '{"all_tables":2}', kind=8, table=0),
    refused("settings with true", "invalid-member", '{"all_tables":true}', kind=8, table=0),
    refused("settings with more", "unexpected-member", '{"all_tables":1,"x":1}', kind=8, table=0),
]
schemas = [{"table": t, "columns": c, "digest": schema_digest(t, c).hex()} for t, c in [(1, COLUMNS), (2, COLUMNS), (1, COLUMNS[:1])]]
(HERE / "schema.json").write_text(
    json.dumps(
        {"schema_0": H(b"indelible/schema/0").hex(), "schemas": schemas, "events": event_list, "refused": hostile},
        indent=1, ensure_ascii=False,
    )
    + "\n"
)

# --- Leaf chunks ------------------------------------------------------------------------------------------------------


def chunk_leaf(i):
    return leaf_hash(str(i).encode()), [check(b"\1" + struct.pack(">q", i)), i, 0xFFFF][: i % 4]


counts = [1, 2, 127, 128, 129, 256, 300, 16384, 16511]
chunked = []
for count in counts:
    all_leaves = [chunk_leaf(i) for i in range(count)]
    chunked.append(
        {
            "count": count,
            "root": root([leaf for leaf, _ in all_leaves]).hex(),
            "chunk_sha256": [H(chunk(all_leaves[i : i + 128])).hex() for i in range(0, count, 128)],
            "root_chunk_sha256": [
                H(chunk([(root([leaf for leaf, _ in all_leaves[k : k + 128]]), []) for k in range(i, i + 16384, 128)])).hex()
                for i in range(0, count - 16383, 16384)
            ],
            "chunk_roots": [root([leaf for leaf, _ in all_leaves[i : i + 128]]).hex() for i in range(0, count, 128)],
        }
    )
one = chunk([chunk_leaf(3)])
refused = lambda about, code, data: {"about": about, "code": code, "chunk": data.hex()}
hostile = [
    refused("empty", "truncated", b""),
    refused("one byte", "truncated", b"\0"),
    refused("a leaf hash and nothing", "truncated", one[:32]),
    refused("one byte short", "truncated", one[:-1]),
    refused("one byte more", "truncated", one + b"\0"),
    refused("one check short", "truncated", one[:-2]),
    refused("more checks than there are", "truncated", one[:32] + u16(0xFFFF) + one[34:]),
    refused("129 leaves", "out-of-range", chunk([chunk_leaf(0)] * 129)),
]
# The last chunks in an entry: tables 0, 1 and 5 with leaves 0…, of which the entry keeps those after the whole chunks.


def entry_leaves(*sizes):
    return b"".join(chunk([chunk_leaf(i) for i in range(n - n % 128, n)]) for _, n in sizes if n % 128)


def entry(*sizes):
    return {"table_hashes": table_hashes([(t, root([chunk_leaf(i)[0] for i in range(n)]), n) for t, n in sizes]).hex()}


in_entry = [
    {
        **entry(*sizes),
        "leaves": entry_leaves(*sizes).hex(),
        "chunks": [[t, n // 128, entry_leaves((t, n)).hex()] for t, n in sizes if n % 128],
    }
    for sizes in [[(1, 1)], [(0, 1), (1, 5)], [(0, 3), (1, 128), (5, 129)], [(1, 259), (5, 2)]]
]
two = entry((0, 1), (1, 5)), entry_leaves((0, 1), (1, 5))
refused_in_entry = [
    {"about": about, "code": code, **two[0], "leaves": data.hex()}
    for about, code, data in [
        ("empty", "truncated", b""),
        ("one byte short", "truncated", two[1][:-1]),
        ("one byte more", "trailing-bytes", two[1] + b"\0"),
        ("one leaf more", "trailing-bytes", two[1] + chunk([chunk_leaf(0)])),
        ("without the last leaf", "truncated", entry_leaves((0, 1), (1, 4))),
        ("of one table only", "truncated", entry_leaves((1, 5))),
        ("more checks than there are", "truncated", two[1][:32] + u16(0xFFFF) + two[1][34:]),
    ]
] + [
    {"about": "of whole chunks", "code": "truncated", **entry((1, 128)), "leaves": ""},
    {"about": "something beside whole chunks", "code": "trailing-bytes", **entry((1, 128)), "leaves": one.hex()},
]
(HERE / "chunks.json").write_text(
    json.dumps(
        {
            "about": "Leaf i is the leaf hash of the decimal text of i; it has i mod 4 column checks: the check of the "
            "integer i, then i, then 65535.",
            "first_chunk_of_5": chunk([chunk_leaf(i) for i in range(5)]).hex(),
            "chunked": chunked,
            "refused": hostile,
            "in_entry": in_entry,
            "refused_in_entry": refused_in_entry,
        },
        indent=1,
    )
    + "\n"
)
