"""A server that holds the pinned certificate and lies: what it says about digests is believed only as far as its receipts
prove it. It signs like a service, so that the same server tells the truth in the first test."""

import base64
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import sqlite3
import ssl
import struct
import threading
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

from support.node import run_cli

COLLECTION = "digests"


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def pem(key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def certificate(subject, key, issuer, issuer_key, authority):
    now = datetime.datetime.now(datetime.timezone.utc)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    return (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1)).add_extension(x509.BasicConstraints(authority, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(issuer_key, hashes.SHA384()).public_bytes(serialization.Encoding.PEM).decode())


class Liar:
    def __init__(self, folder):
        service, self.node = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
        self.pin = folder / "service.pem"
        self.pin.write_text(certificate("Service", service, "Service", service, True))
        (folder / "key.pem").write_bytes(pem(service))
        self.node_pem = certificate("Node", self.node, "Service", service, False)
        self.entries: list[dict] = []  # what it lists
        self.receipts: dict[str, object] = {}  # what it answers for each transaction: an object, a status, or text
        self.next_link = None
        self.status = 200
        self.asked: set[str] = set()  # transactions whose receipts were asked for
        self.answers: dict[str, tuple[int, object]] = {}  # by path, before everything else
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                status = liar.status
                if parts.path.endswith("/receipt"):
                    liar.asked.add(parts.path.split("/")[3])
                if parts.path in liar.answers:
                    status, answer = liar.answers[parts.path]
                    if callable(answer):
                        answer = answer(self.path)
                elif parts.path == "/app/transactions":
                    answer = {"state": "Ready", "entries": liar.entries}
                    if liar.next_link:
                        answer["nextLink"] = liar.next_link
                elif parts.path.endswith("/status"):
                    answer = {"state": "Committed", "transactionId": parts.path.split("/")[3]}
                else:
                    answer = liar.receipts.get(parts.path.split("/")[3], 404)
                if status == 200 and isinstance(answer, int):
                    status = answer
                body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.do_GET()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.pin, folder / "key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server.server_port}"

    @property
    def store(self):
        return f"{self.url}?collection={COLLECTION}"

    def receipt(self, transaction: str, *contents: str, collection=COLLECTION, node=None) -> dict:
        """With a claim for each of the contents; an entry has one."""
        secret = bytes(range(32))
        mac = lambda s: hmac.digest(secret, s.encode(), "sha256")
        claims = sha(struct.pack("<I", len(contents)), *(
            sha(b"LedgerEntryV1", sha(mac(collection), mac(text))) for text in contents))
        evidence = f"ce:{transaction}:" + "ab" * 32
        leaf = sha(bytes(32), sha(evidence.encode()), claims)
        key = node or self.node
        return {
            "state": "Ready", "transactionId": transaction,
            "receipt": {
                "cert": self.node_pem, "proof": [{"left": "cd" * 32}], "serviceEndorsements": [],
                "leafComponents": {
                    "writeSetDigest": "00" * 32, "commitEvidence": evidence, "claimsDigest": claims.hex()},
                "signature": base64.b64encode(
                    key.sign(sha(b"\xcd" * 32, leaf), ec.ECDSA(Prehashed(hashes.SHA256())))).decode()},
            "applicationClaims": [{"kind": "LedgerEntry", "ledgerEntry": {
                "protocol": "LedgerEntryV1", "collectionId": collection, "contents": text,
                "secretKey": base64.b64encode(secret).decode()}} for text in contents]}

    def hold(self, transaction: str, contents: str, **receipt):
        self.entries.append({"transactionId": transaction, "collectionId": COLLECTION, "contents": contents})
        self.receipts[transaction] = self.receipt(transaction, contents, **receipt)


@pytest.fixture
def liar(tmp_path):
    made = Liar(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def database(tmp_path):
    """A ledger with two blocks, and the digests of both."""
    path = tmp_path / "app.db"
    plain = sqlite3.connect(path)
    plain.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a');")
    plain.close()

    class Made:
        digests = []

        @staticmethod
        def run(*words, code=0):
            done = run_cli("sql", *words, environment={"XDG_STATE_HOME": str(tmp_path / "state")})
            assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
            return done.stdout

    Made.path = path
    Made.run("init", path)
    Made.run("enable", path, "t")
    Made.digests.append(Made.run("digest", path).strip())
    Made.run("exec", path, "UPDATE t SET v = 'b'")
    Made.digests.append(Made.run("digest", path).strip())
    return Made


def verify(database, liar, identities, code):
    return database.run(
        "verify", database.path, "--store", liar.store, "--service-certificate", liar.pin,
        "--certificate", identities.reader.combined_file, "--json", code=code)


def test_the_truth_is_believed(database, liar, identities):
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", database.digests[1])
    report = verify(database, liar, identities, 0)
    assert "proved by its receipt" in report


def forged(database) -> str:
    return json.dumps(dict(json.loads(database.digests[1]), hash="0x" + "AB" * 32), sort_keys=True, separators=(",", ":"))


LIES = {
    "no receipt": lambda l, d: l.receipts.update({"2.12": 404}),
    "receipt not ready": lambda l, d: l.receipts.update({"2.12": {"state": "Committed", "receipt": None}}),
    "receipt of another entry": lambda l, d: l.receipts.update({"2.12": l.receipts["2.10"]}),
    "receipt of other contents": lambda l, d: l.receipts.update({"2.12": l.receipt("2.12", forged(d))}),
    "receipt of another collection": lambda l, d: l.receipts.update({"2.12": l.receipt("2.12", d.digests[1], collection="x")}),
    "claims that the receipt does not sign": lambda l, d: l.receipts.update(
        {"2.12": dict(l.receipt("2.12", forged(d)), applicationClaims=l.receipts["2.12"]["applicationClaims"])}),
    "receipt of two entries at once": lambda l, d: l.receipts.update({"2.12": l.receipt("2.12", d.digests[1], forged(d))}),
    "answer that names another transaction": lambda l, d: l.receipts["2.12"].update(transactionId="2.14"),
    "signed by a stranger": lambda l, d: l.receipts.update(
        {"2.12": l.receipt("2.12", d.digests[1], node=ec.generate_private_key(ec.SECP384R1()))}),
    "garbage": lambda l, d: l.receipts.update({"2.12": "<html>"}),
}


@pytest.mark.parametrize("name", LIES)
def test_a_digest_without_its_receipt_is_named_and_not_used(database, liar, identities, name):
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", database.digests[1])
    LIES[name](liar, database)
    done = run_cli(
        "sql", "verify", database.path, "--store", liar.store, "--service-certificate", liar.pin,
        "--certificate", identities.reader.combined_file, "--json")
    report = json.loads(done.stdout)
    assert done.returncode != 0, report
    assert any("2.12" in json.dumps(finding) for finding in report["findings"]), report["findings"]


@pytest.mark.parametrize("change, code", [
    (lambda l, d: l.entries.clear(), 2),  # it keeps quiet: nothing anchors the result
    (lambda l, d: setattr(l, "status", 503), 2),
    (lambda l, d: setattr(l, "next_link", "https://elsewhere.example/app/transactions"), 2),
    (lambda l, d: l.entries.reverse(), 2),
    (lambda l, d: l.entries.append({"transactionId": "x", "collectionId": COLLECTION, "contents": ""}), 2),
], ids=["silent", "unavailable", "sends elsewhere", "not ascending", "no transaction id"])
def test_a_ledger_that_cannot_be_read_anchors_nothing(database, liar, identities, change, code):
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", database.digests[1])
    change(liar, database)
    verify(database, liar, identities, code)


def test_a_genuine_digest_of_another_history_is_a_fork(database, liar, identities):
    """The ledger proves what somebody uploaded; if the database disagrees, the database was rewritten."""
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", forged(database))
    report = json.loads(verify(database, liar, identities, 1))
    assert any(f["code"] in {"DIGEST_MISMATCH", "FORK"} for f in report["findings"]), report["findings"]


def test_a_digest_that_was_added_later_is_a_fork_and_accuses_nobody(database, liar, identities):
    """Whoever may write to the collection can add one; what was there first counts, whatever time the other one names."""
    honest = json.loads(database.digests[1])
    later = dict(honest, hash="0x" + "AB" * 32, digest_time="1999-01-01T00:00:00.000000Z")
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", database.digests[1])
    liar.hold("2.14", json.dumps(later, sort_keys=True, separators=(",", ":")))
    report = json.loads(verify(database, liar, identities, 1))
    assert [finding["code"] for finding in report["findings"]] == ["FORK"], report["findings"]
    assert "there first counts" in report["findings"][0]["reason"] and "2.14" in report["findings"][0]["found"]


def export(database, liar, identities, key):
    out = database.path.parent / "row.json"
    done = run_cli("evidence", "export", database.path, "--table", "t", "--key", key, "--out", out, "--store", liar.store,
                   "--service-certificate", liar.pin, "--certificate", identities.reader.combined_file)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return [digest["digest"]["block_id"] for digest in json.loads(out.read_text())["digests"]]


def more_blocks(database, liar, count):
    """A row and a block each, and their digests."""
    for number in range(count):
        database.run("exec", database.path, f"INSERT INTO t VALUES ({number + 10}, 'c')")
        database.digests.append(database.run("digest", database.path).strip())
    for number, digest in enumerate(database.digests):
        liar.hold(f"2.{number * 2 + 10}", digest)


def test_receipts_are_asked_for_where_they_count(database, liar, identities):
    """There is a digest for every half minute of a database's life."""
    more_blocks(database, liar, 4)
    verify(database, liar, identities, 0)
    assert liar.asked == {f"2.{number}" for number in range(10, 21, 2)}
    liar.asked.clear()
    assert export(database, liar, identities, 11) == [3] and liar.asked == {"2.16"}
    # One that proves nothing, and one of another history, do not stand in the way.
    liar.receipts["2.16"] = 404
    assert export(database, liar, identities, 11) == [4]
    liar.entries[3]["contents"] = json.dumps(
        dict(json.loads(database.digests[3]), hash="0x" + "AB" * 32), sort_keys=True, separators=(",", ":"))
    liar.receipts["2.16"] = liar.receipt("2.16", liar.entries[3]["contents"])
    assert export(database, liar, identities, 11) == [4]


def test_since_last_asks_for_no_older_receipts(database, liar, identities):
    more_blocks(database, liar, 2)
    verify(database, liar, identities, 0)
    database.run("exec", database.path, "INSERT INTO t VALUES (20, 'd')")
    liar.hold("2.18", database.run("digest", database.path).strip())
    liar.asked.clear()
    words = ["verify", database.path, "--store", liar.store, "--service-certificate", liar.pin, "--certificate",
             identities.reader.combined_file, "--json", "--since-last"]
    report = json.loads(database.run(*words))
    assert report["anchored_through_block"] == 4 and liar.asked == {"2.16", "2.18"}
    # A database that is not the verified one any more is compared with all of them.
    liar.asked.clear()
    plain = sqlite3.connect(database.path)
    triggers = [row[0] for row in plain.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'database_ledger_blocks'")]
    for name in triggers:
        plain.execute(f'DROP TRIGGER "{name}"')
    plain.execute("UPDATE database_ledger_blocks SET close_time = '2001-01-01T00:00:00.000000Z' WHERE block_id = 4")
    plain.commit()
    plain.close()
    report = json.loads(database.run(*words, code=1))
    assert report["since_block"] is None and "2.10" in liar.asked, report


@pytest.mark.parametrize("member", ["database_name", "last_transaction_commit_time"])
def test_a_digest_that_was_added_later_with_another_name_or_time_is_a_fork(database, liar, identities, member):
    """The hash is the same; what it does not cover is the first one's to say."""
    later = dict(json.loads(database.digests[1]), **{member: "evil" if member == "database_name" else "1999-01-01T00:00:00.000000Z"})
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", database.digests[1])
    liar.hold("2.14", json.dumps(later, sort_keys=True, separators=(",", ":")))
    report = json.loads(verify(database, liar, identities, 1))
    assert [(f["code"], f["columns"]) for f in report["findings"]] == [("FORK", [member])], report["findings"]


def test_digests_of_other_ledgers_are_one_note_each(database, liar, identities):
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", database.digests[1])
    for number in range(60):
        other = dict(json.loads(database.digests[0]), block_id=number, block_count=number + 1, ledger_id="ab" * 16)
        liar.hold(f"2.{number + 20}", json.dumps(other, sort_keys=True, separators=(",", ":")))
    notes = json.loads(verify(database, liar, identities, 0))["notes"]
    assert [note for note in notes if "ab" * 16 in note] == [
        f"{liar.store}, transaction 2.20: the first of 60 digests of ledger {'ab' * 16}"], notes


def test_findings_about_a_store_are_limited(database, liar, identities):
    liar.hold("2.10", database.digests[0])
    for number in range(60):
        liar.hold(f"2.{number + 20}", "hello")
        liar.receipts[f"2.{number + 20}"] = 404
    report = json.loads(verify(database, liar, identities, 1))
    found = [finding for finding in report["findings"] if finding["code"] == "READ_UNTRUSTED"]
    assert len(found) == 11 and sum(finding["count"] for finding in found) == 60, found
    assert "2.20" in found[0]["reason"] and "2.29" in found[9]["reason"], found


def test_an_entry_that_is_no_digest_accuses_nobody(database, liar, identities):
    """Whoever may write to the collection can add one, and nobody can take it away again."""
    liar.hold("2.10", database.digests[0])
    liar.hold("2.11", "hello")
    liar.hold("2.12", database.digests[1])
    liar.hold("2.13", " " + database.digests[1])
    report = json.loads(verify(database, liar, identities, 0))
    assert any("2.11" in note and "2 entries that are no digests" in note for note in report["notes"]), report["notes"]


STRAYS = {
    "no receipt": lambda l, d: 404,
    "garbage": lambda l, d: "<html>",
    "receipt of another entry": lambda l, d: l.receipts["2.10"],
    "receipt of another collection": lambda l, d: l.receipt("2.12", "hello", collection="x"),
    "signed by a stranger": lambda l, d: l.receipt("2.12", "hello", node=ec.generate_private_key(ec.SECP384R1())),
    "a digest stands there": lambda l, d: l.receipt("2.12", d.digests[1]),
}


@pytest.mark.parametrize("name", STRAYS)
def test_an_entry_shown_in_the_place_of_a_digest_is_named(database, liar, identities, name):
    """Only a receipt proves that nothing else was ever there."""
    liar.hold("2.10", database.digests[0])
    liar.hold("2.12", "hello")
    liar.receipts["2.12"] = STRAYS[name](liar, database)
    report = json.loads(verify(database, liar, identities, 1))
    assert [f["code"] for f in report["findings"] if f["code"] != "TAIL_UNATTESTED"] == ["READ_UNTRUSTED"], report["findings"]
    assert any("2.12" in json.dumps(finding) for finding in report["findings"])
