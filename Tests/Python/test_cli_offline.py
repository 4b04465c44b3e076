"""The program's commands that need no server: help, usage errors, exit codes, receipts and directories."""

import base64
import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from support.certificates import make_identity
from support.node import ROOT, binary, clean_environment, run_cli

VECTORS = ROOT / "Vectors/ccf"
SNAPSHOTS = Path(__file__).parent / "snapshots"

COMMANDS = [
    [], ["serve"], ["entry"], ["entry", "append"], ["entry", "get"], ["entry", "list"], ["entry", "watch"],
    ["receipt"], ["receipt", "get"], ["receipt", "verify"],
    ["user"], ["user", "set"], ["user", "get"], ["user", "list"], ["user", "remove"],
    ["role"], ["role", "set"], ["role", "get"], ["role", "list"], ["role", "remove"],
    ["collection"], ["collection", "list"],
    ["ledger"], ["ledger", "verify"], ["ledger", "inspect"], ["identity"], ["identity", "get"],
    ["sql"], ["sql", "init"], ["sql", "enable"], ["sql", "status"], ["sql", "exec"], ["sql", "shell"], ["sql", "digest"],
    ["sql", "watch"], ["sql", "verify"], ["sql", "history"], ["sql", "blocks"], ["sql", "repair"],
    ["evidence"], ["evidence", "export"], ["evidence", "verify"], ["evidence", "page"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: "-".join(words) or "root")
def test_help(words):
    """Every command explains itself and shows examples. The texts are kept, so that a change is seen in review:
    delete the file under snapshots/ to accept a new text."""
    done = run_cli(*words, "--help", environment={"COLUMNS": "100"})
    assert done.returncode == 0 and done.stderr == ""
    assert "OVERVIEW" in done.stdout
    assert "EXAMPLES" in done.stdout
    SNAPSHOTS.mkdir(exist_ok=True)
    kept = SNAPSHOTS / f"help-{'-'.join(words) or 'root'}.txt"
    if not kept.exists():
        kept.write_text(done.stdout)
    assert done.stdout == kept.read_text(), f"the help text differs from {kept.name}"


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: "-".join(words) or "root")
def test_examples_can_be_pasted(words):
    """On a terminal of 80 columns the argument parser breaks longer lines, and a pasted half runs half a command: every
    line under EXAMPLES stands as it was written, and goes on in the next one only after a backslash."""
    wide, narrow = (run_cli(*words, "--help", environment={"COLUMNS": columns}).stdout for columns in ("200", "80"))
    examples = [text.split("EXAMPLES\n")[1].split("\n\n")[0].splitlines() for text in (wide, narrow)]
    assert examples[0] == examples[1], "an example is broken"
    open_line = False
    for line in examples[0]:
        assert len(line) <= 80, line
        assert re.match(r"      \S" if open_line else r"  (indelible|journalctl) ", line), line
        open_line = line.endswith(" \\")
    assert examples[0] and not open_line


@pytest.mark.parametrize("words", [[], ["ledger"], ["sql"]])
def test_nothing_was_asked_for(words):
    """A script that calls the program without a command is not told that all is well."""
    done = run_cli(*words)
    assert done.returncode == 2 and done.stdout == "" and "SUBCOMMANDS" in done.stderr
    assert run_cli("help", *words).returncode == 0


def test_arguments_beside_a_library_that_sets_a_variable(tmp_path):
    """The runtime looks for the arguments beside the environment, which is elsewhere then."""
    source = tmp_path / "sets.c"
    source.write_text('#include <stdlib.h>\n__attribute__((constructor)) static void set(void) { setenv("A_TOOL", "1", 1); }\n')
    library = tmp_path / "sets.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = run_cli("ledger", "verify", "/nonexistent", environment={"LD_PRELOAD": str(library)})
    assert done.returncode == 2 and "/nonexistent" in done.stderr, done


def test_version():
    done = run_cli("--version")
    assert done.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words, says", [
    (["nonsense"], "nonsense"),
    (["entry", "append", "--nonsense"], "--nonsense"),
    (["entry", "append", "--jobs", "x", "a"], "x"),
    (["entry", "append", "--jobs", "5000", "a"], "--jobs"),
    (["entry", "append", "--tag=1", "--tag=2", "--tag=3", "--tag=4", "--tag=5", "--tag=6", "a"], "--tag"),
    (["entry", "append", "a", "--file", "b"], "--file"),
    (["evidence", "verify", ""], "an empty name"),
    (["evidence", "verify", "x", "--expect-ledger", "\x1b[31mred"], "\\u{1b}[31mred"),
    (["receipt", "verify", "x\x1b[2J", "--nope\x1b[2J"], "\\u{1b}[2J"),
    (["entry", "watch", "--interval", "0x10"], "0x10"),
    (["receipt", "get"], "<id>"),
    (["receipt", "get", "2"], "2"),
    (["receipt", "get", "0.0"], "0.0"),
    (["receipt", "verify"], "<file>"),
    (["ledger", "verify"], "<directory>"),
    (["ledger", "verify", "/nonexistent"], "/nonexistent"),
    (["ledger", "verify", ".", "--secret-from", "a", "--secret-file", "b"], "--secret-from"),
    (["ledger", "inspect", "/nonexistent"], "/nonexistent"),
    (["ledger", "inspect", str(VECTORS / "ledger"), "--from", "x"], "--from"),
    (["ledger", "inspect", str(VECTORS / "ledger"), "--from", "9", "--to", "8"], "--to"),
    (["ledger", "inspect", str(VECTORS / "ledger"), "--from", "9999"], "no transactions"),
    (["ledger", "verify", str(VECTORS / "ledger"), "--service-certificate", "/dev/null"], "/dev/null"),
    (["help", "nope"], "nope"),
    (["help", "entry", "nope"], "nope"),
    (["entry", "append", "--collection", "", "a"], "--collection"),
    (["entry", "append", "--tag", "a,b", "a"], "--tag"),
    (["entry", "append", "--tag", "", "a"], "--tag"),
    (["entry", "get", "--collection", ""], "--collection"),
    (["entry", "list", "--collection", ""], "--collection"),
    (["entry", "list", "--tag", "a,b"], "--tag"),
    (["identity", "get", "https://127.0.0.1", "--expect-fingerprint", "AA:BB"], "--expect-fingerprint"),
    (["identity", "get", "http://127.0.0.1"], "https"),
    (["identity", "get", "https://127.0.0.1/path"], "path"),
    (["entry", "get", "2.1"], "--service-certificate"),
    (["entry", "get", "2.1", "--service-certificate", "/nonexistent", "--certificate", "x"], "x"),
    (["serve"], "--data"),
    (["serve", "--data", "/tmp/x", "--listen", "nonsense"], "nonsense"),
    (["serve", "--data", "/tmp/x", "--listen", "::1:8443"], "brackets"),
    (["serve", "--data", "/tmp/x", "--ledger-type", "open"], "open"),
    (["serve", "--data", "/tmp/x", "--log-level", "loud"], "loud"),
    (["serve", "--data", "/tmp/x", "--log-format", "xml"], "xml"),
    (["serve", "--data", "/tmp/x", "--chunk-size", "1"], "--chunk-size"),
    (["serve", "--data", "/tmp/x", "--snapshot-interval", "9"], "--snapshot-interval"),
    (["serve", "--data", "/tmp/x", "--max-body-size", "0"], "--max-body-size"),
    (["serve", "--data", "/tmp/x", "--sealing-key", "a", "--sealing-passphrase-file", "b"], "--sealing-key"),
    (["serve", "--data", "/tmp/x", "--sealing-key", "/nonexistent"], "/nonexistent"),
    (["serve", "--data", "/tmp/x", "--admin-certificate", "/nonexistent"], "/nonexistent"),
    (["serve", "--config", "/nonexistent"], "/nonexistent"),
    (["serve", "--data", ""], "--data"),
    (["serve", "--data", "/tmp/x", "--listen", "nosuch.invalid:1"], "nosuch.invalid:1: there is no address"),
    (["serve", "--data", "/tmp/x", "--listen", "127.0.0.1:0", "--oidc-certificate-authority", "/dev/null"], "/dev/null"),
    (["serve", "--data", "/tmp/x", "--oidc-issuer", "https://issuer.example:99999"], "65535"),
    (["serve", "--data", "/tmp/x", "--oidc-issuer", "https://issuer.example?x"], "query"),
    (["serve", "--data", "/tmp/x", "--entra-tenant", "x/.."], "--entra-tenant: 'x/..'"),
    (["identity", "get", "https://127.0.0.1:99999"], "65535"),
    (["entry", "append", "--batch-id", "", "x"], "--batch-id"),
    (["evidence", "page", "--out", "/nonexistent/page.html"], "there is no directory /nonexistent"),
    (["entry", "append", "--file", "/dev/zero", "--data", "/tmp/x"], "/dev/zero: longer than"),
])
def test_usage_errors_exit_2_and_name_the_input(words, says):
    done = run_cli(*words)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == "" and done.stderr.startswith("error: ") and says in done.stderr
    assert "\x1b" not in done.stderr and "error: :" not in done.stderr
    assert not Path("/tmp/x/keys").exists(), "nothing was made"


@pytest.mark.parametrize("words, place", [
    ([b"sql", b"verify", b"x\xff.db"], "argument 3 is not UTF-8 text: 'x\\xff.db'"),
    ([b"entry", b"append", b"caf\xe9", b"--data", b"."], "argument 3 is not UTF-8 text: 'caf\\xe9'"),
    ([b"help", b"\xed\xa0\x80"], "argument 2 is not UTF-8 text"),
])
def test_arguments_are_utf_8(tmp_path, words, place):
    """Bytes that are no UTF-8 would become U+FFFD: another file, another entry. The other file is there."""
    for name in ("x\ufffd.db", "x.db"):
        shutil.copy(VECTORS / "receipts.json", tmp_path / name)
    done = subprocess.run([os.fsencode(binary()), *words], capture_output=True, cwd=tmp_path, env=clean_environment())
    assert done.returncode == 2 and done.stdout == b"" and place in done.stderr.decode(), done
    assert run_cli("help", "entry", "日本").stderr.startswith("error: help: there is no command '日本'")


def test_variables_are_utf_8(receipts):
    done = subprocess.run(
        [os.fsencode(binary()), b"receipt", b"verify", os.fsencode(receipts / "12.json")], capture_output=True,
        env={**{os.fsencode(name): os.fsencode(value) for name, value in clean_environment().items()},
             b"INDELIBLE_SERVICE_CERTIFICATE": b"x\xff.pem"})
    assert done.returncode == 2 and b"INDELIBLE_SERVICE_CERTIFICATE: is not UTF-8 text: 'x\\xff.pem'" in done.stderr, done


@pytest.mark.parametrize("words", [
    ["sql", "verify", "-dash.db"], ["ledger", "verify", "-backup-hourly"], ["evidence", "verify", "-h.json"],
    ["receipt", "verify", "-help"], ["-help"], ["ledger", "verify", "-hh"],
])
def test_a_name_with_a_dash_is_no_plea_for_help(words):
    """Help has the exit code that means 'verified' to a script."""
    done = run_cli(*words)
    assert done.returncode == 2 and done.stdout == "", done
    assert f"./{words[-1]}, or -- before it" in done.stderr


def test_names_with_dashes_can_be_named(receipts, tmp_path):
    shutil.copytree(VECTORS / "ledger", tmp_path / "-backup-hourly")
    for words in (["./-backup-hourly"], ["--", "-backup-hourly"]):
        done = subprocess.run([str(binary()), "ledger", "verify", *words], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0 and done.stdout.startswith("verified 32"), done


def test_short_help():
    for words in (["-h"], ["sql", "-h"], ["sql", "verify", "-h"], ["sql", "verify", "x.db", "-h"]):
        done = run_cli(*words)
        assert done.returncode == 0 and done.stdout == run_cli(*[w for w in words if w != "-h"], "--help").stdout
        assert "  -h, --help              Show help information." in done.stdout
    done = run_cli("ledger", "verify", "--", "-h")
    assert done.returncode == 2 and "-h: there is no such directory" in done.stderr


@pytest.mark.parametrize("content, says", [
    ("not json", "JSON object"), ("[]", "JSON object"), ('{"listn": "a"}', "listn"),
    ('{"max-body-size": "many"}', "max-body-size"), ('{"verify-on-start": "maybe"}', "verify-on-start"),
    ('{"san": "one"}', "san"), ('{"max-body-size": true}', "whole number"), ('{"verify-on-start": 1}', "true or false"),
    ('{"listen": null}', "listen"), ('{"data": "a", "data": "b"}', "twice"), ('{"san": ["a", 1]}', "san"),
    ('{"max-body-size": 2048.5}', "whole number"),
])
def test_configuration_file_errors(tmp_path, content, says):
    path = tmp_path / "config.json"
    path.write_text(content)
    done = run_cli("serve", "--data", tmp_path / "data", "--config", path)
    assert done.returncode == 2 and says in done.stderr and str(path) in done.stderr
    assert not (tmp_path / "data").exists()


def test_precedence(tmp_path):
    """Command line over environment over file, seen through the error that each value causes."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"data": str(tmp_path / "data"), "log-level": "from-file"}))
    fails = lambda *more, **kept: run_cli("serve", "--config", path, *more, **kept).stderr
    assert "from-file" in fails()
    assert "from-env" in fails(environment={"INDELIBLE_LOG_LEVEL": "from-env"})
    assert "from-flag" in fails("--log-level", "from-flag", environment={"INDELIBLE_LOG_LEVEL": "from-env"})
    assert "from-file" in fails(environment={"INDELIBLE_LOG_LEVEL": ""}), "an empty variable is none"
    assert "from-file" in fails(environment={"INDELIBLE_CHUNK_SIZE": "", "INDELIBLE_VERIFY_ON_START": ""})
    assert "INDELIBLE_CHUNK_SIZE" in fails("--log-level", "info", environment={"INDELIBLE_CHUNK_SIZE": "x"})


def test_output_that_cannot_be_written():
    """A full disk is told, a reader that has gone away is not, and neither ends the program by a signal."""
    command = [binary(), "ledger", "inspect", VECTORS / "ledger"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "standard output: No space left" in done.stderr
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.returncode == 2 and done.stderr == ""


def test_a_pipe_among_the_snapshots_is_not_waited_for(tmp_path):
    shutil.copytree(VECTORS / "ledger", tmp_path / "ledger")
    (tmp_path / "snapshots").mkdir()
    os.mkfifo(tmp_path / "snapshots/snapshot_1_2.committed")
    done = run_cli("ledger", "verify", tmp_path / "ledger", "--snapshots", timeout=30)
    assert done.returncode == 2 and "snapshot_1_2.committed: is not a regular file" in done.stderr


def test_credentials_that_do_not_fit_name_their_file(tmp_path):
    one, other = make_identity(tmp_path, "one"), make_identity(tmp_path, "other")
    key = "-----BEGIN PRIVATE KEY-----" + other.combined_file.read_text().split("-----BEGIN PRIVATE KEY-----")[1]
    wrong = tmp_path / "wrong.pem"
    wrong.write_text(one.certificate_file.read_text() + key)
    for given, says in [(wrong, "does not belong"), (one.certificate_file, "no PEM private key")]:
        done = run_cli("entry", "get", "--service-certificate", one.certificate_file, "--certificate", given)
        assert done.returncode == 2 and f"{given}: the client certificate: " in done.stderr and says in done.stderr


@pytest.fixture(scope="module")
def receipts(tmp_path_factory):
    """The receipts of the vectors as files, and the service certificate."""
    folder = tmp_path_factory.mktemp("receipts")
    vectors = json.loads((VECTORS / "receipts.json").read_text())
    (folder / "service.pem").write_text(vectors["service_cert"])
    for seqno, receipt in vectors["receipts"].items():
        (folder / f"{seqno}.json").write_text(json.dumps(receipt))
    for number, row in enumerate(json.loads((VECTORS / "cose_receipts.json").read_text())["receipts"]):
        (folder / f"{number}.cose").write_bytes(bytes.fromhex(row["receipt_hex"]))
    return folder


def verify(receipts, path, *more):
    return run_cli("receipt", "verify", path, "--service-certificate", receipts / "service.pem", *more)


def test_receipts_of_the_vectors(receipts):
    files = sorted(receipts.glob("*.json")) + sorted(receipts.glob("*.cose"))
    assert len(files) > 30
    for path in files:
        done = verify(receipts, path, "--json")
        assert done.returncode == 0, (path.name, done.stdout, done.stderr)
        answer = json.loads(done.stdout)
        assert answer["verified"] and answer["format"] == path.suffix[1:]


def test_changed_receipts_exit_1(receipts, tmp_path):
    for change in ["signature", "proof", "write_set_digest"]:
        receipt = json.loads((receipts / "12.json").read_text())
        if change == "signature":
            raw = bytearray(base64.b64decode(receipt["signature"]))
            raw[-1] ^= 1
            receipt["signature"] = base64.b64encode(raw).decode()
        elif change == "proof":
            side, value = next(iter(receipt["proof"][0].items()))
            receipt["proof"][0][side] = value[:-1] + ("0" if value[-1] != "0" else "1")
        else:
            receipt["leaf_components"][change] = "00" * 32
        path = tmp_path / f"{change}.json"
        path.write_text(json.dumps(receipt))
        done = verify(receipts, path)
        assert done.returncode == 1, (change, done.stdout, done.stderr)
        assert done.stderr.startswith("error: ") and str(path) in done.stderr
        answer = json.loads(verify(receipts, path, "--json").stdout)
        assert answer["verified"] is False and answer["reasons"]


def test_receipt_of_another_service_or_transaction(receipts, tmp_path):
    other = json.loads((VECTORS / "receipts_recovered.json").read_text())
    text = json.dumps(other)
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\\n", text).group(0).replace("\\n", "\n")
    (tmp_path / "other.pem").write_text(pem)
    done = run_cli("receipt", "verify", receipts / "12.json", "--service-certificate", tmp_path / "other.pem")
    assert done.returncode in (0, 1)  # 0 only if that certificate happens to be the same service's
    assert verify(receipts, receipts / "12.json", "--transaction", "2.12").returncode == 0
    assert verify(receipts, receipts / "12.json", "--transaction", "2.13").returncode == 1


def test_unable_to_tell(receipts, tmp_path):
    for name, content in [("empty", b""), ("text", b"hello"), ("json", b"{}"), ("list", b"[1]"), ("cbor", b"\xd2\x84")]:
        path = tmp_path / name
        path.write_bytes(content)
        assert verify(receipts, path).returncode == 2, name
    assert run_cli("receipt", "verify", receipts / "12.json").returncode == 2, "no certificate"
    assert run_cli("receipt", "verify", receipts / "12.json", "--service-certificate", tmp_path / "text").returncode == 2
    assert verify(receipts, receipts / "12.json", "--claims-contents", "x").returncode == 2, "no claims to compare"


def test_receipts_that_an_editor_saved_with_a_byte_order_mark(receipts, tmp_path):
    text = (receipts / "12.json").read_text()
    for name, content in [("utf8", text.encode("utf-8-sig")), ("utf16", text.encode("utf-16"))]:
        (tmp_path / name).write_bytes(content)
        done = verify(receipts, tmp_path / name)
        assert done.returncode == 2 and f"{name}: begins with a byte order mark" in done.stderr, done.stderr


def test_ledger_verify_text(receipts):
    done = run_cli("ledger", "verify", VECTORS / "ledger")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "verified 32 transactions, 7 signatures, verified to 2.31"
    assert "\x1b" not in done.stdout, "colour only on a terminal"


def test_ledger_verify_expects_receipts(receipts, tmp_path):
    run = lambda directory: run_cli(
        "ledger", "verify", directory, "--service-certificate", receipts / "service.pem",
        "--expect-receipt", receipts / "30.json", "--expect-receipt", receipts / "3.cose", "--json")
    done = run(VECTORS / "ledger")
    assert done.returncode == 0, done.stdout
    cut = tmp_path / "cut"
    shutil.copytree(VECTORS / "ledger", cut)
    (cut / "ledger_21").unlink()
    assert run_cli("ledger", "verify", cut).returncode == 0, "a cut end cannot be seen without a receipt"
    done = run(cut)
    assert done.returncode == 1
    assert any(problem["code"] == "receipt" for problem in json.loads(done.stdout)["problems"])


def test_ledger_verify_names_the_place(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(VECTORS / "ledger", copy)
    victim = copy / "ledger_11-20.committed"
    data = bytearray(victim.read_bytes())
    data[800] ^= 1
    victim.write_bytes(data)
    done = run_cli("ledger", "verify", copy)
    assert done.returncode == 1 and "ledger_11-20.committed" in done.stderr and "seqno" in done.stderr
    problems = json.loads(run_cli("ledger", "verify", copy, "--json").stdout)["problems"]
    assert problems and all({"code", "reason"} <= problem.keys() for problem in problems)


@pytest.mark.parametrize("name", ["ledger_300", "ledger_300-301.committed"])
def test_ledger_verify_reads_regular_files_only(tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(VECTORS / "ledger", copy)
    os.mkfifo(copy / name)
    done = run_cli("ledger", "verify", copy, timeout=20)
    assert done.returncode in (1, 2) and f"{name}: is not a regular file" in done.stderr
    (copy / name).unlink()
    (copy / "folder").mkdir()
    done = run_cli("ledger", "verify", copy)
    assert done.returncode == 0 and "note: folder is a directory" in done.stdout


def test_a_folder_without_any_chunk_holds_no_ledger(receipts, tmp_path):
    """It is the same as an empty one: exit code 2, and 1 when something was expected of it. Never 0."""
    folder = tmp_path / "folder"
    folder.mkdir()
    service = receipts / "service.pem"
    for expected in ([], ["--service-certificate", service],
                     ["--service-certificate", service, "--expect-receipt", receipts / "30.json"]):
        empty = run_cli("ledger", "verify", folder, *expected)
        (folder / "notes.txt").write_text("hello")
        done = run_cli("ledger", "verify", folder, *expected)
        assert done.returncode == empty.returncode and done.returncode == (1 if expected else 2), (empty, done)
        assert "foreignFile" not in done.stderr
        if not expected:
            assert f"{folder}: holds no ledger" in done.stderr
        report = json.loads(run_cli("ledger", "verify", folder, *expected, "--json").stdout)
        assert report["outcome"] != "ok" and report["chunks"] == 0
        (folder / "notes.txt").unlink()
    # One file with the beginning of a chunk's name: a ledger that somebody has been at.
    (folder / "notes.txt").write_text("hello")
    (folder / "ledger_1-3.committed").write_text("")
    done = run_cli("ledger", "verify", folder)
    assert done.returncode == 1 and "foreignFile" in done.stderr


def test_ledger_verify_with_secrets(tmp_path):
    keys = json.loads((VECTORS / "keys.json").read_text())
    good, bad, short = tmp_path / "good", tmp_path / "bad", tmp_path / "short"
    good.write_text(keys["ledger_secret_1_hex"] + "\n")
    bad.write_bytes(bytes(32))
    short.write_text("00" * 31)
    run = lambda secret: run_cli("ledger", "verify", VECTORS / "ledger", "--secret-file", secret)
    assert run(good).returncode == 0
    assert run(bad).returncode == 2 and str(bad) in run(bad).stderr, "the secret is wrong, not the ledger"
    assert run(short).returncode == 2


def test_ledger_inspect():
    rows = [json.loads(line) for line in
            run_cli("ledger", "inspect", VECTORS / "ledger", "--from", "10", "--to", "2.12", "--json").stdout.splitlines()]
    assert [row["transactionId"] for row in rows] == ["2.10", "2.11", "2.12"]
    assert "ledger_11-20.committed" in run_cli("ledger", "inspect", VECTORS / "ledger", "--values").stdout


def test_values_make_no_lines_of_inspect():
    """The vector's tables hold PEM texts, which have lines of their own."""
    shown = run_cli("ledger", "inspect", VECTORS / "ledger", "--values").stdout.splitlines()
    assert any("-----BEGIN CERTIFICATE-----\\n" in line for line in shown)
    for line in shown:
        assert re.match(r"\d+\.\d+  |  \S|    \S", line), line


def test_inspect_leaves_nothing_out(tmp_path):
    """A header word that says where the entries end, before they do."""
    ledger = shutil.copytree(VECTORS / "ledger", tmp_path / "ledger")
    chunk = ledger / "ledger_11-20.committed"
    os.truncate(chunk, chunk.stat().st_size // 4 * 4)  # whole numbers in what is then called the table of positions
    with open(chunk, "r+b") as file:
        file.write((8).to_bytes(8, "little"))
    done = run_cli("ledger", "inspect", ledger)
    assert done.returncode == 2 and "ledger_11-20.committed" in done.stderr and "promises 10" in done.stderr


def test_inspecting_nothing(tmp_path):
    done = run_cli("ledger", "inspect", tmp_path)
    assert done.returncode == 2 and str(tmp_path) in done.stderr


def test_help_of_a_command():
    assert run_cli("help", "entry", "append").stdout == run_cli("entry", "append", "--help").stdout


def on_terminal(words, columns=80, **environment):
    """What the program writes to a terminal of its own as standard error."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    done = subprocess.Popen([str(binary()), *map(str, words)], stdout=subprocess.DEVNULL, stderr=slave,
                            env={**clean_environment(), "TERM": "xterm", **environment})
    os.close(slave)
    written = b""
    try:
        while piece := os.read(master, 1 << 16):
            written += piece
    except OSError:  # how a terminal tells that nobody writes to it any more
        pass
    os.close(master)
    assert done.wait(60) == 0
    return written.decode()


def test_the_progress_bar_fits_the_terminal():
    words = ["ledger", "verify", VECTORS / "ledger"]
    assert "bytes  " in on_terminal(words)
    for columns in (10, 20, 41):
        drawn = re.split(r"\r\x1b\[K", on_terminal(words, columns))
        assert 0 < max(map(len, drawn)) < columns, drawn
    assert on_terminal(words, TERM="dumb") == ""


def test_colour_only_on_a_terminal():
    """Under script(1) there is a terminal; NO_COLOR still wins."""
    if not shutil.which("script"):
        pytest.skip("needs script(1)")
    command = f"{binary()} ledger verify {VECTORS / 'ledger'}"
    run = lambda **more: subprocess.run(
        ["script", "-qec", command, "/dev/null"], capture_output=True, text=True, timeout=60,
        env={**clean_environment(), "TERM": "xterm", **more}).stdout
    assert "\x1b[32m" in run()
    assert "\x1b[3" not in run(NO_COLOR="1")


# What cannot be had is named

def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def test_a_file_behind_a_closed_directory_is_not_called_missing(tmp_path):
    """The superuser enters every directory, so that there the program runs as somebody else."""
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "there").write_text("x")
    closed.chmod(0)
    unprivileged = as_nobody if os.geteuid() == 0 else None
    try:
        subprocess.run([binary(), "--version"], preexec_fn=unprivileged, check=True, capture_output=True, cwd="/")
    except (PermissionError, subprocess.SubprocessError):
        pytest.skip("nobody else can run the program")
    for words in (["sql", "verify"], ["sql", "status"], ["receipt", "verify", "--service-certificate", "x"],
                  ["evidence", "verify"], ["ledger", "verify"]):
        done = subprocess.run([binary(), *words, closed / "there"], preexec_fn=unprivileged, capture_output=True, text=True,
                              env=clean_environment(), timeout=60, cwd="/")
        assert done.returncode == 2 and f"{closed / 'there'}: may not be read by this user" in done.stderr, (words, done.stderr)
        assert "there is no such" not in done.stderr
    done = subprocess.run([binary(), "evidence", "page", "--out", closed / "page.html"], preexec_fn=unprivileged,
                          capture_output=True, text=True, env=clean_environment(), timeout=60, cwd="/")
    assert done.returncode == 2 and "cannot be written (Permission denied)" in done.stderr, done.stderr
    closed.chmod(0o700)


def test_a_data_directory_without_the_administrators_file(tmp_path):
    """Who has moved it away is told how to go on."""
    pem = make_identity(tmp_path, "service").certificate_file
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(pem, data / "service_cert.pem")
    for words, environment in ((["--data", data], {}), ([], {"INDELIBLE_DATA": str(data)})):
        done = run_cli("entry", "get", "2.3", *words, environment=environment)
        assert done.returncode == 2
        assert done.stderr == f"error: {data}/admin.pem: there is no such file; give --certificate FILE\n"
    done = run_cli("entry", "get", "2.3", "--data", data, "--certificate", tmp_path / "none.pem")
    assert done.stderr == f"error: {tmp_path}/none.pem: there is no such file\n"


def test_ledger_verify_says_in_json_why_it_cannot_tell(tmp_path):
    done = run_cli("ledger", "verify", tmp_path, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 2 and report["outcome"] == "unableToTell"
    assert report["problems"] == [
        {"code": "noLedger", "reason": "holds no ledger (no file whose name begins with ledger_)"}]


def test_entry_append_says_that_it_reads_from_the_terminal():
    for words in ([], ["--file", "-"], ["--lines"]):
        master, slave = os.openpty()
        process = subprocess.Popen([binary(), "entry", "append", "--url", "https://127.0.0.1:9", *words], stdin=slave,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        os.write(master, b"\x04")
        told = process.communicate(timeout=60)[1]
        os.close(slave)
        os.close(master)
        assert told.splitlines()[0] == "reading from the terminal; end with Ctrl-D" and process.returncode == 2
    assert "terminal" not in run_cli("entry", "append", stdin="").stderr
