"""A disk that holds every sync: callers are answered in the time that is promised, with what is known by then, and what
was told as pending is pending until it is committed or lost.
"""

import errno
import json
import re
import threading
import time

import pytest
from azure.confidentialledger import ConfidentialLedgerCertificateCredential, ConfidentialLedgerClient

from support.faults import Faults
from support.node import retry_until, run_cli
from support.rest import Rest
from test_lying_ledger import liar  # noqa: F401


@pytest.fixture
def slow(new_node, tmp_path):
    """A node, and the faults of its disk."""
    node = new_node("private", start=False)
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    node.start()
    yield node, faults
    faults.clear()


class Calls:
    """Calls that are under way at the same time, and when each was answered."""

    def __init__(self, node, identities):
        self.node, self.identities = node, identities
        self.threads, self.answers = [], {}

    def begin(self, name, call):
        def run():
            began = time.monotonic()
            try:
                answer = call(Rest(self.node, self.identities.admin, timeout=120))
            except OSError as problem:
                answer = problem
            self.answers[name] = (answer, time.monotonic() - began)

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def wait(self, name, seconds=60):
        return retry_until(lambda: self.answers.get(name), seconds)[0]


def ends(node, rest, faults, id):
    """Lets go of the disk, and waits for the commit."""
    faults.clear()
    retry_until(lambda: rest.get(f"/app/transactions/{id}/status").json().get("state") == "Committed")


def test_what_was_answered_before_it_is_durable_is_pending(slow, identities):
    node, faults = slow
    rest = Rest(node, identities.admin)
    assert rest.append("before").status == 200
    committed = rest.committed()
    faults.set("sync", "hold")
    id = rest.append("slow").transaction_id
    status = rest.get(f"/app/transactions/{id}/status")
    assert (status.status, status.json()) == (200, {"state": "Pending", "transactionId": id}), status
    assert status.transaction_id == committed, "an answer names no state that is not durable"
    assert rest.get("/node/tx", query={"transaction_id": id}).json()["status"] == "Pending"
    assert rest.get(f"/app/transactions/{id}").json() == {"state": "Loading"}
    receipt = rest.get(f"/app/transactions/{id}/receipt")
    assert receipt.json() == {"state": "Loading", "transactionId": id, "receipt": None}, receipt
    view, seqno = id.split(".")
    for other in (f"{view}.{int(seqno) + 5}", f"{int(view) + 1}.{seqno}"):
        answer = rest.get(f"/app/transactions/{other}/status")
        assert (answer.status, answer.code) == (404, "TransactionPendingOrUnknown"), answer
    ends(node, rest, faults, id)
    assert rest.get(f"/app/transactions/{id}").json()["entry"]["contents"] == "slow"


def test_the_sdk_waits_for_what_is_pending(slow, identities):
    node, faults = slow
    with ConfidentialLedgerClient(
        node.url, ConfidentialLedgerCertificateCredential(str(identities.admin.combined_file)),
        ledger_certificate_path=str(node.service_certificate)) as client:
        client.create_ledger_entry({"contents": "before"})
        faults.set("sync", "hold")
        poller = client.begin_create_ledger_entry({"contents": "slow"})
        threading.Timer(1.5, faults.clear).start()
        id = poller.result(60)["transactionId"]
        assert client.get_transaction_status(id)["state"] == "Committed"


def test_what_was_pending_and_is_lost_is_pending_no_more(slow, identities):
    node, faults = slow
    rest = Rest(node, identities.admin)
    rest.append("before")
    faults.set("sync", "hold")
    id = rest.append("slow").transaction_id
    assert rest.get(f"/app/transactions/{id}/status").json()["state"] == "Pending"
    faults.set("sync", "lost", errno.EIO)
    retry_until(lambda: rest.get("/health").json()["status"] == "read-only")
    answer = rest.get(f"/app/transactions/{id}/status")
    assert (answer.status, answer.code) == (404, "TransactionPendingOrUnknown"), answer
    faults.clear()
    node.kill()
    node.start()
    # It may have reached the disk nevertheless.
    answer = Rest(node, identities.admin).get(f"/app/transactions/{id}/status")
    assert answer.status == 404 or answer.json()["state"] == "Committed", answer


def test_every_wait_ends_in_time_and_health_tells(slow, identities):
    """A repeat that waits longer, a change that needs no transaction, and one that is refused."""
    node, faults = slow
    calls, rest = Calls(node, identities), Rest(node, identities.admin)
    assert rest.append("before").status == 200
    before = rest.committed()
    faults.set("sync", "hold")
    calls.begin("first", lambda rest: rest.append("x", request_id="the same"))
    time.sleep(0.5)
    calls.begin("repeat", lambda rest: rest.append("x", request_id="the same", wait=True))
    calls.begin("nobody", lambda rest: rest.request("DELETE", "/app/users/nobody"))
    calls.begin("refused", lambda rest: rest.set_user("somebody", "No such role"))
    first = calls.wait("first")
    assert first.status == 200 and "repeat" not in calls.answers, "the first call ends on its own time"
    health = retry_until(lambda: (found := rest.get("/health")).status != 200 and found)
    assert (health.status, health.json()["status"], health.json()["committed"]) == (503, "degraded", before), health
    assert "seconds" in health.json()["reason"] and "indelible_accepts_writes 0" in rest.get("/metrics").body.decode()
    for name in ("nobody", "refused"):
        answer = calls.wait(name)
        assert (answer.status, answer.code) == (503, "TooManyPendingTransactions"), (name, answer)
    repeat = calls.wait("repeat")
    assert repeat.json()["state"] == "Pending" and repeat.transaction_id == first.transaction_id, repeat
    ends(node, rest, faults, first.transaction_id)
    retry_until(lambda: rest.get("/health").status == 200)


def test_writes_that_did_not_fit_their_batch_are_answered_in_time(slow, identities):
    """They had left the queue and were in no batch, so nobody watched their time."""
    node, faults = slow
    calls, rest = Calls(node, identities), Rest(node, identities.admin)
    assert rest.append("before").status == 200
    committed = rest.committed()
    faults.set("sync", "hold")
    for number in range(3):  # one is being written, one waits for that, and one for room
        calls.begin(f"small {number}", lambda rest: rest.append("x"))
        time.sleep(0.5)
    for number in range(24):
        calls.begin(f"big {number}", lambda rest: rest.append("y" * 1_000_000))
    waiting = re.compile(r"^indelible_waiting_writes (\d+)", re.M)
    retry_until(lambda: int(waiting.search(rest.get("/metrics").body.decode())[1]) > 12)
    while rest.committed() == committed:  # now the next batch is filled, with eight of the large ones
        faults.set("sync", "hold", skip=faults.syncs() + 1)
        time.sleep(0.1)
    retry_until(lambda: len(calls.answers) == 27, 40)
    for answer, _ in calls.answers.values():
        assert answer.status == 200 or answer.code == "TooManyPendingTransactions", answer


def test_a_clock_that_is_set_back_holds_nobody_up(slow, identities):
    """A batch that waits for writers of the last one waits by a clock that is never set."""
    node, faults = slow
    faults.set("clock", "back")
    for number in range(8):
        calls = Calls(node, identities)
        for writer in range(6):
            calls.begin(writer, lambda rest: rest.append("x"))
        for writer in range(6):
            assert calls.wait(writer).status == 200
        calls.begin("alone", lambda rest: rest.append("alone"))
        assert calls.wait("alone", 20).status == 200


# The client


def append(liar, identities, *options):
    return run_cli(
        "entry", "append", "--url", liar.url, "--service-certificate", liar.pin, "--certificate",
        identities.admin.combined_file, *options, "hello", timeout=100)


def pending(liar, code, status=404):
    liar.answers["/app/transactions"] = (
        200, {"collectionId": "subledger:0", "transactionId": "2.5", "state": "Pending"})
    liar.answers["/app/transactions/2.5/status"] = (status, {"error": {"code": code, "message": "so it is"}})


def test_append_waits_for_what_the_server_does_not_know_yet(liar, identities):
    pending(liar, "TransactionPendingOrUnknown")
    done = {}
    running = threading.Thread(target=lambda: done.update(it=append(liar, identities, "--no-receipt")))
    running.start()
    time.sleep(2)
    liar.answers["/app/transactions/2.5/status"] = (200, {"state": "Committed", "transactionId": "2.5"})
    running.join()
    assert done["it"].returncode == 0 and done["it"].stdout == "2.5\n", done["it"]


def test_append_tells_what_may_still_be_written(liar, identities):
    pending(liar, "InternalError", 500)
    done = append(liar, identities, "--no-receipt")
    assert done.returncode == 2 and "transaction 2.5" in done.stderr and "may still be written" in done.stderr, done


def test_append_tells_what_was_rolled_back(liar, identities):
    pending(liar, "TransactionInvalid")
    done = append(liar, identities)
    assert done.returncode == 2 and "transaction 2.5 was rolled back" in done.stderr, done


@pytest.mark.parametrize("size", [34 << 20, 65 << 20], ids=["more than can be verified", "more than is read"])
def test_append_of_more_than_can_be_proved_names_what_was_written(new_node, identities, tmp_path, size):
    node = new_node("private", options=["--max-body-size", 80 << 20])
    file = tmp_path / "entry"
    file.write_bytes(b"a" * size)
    done = run_cli(
        "entry", "append", "--url", node.url, "--service-certificate", node.service_certificate, "--certificate",
        identities.admin.combined_file, "--file", file, timeout=200)
    newest = Rest(node, identities.admin, timeout=100).get("/app/transactions/current").json()["transactionId"]
    assert done.returncode == 2 and f"as transaction {newest}" in done.stderr, done.stderr


def test_large_receipts_and_pages(new_node, identities, tmp_path):
    """JSON writes a control character with six bytes: what is proved once is proved from the file, too, and what can be read one
    by one can be listed."""
    node = new_node("private", options=["--max-body-size", 32 << 20])
    who = ["--url", node.url, "--service-certificate", node.service_certificate, "--certificate",
           identities.admin.combined_file]
    sizes = [1_000_000, 1_300_000, 4_500_000, 4_500_000, 4_500_000]
    for size in sizes:
        file = tmp_path / "entry"
        file.write_bytes(b"\x01" * size)
        made = run_cli("entry", "append", *who, "--file", file, "--collection", "large", "--json", timeout=100)
        assert made.returncode == 0, made.stderr
    receipt = tmp_path / "r.json"
    got = run_cli("receipt", "get", json.loads(made.stdout)["transactionId"], *who, "--output", receipt, timeout=100)
    assert got.returncode == 0 and receipt.stat().st_size > 16 << 20, got.stderr
    done = run_cli("receipt", "verify", receipt, "--service-certificate", node.service_certificate, timeout=100)
    assert done.returncode == 0, done.stderr
    listed = run_cli("entry", "list", *who, "--collection", "large", "--json", timeout=200)
    assert listed.returncode == 0, listed.stderr
    assert [len(json.loads(line)["contents"]) for line in listed.stdout.splitlines()] == sizes
    node.stop()
    done = run_cli("ledger", "verify", node.ledger_directory, "--expect-receipt", receipt, timeout=100)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [["get", ""], ["remove", ""], ["set", "", "Reader"]], ids=lambda words: words[0])
def test_nobody_is_no_user(command):
    done = run_cli("user", *command, "--url", "https://127.0.0.1:1")
    assert done.returncode == 2 and "user id is empty" in done.stderr, done
