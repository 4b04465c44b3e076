"""Ways to change a good bundle of two items (a created and an ended row of table 1, both in block 1; block 9 has the
digest), and what each must lead to. For bundles with receipts of a real node; Vectors/sql/evidence has others.
"""

import copy
import hashlib
import json


def apply(bundle: dict, change) -> dict:
    changed = copy.deepcopy(bundle)
    return change(changed) or changed


def flip(text: str, at: int = 0) -> str:
    """Another hexadecimal digit at one place."""
    other = "1" if text[at] == "0" else "0"
    at %= len(text)
    return text[:at] + other + text[at + 1:]


LIES: list[tuple] = []  # name, about, verdict, failing steps, change
TEXT_LIES: list[tuple] = []  # name, about, verdict, change of the text


def lie(name, about, steps=(), verdict=None):
    def keep(change):
        LIES.append((name, about, verdict or ("failed" if steps else "unreadable"), list(steps), change))
        return change
    return keep


def item(b, n=0):
    return b["items"][n]


def block(b, n):
    return next(x for x in b["blocks"] if x["block_id"] == n)


def anchor(b):
    return b["digests"][0]


def document(b):
    return anchor(b)["receipt"]


def receipt(b):
    return document(b)["receipt"]


def claim(b):
    return document(b)["applicationClaims"][0]["ledgerEntry"]


def setter(place, **values):
    def change(b):
        place(b).update(copy.deepcopy(values))
    return change


def remover(place, name):
    def change(b):
        del place(b)[name]
    return change


# ------------------------------------------------------------------------------------------- values of the row

for at, value, what in [
    (0, {"type": "integer", "value": "4"}, "integer"),
    (1, {"type": "text", "value": "customer 4"}, "text"),
    (1, {"type": "text", "value": "Customer 3"}, "text-case"),
    (1, {"type": "text", "value": "customer 3 "}, "text-trailing-space"),
    (2, {"type": "real", "bits": "3fe8000000000001", "value": "0.7500000000000001"}, "real-last-bit"),
    (3, {"type": "text", "value": ""}, "null-to-empty-text"),
    (3, {"type": "integer", "value": "0"}, "null-to-zero"),
    (1, {"type": "null"}, "text-to-null"),
    (1, {"type": "blob", "hex": b"customer 3".hex()}, "text-to-blob"),
    (0, {"type": "text", "value": "3"}, "integer-to-text"),
    (0, {"type": "real", "bits": "4008000000000000", "value": "3.0"}, "integer-to-real"),
    (4, {"type": "blob", "hex": "00fe"}, "blob"),
    (4, {"type": "blob", "hex": ""}, "blob-emptied"),
]:
    @lie(f"value-{what}", f"Value {at} of the row was changed.", ["row-path"])
    def _(b, at=at, value=value):
        item(b)["values"][at] = value

lie("value-shown-otherwise", "The text beside the bits of a real says something else.")(
    lambda b: item(b)["values"][2].update(value="1000000.0"))

for what, value in [
    ("integer-plus", {"type": "integer", "value": "+3"}), ("integer-leading-zero", {"type": "integer", "value": "03"}),
    ("integer-minus-zero", {"type": "integer", "value": "-0"}), ("integer-number", {"type": "integer", "value": 3}),
    ("integer-too-large", {"type": "integer", "value": "9223372036854775808"}),
    ("integer-empty", {"type": "integer", "value": ""}), ("unknown-type", {"type": "uuid", "value": "3"}),
    ("extra-member", {"type": "integer", "value": "3", "note": "x"}), ("null-with-value", {"type": "null", "value": None}),
    ("no-type", {"value": "3"}), ("not-an-object", "3"), ("blob-upper-case", {"type": "blob", "hex": "0A"}),
    ("blob-odd", {"type": "blob", "hex": "0"}), ("text-both", {"type": "text", "value": "a", "hex": "61"}),
    ("text-hex-of-utf8", {"type": "text", "hex": "61"}), ("real-short", {"type": "real", "bits": "3fe8", "value": ""}),
    ("real-upper-case", {"type": "real", "bits": "3FE8000000000000", "value": "0.75"}),
    ("real-minus-zero", {"type": "real", "bits": "8000000000000000", "value": "-0.0"}),
]:
    @lie(f"value-form-{what}", "A value that no writer writes.")
    def _(b, value=value):
        item(b)["values"][0] = value


@lie("values-missing-one", "A value is missing.")
def _(b):
    item(b)["values"].pop()


@lie("values-one-more", "A value too many, for a virtual column.")
def _(b):
    item(b)["values"].insert(4, {"type": "null"})


@lie("values-swapped", "Two values were swapped.", ["row-path"])
def _(b):
    v = item(b)["values"]
    v[0], v[3] = v[3], v[0]


# --------------------------------------------------------------------------------------- columns and operation

def columns(b):
    return item(b)["schema"]["columns"]


for what, at, change in [
    ("renamed", 1, {"name": "seller"}), ("type", 2, {"type": "INTEGER"}), ("notnull", 1, {"notnull": 0}),
    ("key", 0, {"pk": 0}), ("key-place", 0, {"pk": 2}), ("stored-to-ordinary", 5, {"generated": 0}),
]:
    lie(f"column-{what}", "The definition of a column was changed.", ["row-path"])(
        lambda b, at=at, change=change: columns(b)[at].update(change))
lie("column-default", "A default is not part of the proof.", [], "verified")(lambda b: columns(b)[1].update(default="'x'"))
lie("column-two-names-swapped", "Two columns swapped their names.", ["row-path"])(
    lambda b: (columns(b)[1].update(name="note"), columns(b)[3].update(name="customer"))[0])
lie("column-virtual-to-ordinary", "A virtual column became an ordinary one: a value is missing.")(
    lambda b: columns(b)[4].update(generated=0))
lie("column-generated-one", "No column is generated in that way.")(lambda b: columns(b)[4].update(generated=1))
lie("column-notnull-two", "notnull is neither 0 nor 1.")(lambda b: columns(b)[1].update(notnull=2))
lie("column-notnull-true", "notnull is no number.")(lambda b: columns(b)[1].update(notnull=True))
lie("column-extra-member", "A member that no column has.")(lambda b: columns(b)[1].update(comment="x"))
lie("column-missing-member", "A column without a type.")(lambda b: columns(b)[1].pop("type") and None)
lie("schema-extra-member", "A member that no schema has.")(lambda b: item(b)["schema"].update(name="x"))
lie("table-id", "The row is said to be of another table.", ["row-path"])(setter(item, table_id=2))
lie("table-id-zero", "The row is said to be a schema event.")(setter(item, table_id=0))
lie("table-name", "The name of a table is not part of the proof.", [], "verified")(setter(item, table="invoices"))
lie("current-claimed", "That a version is current is never proven.", [], "verified")(setter(item, current={"claimed": True}))
lie("operation-ended", "A creation is said to be an end.", ["row-path"])(
    setter(item, operation="ended", start={"transaction_id": 1, "sequence_number": 0}))
lie("operation-created", "An end is said to be a creation.", ["row-path"])(setter(lambda b: item(b, 1), operation="created", start=None))
lie("operation-other", "An operation that does not exist.")(setter(item, operation="updated"))
lie("start-on-created", "A creation has a start.")(setter(item, start={"transaction_id": 1, "sequence_number": 0}))
lie("start-missing-on-ended", "An end has no start.")(setter(lambda b: item(b, 1), start=None))
lie("start-changed", "The version is said to have been created elsewhere.", ["row-path"])(
    lambda b: item(b, 1)["start"].update(sequence_number=2))
lie("kind-unknown", "An item of an unknown kind.")(setter(item, kind="entry"))
lie("item-extra-member", "A member that no item has.")(setter(item, proof="trust me"))
lie("item-missing-member", "An item without a path.")(remover(item, "row_path"))
lie("items-empty", "Nothing is disclosed.")(lambda b: b.update(items=[]))

# ------------------------------------------------------------------------------------------------------- paths

for place, step in (("row_path", "row-path"), ("transaction_path", "transaction-path")):
    lie(f"{place}-hash", "A sibling was changed.", [step])(
        lambda b, p=place: item(b)[p].__setitem__(0, item(b)[p][0][0] + flip(item(b)[p][0][1:])))
    lie(f"{place}-side", "A sibling changed sides.", [step])(
        lambda b, p=place: item(b)[p].__setitem__(0, "LR".replace(item(b)[p][0][0], "") + item(b)[p][0][1:]))
    lie(f"{place}-short", "The last step is missing.", [step])(lambda b, p=place: item(b)[p].pop() and None)
    lie(f"{place}-long", "A step too many.", [step])(lambda b, p=place: item(b)[p].append("L" + "00" * 32))
    lie(f"{place}-upper-case", "Digits in upper case.")(
        lambda b, p=place: item(b)[p].__setitem__(0, item(b)[p][0][0] + "AA" * 32))
    lie(f"{place}-no-side", "A step without a side.")(lambda b, p=place: item(b)[p].__setitem__(0, item(b)[p][0][1:]))
    lie(f"{place}-65-steps", "More steps than any tree has levels.")(
        lambda b, p=place: item(b).update({p: ["L" + "00" * 32] * 65}))
lie("sequence-number", "The row is said to be at another place.", ["row-path"])(setter(item, sequence_number=2))
lie("sequence-number-beyond", "The row is said to be after the last one.", ["row-path"])(setter(item, sequence_number=5))
lie("sequence-number-fraction", "No number of a row.")(setter(item, sequence_number=3.5))
lie("sequence-number-text", "No number of a row.")(setter(item, sequence_number="3"))
lie("sequence-number-huge", "A number that is not exact in every reader.")(setter(item, sequence_number=2**53))
lie("sequence-number-negative", "No number of a row.")(setter(item, sequence_number=-1))


@lie("items-swapped-paths", "Two rows swapped their paths.", ["row-path"])
def _(b):
    item(b)["row_path"], item(b, 1)["row_path"] = item(b, 1)["row_path"], item(b)["row_path"]


# ------------------------------------------------------------------------------------------------- transaction

def transaction(b):
    return item(b)["transaction"]


for name, value in [
    ("principal", "eve"), ("login", "nobody"), ("application", "sqlite3"),
    ("commit_time", "2026-11-21T00:00:04.000003Z"),
]:
    lie(f"transaction-{name}", "What was recorded about the transaction was changed.", ["transaction-path"])(
        setter(transaction, **{name: value}))


@lie("transaction-parts-moved", "A character moved from the principal to the login.", ["transaction-path"])
def _(b):
    t = transaction(b)
    t["login"], t["principal"] = t["principal"][-1] + t["login"], t["principal"][:-1]


lie("transaction-id", "The row is said to be of the next transaction.", ["row-path", "transaction-path"])(setter(transaction, id=3))
lie("transaction-id-zero", "No transaction.", ["row-path", "transaction-path"])(setter(transaction, id=0))
lie("transaction-id-beyond-block", "A transaction after the block.", ["row-path", "transaction-path"])(setter(transaction, id=9))
for what, value in [
    ("no-zone", "2026-11-21T00:00:04.000003"), ("offset", "2026-11-21T00:00:04.000003+00:00"),
    ("seconds", "2026-11-21T00:00:04Z"), ("february", "2026-02-30T00:00:04.000003Z"), ("hour", "2026-11-21T24:00:04.000003Z"),
    ("leap-second", "2026-12-31T23:59:60.000000Z"), ("lower-case", "2026-11-21t00:00:04.000003z"),
]:
    lie(f"transaction-time-{what}", "No time of a ledger.")(setter(transaction, commit_time=value))


@lie("table-hashes-root", "The root of the table was changed.", ["row-path", "transaction-path"])
def _(b):
    transaction(b)["table_hashes"] = flip(transaction(b)["table_hashes"], 30)


@lie("table-hashes-count", "The number of leaves was changed; a path of five and of six leaves looks alike here.", ["transaction-path"])
def _(b):
    t = transaction(b)
    t["table_hashes"] = t["table_hashes"][:-2] + "06"


@lie("table-hashes-of-lie", "The root of a forged row, put into the transaction.", ["row-path", "transaction-path"])
def _(b):
    item(b)["values"][0]["value"] = "4"
    t = transaction(b)
    t["table_hashes"] = t["table_hashes"][:26] + "ab" * 32 + t["table_hashes"][-16:]


for what, change in [
    ("short", lambda t: t[:-2]), ("long", lambda t: t + "00"), ("version", lambda t: "02" + t[2:]),
    ("no-table", lambda t: "0100000000"), ("upper-case", lambda t: t.upper()), ("empty", lambda t: ""),
    ("no-leaf", lambda t: t[:-16] + "00" * 8), ("table-twice", lambda t: "0100000002" + t[10:] * 2),
    ("huge-count", lambda t: "01ffffffff" + t[10:]),
]:
    lie(f"table-hashes-form-{what}", "No list of tables.")(
        lambda b, change=change: transaction(b).update(table_hashes=change(transaction(b)["table_hashes"])))
lie("table-hashes-form-descending", "The tables in another order.")(
    lambda b: item(b, 1)["transaction"].update(table_hashes=(
        lambda t: t[:10] + t[106:] + t[10:106])(item(b, 1)["transaction"]["table_hashes"])))
lie("transaction-extra-member", "A member that no transaction has.")(lambda b: transaction(b).update(comment="x"))
lie("transaction-missing-member", "A transaction without a login.")(remover(transaction, "login"))

# ------------------------------------------------------------------------------------------------------ blocks

for name in ("history_root_hash", "previous_block_hash"):
    lie(f"block-{name}", "A hash of the row's block was changed.", ["block-path"])(
        lambda b, n=name: block(b, 1).update({n: flip(block(b, 1)[n])}))
lie("block-transactions-root", "The transactions root of the row's block was changed.", ["block-path", "transaction-path"])(
    lambda b: block(b, 1).update(transactions_root_hash=flip(block(b, 1)["transactions_root_hash"])))
lie("block-close-time", "The block is said to have been closed at another time.", ["block-path"])(
    lambda b: block(b, 1).update(close_time="2026-11-21T00:00:09.000009Z"))
lie("block-size", "The block is said to be larger.", ["block-path", "transaction-path"])(lambda b: block(b, 1).update(block_size=9))
lie("block-size-zero", "A block without transactions.")(lambda b: block(b, 1).update(block_size=0))
lie("block-size-too-large", "A block with more than 100,000 transactions.")(lambda b: block(b, 1).update(block_size=100_001))
lie("block-first-transaction", "The block is said to start elsewhere.", ["block-path", "transaction-path"])(
    lambda b: block(b, 1).update(first_transaction_id=3))
lie("block-first-transaction-zero", "Transactions are counted from 1.")(lambda b: block(b, 1).update(first_transaction_id=0))
lie("block-ledger", "The row's block is of another ledger.", ["block-path"])(lambda b: block(b, 1).update(ledger_id="ff" * 16))
lie("digest-block-ledger", "The digest's block is of another ledger.", ["block-path", "digest"])(lambda b: block(b, 9).update(ledger_id="ff" * 16))
lie("block-previous-null", "A block in the middle without a previous one.")(lambda b: block(b, 1).update(previous_block_hash=None))


@lie("block-path-hash", "A sibling in the history was changed.", ["block-path"])
def _(b):
    p = block(b, 1)["block_path"]
    p[1] = p[1][0] + flip(p[1][1:])


lie("block-path-short", "The path into the history is cut.", ["block-path"])(lambda b: block(b, 1)["block_path"].pop() and None)
lie("block-path-on-own-digest", "The digest's own block has a path that nothing rests on.", [], "verified")(
    lambda b: block(b, 9)["block_path"].append("L" + "00" * 32))
lie("block-digest-elsewhere", "The digest that covers the block is not there.", ["block-path", "digest"])(lambda b: block(b, 1).update(digest_block=8))
lie("block-digest-before", "A digest cannot cover a later block.", ["block-path", "digest", "transaction-path"])(
    lambda b: (setter(item, block=9)(b), setter(lambda b: item(b, 1), block=9)(b), block(b, 9).update(digest_block=1))[2])
lie("block-missing", "The row's block is not there.", ["transaction-path"])(lambda b: b["blocks"].remove(block(b, 1)))
lie("digest-block-missing", "The digest's block is not there.", ["block-path", "digest"])(lambda b: b["blocks"].remove(block(b, 9)))
lie("block-twice", "A block occurs twice.")(lambda b: b["blocks"].append(copy.deepcopy(block(b, 1))))
lie("block-extra-member", "A member that no block has.")(lambda b: block(b, 1).update(version=1))
lie("block-renumbered", "The block has another number everywhere.", ["block-path"])(
    lambda b: (block(b, 1).update(block_id=2), item(b).update(block=2), item(b, 1).update(block=2))[0])
lie("item-block-other", "The row is said to be in the digest's block.", ["transaction-path"])(setter(item, block=9))

# ----------------------------------------------------------------------------------------------------- digests


def digest(b):
    return anchor(b)["digest"]


lie("digest-hash", "The digest names another hash.", ["digest", "entry"])(lambda b: digest(b).update(hash="0x" + flip(digest(b)["hash"][2:]).upper()))
lie("digest-time", "The digest has another time than the entry.", ["entry"])(lambda b: digest(b).update(digest_time="2026-11-23T00:00:00.000000Z"))
lie("digest-database", "The digest names another database.", ["digest", "entry"])(lambda b: digest(b).update(database_name="bank"))
lie("digest-ledger", "The digest names another ledger.", ["digest", "entry"])(lambda b: digest(b).update(ledger_id="ff" * 16))
lie("digest-missing", "There is no digest.", ["digest"])(lambda b: b.update(digests=[]))
lie("digest-twice", "A digest occurs twice.")(lambda b: b["digests"].append(copy.deepcopy(anchor(b))))
lie("digest-count", "block_count is not block_id + 1.")(lambda b: digest(b).update(block_count=9))
lie("digest-format", "A digest of another format.")(lambda b: digest(b).update(format="indelible/digest/2"))
lie("digest-hash-lower-case", "A hash in lower case.")(lambda b: digest(b).update(hash=digest(b)["hash"].lower()))
lie("digest-extra-member", "A member that no digest has.")(lambda b: digest(b).update(note="x"))
lie("digest-entry-extra-member", "A member that no anchor has.")(lambda b: anchor(b).update(note="x"))
lie("bundle-database", "The bundle names another database.", ["digest"])(lambda b: b.update(database_name="bank"))
lie("bundle-ledger", "The bundle names another ledger.", ["block-path", "digest", "transaction-path"])(lambda b: b.update(ledger_id="ff" * 16))

# ------------------------------------------------------------------------------------------ entries and receipts


def entry(b):
    return anchor(b)["entry"]


lie("entry-contents", "The entry holds something else.", ["entry", "receipt-claims"])(lambda b: entry(b).update(contents="hello"))
lie("entry-contents-spaces", "The entry holds the digest written otherwise.", ["entry", "receipt-claims"])(
    lambda b: entry(b).update(contents=json.dumps(digest(b), sort_keys=True)))
lie("entry-collection", "The entry is said to be in another collection.", ["receipt-claims"])(lambda b: entry(b).update(collection_id="other"))
lie("entry-transaction", "The entry is said to be another transaction.", ["receipt-claims"])(lambda b: entry(b).update(transaction_id="2.9999"))
lie("entry-transaction-form", "No transaction id.")(lambda b: entry(b).update(transaction_id="2"))
lie("entry-missing", "A receipt without an entry.")(setter(anchor, entry=None))
lie("receipt-transaction", "The response names another transaction.", ["receipt-claims"])(lambda b: document(b).update(transactionId="2.9999"))
lie("receipt-not-ready", "The receipt is not ready.")(lambda b: document(b).update(state="Loading"))
lie("claims-missing", "The receipt comes without claims.", ["receipt-claims"])(lambda b: document(b).update(applicationClaims=[]))
lie("claims-twice", "The claim occurs twice.", ["receipt-claims"])(lambda b: document(b)["applicationClaims"].append(copy.deepcopy(document(b)["applicationClaims"][0])))
lie("claims-contents", "The claim is about something else.", ["receipt-claims"])(lambda b: claim(b).update(contents="hello"))
lie("claims-collection", "The claim is about another collection.", ["receipt-claims"])(lambda b: claim(b).update(collectionId="other"))
lie("claims-key", "The secret key was changed.", ["receipt-claims"])(lambda b: claim(b).update(secretKey="AAAA" + claim(b)["secretKey"][4:]))
lie("claims-key-long", "The secret key is longer than 32 bytes.")(lambda b: claim(b).update(secretKey=claim(b)["secretKey"].rstrip("=") + "A" * 5))
lie("claims-protocol", "An unknown protocol.")(lambda b: claim(b).update(protocol="LedgerEntryV2"))


@lie("claims-rehashed", "The digest of a forged entry, put into the leaf.", ["digest", "receipt-signature"])
def _(b):
    """Everything fits together up to the signature, which the forger cannot make."""
    import hmac
    import base64
    forged = dict(digest(b), hash="0x" + "AB" * 32)
    text = json.dumps(forged, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    anchor(b)["digest"] = forged
    entry(b)["contents"] = claim(b)["contents"] = text
    key = base64.b64decode(claim(b)["secretKey"])
    sha = lambda *p: hashlib.sha256(b"".join(p)).digest()
    mac = lambda s: hmac.digest(key, s.encode(), "sha256")
    value = sha(mac(claim(b)["collectionId"]), mac(text))
    receipt(b)["leafComponents"]["claimsDigest"] = sha(b"\1\0\0\0", sha(b"LedgerEntryV1", value)).hex()


lie("receipt-write-set", "The write set digest was changed.", ["receipt-signature"])(
    lambda b: receipt(b)["leafComponents"].update(writeSetDigest=flip(receipt(b)["leafComponents"]["writeSetDigest"])))
lie("receipt-evidence", "The commit evidence names another transaction.", ["receipt-claims", "receipt-signature"])(
    lambda b: receipt(b)["leafComponents"].update(commitEvidence="ce:2.9999:" + receipt(b)["leafComponents"]["commitEvidence"].split(":")[2]))
lie("receipt-proof", "A sibling of the receipt was changed.", ["receipt-signature"])(
    lambda b: [s.update({k: flip(v) for k, v in s.items()}) for s in receipt(b)["proof"][:1]][0])
lie("receipt-proof-short", "A step of the receipt is missing.", ["receipt-signature"])(lambda b: receipt(b)["proof"].pop() and None)
lie("receipt-signature", "The signature was changed.", ["receipt-signature"])(
    lambda b: receipt(b).update(signature=receipt(b)["signature"][:24] + flip(receipt(b)["signature"][24:])))
lie("receipt-node-id", "The node id is another one.", ["receipt-signature"])(lambda b: receipt(b).update(nodeId=flip(receipt(b)["nodeId"])))
lie("receipt-endorsements-not-a-list", "Endorsements that are no list.")(lambda b: receipt(b).update(serviceEndorsements="x"))
lie("receipt-certificate-unreadable", "No certificate.", ["receipt-signature"])(lambda b: receipt(b).update(cert="hello"))
lie("receipt-empty", "No receipt.")(setter(anchor, receipt={}))
lie("receipt-a-list", "No receipt.")(setter(anchor, receipt=[]))


@lie("receipt-signed-root", "The receipt of a signature transaction proves no entry.", ["receipt-claims", "receipt-signature"])
def _(b):
    r = receipt(b)
    r["leaf"] = "ab" * 32
    del r["leafComponents"]
    r["proof"] = []


@lie("receipt-self-made", "A forger signs with a key of his own.", ["receipt-signature"])
def _(b):
    import base64
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    r, parts = receipt(b), receipt(b)["leafComponents"]
    sha = lambda *p: hashlib.sha256(b"".join(p)).digest()
    at = sha(bytes.fromhex(parts["writeSetDigest"]), sha(parts["commitEvidence"].encode()), bytes.fromhex(parts["claimsDigest"]))
    for step in r["proof"]:
        (side, sibling), = step.items()
        at = sha(bytes.fromhex(sibling), at) if side == "left" else sha(at, bytes.fromhex(sibling))
    key = ec.derive_private_key(12345, ec.SECP256R1())
    real = x509.load_pem_x509_certificate(r["cert"].encode())
    certificate = (
        x509.CertificateBuilder().subject_name(real.subject).issuer_name(real.issuer).public_key(key.public_key())
        .serial_number(7).not_valid_before(real.not_valid_before_utc).not_valid_after(real.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(False, None), True).sign(key, hashes.SHA256(), ecdsa_deterministic=True))
    r["cert"] = certificate.public_bytes(serialization.Encoding.PEM).decode()
    r["receipt-signature"] = base64.b64encode(key.sign(at, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))).decode()
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    r["nodeId"] = sha(spki).hex()


# -------------------------------------------------------------------------------------------------- the bundle

lie("format-other", "Another format.")(lambda b: b.update(format="indelible/evidence/2"))
lie("format-missing", "No format.")(lambda b: b.pop("format") and None)
lie("bundle-extra-member", "A member that no bundle has.")(lambda b: b.update(note="x"))
lie("bundle-missing-member", "A bundle without its list of blocks.")(lambda b: b.pop("blocks") and None)
lie("ledger-id-upper-case", "A ledger id in upper case.")(lambda b: b.update(ledger_id="FF" * 16))
lie("ledger-id-short", "A short ledger id.")(lambda b: b.update(ledger_id="ff"))
lie("certificate-a-number", "A certificate that is no text.")(lambda b: b.update(service_certificate=1))
lie("certificate-inside-is-another", "The certificate inside proves nothing and is not used.", [], "verified")(
    lambda b: b.update(service_certificate="hello"))
lie("chain-a-text", "A chain that is no list.")(lambda b: b.update(service_certificate_chain="x"))
lie("chain-of-numbers", "A chain of something else than text.")(lambda b: b.update(service_certificate_chain=[1]))
for name in ("items", "digests"):
    lie(f"{name}-an-object", "An object in place of a list.")(lambda b, n=name: b.update({n: {}}))


def text_lie(name, about, verdict="unreadable"):
    def keep(change):
        TEXT_LIES.append((name, about, verdict, change))
        return change
    return keep


text_lie("json-empty", "Nothing.")(lambda t: "")
text_lie("json-list", "A list.")(lambda t: f"[{t}]")
text_lie("json-truncated", "Cut off.")(lambda t: t[:-1])
text_lie("json-trailing", "Something after it.")(lambda t: t + "x")
text_lie("json-twice", "Two bundles.")(lambda t: t + t)
text_lie("json-byte-order-mark", "A byte order mark.")(lambda t: "\ufeff" + t)
text_lie("json-duplicate-member", "A member twice.")(lambda t: t.replace('{"format":', '{"format":"indelible/evidence/1","format":', 1))
text_lie("json-duplicate-escaped", "A member twice, once escaped.")(lambda t: t.replace('"items":', '"\\u0069tems":[],"items":', 1))
text_lie("json-number-exponent", "A number with an exponent.")(lambda t: t.replace('"sequence_number":3', '"sequence_number":3e0', 1))
text_lie("json-number-leading-zero", "A number with a leading zero.")(lambda t: t.replace('"sequence_number":3', '"sequence_number":03', 1))
text_lie("json-comment", "A comment.")(lambda t: "/* */" + t)
text_lie("json-control-character", "A control character in a text.")(lambda t: t.replace("customer 3", "customer\t3", 1))
text_lie("json-lone-surrogate", "Half a character.")(lambda t: t.replace("customer 3", "\\ud800", 1))
text_lie("json-nul-in-name", "A value with a NUL at its end is another value.", "failed")(lambda t: t.replace("customer 3", "customer 3\\u0000", 1))
text_lie("json-deep", "Nested deeper than any bundle.")(lambda t: "[" * 100 + "]" * 100)
text_lie("markup", "Not JSON but a page.")(lambda t: "<!doctype html><script>alert(1)</script>")
