"""`ledger verify` against who can write the directory, and against files that cannot be read."""

import base64
import hashlib
import json
import os
import shutil
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from support import ledger_files
from support.node import ROOT, Node, NodeDidNotStart, retry_until, run_cli
from support.rest import Rest

VECTORS = ROOT / "Vectors/ccf"
KEYS = json.loads((VECTORS / "keys.json").read_text())
ZERO_KEY = bytes(8)


@pytest.fixture
def copy(tmp_path):
    """A copy of the ledger of the vectors, with its service certificate and receipts beside it."""
    shutil.copytree(VECTORS / "ledger", tmp_path / "ledger")
    shutil.copytree(VECTORS / "snapshots", tmp_path / "snapshots")
    (tmp_path / "service.pem").write_text(KEYS["service"]["cert_pem"])
    for seqno in (3, 15, 30):
        receipt = json.loads((VECTORS / "receipts.json").read_text())["receipts"][str(seqno)]
        (tmp_path / f"{seqno}.json").write_text(json.dumps(receipt))
    return tmp_path / "ledger"


def verify(ledger: Path, *options, receipts=(), pinned=True):
    pin = ["--service-certificate", ledger.parent / "service.pem"] if pinned else []
    expected = [word for seqno in receipts for word in ("--expect-receipt", ledger.parent / f"{seqno}.json")]
    return run_cli("ledger", "verify", ledger, *pin, *expected, *options, timeout=60)


# What somebody without any key of the service can write


def table(name: str, rows: dict) -> bytes:
    out = struct.pack("<Q", len(name)) + name.encode() + struct.pack("<QQQ", 0, 0, len(rows))
    for key, value in rows.items():
        out += struct.pack("<Q", len(key)) + key + struct.pack("<Q", len(value)) + value
    return out + struct.pack("<Q", 0)


class Forger:
    """Continues a ledger with transactions of its own, signed by a node that another service endorsed."""

    service, node = KEYS["recovered_service"], KEYS["recovered_node"]

    def __init__(self):
        self.entries, self.leaves = [], [bytes(32)]

    def take(self, entry: bytes):
        public = entry[44 : 44 + struct.unpack_from("<Q", entry, 36)[0]]
        self.entries.append(entry)
        digest = hashlib.sha256(entry).digest()
        self.leaves.append(hashlib.sha256(digest + public[41:73] + public[9:41]).digest())

    def add(self, *tables: bytes):
        seqno = len(self.leaves)
        public = b"\x04" + struct.pack("<Q", seqno) + bytes(72) + b"".join(tables)
        body = bytes(16) + struct.pack("<QIQ", seqno, 2, len(public)) + public
        self.take(b"\x01\x00" + len(body).to_bytes(6, "little") + body)

    def identity(self, certificate: str):
        row = json.dumps({"cert": certificate, "status": "Opening"}).encode()
        self.add(table("public:ccf.gov.service.info", {ZERO_KEY: row}))

    def own_identity(self):
        node = self.node["node_id"].encode()
        row = json.dumps({"cert": self.service["cert_pem"], "status": "Opening"}).encode()
        self.add(
            table("public:ccf.gov.nodes.endorsed_certificates", {node: self.node["cert_pem"].encode()}),
            table("public:ccf.gov.nodes.info", {node: b'{"status":"Trusted"}'}),
            table("public:ccf.gov.service.info", {ZERO_KEY: row}),
        )

    def sign(self):
        level = self.leaves
        while len(level) > 1:
            level = [hashlib.sha256(b"".join(level[i : i + 2])).digest() if i + 1 < len(level) else level[i]
                     for i in range(0, len(level), 2)]
        key = serialization.load_pem_private_key(self.node["private_pem"].encode(), None)
        signature = key.sign(level[0], ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        row = {"node": self.node["node_id"], "view": 2, "seqno": len(self.leaves), "root": level[0].hex(),
               "sig": base64.b64encode(signature).decode(), "cert": self.node["cert_pem"]}
        self.add(table("public:ccf.internal.signatures", {ZERO_KEY: json.dumps(row).encode()}))

    def write(self, path: Path, first: int):
        path.write_bytes(bytes(8) + b"".join(self.entries[first - 1 :]))


def entries(ledger: Path) -> list[bytes]:
    return [path.read_bytes()[offset : offset + length]
            for path in ledger_files.chunks(ledger) for offset, length in ledger_files.entries(path)]


def test_a_ledger_of_another_service_that_ends_with_the_pinned_certificate(copy):
    genuine = entries(copy)
    forger = Forger()
    forger.own_identity()
    while len(forger.leaves) < 15:
        forger.add(table("public:forged", {b"k": b"v"}))
    forger.take(genuine[14])  # the transaction of the receipt
    forger.identity(KEYS["service"]["cert_pem"])
    forger.sign()
    shutil.rmtree(copy)
    copy.mkdir()
    forger.write(copy / "ledger_1", 1)
    done = verify(copy, receipts=[15])
    assert done.returncode == 1 and "serviceCertificate" in done.stderr, done.stdout + done.stderr


def test_a_genuine_ledger_that_another_node_signs_on(copy):
    assert verify(copy, receipts=[30]).returncode == 0
    forger = Forger()
    for entry in entries(copy):
        forger.take(entry)
    forger.own_identity()
    forger.identity(KEYS["service"]["cert_pem"])
    forger.add(table("public:forged", {b"k": b"v"}))
    forger.sign()
    forger.write(copy / "ledger_21", 21)
    done = verify(copy, receipts=[30])
    assert done.returncode == 1 and "not signed by the service key" in done.stderr, done.stdout + done.stderr


def test_the_certificate_of_a_recovered_service(tmp_path):
    shutil.copytree(VECTORS / "ledger_recovered", tmp_path / "ledger")
    for name, code in (("recovered_service", 0), ("service", 1)):
        (tmp_path / "service.pem").write_text(KEYS[name]["cert_pem"])
        done = verify(tmp_path / "ledger")
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("part", ["claims", "certificate", "table name"])
def test_the_newest_signature_is_as_a_node_writes_it(copy, part):
    """No later signature covers it."""
    path = copy / "ledger_21"
    offset, length = ledger_files.entries(path)[10]
    data = path.read_bytes()[: offset + length]
    path.write_bytes(data)
    at = {"claims": offset + 44 + 9, "certificate": data.index(b"-----END", offset) - 20,
          "table name": data.index(b"public:ccf.internal.tree", offset) + 20}[part]
    ledger_files.flip(path, at)
    assert verify(copy).returncode == 1


# Names


@pytest.mark.parametrize("name", [
    "ledger_1-18446744073709551615.committed", "ledger_18446744073709551615",
    "ledger_18446744073709551614-18446744073709551615", "ledger_1-9223372036854775807.committed",
])
def test_numbers_near_the_limit(copy, name, data_directory):
    shutil.copy(copy / "ledger_21", copy / name)
    done = verify(copy)
    assert done.returncode == 1 and f"{name}: the name is not that of a chunk" in done.stderr
    node = Node(data_directory)
    node.start()
    node.stop()
    (data_directory / "ledger" / name).write_bytes(bytes(8))
    with pytest.raises(NodeDidNotStart) as refused:
        node.start()
    assert refused.value.code == 2 and name in refused.value.output


def test_which_directory_is_read(copy):
    for given in (copy, copy.parent):
        done = run_cli("ledger", "verify", given)
        assert done.returncode == 0 and f"\ndirectory {copy}\n" in done.stdout
    # The ledger of the name that was given must not be passed over.
    shutil.copytree(copy, copy / "ledger")
    ledger_files.flip(copy / "ledger_11-20.committed", 800)
    for command in ("verify", "inspect"):
        done = run_cli("ledger", command, copy)
        assert done.returncode == 2 and f"{copy}: holds ledger chunks" in done.stderr
    (copy.parent / "ledger_backup").mkdir()
    assert run_cli("ledger", "verify", copy.parent).returncode == 1, "a directory is no chunk"


@pytest.mark.parametrize("name, says", [
    ("snapshot_99_100.committed", "the state at 20"), ("snapshot_20_22.committed", "its evidence is 2.21"),
])
def test_a_snapshot_under_another_name(copy, name, says):
    good = copy.parent / "snapshots/snapshot_20_21.committed"
    assert verify(copy, "--snapshots").returncode == 0
    good.rename(good.with_name(name))
    done = verify(copy, "--snapshots")
    assert done.returncode == 1 and f"{name}: it" in done.stderr and says in done.stderr


# What cannot be read


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("name", ["ledger_1-10.committed", "ledger_11-20.committed", "ledger_21"])
def test_an_unreadable_chunk_is_no_tampering(copy, name, pinned):
    (copy / name).unlink()
    os.mkfifo(copy / name)
    done = verify(copy, receipts=[3, 15, 30], pinned=pinned)
    assert done.returncode == 2 and f"{name}: is not a regular file" in done.stderr, done.stderr
    # What was read must still be right: here the transaction of a receipt.
    other, number = ("ledger_21", 9) if name == "ledger_1-10.committed" else ("ledger_1-10.committed", 2)
    ledger_files.flip(copy / other, ledger_files.entries(copy / other)[number][0] + 20)
    assert verify(copy, receipts=[3, 15, 30], pinned=pinned).returncode == 1


def test_an_unreadable_directory_is_no_tampering(copy):
    shutil.rmtree(copy)
    copy.write_text("")
    done = verify(copy, receipts=[3])
    assert done.returncode == 2 and "cannot be read" in done.stderr


def test_an_unreadable_snapshot_is_no_tampering(copy):
    os.mkfifo(copy.parent / "snapshots/snapshot_1_2.committed")
    done = verify(copy, "--snapshots")
    assert done.returncode == 2 and "snapshot_1_2.committed: is not a regular file" in done.stderr
    problems = json.loads(verify(copy, "--snapshots", "--json").stdout)["problems"]
    assert [problem["code"] for problem in problems] == ["unreadable"]


# What is told beside the verdict


def test_snapshots_that_are_away_do_not_take_the_verdict_along(copy):
    chunk = copy / "ledger_11-20.committed"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    assert verify(copy).returncode == 1
    shutil.rmtree(copy.parent / "snapshots")
    done = verify(copy, "--snapshots", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["outcome"] == "failed", done
    assert "there is no such directory" in done.stdout


def test_files_among_the_snapshots_that_were_not_read_are_named(copy):
    done = verify(copy, "--snapshots")
    assert done.returncode == 0 and "1 snapshots verified" in done.stdout and "not read" not in done.stdout, done
    (copy.parent / "snapshots/snapshot_20_21.committed").rename(copy.parent / "snapshots/snapshot_20_21")
    done = verify(copy, "--snapshots")
    assert "0 snapshots verified" in done.stdout and "were not read: snapshot_20_21" in done.stdout, done


def test_snapshots_show_that_the_end_is_gone(copy):
    """The receipt of a snapshot proves its transaction as a kept receipt does."""
    assert verify(copy, "--snapshots", "--committed-only").returncode == 0
    (copy / "ledger_21").unlink()
    assert verify(copy).returncode == 0
    done = verify(copy, "--snapshots")
    assert done.returncode == 1 and "a receipt exists for" in done.stderr and "2.21" in done.stderr, done


def test_the_snapshots_of_a_data_directory_are_those_in_it(copy, tmp_path):
    """Also when its ledger is a link to elsewhere."""
    data = tmp_path / "data"
    (data / "snapshots").mkdir(parents=True)
    (data / "ledger").symlink_to(copy)
    (data / "snapshots/snapshot_20_21.committed").write_bytes(b"rubbish")
    done = run_cli("ledger", "verify", data, "--snapshots", "--service-certificate", copy.parent / "service.pem")
    assert done.returncode == 1 and "snapshot_20_21.committed" in done.stderr, done


def test_a_node_on_an_older_copy_tells_of_newer_snapshots(new_node, identities, tmp_path):
    node = new_node("private", users=False, options=["--snapshot-interval", 10, "--chunk-size", 4096])
    node.stop()
    shutil.copytree(node.directory, tmp_path / "older")
    node.start()
    rest = Rest(node, identities.admin)
    for _ in range(12):
        assert rest.append("later").status == 200
    snapshots = node.directory / "snapshots"
    retry_until(lambda: list(snapshots.glob("*.committed")))
    assert not node.log().count("missing")
    node.stop()
    kept = {file.name: file.read_bytes() for file in snapshots.glob("*.committed")}
    shutil.rmtree(node.directory)
    shutil.copytree(tmp_path / "older", node.directory)
    for name, contents in kept.items():
        (snapshots / name).write_bytes(contents)
    node.tampered = True
    node.start()
    assert node.says("committed transactions are missing"), node.log()
    assert "snapshot_" in str(Rest(node, identities.admin).get("/health").json()["notes"])
    node.stop()
    done = run_cli("ledger", "verify", node.directory, "--snapshots")
    assert done.returncode == 1 and "a receipt exists for" in done.stderr, done


def test_an_expected_receipt_of_a_signature_that_names_another_transaction(copy):
    receipt = json.loads((VECTORS / "receipts.json").read_text())["receipts"]["10"]
    for name, code in [("2.10", 0), ("2.15", 1), ("2.11", 1), ("2.999", 1)]:
        (copy.parent / "77.json").write_text(json.dumps({"receipt": receipt, "transactionId": name, "state": "Ready"}))
        done = verify(copy, receipts=[77])
        assert done.returncode == code and (not code or f"names transaction {name}" in done.stderr), (name, done)


def test_an_expected_receipt_that_names_another_transaction(copy):
    receipt = json.loads((copy.parent / "30.json").read_text())
    for name, code in [("2.30", 0), ("2.999", 1)]:
        (copy.parent / "77.json").write_text(json.dumps({"receipt": receipt, "transactionId": name, "state": "Ready"}))
        done = verify(copy, receipts=[77])
        assert done.returncode == code, (name, done)
    assert "names transaction 2.999, the receipt proves 2.30" in done.stderr


def test_names_and_claims_of_others_do_not_steer_the_terminal(copy):
    (copy / "x\r\x1b[1A\x1b[2Kverified all\nnote: y").mkdir()
    (copy / "z\nverified all is well").write_text("")
    done = verify(copy)
    assert "\x1b" not in done.stdout + done.stderr and "\r" not in done.stdout + done.stderr, done
    assert not any(line.startswith("verified all") for line in (done.stdout + done.stderr).splitlines()), done
    assert "x\\r\\u{1b}" in done.stdout
