"""What the client commands print and write is what was asked for, compared and nothing else, whatever a server sends;
and files named by the user are written as the user meant it."""

import base64
import hashlib
import os
import stat
import subprocess
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from support.node import binary, clean_environment, retry_until, run_cli
from support.rest import Rest
from test_lying_ledger import COLLECTION, Liar, certificate, liar  # noqa: F401

ESCAPE = "\x1b[2J"


def fingerprint(pem: str) -> str:
    return hashlib.sha256(base64.b64decode("".join(pem.splitlines()[1:-1]))).hexdigest()


def stranger() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    return certificate("Stranger", key, "Stranger", key, True)


def test_a_list_without_end_does_not_fill_the_memory(liar, identities):
    """Every page has another link to the next one."""
    large = "x" * (32 << 20)

    def page(target):
        number = int(target.rpartition("page=")[2]) if "page=" in target else 0
        return {"ledgerUsers": [], "more": large, "nextLink": f"/app/ledgerUsers?page={number + 1}"}

    liar.answers["/app/ledgerUsers"] = (200, page)
    done = run_cli(
        "user", "list", "--url", liar.url, "--service-certificate", liar.pin, "--certificate",
        identities.admin.combined_file, timeout=100)
    assert done.returncode == 2 and "too long" in done.stderr, done


# The identity


@pytest.mark.parametrize("change", [
    lambda real, other: real + other,
    lambda real, other: real + other.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
    lambda real, other: real + other.replace("CERTIFICATE", "X509 CERTIFICATE"),
    lambda real, other: "Service:\n" + real,
    lambda real, other: real.replace("-----END", other + "-----END"),
    lambda real, other: real.replace("\n-----END", "AAAA\n-----END"),
    lambda real, other: other.replace("BEGIN CERTIFICATE", "BEGIN  CERTIFICATE") + real,
    lambda real, other: "",
], ids=["two", "trusted", "x509", "text before", "nested", "more bytes", "other spelling", "empty"])
def test_an_identity_is_exactly_one_certificate(liar, tmp_path, change):
    real, out = liar.pin.read_text(), tmp_path / "out.pem"
    liar.answers["/ledgerIdentity/x"] = (200, {"ledgerId": "x", "ledgerTlsCertificate": change(real, stranger())})
    done = run_cli(
        "identity", "get", liar.url, "--ledger", "x", "--expect-fingerprint", fingerprint(real), "--output", out)
    assert done.returncode == 2 and "exactly one PEM certificate" in done.stderr, done
    assert not out.exists()


def test_an_identity_is_written_as_it_was_understood(liar, tmp_path):
    real, out = liar.pin.read_text(), tmp_path / "out.pem"
    sent = "\r\n" + real.replace("\n", "\r\n") + "\n\n"
    liar.answers["/ledgerIdentity/x"] = (200, {"ledgerId": "x", "ledgerTlsCertificate": sent})
    done = run_cli(
        "identity", "get", liar.url, "--ledger", "x", "--expect-fingerprint", fingerprint(real), "--output", out)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == real


def test_a_ledger_id_forges_no_line(liar, tmp_path):
    name = "x, fingerprint AA:BB\n" + ESCAPE
    liar.answers["/ledgerIdentity/x"] = (200, {"ledgerId": name, "ledgerTlsCertificate": liar.pin.read_text()})
    done = run_cli("identity", "get", liar.url, "--ledger", "x", "--output", tmp_path / "out.pem")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1 and "\x1b" not in done.stdout, done


# Entries


@pytest.fixture
def client(liar, identities):
    """A liar that proves one entry of the collection `digests`, 2.9, whatever it is asked."""
    entry = {"transactionId": "2.9", "collectionId": COLLECTION, "contents": "a draft", "tags": ["signed"]}
    liar.entries.append(entry)
    liar.receipts["2.9"] = liar.receipt("2.9", "a draft")
    liar.answers["/app/transactions/2.9"] = (200, {"state": "Ready", "entry": entry})
    liar.answers["/app/transactions/current"] = (200, entry)
    liar.answers["/app/commit"] = (200, {"transaction_id": "2.9"})

    def run(*words):
        return run_cli(
            *words, "--url", liar.url, "--service-certificate", liar.pin, "--certificate",
            identities.reader.combined_file, timeout=20)

    return run


@pytest.mark.parametrize("words", [
    "list", "list --collection contracts", "list --collection contracts --no-receipt", "get --collection contracts",
    "get", "get 2.9 --collection contracts", "list --collection digests --from 2.10",
    "list --collection digests --to 2.8", "list --collection digests --tag unsigned",
    "watch --after 2.5 --count 1", "watch --collection contracts --after 2.5 --count 1"])
def test_entries_are_the_ones_that_were_asked_for(client, words):
    done = client("entry", *words.split())
    assert done.returncode == 1 and "a draft" not in done.stdout, done


@pytest.mark.parametrize("words", [
    "get 2.9", "get 2.9 --collection digests", "get --collection digests",
    "list --collection digests --from 2.9 --to 2.9 --tag signed",
    "watch --collection digests --after 2.8 --count 1"])
def test_entries_that_were_asked_for_are_shown(client, words):
    done = client("entry", *words.split())
    assert done.returncode == 0 and "a draft" in done.stdout, done


# Text of others


def test_users_and_errors_do_not_steer_the_terminal(liar, client):
    user = {"userId": "a\n" + ESCAPE, "assignedRoles": ["b\tc\n"]}
    liar.answers["/app/ledgerUsers"] = (200, {"ledgerUsers": [user]})
    liar.answers["/app/ledgerUsers/a"] = (200, user)
    error = {"error": {"code": "X" + ESCAPE, "message": "m\nverified 2.9 " + ESCAPE}}
    liar.answers["/app/collections"] = (403, error)
    liar.answers["/ledgerIdentity/x"] = (403, error)
    for words in (("user", "list"), ("user", "get", "a")):
        done = client(*words)
        assert done.returncode == 0 and len(done.stdout.splitlines()) == 1 and "\x1b" not in done.stdout, done
    for done in (client("collection", "list"), run_cli("identity", "get", liar.url, "--ledger", "x")):
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "\x1b" not in done.stderr, done


def test_a_list_of_users_that_leads_back_to_itself_ends(liar, client):
    page = {"ledgerUsers": [{"userId": "a", "assignedRoles": ["Reader"]}] * 50, "nextLink": "/app/ledgerUsers?x=1"}
    liar.answers["/app/ledgerUsers"] = (200, page)
    done = client("user", "list")
    assert done.returncode == 2 and "the next page is one that was read before" in done.stderr, done


# Input and output


def test_lines_of_a_pipe_are_appended_as_they_come(public_node, identities):
    collection = uuid.uuid4().hex
    rest = Rest(public_node, identities.admin)
    with subprocess.Popen(
        [str(binary()), "entry", "append", "--lines", "--jobs", "1", "--collection", collection, "--url",
         public_node.url, "--service-certificate", str(public_node.service_certificate), "--certificate",
         str(identities.admin.combined_file)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment()) as program:
        for number in range(3):
            program.stdin.write(f"line {number}\n")
            program.stdin.flush()
            retry_until(lambda: rest.get(
                "/app/transactions/current", query={"collectionId": collection}).body.count(b"line %d" % number))
        output, _ = program.communicate()
    assert program.returncode == 0 and len(output.splitlines()) == 3
    rest.close()


@pytest.fixture
def write(public_node):
    """Writes the certificate of a node to a place and returns what was printed."""
    def run(place, **options):
        done = subprocess.run(
            [str(binary()), "identity", "get", public_node.url, "--output", str(place)], capture_output=not options,
            env=clean_environment(), timeout=20, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.expected = public_node.service_certificate.read_bytes()
    return run


def test_output_to_files(write, tmp_path):
    kept, new, link, dangling = (tmp_path / name for name in ("kept", "new", "link", "dangling"))
    kept.write_text("old")
    kept.chmod(0o600)
    link.symlink_to("kept")
    dangling.symlink_to(tmp_path / "later")
    for place in (new, link, dangling):
        write(place)
        assert place.read_bytes() == write.expected
    assert link.is_symlink() and dangling.is_symlink() and (tmp_path / "later").exists()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(new.stat().st_mode) == 0o666 & ~mask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "kept", "later", "link", "new"]


@pytest.mark.parametrize("through_link", [False, True], ids=["pipe", "link to a pipe"])
def test_output_to_a_pipe(write, tmp_path, through_link):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    # Open for writing as well, so that the reader ends whatever the program does.
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        write(link if through_link else pipe)
        assert os.read(descriptor, 1 << 16) == write.expected
    finally:
        os.close(descriptor)
    assert stat.S_ISFIFO(pipe.lstat().st_mode) and link.is_symlink()


def test_output_to_standard_output(write, tmp_path):
    """Is the certificate and nothing else, and added to what is there. `/proc/self/fd/1`, not `/dev/stdout`: nothing on
    the machine is at risk if this fails."""
    assert write("/proc/self/fd/1") == write.expected
    link = tmp_path / "link"
    link.symlink_to("/proc/self/fd/1")
    log = tmp_path / "log"
    for name in ("/proc/self/fd/1", "//proc/./self/fd/1", link):
        assert write(name) == write.expected
        log.write_bytes(b"before\n")
        with open(log, "ab") as out:
            write(name, stdout=out)
        assert log.read_bytes() == b"before\n" + write.expected
