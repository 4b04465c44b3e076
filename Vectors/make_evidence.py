#!/usr/bin/env python3
"""Writes the evidence bundles under Vectors/sql/evidence: good ones, and one file for each way to change them.

    python3 Vectors/make_evidence.py            # needs the package `cryptography`

Written from Documentation/spec/evidence-bundle.md, without the Swift code. The keys and certificates are those of
Vectors/receipts.

Each file: `verdict` (verified, failed, unanchored, unreadable), `codes` (exactly the steps that failed, or the one error
code of what cannot be read), `about`, the pinned `serviceCertificate` (may be null), `trustedDigests` (may be absent) and
the `document` as text.
"""

import base64, copy, hashlib, hmac, json, pathlib, struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

import make_sql as sql
from make_sql import H, blob, canonical, column, integer, leaf_hash, null, path, raw_text, real, root, string

VECTORS = pathlib.Path(__file__).parent
HERE = VECTORS / "sql" / "evidence"
HERE.mkdir(parents=True, exist_ok=True)
for old in HERE.glob("*.json"):
    old.unlink()

GOOD_RECEIPT = json.loads((VECTORS / "receipts" / "good.json").read_text())
SERVICE = GOOD_RECEIPT["serviceCertificate"]
OTHER_SERVICE = json.loads((VECTORS / "receipts" / "other-service.json").read_text())["serviceCertificate"]
NODE = json.loads(GOOD_RECEIPT["document"])["receipt"]["cert"]
node_key = serialization.load_pem_private_key((VECTORS / "receipts" / "keys" / "node.pem").read_bytes(), None)
assert OTHER_SERVICE != SERVICE

SECRET = bytes(range(32))


def claim(collection, contents):
    return {
        "kind": "LedgerEntry",
        "ledgerEntry": {
            "protocol": "LedgerEntryV1",
            "collectionId": collection,
            "contents": contents,
            "secretKey": base64.b64encode(SECRET).decode(),
        },
    }


def claims_digest(claims):
    mac = lambda text: hmac.new(SECRET, text.encode(), hashlib.sha256).digest()
    digests = b""
    for one in claims:
        entry = one["ledgerEntry"]
        digests += H(b"LedgerEntryV1" + H(mac(entry["collectionId"]) + mac(entry["contents"])))
    return H(struct.pack("<I", len(claims)) + digests).hex()


def receipt(transaction, claims):
    components = {
        "claimsDigest": claims_digest(claims),
        "commitEvidence": f"ce:{transaction}:" + "ab" * 32,
        "writeSetDigest": "cd" * 32,
    }
    proof = [{"left": H(b"A").hex()}, {"right": H(b"B").hex()}]
    node = H(
        bytes.fromhex(components["writeSetDigest"])
        + H(components["commitEvidence"].encode())
        + bytes.fromhex(components["claimsDigest"])
    )
    node = H(H(H(b"A") + node) + H(b"B"))
    signature = node_key.sign(node, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
    return {
        "applicationClaims": claims,
        "receipt": {
            "cert": NODE,
            "leafComponents": components,
            "nodeId": H(
                node_key.public_key().public_bytes(
                    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
                )
            ).hex(),
            "proof": proof,
            "serviceEndorsements": [],
            "signature": base64.b64encode(signature).decode(),
        },
        "state": "Ready",
        "transactionId": transaction,
    }


# --- A small ledger ---------------------------------------------------------------------------------------------------

COLUMNS = [
    column("id", "INTEGER", 0, 1),
    column("name", "TEXT", 1),
    column("balance", "REAL", default="0"),
    column("photo", "BLOB"),
    column("full", "TEXT", generated=2),
    column("initial", "TEXT", generated=3),
]
EVENT_COLUMNS = [column("event_type", "INTEGER"), column("table_id", "INTEGER"), column("body", "TEXT")]
SCHEMA_0 = H(b"indelible/schema/0")
SCHEMA_1 = sql.schema_digest(1, COLUMNS)


class Ledger:
    """Values in, bundles out."""

    def __init__(self, identity, name):
        self.identity, self.name = identity, name
        self.transactions, self.blocks, self.block_hashes = [], [], []

    def transaction(self, operations, principal="grace"):
        """operations: (table, op, start, values)"""
        number = len(self.transactions) + 1
        leaves = {}
        for table, op, start, values in operations:
            own = leaves.setdefault(table, [])
            schema = SCHEMA_1 if table else SCHEMA_0
            own.append(
                {"op": op, "start": start, "values": values,
                 "leaf": leaf_hash(sql.row_preimage(op, table, schema, number, len(own), start, values))}
            )
        hashes = sql.table_hashes([(t, root([x["leaf"] for x in leaves[t]]), len(leaves[t])) for t in sorted(leaves)])
        entry = {
            "application": "shop", "commit_time": "2026-11-21T04:00:%02d.000000Z" % number, "id": number,
            "login": "root", "principal": principal, "table_hashes": hashes.hex(),
        }
        preimage = sql.transaction_preimage(
            self.identity, number, entry["commit_time"], principal, "root", "shop", hashes
        )
        self.transactions.append({"entry": entry, "leaves": leaves, "leaf": leaf_hash(preimage)})

    def close(self):
        first = sum(b["block_size"] for b in self.blocks) + 1
        own = [t["leaf"] for t in self.transactions[first - 1 :]]
        number = len(self.blocks)
        history = root([leaf_hash(h) for h in self.block_hashes])
        previous = self.block_hashes[-1] if number else None
        time = "2026-11-21T04:01:%02d.000000Z" % number
        preimage = sql.block_preimage(
            self.identity, number, root(own), len(own), first, previous or bytes(32), history, time
        )
        self.blocks.append(
            {
                "block_id": number, "block_size": len(own), "close_time": time, "first_transaction_id": first,
                "history_root_hash": history.hex(), "ledger_id": self.identity.hex(),
                "previous_block_hash": previous.hex() if previous else None, "transactions_root_hash": root(own).hex(),
            }
        )
        self.block_hashes.append(H(preimage))

    def row(self, transaction, table, sequence, current=False):
        t = self.transactions[transaction - 1]
        leaves = [x["leaf"] for x in t["leaves"][table]]
        operation = t["leaves"][table][sequence]
        block = next(b for b in self.blocks if transaction < b["first_transaction_id"] + b["block_size"])
        first = block["first_transaction_id"]
        own = [x["leaf"] for x in self.transactions[first - 1 : first - 1 + block["block_size"]]]
        start = operation["start"]
        return {
            "block": block["block_id"], "current": {"claimed": current}, "kind": "row",
            "operation": {1: "created", 2: "ended"}[operation["op"]], "row_path": path(sequence, leaves),
            "schema": {"columns": COLUMNS if table else EVENT_COLUMNS}, "sequence_number": sequence,
            "start": {"transaction_id": start[0], "sequence_number": start[1]} if start else None,
            "table": "account" if table else "ledger_schema_events", "table_id": table, "transaction": t["entry"],
            "transaction_path": path(transaction - first, own),
            "values": [{**v, "value": shown(v)} if v["type"] == "real" else v for v in operation["values"]],
        }

    def block(self, number, digest_block):
        steps = [] if number == digest_block else path(number, [leaf_hash(h) for h in self.block_hashes[:digest_block]])
        return {**self.blocks[number], "digest_block": digest_block, "block_path": steps}

    def digest(self, number, collection="digests/shop", transaction="2.15", anchored=True):
        block = self.blocks[number]
        last = block["first_transaction_id"] + block["block_size"] - 2
        digest = {
            "block_count": number + 1, "block_id": number, "database_name": self.name,
            "digest_time": "2026-11-21T04:02:%02d.000000Z" % number, "format": "indelible/digest/1",
            "hash": "0x" + self.block_hashes[number].hex().upper(),
            "last_transaction_commit_time": self.transactions[last]["entry"]["commit_time"],
            "ledger_id": self.identity.hex(),
        }
        if not anchored:
            return {"digest": digest, "entry": None, "receipt": None, "source": "shop.digests"}
        contents = canonical(digest)
        return {
            "digest": digest,
            "entry": {"collection_id": collection, "contents": contents, "transaction_id": transaction},
            "receipt": receipt(transaction, [claim(collection, contents)]),
            "source": "https://ledger.example",
        }

    def bundle(self, rows, digest_block, **more):
        blocks = sorted({r["block"] for r in rows} | {digest_block})
        return {
            "blocks": [self.block(b, digest_block) for b in blocks], "database_name": self.name,
            "digests": [self.digest(digest_block, **more)], "format": "indelible/evidence/1", "items": rows,
            "ledger_id": self.identity.hex(), "service_certificate": SERVICE, "service_certificate_chain": [],
        }


def shown(value):
    number = struct.unpack(">d", bytes.fromhex(value["bits"]))[0]
    return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(number, repr(number))


def make(identity, name):
    ledger = Ledger(identity, name)
    event = {
        "after": 0, "columns": COLUMNS, "kind": "updatable", "objects": [], "previous": None, "rowid": "id",
        "schema": SCHEMA_1.hex(), "sql": "CREATE TABLE account(…)", "table": "account", "view": "account_Ledger",
    }
    rows = [
        [integer(1), string("Grace Hopper"), real(12.5), blob(b"\x89PNG"), string("G")],
        [integer(2), string("a\0b \u0001\"\\ é 漢 🜚"), null, null, string("a")],
        [integer(-(2**63)), raw_text(b"\xff\xfe"), real(float("inf")), blob(b""), null],
        [integer(2**63 - 1), string(""), real(5e-324), null, null],
        [integer(5), string("Ada"), real(1e300), null, string("A")],
    ]
    ledger.transaction([(0, 1, None, [integer(0), integer(1), string(canonical(event))])] + [(1, 1, None, r) for r in rows])
    changed = [integer(1), string("Grace Hopper"), real(-0.1), blob(b"\x89PNG"), string("G")]
    ledger.transaction([(1, 2, [1, 0], rows[0]), (1, 1, None, changed)], principal="ada")
    ledger.close()
    for number in range(3, 12):
        ledger.transaction([(1, 1, None, [integer(n), string("x"), null, null, null]) for n in range(number * 10, number * 11)])
        if number in (3, 6, 7, 11):
            ledger.close()
    return ledger


LEDGER = make(bytes(range(16)), "shop")
CLONE = make(bytes(range(1, 17)), "shop")

ROWS = [
    LEDGER.row(1, 0, 0), LEDGER.row(1, 1, 0), LEDGER.row(1, 1, 1), LEDGER.row(1, 1, 2), LEDGER.row(1, 1, 3),
    LEDGER.row(2, 1, 0), LEDGER.row(2, 1, 1, current=True), LEDGER.row(9, 1, 5),
]
GOOD = LEDGER.bundle(ROWS, 4)


def write(name, verdict, codes, about, document, service=SERVICE, trusted=None):
    text = document if isinstance(document, str) else canonical(document)
    value = {"about": about, "verdict": verdict, "codes": sorted(codes), "serviceCertificate": service, "document": text}
    if trusted:
        value["trustedDigests"] = "\n".join(canonical(d) for d in trusted)
    file = HERE / f"{name}.json"
    assert not file.exists(), name
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


ok = lambda name, about, document, **more: write(name, "verified", [], about, document, **more)
fails = lambda name, codes, about, document, **more: write(name, "failed", codes, about, document, **more)
open_ = lambda name, about, document, **more: write(name, "unanchored", [], about, document, **more)
unreadable = lambda name, code, about, document, **more: write(name, "unreadable", [code], about, document, **more)


def changed(change, base=None):
    document = copy.deepcopy(base or GOOD)
    change(document)
    return document


def put(d, key, value):
    d[key] = value


def item(change, index=1):
    return changed(lambda d: change(d["items"][index]))


def values(index, value, row=1):
    return item(lambda r: put(r["values"], index, value), row)


# --- Accepted ---------------------------------------------------------------------------------------------------------

ok("good", "Rows of two blocks, every type of value, a schema event, an ended version.", GOOD)
ok("one-row", "A single row.", LEDGER.bundle([ROWS[1]], 4))
ok("own-digest", "The digest of the row's own block.", LEDGER.bundle([LEDGER.row(11, 1, 0)], 4))
ok("block-0", "Block 0 with its own digest.", LEDGER.bundle([ROWS[1]], 0))
ok("name-not-proven", "The table's name, which no event in the bundle proves.", changed(lambda d: put(d["items"][0], "table", "customer"), LEDGER.bundle([ROWS[1]], 4)))
ok("claimed-current", "Whether it is current is a claim.", item(lambda r: put(r, "current", {"claimed": True})))
ok("default-changed", "Defaults are not part of the schema digest.", item(lambda r: put(r["schema"], "columns", [{**c, "default": "9"} for c in COLUMNS])))
ok("spread-out", "Other spaces, members in another order.", json.dumps(dict(reversed(GOOD.items())), indent=2))
ok("no-certificate-inside", "The certificate inside is for people.", {**GOOD, "service_certificate": None})
ok("other-certificate-inside", "The certificate inside is never trusted, and not believed either.", {**GOOD, "service_certificate": OTHER_SERVICE})
ok("receipt-transaction-unnamed", "The response around the receipt need not name its transaction.", changed(lambda d: d["digests"][0]["receipt"].pop("transactionId")))
ok("source-null", "Where a digest was found is for people.", changed(lambda d: put(d["digests"][0], "source", None)))
ok("unused-block", "A block that no item uses, with a right path.", changed(lambda d: d["blocks"].append(LEDGER.block(2, 4))))
ok("two-digests", "Two digests, each with its receipt.", {
    **LEDGER.bundle([ROWS[1], LEDGER.row(11, 1, 0)], 4),
    "blocks": [LEDGER.block(0, 1), LEDGER.block(1, 1), LEDGER.block(4, 4)],
    "digests": [LEDGER.digest(1, transaction="2.10"), LEDGER.digest(4)],
})
ODD_NAME = make(bytes(range(16)), 'a "b" \\ \n \t \u0001 \u007f 漢')
ok("odd-database-name", "A name with every kind of escape: the contents of the entry are compared byte by byte.", ODD_NAME.bundle([ROWS[1]], 4))
ENTRY = {"collection_id": "notes", "contents": "hello\n", "kind": "entry", "receipt": receipt("2.20", [claim("notes", "hello\n")]), "transaction_id": "2.20"}
ALONE = {"blocks": [], "database_name": None, "digests": [], "format": "indelible/evidence/1", "items": [ENTRY], "ledger_id": None, "service_certificate": SERVICE, "service_certificate_chain": []}
ok("entry", "An entry of the confidential ledger by itself.", ALONE)
ok("entry-and-rows", "An entry beside rows.", changed(lambda d: d["items"].append(ENTRY)))
TRUSTED = LEDGER.digest(4)["digest"]
ok("trusted-digest", "No receipt, but the verifier holds the digest.", LEDGER.bundle(ROWS, 4, anchored=False), trusted=[TRUSTED])
ok("trusted-digest-no-service", "The verifier holds the digest and pins no service.", LEDGER.bundle(ROWS, 4, anchored=False), trusted=[TRUSTED], service=None)
ok("trusted-digest-of-other-ledger", "Digests of other ledgers do not matter.", GOOD, trusted=[CLONE.digest(4)["digest"]])
ok("trusted-digest-other-time", "The hash matters, not when the digest was made.", LEDGER.bundle(ROWS, 4, anchored=False), trusted=[{**TRUSTED, "digest_time": "2026-12-01T00:00:00.000000Z"}])

# --- Nothing vouches --------------------------------------------------------------------------------------------------

open_("no-service", "No pinned certificate.", GOOD, service=None)
open_("no-entry", "A digest by itself.", LEDGER.bundle(ROWS, 4, anchored=False))
open_("no-receipt", "An entry whose receipt is not there yet.", changed(lambda d: put(d["digests"][0], "receipt", None)))
open_("one-of-two-anchored", "A second digest without a receipt.", {
    **LEDGER.bundle([ROWS[1], LEDGER.row(11, 1, 0)], 4),
    "blocks": [LEDGER.block(0, 1), LEDGER.block(1, 1), LEDGER.block(4, 4)],
    "digests": [LEDGER.digest(1, anchored=False), LEDGER.digest(4)],
})
open_("trusted-digest-of-another-block", "The verifier's digest is of a block that is not in the bundle.", LEDGER.bundle(ROWS, 4, anchored=False), trusted=[LEDGER.digest(3)["digest"]])

# --- Rows -------------------------------------------------------------------------------------------------------------

R = ["row-path"]
fails("value-integer", R, "Another integer.", values(0, integer(2)))
fails("value-text", R, "Another text.", values(1, string("Grace Hoper")))
fails("value-text-space", R, "A space more.", values(1, string("Grace Hopper ")))
fails("value-text-normalised", R, "Another spelling of the same characters.", values(1, string("a\0b \u0001\"\\ e\u0301 漢 🜚"), 2))
fails("value-real", R, "Another real.", values(2, {**real(12.25), "value": "12.25"}))
fails("value-blob", R, "Another blob.", values(3, blob(b"\x89PNH")))
fails("value-null", R, "NULL for a value.", values(2, null))
fails("value-not-null", R, "A value for NULL.", values(2, integer(0), 2))
fails("value-type", R, "The same bytes as a blob.", values(1, blob(b"Grace Hopper")))
fails("value-integer-for-real", R, "The same number as an integer.", values(2, integer(0), 4))
fails("values-swapped", R, "Two columns' values swapped.", item(lambda r: r["values"].insert(1, r["values"].pop(3))))
fails("column-hidden", R, "A column and its value left out.", item(lambda r: (r["values"].pop(2), put(r["schema"], "columns", [c for i, c in enumerate(COLUMNS) if i != 2]))))
fails("column-virtual", R, "A column declared virtual, to leave out its value.", item(lambda r: (r["values"].pop(2), put(r["schema"], "columns", [{**c, "generated": 2 if i == 2 else c["generated"]} for i, c in enumerate(COLUMNS)]))))
fails("column-renamed", R, "A column with another name.", item(lambda r: put(r["schema"], "columns", [{**c, "name": "debt" if c["name"] == "balance" else c["name"]} for c in COLUMNS])))
fails("column-type", R, "A column with another declared type.", item(lambda r: put(r["schema"], "columns", [{**c, "type": "BLOB" if i == 1 else c["type"]} for i, c in enumerate(COLUMNS)])))
fails("column-key", R, "A column that is no key.", item(lambda r: put(r["schema"], "columns", [{**c, "pk": 0} for c in COLUMNS])))
fails("columns-swapped", R, "Two columns' names swapped.", item(lambda r: put(r["schema"], "columns", [COLUMNS[i] for i in (0, 1, 3, 2, 4, 5)])))
fails("operation-ended", R, "A created version shown as ended.", item(lambda r: (put(r, "operation", "ended"), put(r, "start", {"transaction_id": 1, "sequence_number": 0}))))
fails("operation-created", R, "An ended version shown as created.", item(lambda r: (put(r, "operation", "created"), put(r, "start", None)), 5))
fails("start-transaction", R, "Another start.", item(lambda r: put(r, "start", {"transaction_id": 2, "sequence_number": 0}), 5))
fails("start-sequence", R, "Another start.", item(lambda r: put(r, "start", {"transaction_id": 1, "sequence_number": 1}), 5))
fails("table-id", R, "Another table's number.", item(lambda r: put(r, "table_id", 2)))
fails("sequence-number", R, "Another place.", item(lambda r: put(r, "sequence_number", 1)))
fails("sequence-number-beyond", R, "A place after the last.", item(lambda r: put(r, "sequence_number", 5)))
fails("row-path-moved", R, "The path of another row.", item(lambda r: put(r, "row_path", ROWS[2]["row_path"])))
fails("row-path-cut", R, "A step less.", item(lambda r: r["row_path"].pop()))
fails("row-path-empty", R, "No path.", item(lambda r: put(r, "row_path", [])))
fails("row-path-longer", R, "A step more.", item(lambda r: r["row_path"].append("R" + "00" * 32)))
fails("row-path-side", R, "Left is right.", item(lambda r: put(r["row_path"], 0, "L" + r["row_path"][0][1:])))
fails("row-path-sibling", R, "Another sibling.", item(lambda r: put(r["row_path"], 0, "R" + "00" * 32)))
fails("row-of-another", R, "Values of one row with the path of another.", item(lambda r: put(r, "values", ROWS[2]["values"])))
fails("event-body", R, "An event with another body.", item(lambda r: put(r["values"], 2, string("{}")), 0))

# --- Transactions -----------------------------------------------------------------------------------------------------

T = ["transaction-path"]
inside = lambda key, value, row=1: item(lambda r: put(r, "transaction", {**r["transaction"], key: value}), row)
fails("transaction-time", T, "Another commit time.", inside("commit_time", "2026-11-21T04:00:02.000000Z"))
fails("transaction-principal", T, "Another principal.", inside("principal", "ada"))
fails("transaction-login", T, "Another login.", inside("login", "grace"))
fails("transaction-application", T, "Another application.", inside("application", ""))
fails("transaction-id", ["row-path", "transaction-path"], "Another transaction number.", inside("id", 2))
fails("transaction-id-before", ["row-path", "transaction-path"], "A number before the block.", inside("id", 6, row=7))
ROOTS = LEDGER.transactions[1]["entry"]["table_hashes"]
fails("transaction-roots", ["row-path", "transaction-path"], "The roots of another transaction.", inside("table_hashes", ROOTS))
forged = root([leaf_hash(sql.row_preimage(1, 1, SCHEMA_1, 1, 0, None, [integer(1), string("Eve"), null, null, null]))])
fails("transaction-forged-root", T, "A root made for a forged row.", item(lambda r: (
    put(r, "values", [integer(1), string("Eve"), null, null, null]), put(r, "row_path", []),
    put(r, "transaction", {**r["transaction"], "table_hashes": sql.table_hashes([(1, forged, 1)]).hex()}))))
fails("transaction-path-moved", T, "The path of another transaction.", item(lambda r: put(r, "transaction_path", ROWS[6]["transaction_path"])))
fails("transaction-path-cut", T, "A step less.", item(lambda r: r["transaction_path"].pop()))
fails("transaction-path-longer", T, "A step more.", item(lambda r: r["transaction_path"].append("L" + "00" * 32)))
fails("transaction-block", T, "Another block.", item(lambda r: put(r, "block", 4)))
fails("transaction-block-missing", T, "A block that is not there.", item(lambda r: put(r, "block", 2)))

# --- Blocks -----------------------------------------------------------------------------------------------------------

B = ["block-path"]
in_block = lambda key, value, index=0: changed(lambda d: put(d["blocks"][index], key, value))
fails("block-close-time", B, "Another close time.", in_block("close_time", "2026-11-21T04:01:59.000000Z"))
fails("block-history", B, "Another history root.", in_block("history_root_hash", "00" * 32))
fails("block-root", ["block-path", "transaction-path"], "Another transactions root.", in_block("transactions_root_hash", "00" * 32))
fails("block-size", ["block-path", "transaction-path"], "Another size.", in_block("block_size", 3))
fails("block-first", ["block-path", "transaction-path"], "Another first transaction.", in_block("first_transaction_id", 2))
fails("block-ledger", ["block-path"], "A block of another ledger.", in_block("ledger_id", CLONE.identity.hex()))
fails("block-path-moved", B, "The path of another block.", in_block("block_path", LEDGER.block(1, 4)["block_path"]))
fails("block-path-cut", B, "A step less.", changed(lambda d: d["blocks"][0]["block_path"].pop()))
fails("block-path-empty", B, "No path.", in_block("block_path", []))
fails("block-path-side", B, "Left is right.", changed(lambda d: put(d["blocks"][0]["block_path"], 0, "L" + d["blocks"][0]["block_path"][0][1:])))
fails("block-paths-swapped", B, "The paths of two blocks swapped.", changed(lambda d: (
    put(d["blocks"][0], "block_path", GOOD["blocks"][1]["block_path"]), put(d["blocks"][1], "block_path", GOOD["blocks"][0]["block_path"]))))
fails("block-own-path", B, "A path beside the digest's own block.", in_block("block_path", ["L" + "00" * 32], -1))
fails("block-digest-block-before", ["block-path"], "A digest of an earlier block.", changed(lambda d: (put(d["blocks"][1], "digest_block", 0), put(d, "digests", [LEDGER.digest(0), LEDGER.digest(4)]))))
fails("block-digest-block-missing", ["block-path", "digest"], "A digest block that is not there.", in_block("digest_block", 3))
fails("digest-block-altered", ["block-path", "digest"], "The digest's block altered.", in_block("history_root_hash", "00" * 32, -1))
fails("unused-block-altered", B, "A block that no item uses, altered.", changed(lambda d: d["blocks"].append({**LEDGER.block(2, 4), "close_time": "2026-11-21T04:01:59.000000Z"})))
fails("blocks-of-a-clone", ["block-path", "digest", "transaction-path"], "The blocks of a clone.", {**GOOD, "blocks": CLONE.bundle(ROWS, 4)["blocks"]})

# --- Digests ----------------------------------------------------------------------------------------------------------

fails("no-digest", ["digest"], "No digest at all.", {**GOOD, "digests": []})
fails("digest-of-a-clone", ["digest"], "A genuine digest of a clone, with its receipt.", {**GOOD, "digests": [CLONE.digest(4)]})
fails("digest-of-another-block", ["digest"], "A genuine digest of another block.", {**GOOD, "digests": [LEDGER.digest(3)]})
in_digest = lambda key, value: changed(lambda d: put(d["digests"][0]["digest"], key, value))
fails("digest-hash", ["digest", "entry"], "Another hash than in the entry.", in_digest("hash", "0x" + "0" * 64))
fails("digest-time", ["entry"], "Another time than in the entry.", in_digest("digest_time", "2026-11-21T04:02:05.000000Z"))
fails("digest-last-time", ["entry"], "Another time than in the entry.", in_digest("last_transaction_commit_time", "2026-11-21T04:02:05.000000Z"))
fails("digest-database", ["digest", "entry"], "Another database than in the entry.", in_digest("database_name", "shop2"))
fails("database-name", ["digest"], "Another name of the database in the bundle.", {**GOOD, "database_name": "bank"})
fails("ledger-id", ["block-path", "digest", "transaction-path"], "Another ledger in the bundle.", {**GOOD, "ledger_id": CLONE.identity.hex()})
fails("trusted-digest-differs", ["trusted-digest"], "The verifier's digest has another hash.", GOOD, trusted=[{**TRUSTED, "hash": "0x" + "0" * 64}])

# --- Entries and receipts ---------------------------------------------------------------------------------------------

CONTENTS = GOOD["digests"][0]["entry"]["contents"]
in_entry = lambda key, value: changed(lambda d: put(d["digests"][0]["entry"], key, value))
fails("entry-contents", ["entry", "receipt-claims"], "Other contents.", in_entry("contents", CONTENTS + " "))
fails("entry-collection", ["receipt-claims"], "Another collection.", in_entry("collection_id", "digests/bank"))
fails("entry-transaction", ["receipt-claims"], "Another transaction.", in_entry("transaction_id", "2.16"))
spread = json.dumps(GOOD["digests"][0]["digest"], indent=1)
fails("entry-spread-out", ["entry"], "A genuine entry whose contents are the digest in another form.", changed(lambda d: (
    put(d["digests"][0]["entry"], "contents", spread), put(d["digests"][0], "receipt", receipt("2.15", [claim("digests/shop", spread)])))))
in_receipt = lambda change: changed(lambda d: change(d["digests"][0]["receipt"]))
fails("receipt-of-another-entry", ["receipt-claims"], "A genuine receipt of another digest.", in_receipt(lambda r: r.update(LEDGER.digest(3)["receipt"])))
fails("receipt-of-another-transaction", ["receipt-claims"], "A genuine receipt of another transaction with the same contents.", in_receipt(lambda r: r.update(receipt("2.16", [claim("digests/shop", CONTENTS)]))))
fails("receipt-names-another-transaction", ["receipt-claims"], "The response around the receipt names another one.", in_receipt(lambda r: put(r, "transactionId", "2.16")))
unnamed = {k: v for k, v in receipt("2.16", [claim("digests/shop", CONTENTS)]).items() if k != "transactionId"}
fails("receipt-of-unnamed-transaction", ["receipt-claims"], "A genuine receipt of another transaction, in a response that names none.", changed(lambda d: put(d["digests"][0], "receipt", unnamed)))
fails("receipt-misnamed-transaction", ["receipt-claims"], "A genuine receipt of another transaction, in a response that names the expected one.", changed(lambda d: put(d["digests"][0], "receipt", {**unnamed, "transactionId": "2.15"})))
fails("receipt-of-another-collection", ["receipt-claims"], "A genuine receipt of another collection.", in_receipt(lambda r: r.update(receipt("2.15", [claim("public", CONTENTS)]))))
fails("receipt-claims-replaced", ["receipt-claims"], "Claims that the receipt does not bind.", in_receipt(lambda r: r.update(applicationClaims=[claim("digests/shop", CONTENTS)], receipt=LEDGER.digest(3)["receipt"]["receipt"])))
fails("receipt-claim-digest-only", ["receipt-claims"], "The claim not disclosed.", in_receipt(lambda r: put(r, "applicationClaims", [{"kind": "ClaimDigest", "digest": {"protocol": "LedgerEntryV1", "value": "00" * 32}}])))
fails("receipt-without-claims", ["receipt-claims"], "No claims.", in_receipt(lambda r: r.pop("applicationClaims")))
two = [claim("digests/shop", CONTENTS), claim("digests/shop", "x")]
fails("receipt-two-claims", ["receipt-claims"], "A genuine receipt of two claims.", in_receipt(lambda r: r.update(receipt("2.15", two))))
fails("receipt-secret-key", ["receipt-claims"], "Another secret key.", in_receipt(lambda r: put(r["applicationClaims"][0]["ledgerEntry"], "secretKey", base64.b64encode(bytes(32)).decode())))
fails("receipt-bare", ["receipt-claims"], "The receipt without the response around it.", changed(lambda d: put(d["digests"][0], "receipt", d["digests"][0]["receipt"]["receipt"])))
S = ["receipt-signature"]
deep = lambda change: in_receipt(lambda r: change(r["receipt"]))
fails("receipt-sibling", S, "Another sibling.", deep(lambda r: put(r["proof"], 0, {"left": "00" * 32})))
fails("receipt-write-set", S, "Another write set.", deep(lambda r: put(r["leafComponents"], "writeSetDigest", "ce" * 32)))
fails("receipt-evidence", S, "Another nonce.", deep(lambda r: put(r["leafComponents"], "commitEvidence", "ce:2.15:" + "ac" * 32)))
fails("receipt-claims-digest", ["receipt-claims", "receipt-signature"], "Another claims digest.", deep(lambda r: put(r["leafComponents"], "claimsDigest", "00" * 32)))
fails("receipt-other-service", S, "Another service is pinned than the one that signed, and that the bundle names.", GOOD, service=OTHER_SERVICE)
fails("entry-other-service", S, "An entry, and another service is pinned.", ALONE, service=OTHER_SERVICE)
fails("entry-other-contents", ["receipt-claims"], "An entry with other contents.", changed(lambda d: put(d["items"][0], "contents", "hello"), ALONE))
fails("entry-other-transaction", ["receipt-claims"], "An entry with another transaction.", changed(lambda d: put(d["items"][0], "transaction_id", "2.21"), ALONE))
signed = {"cert": NODE, "leaf": H(b"root").hex(), "proof": [], "signature": base64.b64encode(node_key.sign(H(b"root"), ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))).decode()}
fails("receipt-signed-root", ["receipt-claims"], "The receipt of a signature transaction.", changed(lambda d: put(d["digests"][0], "receipt", {"receipt": signed, "applicationClaims": d["digests"][0]["receipt"]["applicationClaims"]})))

# --- Not a bundle -----------------------------------------------------------------------------------------------------

GOOD = LEDGER.bundle(ROWS[:2], 4)
TEXT = canonical(GOOD)
for name in GOOD:
    unreadable(f"missing-{name}", "missing-member", "A required member.", {k: v for k, v in GOOD.items() if k != name})
for name in GOOD["items"][1]:
    if name != "kind":
        unreadable(f"missing-row-{name}", "missing-member", "A required member.", item(lambda r: r.pop(name)))
unreadable("missing-row-kind", "missing-member", "An item without a kind.", item(lambda r: r.pop("kind")))
for name in GOOD["blocks"][0]:
    unreadable(f"missing-block-{name}", "missing-member", "A required member.", changed(lambda d: d["blocks"][0].pop(name)))
for name in GOOD["digests"][0]:
    unreadable(f"missing-digest-{name}", "missing-member", "A required member.", changed(lambda d: d["digests"][0].pop(name)))
for name in GOOD["items"][1]["transaction"]:
    unreadable(f"missing-transaction-{name}", "missing-member", "A required member.", item(lambda r: put(r, "transaction", {k: v for k, v in r["transaction"].items() if k != name})))
unreadable("extra-member", "unexpected-member", "Nothing may be added.", {**GOOD, "comment": ""})
unreadable("extra-member-in-row", "unexpected-member", "Nothing may be added.", item(lambda r: put(r, "comment", "")))
unreadable("extra-member-in-value", "unexpected-member", "Nothing may be added.", values(0, {**integer(1), "shown": "2"}))
unreadable("extra-member-in-null", "unexpected-member", "Nothing may be added.", values(0, {"type": "null", "value": None}))
unreadable("extra-member-in-column", "unexpected-member", "Nothing may be added.", item(lambda r: put(r["schema"], "columns", [{**c, "x": 1} for c in COLUMNS])))
unreadable("extra-member-in-block", "unexpected-member", "Nothing may be added.", changed(lambda d: put(d["blocks"][0], "x", 1)))
unreadable("extra-member-in-digest", "unexpected-member", "Nothing may be added.", changed(lambda d: put(d["digests"][0]["digest"], "x", 1)))
unreadable("extra-member-in-current", "unexpected-member", "Nothing may be added.", item(lambda r: put(r, "current", {"claimed": True, "proven": True})))
unreadable("duplicate-member", "duplicate-member", "A member twice.", TEXT[:-1] + ',"format":"indelible/evidence/1"}')
unreadable("duplicate-member-escaped", "duplicate-member", "A member twice, once escaped.", TEXT[:-1] + ',"for\\u006dat":"indelible/evidence/1"}')
unreadable("duplicate-value", "duplicate-member", "A value twice: which one is shown?", TEXT.replace('"value":"Grace Hopper"', '"value":"Eve","value":"Grace Hopper"', 1))
unreadable("duplicate-block", "duplicate-member", "A block twice.", changed(lambda d: d["blocks"].append(d["blocks"][0])))
unreadable("duplicate-digest", "duplicate-member", "A digest of a block twice.", changed(lambda d: d["digests"].append(d["digests"][0])))
unreadable("other-format", "unsupported", "Another format.", {**GOOD, "format": "indelible/evidence/2"})
unreadable("other-kind", "unsupported", "Another kind of item.", item(lambda r: put(r, "kind", "column")))
unreadable("other-value-type", "unsupported", "Another type of value.", values(0, {"type": "boolean", "value": "1"}))
unreadable("value-without-type", "missing-member", "A value without a type.", values(0, {"value": "1"}))
unreadable("value-without-value", "missing-member", "A value without a value.", values(0, {"type": "integer"}))
unreadable("no-items", "out-of-range", "No item.", {**GOOD, "items": []})
unreadable("too-many-items", "out-of-range", "10,001 items.", {**ALONE, "items": [{}] * 10_001})
unreadable("rows-without-ledger", "missing-member", "Rows, and no ledger.", {**GOOD, "ledger_id": None, "database_name": None})
unreadable("ledger-without-name", "invalid-member", "A ledger, and no name.", {**GOOD, "database_name": None})
unreadable("entry-with-blocks", "unexpected-member", "Blocks, and no row.", {**ALONE, "blocks": GOOD["blocks"]})
unreadable("entry-with-ledger", "unexpected-member", "A ledger, and no row.", {**ALONE, "ledger_id": GOOD["ledger_id"], "database_name": "shop"})
unreadable("entry-without-receipt", "missing-member", "An entry alone needs its receipt.", changed(lambda d: put(d["items"][0], "receipt", None), ALONE))
unreadable("receipt-without-entry", "missing-member", "A receipt of what?", changed(lambda d: put(d["digests"][0], "entry", None)))
unreadable("receipt-loading", "missing-member", "A receipt that is not ready.", changed(lambda d: put(d["digests"][0], "receipt", {"receipt": None, "state": "Loading", "transactionId": ""})))
unreadable("receipt-unreadable", "missing-member", "A receipt without its signature.", deep(lambda r: r.pop("signature")))
unreadable("integer-as-number", "invalid-member", "JSON numbers lose digits.", values(0, {"type": "integer", "value": 1}))
unreadable("integer-leading-zero", "invalid-member", "Two spellings of a number.", values(0, {"type": "integer", "value": "01"}))
unreadable("integer-plus", "invalid-member", "Two spellings of a number.", values(0, {"type": "integer", "value": "+1"}))
unreadable("integer-minus-zero", "invalid-member", "Two spellings of a number.", values(0, {"type": "integer", "value": "-0"}))
unreadable("integer-too-large", "invalid-member", "2^63.", values(0, {"type": "integer", "value": str(2**63)}))
unreadable("integer-hex", "invalid-member", "Hexadecimal.", values(0, {"type": "integer", "value": "0x1"}))
unreadable("real-shown-otherwise", "invalid-member", "A real that people see as another one.", values(2, {**real(12.5), "value": "1250"}))
unreadable("real-shown-hex", "invalid-member", "A hexadecimal real.", values(2, {**real(12.5), "value": "0x1.9p+3"}))
unreadable("real-shown-inf", "invalid-member", "Infinity as inf.", values(2, {**real(float("inf")), "value": "inf"}))
unreadable("real-shown-empty", "invalid-member", "A real that people do not see.", values(2, {**real(12.5), "value": ""}))
unreadable("real-negative-zero", "invalid-member", "-0.0 is never written.", values(2, {"type": "real", "bits": "8000000000000000", "value": "-0.0"}))
unreadable("real-nan", "invalid-member", "No number.", values(2, {"type": "real", "bits": "7ff8000000000000", "value": "NaN"}))
unreadable("real-short-bits", "invalid-member", "14 digits.", values(2, {"type": "real", "bits": "40290000000000", "value": "12.5"}))
unreadable("real-upper-case-bits", "invalid-member", "Digits in upper case.", values(2, {"type": "real", "bits": "3FE0000000000000", "value": "0.5"}))
unreadable("text-as-hex", "invalid-member", "UTF-8 hidden in digits.", values(1, {"type": "text", "hex": b"Grace Hopper".hex()}))
unreadable("text-both", "unexpected-member", "Two values.", values(1, {"type": "text", "hex": "ff", "value": "Grace Hopper"}))
unreadable("text-unpaired-surrogate", "malformed", "Half a character.", TEXT.replace("Grace Hopper", "\\ud800", 1))
unreadable("blob-odd", "invalid-member", "An odd number of digits.", values(3, {"type": "blob", "hex": "abc"}))
unreadable("blob-upper-case", "invalid-member", "Digits in upper case.", values(3, {"type": "blob", "hex": "89504E47"}))
unreadable("values-fewer", "invalid-member", "A value left out.", item(lambda r: r["values"].pop()))
unreadable("values-more", "invalid-member", "A value added.", item(lambda r: r["values"].append(null)))
unreadable("columns-of-events", "invalid-member", "A schema event with other columns.", item(lambda r: put(r["schema"], "columns", [{**c, "name": c["name"].upper()} for c in EVENT_COLUMNS]), 0))
unreadable("column-generated", "invalid-member", "generated 1.", item(lambda r: put(r["schema"], "columns", [{**c, "generated": 1} for c in COLUMNS])))
unreadable("column-notnull", "invalid-member", "notnull 2.", item(lambda r: put(r["schema"], "columns", [{**c, "notnull": 2} for c in COLUMNS])))
unreadable("operation-unknown", "invalid-member", "Neither created nor ended.", item(lambda r: put(r, "operation", "Created")))
unreadable("operation-ended-no-start", "invalid-member", "Ended without a start.", item(lambda r: put(r, "operation", "ended")))
unreadable("operation-created-start", "invalid-member", "Created with a start.", item(lambda r: put(r, "start", {"transaction_id": 1, "sequence_number": 0})))
unreadable("current-not-bool", "invalid-member", "1 is not true.", item(lambda r: put(r, "current", {"claimed": 1})))
unreadable("sequence-fraction", "invalid-member", "A fraction.", TEXT.replace('"sequence_number":0', '"sequence_number":0.0'))
unreadable("sequence-text", "invalid-member", "Text.", item(lambda r: put(r, "sequence_number", "0")))
unreadable("sequence-large", "invalid-member", "2^53.", item(lambda r: put(r, "sequence_number", 2**53)))
unreadable("step-upper-case", "invalid-member", "Digits in upper case.", item(lambda r: put(r["row_path"], 0, "R" + "AB" * 32)))
unreadable("step-short", "invalid-member", "31 bytes.", item(lambda r: put(r["row_path"], 0, "R" + "00" * 31)))
unreadable("step-side", "invalid-member", "Neither L nor R.", item(lambda r: put(r["row_path"], 0, "l" + "00" * 32)))
unreadable("step-object", "invalid-member", "The form of receipts.", item(lambda r: put(r["row_path"], 0, {"left": "00" * 32})))
unreadable("path-too-long", "out-of-range", "65 steps.", item(lambda r: put(r, "row_path", ["R" + "00" * 32] * 65)))
unreadable("roots-truncated", "truncated", "table_hashes cut short.", inside("table_hashes", ROOTS[:-2]))
unreadable("roots-padded", "trailing-bytes", "table_hashes padded.", inside("table_hashes", ROOTS + "00"))
unreadable("roots-twice", "duplicate-member", "A table twice.", inside("table_hashes", sql.table_hashes([(1, forged, 1), (1, forged, 1)]).hex()))
unreadable("time-offset", "invalid-member", "Another form of the time.", inside("commit_time", "2026-11-21T04:00:01.000000+00:00"))
unreadable("block-without-transactions", "invalid-member", "Size 0.", in_block("block_size", 0))
unreadable("block-too-large", "invalid-member", "Size 100,001.", in_block("block_size", 100_001))
unreadable("block-first-0", "invalid-member", "Transactions are counted from 1.", in_block("first_transaction_id", 0))
unreadable("block-0-previous", "invalid-member", "Block 0 has none before it.", in_block("previous_block_hash", "00" * 32))
unreadable("block-no-previous", "invalid-member", "Every other block has.", in_block("previous_block_hash", None, -1))
unreadable("block-hash-upper-case", "invalid-member", "Digits in upper case.", in_block("history_root_hash", "AB" * 32))
unreadable("ledger-upper-case", "invalid-member", "Digits in upper case.", {**GOOD, "ledger_id": GOOD["ledger_id"].upper()})
unreadable("digest-grammar", "invalid-member", "A digest in lower case.", in_digest("hash", GOOD["digests"][0]["digest"]["hash"].lower()))
unreadable("certificate-number", "invalid-member", "The wrong type.", {**GOOD, "service_certificate": 1})
unreadable("chain-number", "invalid-member", "The wrong type.", {**GOOD, "service_certificate_chain": [1]})
unreadable("array", "invalid-member", "An array of bundles.", "[" + TEXT + "]")
unreadable("trailing-text", "trailing-bytes", "Two bundles.", TEXT + TEXT)
unreadable("truncated", "malformed", "Cut short.", TEXT[:-1])
unreadable("empty", "malformed", "Nothing.", "")
unreadable("byte-order-mark", "malformed", "A byte order mark.", "\ufeff" + TEXT)
unreadable("deep", "out-of-range", "Nested too deeply.", TEXT[:-1] + ',"x":' + "[" * 20 + "]" * 20 + "}")
