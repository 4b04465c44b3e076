"""Damaged, foreign and contested data directories: refused with a reason, and nothing is changed by the refusal."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from support import ledger_files
from support.certificates import make_identity
from support.node import Node, NodeDidNotStart, binary, clean_environment, run_cli
from support.rest import Rest


def fingerprint(directory: Path) -> dict:
    """Digest of each file that is truth, not derived."""
    kept = {}
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if path.is_file() and relative.parts[0] in ("ledger", "snapshots", "keys", "service_cert.pem", "node.json"):
            kept[str(relative)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return kept


@pytest.fixture
def stopped(new_node, identities):
    """A stopped node with a few chunks, its entries and committed id."""
    node = new_node("private", options=["--chunk-size", "8192"])
    rest = Rest(node, identities.admin)
    ids = [rest.append(f"{number} " + "x" * 100).transaction_id for number in range(50)]
    node.stop()
    return node, ids


def start_refused(node, *words, code=None) -> str:
    before = fingerprint(node.directory)
    with pytest.raises(NodeDidNotStart) as refused:
        node.start()
    assert refused.value.code not in (0, None), refused.value.output
    assert refused.value.code > 0, f"died by a signal: {refused.value}"
    if code is not None:
        assert refused.value.code == code, refused.value.output
    for word in words:
        assert word.lower() in refused.value.output.lower(), (word, refused.value.output)
    assert fingerprint(node.directory) == before, "a refused start changes nothing"
    return refused.value.output


def test_second_process_is_refused(new_node, identities):
    node = new_node("public")
    second = Node(node.directory, ledger_type="public")
    before = fingerprint(node.directory)
    with pytest.raises(NodeDidNotStart) as refused:
        second.start()
    assert refused.value.code == 2
    assert "in use" in refused.value.output.lower() or "another" in refused.value.output.lower()
    assert fingerprint(node.directory) == before
    assert Rest(node, identities.admin).append("undisturbed").status == 200
    # A lock file that somebody took for a leftover.
    (node.directory / "lock").unlink()
    with pytest.raises(NodeDidNotStart) as refused:
        second.start()
    assert refused.value.code == 2 and "in use" in refused.value.output
    assert Rest(node, identities.admin).append("still undisturbed").status == 200


def test_a_closed_terminal_stops_the_node_in_order(new_node, identities):
    node = new_node("public")
    Rest(node, identities.admin).append("before")
    node.process.send_signal(signal.SIGHUP)
    assert node.process.wait(30) == 0, node.log()
    assert node.says("stopped")


def test_keys_that_cannot_be_looked_for_are_not_missing(stopped):
    """A folder that may not be searched, here a link that leads to itself: the superuser may search all others."""
    node, _ = stopped
    node.tampered = True
    shutil.rmtree(node.directory / "keys")
    (node.directory / "keys").symlink_to("keys")
    with pytest.raises(NodeDidNotStart) as refused:
        node.start()
    assert refused.value.code == 2 and "look for" in refused.value.output, refused.value.output
    assert "is missing" not in refused.value.output


@pytest.mark.parametrize("name", ["0:0:0:0:0:0:0:2", "2001:DB8::1", "2001:db8::1"])
def test_an_address_in_the_certificate_however_it_is_written(new_node, name):
    """Read back in its shortest form it was another name, and the certificate was renewed at every start."""
    node = new_node("public", users=False, options=["--san", name])
    node.restart()
    assert "renewed" not in node.log(), node.log()


def test_keys_that_others_may_read_are_named(stopped):
    node, _ = stopped
    node.start()
    assert "open to others" not in node.log()
    node.stop()
    keyring = node.directory / "keys/keyring.sealed"
    keyring.chmod(0o644)
    node.start()
    assert node.says("open to others")
    warned = [line for line in node.log().splitlines() if "open to others" in line]
    assert len(warned) == 1 and str(keyring) in warned[0] and "644" in warned[0]


def test_lock_is_released_by_kill(new_node, identities):
    node = new_node("public")
    node.kill()
    node.start()
    assert Rest(node, identities.admin).append("again").status == 200


@pytest.mark.parametrize("first, second", [("public", "private"), ("private", "public")])
def test_other_ledger_type_is_refused(new_node, first, second):
    node = new_node(first)
    node.stop()
    node.ledger_type = second
    start_refused(node, first, code=2)
    node.ledger_type = None  # without the option the stored type holds
    node.start()
    node.stop()


def test_other_sealing_key_is_refused(new_node, identities, tmp_path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("correct horse battery staple\n")
    wrong.write_text("tr0ub4dor&3\n")
    node = new_node("private", options=["--sealing-passphrase-file", right])
    name = Rest(node, identities.admin).append("sealed").transaction_id
    node.stop()
    node.options = ["--sealing-passphrase-file", wrong]
    start_refused(node, "sealing", code=2)
    node.options = []
    start_refused(node, code=2)
    node.options = ["--sealing-passphrase-file", right]
    node.start()
    assert Rest(node, identities.admin).get(f"/app/transactions/{name}").json()["entry"]["contents"] == "sealed"


def test_sealing_key_file(new_node, identities, tmp_path):
    right, wrong = tmp_path / "right.key", tmp_path / "wrong.key"
    right.write_bytes(bytes(range(32)))
    wrong.write_bytes(bytes(reversed(range(32))))
    node = new_node("private", options=["--sealing-key", right])
    node.stop()
    node.options = ["--sealing-key", wrong]
    start_refused(node, "sealing", code=2)
    node.options = ["--sealing-key", tmp_path / "absent.key"]
    output = start_refused(node, code=2)
    assert "absent.key" in output
    node.options = ["--sealing-key", right]
    node.start()


def test_key_files_are_private(new_node):
    node = new_node("private")
    assert (node.directory / "keys").stat().st_mode & 0o077 == 0
    for path in (node.directory / "keys").rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("change", [
    "first chunk missing", "middle chunk missing", "chunks swapped", "foreign file", "chunk twice",
    "committed chunk cut", "byte flipped in committed chunk", "committed chunk padded", "wrong range in name",
    "directory in place of a chunk",
])
def test_damaged_ledger_is_refused(stopped, change):
    """Damage to what was committed: with --verify-on-start the node must not serve it."""
    node, ids = stopped
    node.tampered = True
    node.options += ["--verify-on-start"]
    files = ledger_files.chunks(node.ledger_directory)
    committed = [path for path in files if path.name.endswith(".committed")]
    assert len(committed) >= 3
    if change == "first chunk missing":
        committed[0].unlink()
    elif change == "middle chunk missing":
        committed[1].unlink()
    elif change == "chunks swapped":
        one, two = committed[0].read_bytes(), committed[1].read_bytes()
        committed[0].write_bytes(two)
        committed[1].write_bytes(one)
    elif change == "foreign file":
        (node.ledger_directory / "README.txt").write_text("not a chunk")
    elif change == "chunk twice":
        shutil.copy(committed[1], node.ledger_directory / committed[1].name.replace(".committed", ""))
    elif change == "committed chunk cut":
        with open(committed[1], "r+b") as file:
            file.truncate(committed[1].stat().st_size // 2)
    elif change == "byte flipped in committed chunk":
        ledger_files.flip(committed[1], committed[1].stat().st_size // 3)
    elif change == "committed chunk padded":
        with open(committed[1], "ab") as file:
            file.write(b"padding!")
    elif change == "wrong range in name":
        match = ledger_files.CHUNK.match(committed[1].name)
        committed[1].rename(committed[1].with_name(f"ledger_{match.group(1)}-{int(match.group(2)) + 1}.committed"))
    elif change == "directory in place of a chunk":
        committed[1].unlink()
        committed[1].mkdir()
    if change == "directory in place of a chunk":
        with pytest.raises(NodeDidNotStart):
            node.start()
    else:
        output = start_refused(node)
        assert "ledger" in output.lower()
    done = run_cli("ledger", "verify", node.ledger_directory, "--json")
    assert done.returncode in (1, 2), done.stdout


def both_refuse(node, code: int, *words):
    """`serve` and `ledger verify` agree, and neither hangs."""
    node.tampered = True
    for options in ([], ["--verify-on-start"]):
        node.options = ["--chunk-size", "8192", *options]
        try:
            node.start(timeout=20)
        except NodeDidNotStart as refused:
            assert refused.code == code, refused.output
            assert all(word in refused.output for word in words), refused.output
        else:
            pytest.fail("it was served")
    done = run_cli("ledger", "verify", node.ledger_directory, timeout=20)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("place", [0, 1, -2])
def test_a_missing_chunk_is_tampering(stopped, place):
    """What was committed and signed for is not there any more."""
    node, _ = stopped
    committed = [path for path in ledger_files.chunks(node.ledger_directory) if path.name.endswith(".committed")]
    committed[place].unlink()
    assert "gap" in both_refuse(node, 1, "missing").stderr


@pytest.mark.parametrize("place", [0, 1, -1, "open"])
def test_a_pipe_in_place_of_a_chunk_cannot_be_read(stopped, place):
    """The transactions may be well somewhere else: unable to tell."""
    node, _ = stopped
    files = ledger_files.chunks(node.ledger_directory)
    committed = [path for path in files if path.name.endswith(".committed")]
    victim = ledger_files.open_chunk(node.ledger_directory) if place == "open" else committed[place]
    victim.unlink()
    os.mkfifo(victim)
    done = both_refuse(node, 2, victim.name, "is not a regular file")
    assert victim.name in done.stderr and "is not a regular file" in done.stderr


@pytest.mark.parametrize("name", ["ledger/ledger_100000", "ledger/pipe", "snapshots/snapshot_90_91.committed"])
def test_a_pipe_beside_the_files_does_not_hang_the_start(stopped, name):
    node, _ = stopped
    node.tampered = True
    os.mkfifo(node.directory / name)
    start_refused(node, "is not a regular file", code=2)


@pytest.mark.parametrize("victim", ["index", "lock", "node.json", "service_cert.pem"])
def test_derived_files_come_back(stopped, identities, victim):
    node, ids = stopped
    target = node.directory / victim
    if not target.exists():
        pytest.skip(f"no {victim} in this version")
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()
    if victim == "node.json":  # says which ledger this is; without it the node may refuse, but must not start anew
        try:
            node.start()
        except NodeDidNotStart as refused:
            assert refused.code and refused.code > 0
            node.tampered = True
            return
    else:
        node.start()
    rest = Rest(node, identities.admin)
    for name in ids:
        assert rest.get(f"/app/transactions/{name}").status == 200
        assert rest.get(f"/app/transactions/{name}/receipt").json()["state"] == "Ready"


@pytest.mark.parametrize("seed", range(4))
def test_corrupted_index_is_rebuilt(stopped, identities, seed):
    node, ids = stopped
    pick = random.Random(seed)
    touched = 0
    for path in sorted((node.directory / "index").rglob("*")):
        if not path.is_file() or path.stat().st_size == 0:
            continue
        data = bytearray(path.read_bytes())
        if seed == 0:
            data = data[: len(data) // 2]
        elif seed == 1:
            data = bytearray(pick.randbytes(len(data)))
        elif seed == 2:
            data[0:64] = bytes(64)
        else:
            for _ in range(20):
                data[pick.randrange(len(data))] ^= 1 << pick.randrange(8)
        path.write_bytes(bytes(data))
        touched += 1
    assert touched
    node.start()
    rest = Rest(node, identities.admin)
    pem = node.service_certificate.read_text()
    from support.receipts import verify_with_sdk

    for number, name in enumerate(ids):
        answer = rest.get(f"/app/transactions/{name}")
        assert answer.status == 200, (name, answer)
        assert answer.json()["entry"]["contents"].startswith(f"{number} ")
        verify_with_sdk(rest.get(f"/app/transactions/{name}/receipt").json(), pem)
    listed = rest.get("/app/transactions", query={"limit": 100}).json()["entries"]
    assert len(listed) == 50


@pytest.mark.parametrize("loss", ["end", "open chunk", "everything"])
def test_a_refusal_holds(new_node, identities, loss):
    """However often a supervisor starts it again, until the operator has done what the message says."""
    node = new_node("private")
    rest = Rest(node, identities.admin)
    ids = [rest.append(str(number)).transaction_id for number in range(10)]
    node.stop()
    node.tampered = True
    chunk = ledger_files.open_chunk(node.ledger_directory)
    if loss == "end":
        with open(chunk, "r+b") as file:
            file.truncate(chunk.stat().st_size - 100)
    elif loss == "open chunk":
        chunk.unlink()
    else:
        shutil.rmtree(node.ledger_directory)
    for _ in range(3):
        output = start_refused(node)
        assert "never committed" not in output
    shutil.rmtree(node.directory / "index")
    if loss == "everything":
        start_refused(node, "restore", code=2)
        return
    node.start()
    rest = Rest(node, identities.admin)
    assert rest.get(f"/app/transactions/{ids[-1]}").status == 404
    assert rest.append("after the loss").status == 200


def test_stolen_index_of_another_ledger(new_node, identities):
    one, two = new_node("public"), new_node("public")
    for number in range(20):
        Rest(one, identities.admin).append(f"one {number}")
        name = Rest(two, identities.admin).append(f"two {number}").transaction_id
    one.stop()
    two.stop()
    shutil.rmtree(two.directory / "index")
    shutil.copytree(one.directory / "index", two.directory / "index")
    two.start()
    rest = Rest(two, identities.admin)
    assert rest.get(f"/app/transactions/{name}").json()["entry"]["contents"] == "two 19"
    assert all(item["contents"].startswith("two")
               for item in rest.get("/app/transactions", query={"limit": 100}).json()["entries"])


def test_snapshots_may_be_deleted_or_damaged(new_node, identities):
    node = new_node("private", options=["--snapshot-interval", "20"])
    rest = Rest(node, identities.admin)
    ids = [rest.append(str(number)).transaction_id for number in range(80)]
    rest.set_user("someone", "Reader")
    node.stop()
    snapshots = sorted((node.directory / "snapshots").iterdir())
    assert snapshots
    for path in snapshots[:-1]:
        path.unlink()
    ledger_files.flip(snapshots[-1], snapshots[-1].stat().st_size // 4)
    node.start()
    rest = Rest(node, identities.admin)
    assert rest.get("/app/users/someone").json()["assignedRole"] == "Reader"
    assert rest.get(f"/app/transactions/{ids[0]}").status == 200
    node.stop()
    shutil.rmtree(node.directory / "snapshots")
    node.start()
    assert Rest(node, identities.admin).get("/app/users/someone").json()["assignedRole"] == "Reader"


@pytest.mark.parametrize("arguments, words", [
    (["--listen", "127.0.0.1:99999"], ["listen"]), (["--listen", "nonsense"], ["listen"]),
    (["--ledger-type", "secret"], ["ledger-type"]), (["--name", "x"], ["name"]), (["--name", "no spaces please"], ["name"]),
    (["--admin-certificate", "/nonexistent.pem"], ["/nonexistent.pem"]), (["--oidc-issuer", "not a url"], ["issuer"]),
    (["--san", "bad name/"], ["san", "bad name/"]), (["--listen", "*:0"], ["0.0.0.0:0", "[::]:0"]),
    (["--chunk-size", "1"], ["chunk"]), (["--snapshot-interval", "0"], ["snapshot"]), (["--no-such-option"], ["no-such-option"]),
    (["--max-body-size", "-1"], ["max-body-size"]), (["--config", "/nonexistent.json"], ["/nonexistent.json"]),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_bad_serve_options(tmp_path, arguments, words):
    data = tmp_path / "data"
    options = ["serve", "--data", data]
    if "--listen" not in arguments:
        options += ["--listen", "127.0.0.1:0"]
    done = run_cli(*options, *arguments, timeout=30)
    assert done.returncode == 2, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert not (data / "ledger").exists() or not any((data / "ledger").iterdir()), "nothing was created"


def test_a_taken_port_creates_nothing(tmp_path):
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_cli("serve", "--data", data, "--listen", f"127.0.0.1:{port}", timeout=30)
    assert done.returncode == 2 and str(port) in done.stderr, done.stderr
    assert not data.exists()


def test_admin_certificate_that_is_none(tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    done = run_cli("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--admin-certificate", bad, timeout=30)
    assert done.returncode == 2
    assert "bad.pem: its certificate cannot be read" in done.stderr


@pytest.mark.parametrize("words", [("serve", "--listen", "127.0.0.1:0", "--admin-certificate"), ("user", "set", "Reader", "--from-certificate")])
@pytest.mark.parametrize("count, rule", [(0, "holds no PEM certificate"), (2, "holds 2 certificates")])
def test_file_for_one_person_holds_one_certificate(tmp_path, words, count, rule):
    people = [make_identity(tmp_path, f"person{number}") for number in range(count)]
    file = tmp_path / "people.pem"
    file.write_text("".join(person.certificate_file.read_text() for person in people))
    done = run_cli(*words, file, "--data", tmp_path / "data", timeout=30)
    assert done.returncode == 2
    assert f"people.pem: {rule}" in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_admin_certificate_is_one_and_for_a_new_ledger(tmp_path, new_node, identities):
    both = tmp_path / "both.pem"
    both.write_text(identities.admin.certificate_file.read_text() + identities.reader.certificate_file.read_text())
    done = run_cli("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--admin-certificate", both, timeout=30)
    assert done.returncode == 2 and "both.pem: holds 2 certificates" in done.stderr, done.stderr
    node = new_node("public", users=False)
    node.restart()
    assert "only used when" not in node.log()
    node.stop()
    node.administrator = identities.contributor
    node.start()
    assert "only used when a ledger is created" in node.log() and identities.contributor.user_id in node.log()


def test_no_administrator_given_makes_one(new_node):
    node = new_node("public", administrator=None, users=False)
    made = node.directory / "admin.pem"
    assert made.stat().st_mode & 0o077 == 0
    assert node.says("admin.pem"), "and says so"
    done = run_cli("entry", "append", "--data", node.directory, "--url", node.url, "hello", "--json")
    assert done.returncode == 0, done.stderr
    done = run_cli("entry", "list", "--data", node.directory, "--url", node.url, "--json")
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[0])["contents"] == "hello"


def test_every_line_of_a_json_log_is_json(data_directory):
    """Also the one about the administrator that a first start makes; times say that they are UTC."""
    program = subprocess.Popen(
        [str(binary()), "serve", "--data", str(data_directory), "--listen", "127.0.0.1:0", "--log-format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    try:
        assert program.stdout.readline().startswith("ready: ")
        program.send_signal(signal.SIGTERM)
        _, log = program.communicate(timeout=30)
    finally:
        program.kill()
    told = [json.loads(line) for line in log.splitlines()]
    assert program.returncode == 0 and any("made an administrator" in line["message"] for line in told)
    for line in told:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["time"]), line


def test_verify_commands_on_nonsense(tmp_path):
    absent = run_cli("ledger", "verify", tmp_path / "absent")
    assert absent.returncode == 2 and "absent" in absent.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run_cli("ledger", "verify", empty)
    assert done.returncode in (1, 2), "nothing verified is not fine"


@pytest.mark.parametrize("ledger_type", ["private", "public"])
def test_the_ledger_type_is_not_what_a_plain_file_says(new_node, ledger_type):
    """One word in node.json had a private ledger write in clear."""
    node = new_node(ledger_type)
    node.stop()
    other = {"private": "public", "public": "private"}[ledger_type]
    settings = node.directory / "node.json"
    settings.write_text(settings.read_text().replace(f'"{ledger_type}"', f'"{other}"'))
    node.ledger_type = None
    start_refused(node, "node.json", f"is {other},", f"is {ledger_type}.", code=2)
    settings.write_text(settings.read_text().replace(f'"{other}"', f'"{ledger_type}"'))
    node.start()


@pytest.mark.parametrize("view", [1_999_999_999, 2_147_483_647])
def test_an_absurd_view_is_refused(stopped, view):
    """Each skipped view takes memory: 11.8 GB at the next write."""
    node, _ = stopped
    path = node.directory / "keys" / "view"
    path.write_text(f"view {view}\n")
    start_refused(node, "keys/view", str(view), "views ahead", code=2)
    path.write_text("view 5000\n")
    node.start()


@pytest.mark.parametrize("view, has_file, starts_in", [
    (1 << 30, True, 3), (2000, True, 3), (1 << 30, False, 3), (0xFFFFFFFF, False, 3), (2000, False, 2001)])
def test_a_tail_that_is_not_authentic_burns_no_views(new_node, identities, view, has_file, starts_in):
    """A copy of an entry with the next number and a view of somebody's choice. Where the node's own word about its views is
    lost, a view that it can have come to is not used again."""
    node = new_node("public")
    for number in range(3):
        Rest(node, identities.admin).append(str(number))
    node.stop()
    chunk = ledger_files.open_chunk(node.ledger_directory)
    offset, length = ledger_files.entries(chunk)[-2]
    entry = bytearray(chunk.read_bytes()[offset : offset + length])
    seqno = int.from_bytes(entry[24:32], "little")
    following = (seqno + 2).to_bytes(8, "little")
    entry[24:36] = following + view.to_bytes(4, "little")
    place = entry.index(seqno.to_bytes(8, "little"), 36)
    entry[place : place + 8] = following
    with open(chunk, "ab") as file:
        file.write(entry)
    if not has_file:
        (node.directory / "keys" / "view").unlink()
    node.start()
    assert (node.directory / "keys" / "view").read_text().split() == ["view", str(starts_in)]
    assert Rest(node, identities.admin).append("after").transaction_id == f"{starts_in}.{seqno + 2}"
    assert len(list((node.directory / "set-aside").iterdir())) == 1


def database(node) -> sqlite3.Connection:
    return sqlite3.connect(node.directory / "index" / "index.sqlite", isolation_level=None, check_same_thread=False)


@pytest.fixture
def indexed(new_node, identities):
    """A stopped node whose next start goes on with the index that is there."""
    node = new_node("private", options=["--snapshot-interval", "20"])
    rest = Rest(node, identities.admin)
    ids = [rest.append(str(number), tags=[["even", "odd"][number % 2]]).transaction_id for number in range(40)]
    assert len(listed(rest)) == 40
    node.stop()
    assert list((node.directory / "snapshots").iterdir())
    return node, ids


def listed(rest, **query):
    answer = rest.get("/app/transactions", query={"limit": 100, **query})
    return [item["contents"] for item in answer.json()["entries"]] if answer.status == 200 else answer


@pytest.mark.parametrize("how", [
    "locked", "locked for writing", "another schema", "log lost", "merkle", "link", "folder in its place"])
def test_an_index_out_of_reach_is_still_a_witness(indexed, tmp_path, how):
    """What was committed is not forgotten because the file that knows it cannot be opened for a moment."""
    node, ids = indexed
    node.tampered = True
    chunk = ledger_files.open_chunk(node.ledger_directory)
    os.truncate(chunk, ledger_files.entries(chunk)[-2][0])
    if how == "log lost":  # with it what was not in the file when the node ended
        for end in ("wal", "shm"):
            (node.directory / "index" / f"index.sqlite-{end}").unlink(missing_ok=True)
    start_refused(node, "cut off or changed", code=1)
    index, holder, words = node.directory / "index", None, ["cut off or changed"]
    if how.startswith("locked"):
        holder = database(node)
        if how == "locked":
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE" if how == "locked" else "BEGIN IMMEDIATE")
        words = ["index.sqlite", "locked"]
    elif how == "another schema":
        database(node).execute("UPDATE meta SET value = 2 WHERE key = 'schema'")
    elif how == "merkle":
        (index / "merkle" / "level-01").unlink()
        (index / "merkle" / "level-01").mkdir()
    elif how == "link":
        index.rename(tmp_path / "mounted")
        index.symlink_to(tmp_path / "elsewhere")
        words = ["index", "no such file"]
    elif how == "folder in its place":
        (index / "index.sqlite").rename(tmp_path / "index.sqlite")
        (index / "index.sqlite").mkdir()
        words = ["index.sqlite", "cannot be used"]
    for _ in range(2):
        start_refused(node, *words)
    if holder:
        holder.close()
        start_refused(node, "cut off or changed", code=1)


def test_an_index_that_another_process_holds_for_a_moment_is_waited_for(indexed, identities):
    node, _ = indexed
    holder = database(node)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    threading.Timer(2, lambda: holder.close()).start()
    node.start()
    assert "rebuilt" not in node.log()
    assert len(listed(Rest(node, identities.admin))) == 40


def root_page(node, table) -> int:
    connection = database(node)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    connection.close()
    return page


@pytest.mark.parametrize("table", ["by_collection", "names", "heads", "times", "by_tag", "meta", "sqlite_master"])
def test_a_damaged_page_of_the_index_heals(indexed, identities, table):
    """At the latest at the next start after it was met, and `/health` does not say `ok` meanwhile."""
    node, ids = indexed
    page = 1 if table == "sqlite_master" else root_page(node, table)
    path = node.directory / "index" / "index.sqlite"
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(random.Random(table).randbytes(4096))
    expected = [str(number) for number in range(40)]
    for round in range(3):
        node.start()
        rest = Rest(node, identities.admin)
        assert rest.append(f"{40 + round}").status == 200
        expected.append(f"{40 + round}")
        seen = [listed(rest), listed(rest, tag="odd"), listed(rest, fromTime="2020-01-01T00:00:00Z")]
        healed = seen == [expected, expected[1:40:2], expected]
        health = rest.get("/health").json()
        if not healed:
            assert round == 0 and any(getattr(answer, "code", None) == "IndexUnavailable" for answer in seen), seen
            assert health["status"] == "degraded" and "index" in health["reason"], health
        if table in ("meta", "sqlite_master") and round == 0:
            assert "did not tell what was committed" in health["notes"][0], health
        elif healed:
            assert "notes" not in health, health
        node.stop()
    assert healed


@pytest.mark.parametrize("change", [
    "UPDATE meta SET value = -5 WHERE key = 'indexed_to'", "UPDATE meta SET value = 'x' WHERE key = 'indexed_to'",
    "INSERT INTO times VALUES (-9, 5)", "UPDATE OR REPLACE by_collection SET seqno = 7 WHERE seqno = 20"])
def test_numbers_that_no_index_holds(indexed, identities, change):
    node, ids = indexed
    connection = database(node)
    connection.execute(change)
    connection.close()
    for round in range(2):
        node.start()
        rest = Rest(node, identities.admin)
        seen = listed(rest, fromTime="2020-01-01T00:00:00Z")
        health = rest.get("/health").json()
        healed = seen == [str(number) for number in range(40)]
        if "meta" in change:
            assert healed and ("did not tell what was committed" in str(health.get("notes"))) == (round == 0), health
        elif round == 0:
            assert seen.status == 503 and seen.code == "IndexUnavailable", seen
            assert health["status"] == "degraded", health
        node.stop()
    assert healed


@pytest.mark.parametrize("age", ["new", "old"])
def test_the_index_of_another_ledger_hides_nothing(indexed, new_node, identities, age):
    """A mixed-up restore: only the database is that of a ledger of the same length. Older files do not say whose they are."""
    node, ids = indexed
    other = new_node("private", options=["--snapshot-interval", "20"])
    rest = Rest(other, identities.admin)
    for number in range(60):
        rest.append(str(number), collection="other")
    rest.get("/app/collections")
    other.stop()
    connection = database(other)
    if age == "old":
        connection.execute("DELETE FROM meta WHERE key = 'ledger'")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'indexed_to'", (int(ids[-1].split(".")[1]) + 1,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copy(other.directory / "index" / "index.sqlite", node.directory / "index" / "index.sqlite")
    for end in ("wal", "shm"):
        (node.directory / "index" / f"index.sqlite-{end}").unlink(missing_ok=True)
    node.start()
    rest = Rest(node, identities.admin)
    answer = listed(rest, collectionId="other")
    if age == "old":
        assert answer.status == 503 and answer.code == "IndexUnavailable", answer
        assert rest.get("/health").json()["status"] == "degraded"
        node.restart()
        rest = Rest(node, identities.admin)
        answer = listed(rest, collectionId="other")
    else:
        assert "another ledger" in rest.get("/health").json()["notes"][0]
    assert answer == [] and len(listed(rest)) == 40
    assert rest.get("/health").json()["status"] == "ok"


@pytest.mark.parametrize("value", [8, 5000, 1, (1 << 64) - 1])
def test_the_first_bytes_of_the_open_chunk_are_put_right(stopped, identities, value):
    """A word that says the chunk is complete; other readers would refuse the directory until it is."""
    node, ids = stopped
    chunk = ledger_files.open_chunk(node.ledger_directory)
    with open(chunk, "r+b") as file:
        file.write(value.to_bytes(8, "little"))
    node.start()
    assert chunk.read_bytes()[:8] == bytes(8)
    rest = Rest(node, identities.admin)
    assert chunk.name in rest.get("/health").json()["notes"][0]
    assert rest.append("after").status == 200


@pytest.mark.parametrize("part", ["ledger", "snapshots", "scratch"])
def test_parts_on_another_file_system_are_refused(new_node, identities, small_disk, part):
    """Files could not be moved there in one step: writes would end with the first new chunk."""
    if small_disk is None:
        pytest.skip("needs a small file system")
    first = new_node("private", start=False)
    first.directory.mkdir()
    (first.directory / part).symlink_to(small_disk)
    with pytest.raises(NodeDidNotStart) as refused:
        first.start()
    assert refused.value.code == 2 and "different file systems" in refused.value.output
    assert not list((first.directory / "keys").iterdir()) and not (first.directory / "node.json").exists()
    first.tampered = True
    node = new_node("private")
    Rest(node, identities.admin).append("one")
    node.stop()
    shutil.copytree(node.directory / part, small_disk / part)
    shutil.move(node.directory / part, node.directory.with_name("kept"))
    (node.directory / part).symlink_to(small_disk / part)
    start_refused(node, f"/{part}", "different file systems", code=2)
    (node.directory / part).unlink()
    shutil.move(node.directory.with_name("kept"), node.directory / part)
    node.start()


def test_verify_on_start_finds_what_was_taken_out_of_the_index(new_node, identities):
    node = new_node("public", options=["--snapshot-interval", "10", "--chunk-size", "4096"])
    rest = Rest(node, identities.admin)
    for number in range(40):
        rest.append(f"{number}", collection="keys")
    newest = rest.append("revoked", collection="keys").transaction_id
    node.stop()
    index = sqlite3.connect(node.directory / "index" / "index.sqlite")
    collection = index.execute("SELECT id FROM names WHERE name = 'keys'").fetchone()[0]
    seqno = int(newest.split(".")[1])
    for table in ("by_collection", "by_author"):
        index.execute(f"DELETE FROM {table} WHERE collection = ? AND seqno = ?", (collection, seqno))
    last = index.execute("SELECT max(seqno) FROM by_collection WHERE collection = ?", (collection,)).fetchone()[0]
    index.execute("UPDATE heads SET last = ? WHERE collection = ?", (last, collection))
    index.commit()
    index.close()
    node.options.append("--verify-on-start")
    node.start()
    rest = Rest(node, identities.admin)
    current = rest.get("/app/transactions/current", query={"collectionId": "keys"})
    assert current.json()["contents"] == "revoked"
