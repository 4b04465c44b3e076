"""The client commands against a live ledger: they pin the service certificate and prove what they print."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid

import pytest

from support.node import binary, clean_environment, retry_until, run_cli
from support.receipts import verify_with_sdk
from support.rest import Rest


@pytest.fixture
def cli(node, identities):
    def run(*words, identity=None, json_output=True, code=0, **options):
        arguments = list(words) + [
            "--url", node.url, "--service-certificate", node.service_certificate,
            "--certificate", (identity or identities.admin).combined_file]
        if json_output:
            arguments.append("--json")
        done = run_cli(*arguments, **options)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done

    return run


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_append_get_list(cli):
    collection = uuid.uuid4().hex
    made = lines(cli("entry", "append", "one", "two", "é 日本", "--collection", collection, "--tag", "t"))
    assert len(made) == 3 and all(line["verified"] for line in made)
    got = lines(cli("entry", "get", made[1]["transactionId"], "--collection", collection))[0]
    assert (got["contents"], got["collectionId"], got["verified"]) == ("two", collection, True)
    current = lines(cli("entry", "get", "--collection", collection))[0]
    assert current["contents"] == "é 日本"
    listed = lines(cli("entry", "list", "--collection", collection))
    assert [line["contents"] for line in listed] == ["one", "two", "é 日本"], "arguments keep their order"
    assert len(lines(cli("entry", "list", "--collection", collection, "--tag", "t"))) == 3
    assert len(lines(cli("entry", "list", "--collection", collection, "--limit", "2"))) == 2
    assert lines(cli("entry", "list", "--collection", collection, "--tag", "other")) == []


def test_lines_and_repeating_a_batch(cli, node, admin):
    collection = uuid.uuid4().hex
    text = "".join(f"line {number}\n" for number in range(500))
    first = cli("entry", "append", "--lines", "--collection", collection, "--batch-id", collection, stdin=text)
    again = cli("entry", "append", "--lines", "--collection", collection, "--batch-id", collection, stdin=text)
    ids = [line["transactionId"] for line in lines(first)]
    assert ids == [line["transactionId"] for line in lines(again)], "a repeated batch is the same writes"
    listed = lines(cli("entry", "list", "--collection", collection))
    assert sorted(line["contents"] for line in listed) == sorted(f"line {number}" for number in range(500))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_append_says_how_to_go_on(node, identities, cli, number):
    collection = uuid.uuid4().hex
    words = ["--url", node.url, "--service-certificate", node.service_certificate, "--certificate",
             identities.admin.combined_file]
    with subprocess.Popen(
        [str(word) for word in [binary(), "entry", "append", "--lines", "--jobs", "1", "--collection", collection, *words]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
        # What a shell runs in the background ignores SIGINT, and so do the tests' programs then.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as program:
        for line in range(3):
            program.stdin.write(f"line {line}\n")
            program.stdin.flush()
        ids = [program.stdout.readline().strip() for _ in range(3)]
        program.send_signal(number)
        assert program.wait(20) == -number, "it ends as it would have"
        told = program.stderr.read()
    found = re.search(r"error: interrupted: 3 entries were committed\. .*--batch-id (\S+) --skip ([23]) within", told)
    assert found, told
    text = "".join(f"line {line}\n" for line in range(5))
    cli("entry", "append", "--lines", "--collection", collection, "--batch-id", found[1], "--skip", found[2], stdin=text)
    assert sorted(line["contents"] for line in lines(cli("entry", "list", "--collection", collection))) == [
        f"line {line}" for line in range(5)]
    assert all(ids)


def test_skipping_more_than_there_is(cli):
    collection = uuid.uuid4().hex
    done = cli("entry", "append", "--lines", "--collection", collection, "--skip", "3", stdin="a\nb\n", code=2)
    assert "--skip: 3 is more than the 2 entries" in done.stderr
    assert lines(cli("entry", "append", "--lines", "--collection", collection, "--skip", "2", stdin="a\nb\n")) == []


def test_lines_in_order(cli):
    collection = uuid.uuid4().hex
    text = "".join(f"{number}\n" for number in range(40))
    cli("entry", "append", "--lines", "--jobs", "1", "--collection", collection, stdin=text)
    listed = lines(cli("entry", "list", "--collection", collection))
    assert [line["contents"] for line in listed] == [str(number) for number in range(40)]


def test_contents_cannot_forge_lines(cli):
    collection = uuid.uuid4().hex + "\n2.1\tx"
    text = "a\n2.999\tforged entry\n\x1b[31mred\u202e\r"
    made = lines(cli("entry", "append", text, "--collection", collection, "--tag", "t\nu"))[0]["transactionId"]
    plain = cli("entry", "list", "--collection", collection, json_output=False).stdout
    assert plain == f"{made}\ta\\n2.999\\tforged entry\\n\\u{{1b}}[31mred\\u{{202e}}\\r\n"
    assert lines(cli("entry", "list", "--collection", collection))[0]["contents"] == text
    assert cli("entry", "get", made, "--collection", collection, json_output=False).stdout == text
    names = cli("collection", "list", "--tags", json_output=False).stdout
    assert collection.replace("\n", "\\n").replace("\t", "\\t") + "\tt\\nu\n" in names


def test_whole_file(cli, node, tmp_path):
    path = tmp_path / "contract.txt"
    path.write_text("first line\nsecond line\n")
    made = lines(cli("entry", "append", "--file", path))
    assert lines(cli("entry", "get", made[0]["transactionId"]))[0]["contents"] == "first line\nsecond line\n"
    # What is written to a file is what the receipt is about.
    copy = tmp_path / "copy.txt"
    copy.write_text(cli("entry", "get", made[0]["transactionId"], json_output=False).stdout)
    receipt = tmp_path / "receipt.json"
    cli("receipt", "get", made[0]["transactionId"], "--output", receipt)
    done = run_cli("receipt", "verify", receipt, "--service-certificate", node.service_certificate, "--contents-file", copy)
    assert done.returncode == 0, done


def test_lines_keep_a_cr_that_ends_no_line(cli, tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\r\ntwo\nlast\r")
    collection = uuid.uuid4().hex
    cli("entry", "append", "--lines", "--file", path, "--collection", collection)
    listed = lines(cli("entry", "list", "--collection", collection))
    assert {line["contents"] for line in listed} == {"one", "two", "last\r"}


@pytest.mark.parametrize("count", [1, 300])
def test_append_whose_ids_cannot_be_told(cli, node, identities, tmp_path, count):
    """It says how to go on without writing anything twice, and by that nothing is written twice."""
    path = tmp_path / "lines"
    path.write_text("".join(f"{number}\n" for number in range(count)))
    collection = uuid.uuid4().hex
    words = ["entry", "append", "--lines", "--file", path, "--collection", collection]
    caller = ["--url", node.url, "--service-certificate", node.service_certificate, "--certificate", identities.admin.combined_file]
    with open("/dev/full", "w") as full:
        done = subprocess.run([binary(), *words, *caller], stdout=full, stderr=subprocess.PIPE, text=True, env=clean_environment())
    assert done.returncode == 2 and "standard output: No space left on device" in done.stderr, done
    if count == 1:
        assert re.search(r"the entry was committed as \d+\.\d+", done.stderr), done.stderr
        return
    advice = re.search(r"--batch-id (\S+) --skip (\d+)", done.stderr)
    assert int(advice[2]) == 0, done.stderr
    cli(*words, "--batch-id", advice[1], "--skip", advice[2])
    assert len(lines(cli("entry", "list", "--collection", collection))) == count


def test_range_by_time_and_author(cli, identities):
    collection = uuid.uuid4().hex
    cli("entry", "append", "by admin", "--collection", collection)
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    cli("entry", "append", "by contributor", "--collection", collection, identity=identities.contributor)
    read = lambda *words: [line["contents"] for line in lines(cli("entry", "list", "--collection", collection, *words))]
    assert read("--from-time", moment) == ["by contributor"]
    assert read("--to-time", moment) == ["by admin"]
    assert read("--author", identities.contributor.user_id) == ["by contributor"]


def test_receipts(cli, node, tmp_path, service_pem):
    made = lines(cli("entry", "append", "for a receipt"))[0]["transactionId"]
    as_json, as_cose = tmp_path / "r.json", tmp_path / "r.cose"
    cli("receipt", "get", made, "--output", as_json)
    cli("receipt", "get", made, "--cose", "--output", as_cose)
    verify_with_sdk(json.loads(as_json.read_text()), service_pem, contents="for a receipt")
    for path in (as_json, as_cose):
        done = run_cli("receipt", "verify", path, "--service-certificate", node.service_certificate, "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["transactionId"] == made
    # Contents and collection are those that the signed digest is of; a COSE receipt needs the entry's key for that.
    claim = json.loads(as_json.read_text())["applicationClaims"][0]["ledgerEntry"]
    right = ["--claims-contents", "for a receipt", "--collection", claim["collectionId"]]
    for path, key in ((as_json, []), (as_cose, ["--secret-key", claim["secretKey"]])):
        for at, word in ((0, None), (1, "for another"), (3, "another")):
            words = [*right[:at], word, *right[at + 1 :]] if word else right
            done = run_cli("receipt", "verify", path, "--service-certificate", node.service_certificate, *words, *key)
            assert done.returncode == (1 if word else 0), (words, done)


def test_standard_output_and_input_are_called_dash(cli, node, tmp_path, service_pem):
    made = lines(cli("entry", "append", "for a dash"))[0]["transactionId"]
    answer = cli("receipt", "get", made, "--output", "-", json_output=False, cwd=tmp_path).stdout
    verify_with_sdk(json.loads(answer), service_pem, contents="for a dash")
    assert json.loads(cli("receipt", "get", made, cwd=tmp_path).stdout) == json.loads(answer)
    done = run_cli("receipt", "verify", "-", "--service-certificate", node.service_certificate, stdin=answer, cwd=tmp_path)
    assert done.returncode == 0 and made in done.stdout
    done = run_cli("identity", "get", node.url, "--output", "-", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == service_pem and "fingerprint" in done.stderr
    assert list(tmp_path.iterdir()) == [], "no file of that name"


def test_a_cose_receipt_on_standard_output(cli, node, identities, tmp_path):
    """Bytes for a pipe, base64 in JSON, and nothing for a terminal."""
    made = lines(cli("entry", "append", "for COSE"))[0]["transactionId"]
    answer = json.loads(cli("receipt", "get", made, "--cose").stdout)
    assert (answer["format"], answer["transactionId"], answer["verified"]) == ("cose", made, True)
    (tmp_path / "r.cose").write_bytes(base64.b64decode(answer["receipt"], validate=True))
    done = run_cli("receipt", "verify", tmp_path / "r.cose", "--service-certificate", node.service_certificate)
    assert done.returncode == 0 and made in done.stdout
    words = [binary(), "receipt", "get", made, "--cose", "--url", node.url, "--service-certificate",
             node.service_certificate, "--certificate", identities.admin.combined_file]
    piped = subprocess.run(words, capture_output=True, env=clean_environment())
    assert piped.returncode == 0 and piped.stdout[:1] == b"\xd2"
    master, slave = os.openpty()
    done = subprocess.run(words, stdout=slave, stderr=subprocess.PIPE, env=clean_environment())
    os.close(slave)
    os.set_blocking(master, False)
    try:
        shown = os.read(master, 1 << 16)
    except OSError:
        shown = b""
    os.close(master)
    assert done.returncode == 2 and b"--output FILE" in done.stderr and shown == b""


def test_a_node_that_is_started_without_descriptors_serves(new_node):
    """As init scripts and daemon wrappers start programs: nothing of its own gets the numbers 0, 1 and 2."""
    node = new_node("private", start=False)
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *node.command()], env=clean_environment())
    try:
        retry_until(node.service_certificate.exists)

        def serves():
            try:
                return Rest(node).get("/node/state").status == 200
            except OSError:
                return False

        retry_until(serves)
        for number in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_what_is_printed_for_nobody_is_an_error():
    for words in ["--version"], ["evidence", "page", "--out", "-"]:
        done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', binary(), *words], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and "standard output" in done.stderr, (words, done)


def test_receipt_of_a_signature_transaction(cli, node, admin, tmp_path):
    admin.append("before a signature")
    seqno = int(admin.committed().split(".")[1])
    path = tmp_path / "r.json"
    for number in range(seqno, 0, -1):
        answer = admin.get(f"/app/transactions/2.{number}/receipt")
        if answer.status == 200 and "leaf" in answer.json()["receipt"]:
            break
    else:
        pytest.fail("no signature transaction")
    done = cli("receipt", "get", f"2.{number}", "--output", path, json_output=False)
    assert "a signature transaction" in done.stdout
    done = run_cli("receipt", "verify", path, "--service-certificate", node.service_certificate)
    assert done.returncode == 0 and "names no id" in done.stdout
    done = run_cli("receipt", "verify", path, "--service-certificate", node.service_certificate,
                   "--transaction", f"2.{number}")
    assert done.returncode == 1, "the id is not proved"


def test_users_roles_collections(cli, identities):
    role = "role-" + uuid.uuid4().hex[:6]
    cli("role", "set", role, "/transactions/get", "/collections/get")
    assert role in [line["roleName"] for line in lines(cli("role", "list"))]
    person = identities.make()
    cli("user", "set", "--from-certificate", person.certificate_file, role)
    assert lines(cli("user", "get", person.user_id))[0]["assignedRoles"] == [role]
    assert person.user_id in [line["userId"] for line in lines(cli("user", "list"))]
    cli("collection", "list", "--tags", identity=person)
    denied = cli("entry", "append", "no", identity=person, code=2)
    assert person.user_id in denied.stderr and "error" in denied.stderr
    cli("user", "remove", person.user_id)
    assert "there is no user" in cli("user", "remove", person.user_id, code=2).stderr
    cli("role", "remove", role)
    assert cli("user", "get", person.user_id, code=2).stderr


def test_identity(node):
    done = run_cli("identity", "get", node.url, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ledgerTlsCertificate"].strip() == node.service_certificate.read_text().strip()
    assert run_cli("identity", "get", node.url, "--expect-fingerprint", answer["fingerprint"]).returncode == 0
    assert run_cli("identity", "get", node.url, "--expect-fingerprint", "00" * 32).returncode == 1


def test_identity_of_an_untrusted_server(new_node, node):
    done = run_cli("identity", "get", node.url, "--trust", new_node("public").service_certificate)
    assert done.returncode == 2 and "not the trusted one" in done.stderr and "NIOSSL" not in done.stderr


def test_watch(node, identities, cli):
    collection = uuid.uuid4().hex
    cli("entry", "append", "already there", "--collection", collection)
    watcher = subprocess.Popen(
        [str(binary()), "entry", "watch", "--collection", collection, "--count", "2", "--interval", "0.1", "--url",
         node.url, "--service-certificate", str(node.service_certificate), "--certificate",
         str(identities.admin.combined_file), "--json"],
        stdout=subprocess.PIPE, text=True, env=clean_environment())
    killer = threading.Timer(60, watcher.kill)
    killer.start()
    time.sleep(3)
    cli("entry", "append", "a", "b", "--collection", collection, "--jobs", "1")
    out, _ = watcher.communicate(timeout=70)
    killer.cancel()
    assert [json.loads(line)["contents"] for line in out.splitlines()] == ["a", "b"]


def test_watch_waits_for_a_ledger_that_goes_away(new_node, identities):
    node = new_node("private")
    how = ["--url", node.url, "--service-certificate", str(node.service_certificate), "--certificate",
           str(identities.admin.combined_file)]
    watcher = subprocess.Popen([str(binary()), "entry", "watch", "--count", "2", "--interval", "0.1", "--json", *how],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    killer = threading.Timer(60, watcher.kill)
    killer.start()
    time.sleep(3)
    assert run_cli("entry", "append", "a", *how).returncode == 0
    assert json.loads(watcher.stdout.readline())["contents"] == "a"
    node.kill()
    assert "trying again" in watcher.stderr.readline()
    node.start()
    assert run_cli("entry", "append", "b", *how).returncode == 0
    out, told = watcher.communicate(timeout=60)
    killer.cancel()
    assert json.loads(out)["contents"] == "b" and "the ledger is back" in told and watcher.returncode == 0, told


@pytest.mark.parametrize("refill", [0, 3, 12], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("keys", ["ledger", "everything"])
def test_watch_says_that_the_ledger_was_rolled_back(new_node, identities, refill, keys, tmp_path):
    """An older copy is put in place. Where `keys/view` goes back too, transaction ids are given again."""
    node = new_node("private")
    how = ["--url", node.url, "--service-certificate", str(node.service_certificate), "--certificate",
           str(identities.admin.combined_file)]
    rest = Rest(node, identities.admin)
    for number in range(5):
        rest.append(f"kept {number}")
    node.stop()
    shutil.copytree(node.directory, tmp_path / "copy")
    if keys == "ledger":
        node.start()
        node.stop()
    node.start()
    watcher = subprocess.Popen([str(binary()), "entry", "watch", "--interval", "0.2", "--json", *how],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    killer = threading.Timer(60, watcher.kill)
    killer.start()
    time.sleep(2)
    rest = Rest(node, identities.admin)
    for number in range(3):
        rest.append(f"lost {number}")
    assert [json.loads(watcher.stdout.readline())["contents"] for _ in range(3)] == [f"lost {n}" for n in range(3)]
    watcher.send_signal(signal.SIGSTOP)
    node.stop()
    view = (node.directory / "keys" / "view").read_bytes()
    shutil.rmtree(node.directory)
    shutil.copytree(tmp_path / "copy", node.directory)
    if keys == "ledger":
        (node.directory / "keys" / "view").write_bytes(view)
    node.start()
    rest = Rest(node, identities.admin)
    for number in range(refill):
        rest.append(f"after {number}")
    watcher.send_signal(signal.SIGCONT)
    out, told = watcher.communicate(timeout=60)
    killer.cancel()
    assert watcher.returncode == 1 and "rolled back" in told, (watcher.returncode, told)
    assert "after" not in out, out


def test_watch_of_a_ledger_that_was_never_there(node, identities):
    done = run_cli("entry", "watch", "--url", "https://127.0.0.1:1", "--service-certificate", node.service_certificate,
                   "--certificate", identities.admin.combined_file)
    assert done.returncode == 2 and "trying again" not in done.stderr, done.stderr


def test_pinning(new_node, identities):
    """Another ledger's certificate is not this one's, whatever it calls itself."""
    one, two = new_node("public"), new_node("public")
    done = run_cli("entry", "append", "x", "--url", one.url, "--service-certificate", two.service_certificate,
                   "--certificate", identities.admin.combined_file)
    assert done.returncode == 2 and "error" in done.stderr


def test_token(node, admin, issuer, tmp_path):
    user = str(uuid.uuid4())
    admin.set_user(user, "Contributor")
    token = tmp_path / "token"
    token.write_text(issuer.token(user) + "\n")
    done = run_cli("entry", "append", "by token", "--url", node.url, "--service-certificate", node.service_certificate,
                   "--token-file", token)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words, code", [
    (["entry", "get", "not-an-id"], 2), (["entry", "get", "2.99999999"], 2), (["entry", "append", "--lines", "x"], 2),
    (["entry", "append", "--file", "/nonexistent"], 2), (["receipt", "get", "2.99999999"], 2),
    (["user", "get", "nobody"], 2), (["entry", "list", "--limit", "0"], 2), (["entry", "append", "--jobs", "0", "x"], 2),
])
def test_exit_codes(cli, words, code):
    done = cli(*words, code=code)
    assert "rror" in done.stderr


def test_no_ledger_there(identities, tmp_path, node):
    done = run_cli("entry", "append", "x", "--url", "https://127.0.0.1:1", "--service-certificate",
                   node.service_certificate, "--certificate", identities.admin.combined_file, timeout=60)
    assert done.returncode == 2 and "127.0.0.1:1: cannot connect (Connection refused)" in done.stderr
    assert "may or may not" not in done.stderr


def test_every_name_of_standard_output(cli, node, tmp_path, service_pem):
    """What is written there is followed by nothing else."""
    made = lines(cli("entry", "append", "for standard output"))[0]["transactionId"]
    for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        assert json.loads(cli("receipt", "get", made, "--output", name, json_output=False, cwd=tmp_path).stdout)["receipt"]
        assert run_cli("identity", "get", node.url, "--output", name, cwd=tmp_path).stdout == service_pem
        assert run_cli("evidence", "page", "--out", name, cwd=tmp_path).stdout.endswith("</html>\n")
    assert list(tmp_path.iterdir()) == []


def test_an_append_that_was_started_to_ignore_a_signal_goes_on(node, identities, tmp_path):
    ignored = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    words = [binary(), "entry", "append", "--lines", "--jobs", "1", "--json", "--url", node.url, "--service-certificate",
             node.service_certificate, "--certificate", identities.admin.combined_file]
    run = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(),
                           preexec_fn=ignored)
    run.stdin.write("one\n")
    run.stdin.flush()
    assert json.loads(run.stdout.readline())["transactionId"]
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate("two\n", timeout=60)
    assert run.returncode == 0 and len(out.splitlines()) == 1, (run.returncode, out)
