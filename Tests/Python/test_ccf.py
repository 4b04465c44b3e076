"""The `ccf` package over directories that the node wrote, and over receipts it gave out."""

import json
import random
import shutil
import subprocess
import sys
import urllib.parse
import uuid
from pathlib import Path

import pytest

from support import ledger_files
from support.ccf_check import check_in_process
from support.node import ROOT, run_cli
from support.receipts import leaf_of, verify_cose_with_ccf, verify_with_ccf, verify_with_sdk
from support.rest import Rest

VECTORS = ROOT / "Vectors/ccf"


@pytest.mark.parametrize("name", ["ledger", "ledger_raw_only", "ledger_cose_only", "ledger_recovered"])
def test_both_agree_on_the_vectors(name):
    """Ours counts every signature transaction; ccf 6.0.28 counts the raw ones."""
    theirs = check_in_process(VECTORS / name)
    assert theirs["ok"]
    done = run_cli("ledger", "verify", VECTORS / name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    ours = json.loads(done.stdout)
    if name == "ledger_cose_only":
        assert (ours["signatures"], ours["lastVerified"]) == (7, "2.31")
    else:
        assert (ours["signatures"], ours["lastVerified"]) == (theirs["signatures"], theirs["verified"])


def fill(rest: Rest, count: int, size: int = 60):
    answers = []
    for number in range(count):
        answer = rest.append(
            f"{number} " + "x" * size, collection=random.choice([None, "a", "b"]), tags=random.choice([[], ["t"]]))
        assert answer.status == 200, answer
        answers.append(answer.transaction_id)
    return answers


@pytest.mark.parametrize("ledger_type", ["public", "private"])
def test_directory_with_many_chunks_and_snapshots(new_node, identities, ledger_type):
    node = new_node(ledger_type, options=["--chunk-size", "20000", "--snapshot-interval", "40"])
    rest = Rest(node, identities.admin)
    fill(rest, 150, 300)
    rest.set_user(identities.make().user_id, "Reader")
    node.restart()
    fill(Rest(node, identities.admin), 60, 300)
    committed = rest.committed()
    node.stop()
    names = [path.name for path in ledger_files.chunks(node.ledger_directory)]
    assert sum(name.endswith(".committed") for name in names) >= 3, names
    everything = check_in_process(node.ledger_directory)
    assert everything["ok"], everything
    assert int(everything["verified"].split(".")[1]) >= int(committed.split(".")[1])
    only_committed = check_in_process(node.ledger_directory, committed_only=True)
    assert only_committed["ok"] and 0 < only_committed["signatures"] <= everything["signatures"]
    assert everything["service"] == "Open"
    # The package's own tool, exactly as an auditor would run it
    tool = Path(sys.executable).with_name("read_ledger.py")
    done = subprocess.run(
        [sys.executable, str(tool), "--quiet", "--uncommitted", str(node.ledger_directory)],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1000:]
    assert f"verified until {everything['verified']}" in done.stdout
    # Snapshots are readable with the package, and their receipts hold
    snapshots = sorted((node.directory / "snapshots").glob("*.committed"))
    assert snapshots
    for snapshot in snapshots:
        done = subprocess.run(
            [sys.executable, str(tool), "--snapshot", str(snapshot)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]


def test_contents_are_encrypted_in_private_ledgers_only(new_node, identities):
    secret = "find-me-" + uuid.uuid4().hex
    for ledger_type in ("public", "private"):
        node = new_node(ledger_type)
        assert Rest(node, identities.admin).append(secret).status == 200
        node.stop()
        found = any(secret.encode() in path.read_bytes() for path in node.ledger_directory.iterdir())
        assert found == (ledger_type == "public")


def test_restarts_and_kills_keep_one_history(new_node, identities):
    node = new_node("private")
    written = []
    for number in range(5):
        written += fill(Rest(node, identities.admin), 10)
        node.kill() if number % 2 else node.stop()
        theirs = check_in_process(node.ledger_directory)
        assert theirs["ok"], (number, theirs)
        assert int(theirs["verified"].split(".")[1]) >= int(written[-1].split(".")[1])
        node.start()
    seqnos = [int(name.split(".")[1]) for name in written]
    assert seqnos == sorted(set(seqnos))


def test_framework_receipts(node, admin, service_pem):
    made = [admin.append(str(number)).transaction_id for number in range(5)]
    for name in made:
        answer = admin.get("/app/receipt", query={"transaction_id": name})
        assert answer.status == 200
        verify_with_ccf(answer.json(), service_pem)
        document = admin.get(f"/app/transactions/{name}/receipt").json()
        verify_with_sdk(document, service_pem)
        assert leaf_of(document["receipt"]) == leaf_of(answer.json())


def test_receipt_of_every_transaction(new_node, identities):
    """Genesis, signatures, users, entries, snapshot evidence: all of them have a framework receipt."""
    node = new_node("public", options=["--snapshot-interval", "20"])
    rest = Rest(node, identities.admin)
    fill(rest, 30)
    view, last = rest.committed().split(".")
    pem = node.service_certificate.read_text()
    kinds = set()
    for seqno in range(1, int(last) + 1):
        answer = rest.get("/node/receipt", query={"transaction_id": f"{view}.{seqno}"})
        assert answer.status == 200, (seqno, answer)
        receipt = answer.json()
        kinds.add("leaf" in receipt)
        verify_with_ccf(receipt, pem)
        if "leaf" not in receipt:
            evidence = receipt["leaf_components"]["commit_evidence"]
            assert evidence.startswith(f"ce:{view}.{seqno}:")
    assert kinds == {True, False}


def test_receipts_over_views(new_node, identities):
    """Each start is a new view; ids keep the view they were written in and stay valid."""
    node = new_node("private")
    pem = node.service_certificate.read_text()
    made = []
    for _ in range(3):
        made += fill(Rest(node, identities.admin), 5)
        node.restart()
    rest = Rest(node, identities.admin)
    for name in made:
        verify_with_sdk(rest.get(f"/app/transactions/{name}/receipt").json(), pem)
        assert rest.get(f"/app/transactions/{name}/status").json()["state"] == "Committed"


def test_cose_receipts(node, admin, service_pem):
    made = [admin.append(str(number)).transaction_id for number in range(5)]
    for name in made:
        document = admin.get(f"/app/transactions/{name}/receipt").json()
        claims = bytes.fromhex(document["receipt"]["leafComponents"]["claimsDigest"])
        by_header = admin.get(f"/app/transactions/{name}/receipt", headers={"accept": "application/cose"})
        assert by_header.headers["content-type"].startswith("application/cose")
        by_path = admin.get(f"/app/transactions/{name}/receipt/cose")
        for answer in (by_header, by_path):
            assert answer.status == 200
            verify_cose_with_ccf(answer.body, service_pem, claims)
            with pytest.raises(Exception):
                verify_cose_with_ccf(answer.body, service_pem, bytes(32))
        for offset in random.sample(range(len(by_path.body)), 20):
            damaged = bytearray(by_path.body)
            damaged[offset] ^= 1
            with pytest.raises(Exception):
                verify_cose_with_ccf(bytes(damaged), service_pem, claims)


def test_receipt_command_agrees(node, admin, service_pem, tmp_path):
    """`receipt verify` accepts what the official verifiers accept, both kinds, and refuses what they refuse."""
    from support.receipts import tampered

    contents = "offline " + uuid.uuid4().hex
    name = admin.append(contents).transaction_id
    document = admin.get(f"/app/transactions/{name}/receipt").json()
    pem = node.service_certificate
    as_json = tmp_path / "receipt.json"
    as_json.write_text(json.dumps(document))
    verify = lambda path, *more: run_cli("receipt", "verify", path, "--service-certificate", pem, *more)
    done = verify(as_json, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert name in done.stdout
    assert verify(as_json, "--claims-contents", contents).returncode == 0
    assert verify(as_json, "--claims-contents", contents + "!").returncode == 1
    as_cose = tmp_path / "receipt.cose"
    as_cose.write_bytes(admin.get(f"/app/transactions/{name}/receipt/cose").body)
    done = verify(as_cose)
    assert done.returncode == 0, done.stdout + done.stderr
    for label, lie in tampered(document):
        as_json.write_text(json.dumps(lie))
        done = verify(as_json)
        assert done.returncode == 1, (label, done.stdout, done.stderr)
    other = tmp_path / "garbage"
    other.write_bytes(b"{ not a receipt")
    assert verify(other).returncode == 2
    assert run_cli("receipt", "verify", tmp_path / "absent", "--service-certificate", pem).returncode == 2


def test_downloaded_chunks_verify(new_node, identities, tmp_path):
    node = new_node("public", options=["--chunk-size", "8192"])
    rest = Rest(node, identities.admin)
    fill(rest, 60, 200)
    copy = tmp_path / "copy"
    copy.mkdir()
    since = 1
    while True:
        answer = rest.get("/node/ledger-chunk", query={"since": since}, api_version=None)
        if answer.status != 308:
            break
        name = answer.headers["location"].rstrip("/").split("/")[-1].split("?")[0]
        name = urllib.parse.unquote(name)
        data = rest.get(f"/node/ledger-chunk/{name}", headers={"accept": "*/*"}, api_version=None)
        assert data.status in (200, 206)
        (copy / name).write_bytes(data.body)
        since = int(ledger_files.CHUNK.match(name).group(2)) + 1
    assert since > 1
    theirs = check_in_process(copy, committed_only=True)
    assert theirs["ok"] and theirs["transactions"] == since - 1


@pytest.fixture(scope="module")
def finished(tmp_path_factory, identities, issuer):
    """A stopped private ledger with a few chunks, its newest receipt and the counts both verifiers give."""
    from support.node import Node

    directory = tmp_path_factory.mktemp("finished")
    node = Node(directory / "data", ledger_type="private", administrator=identities.admin,
                options=["--chunk-size", "8192"]).start()
    rest = Rest(node, identities.admin)
    ids = fill(rest, 50, 100)
    receipt = directory / "newest.json"
    receipt.write_bytes(rest.get(f"/app/transactions/{ids[-1]}/receipt").body)
    node.stop()
    theirs = check_in_process(node.ledger_directory)
    assert theirs["ok"]
    return node, receipt, theirs


def verdicts(node, directory, receipt):
    """(ccf accepts and still sees every signature, our exit code)."""
    theirs = check_in_process(directory)
    ours = run_cli("ledger", "verify", directory, "--json", "--expect-receipt", receipt,
                   "--service-certificate", node.service_certificate)
    return theirs, ours


def test_untouched_copy_is_accepted(finished, tmp_path):
    node, receipt, expected = finished
    copy = tmp_path / "copy"
    shutil.copytree(node.ledger_directory, copy)
    theirs, ours = verdicts(node, copy, receipt)
    assert theirs["ok"] and theirs["signatures"] == expected["signatures"]
    assert ours.returncode == 0, ours.stdout + ours.stderr


@pytest.mark.parametrize("seed", range(24))
def test_one_flipped_byte_is_found_by_both(finished, tmp_path, seed):
    """Any byte that a later signature covers, in any file; chunk header and positions table too."""
    node, receipt, expected = finished
    copy = tmp_path / "copy"
    shutil.copytree(node.ledger_directory, copy)
    pick = random.Random(seed)
    victim, limit = pick.choice([span for span in ledger_files.covered(copy) if span[1] > 8])
    offset = pick.randrange(8, limit)
    ledger_files.flip(victim, offset, 1 << pick.randrange(8))
    theirs, ours = verdicts(node, copy, receipt)
    assert not theirs["ok"], (victim.name, offset)
    assert ours.returncode == 1, (victim.name, offset, ours.stdout, ours.stderr)
    # The chunk, or the next one when only a later signature shows it.
    problem = json.loads(ours.stdout)["problems"][0]
    files = [path.name for path in ledger_files.chunks(copy)]
    assert problem["file"] in files[files.index(victim.name):][:2], problem
    assert problem["reason"]


@pytest.mark.parametrize("change", [
    "first chunk missing", "middle chunk missing", "tail cut at a transaction", "last file missing", "foreign file",
    "chunk twice", "chunks swapped", "torn last entry", "zeros appended", "empty open chunk", "wrong range in name",
])
def test_damaged_directories(finished, tmp_path, change):
    """Ours must find each of them; where `ccf` finds it too (all but truncation), both must."""
    node, receipt, expected = finished
    copy = tmp_path / "copy"
    shutil.copytree(node.ledger_directory, copy)
    files = ledger_files.chunks(copy)
    last = files[-1]
    theirs_must_find = True
    if change == "first chunk missing":
        files[0].unlink()
    elif change == "middle chunk missing":
        files[1].unlink()
    elif change == "tail cut at a transaction":
        theirs_must_find = False
        spans = ledger_files.entries(last)
        if ledger_files.open_chunk(copy) == last and len(spans) > 2:
            with open(last, "r+b") as file:
                file.truncate(spans[-2][0])
        else:
            last.unlink()
    elif change == "last file missing":
        theirs_must_find = False
        last.unlink()
        if not ledger_files.CHUNK.match(last.name).group(2) and not ledger_files.entries(
                node.ledger_directory / last.name):
            files[-2].unlink()
    elif change == "foreign file":
        (copy / "notes.txt").write_text("hello")
    elif change == "chunk twice":
        # the same transactions once more under the open name
        first = ledger_files.CHUNK.match(files[0].name)
        shutil.copy(files[0], copy / f"ledger_{first.group(1)}-{first.group(2)}")
        theirs_must_find = False  # it takes equal base names for the same file
    elif change == "chunks swapped":
        one, two = files[0].read_bytes(), files[1].read_bytes()
        files[0].write_bytes(two)
        files[1].write_bytes(one)
    elif change == "torn last entry":
        target = last if ledger_files.entries(last) else files[-2]
        with open(target, "r+b") as file:
            file.truncate(target.stat().st_size - 5)
    elif change == "zeros appended":
        with open(last, "ab") as file:
            file.write(bytes(100))
    elif change == "empty open chunk":
        with open(last, "r+b") as file:
            file.truncate(0)
    elif change == "wrong range in name":
        match = ledger_files.CHUNK.match(files[0].name)
        files[0].rename(copy / f"ledger_1-{int(match.group(2)) + 1}.committed")
    theirs, ours = verdicts(node, copy, receipt)
    if theirs_must_find:
        assert not theirs["ok"] or theirs["signatures"] != expected["signatures"], change
    assert ours.returncode in (1, 2), (change, ours.stdout, ours.stderr)
    assert (ours.stdout + ours.stderr).strip(), "and says why"
