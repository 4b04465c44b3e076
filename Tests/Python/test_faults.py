"""Failing disks: every write step lost, half done, or done but reported lost. What was reported committed stays; the
node says why it stopped taking writes, and takes them again after a restart.
"""

import contextlib
import errno
import http.client
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from support.faults import Faults
from support.judge import judge
from support.node import NodeDidNotStart, retry_until, run_cli
from support.receipts import verify_with_sdk
from support.rest import Rest


class Book:
    """What was promised: id to contents, and receipts given out."""

    def __init__(self, node, identities):
        self.node, self.identities = node, identities
        self.committed, self.receipts, self.uncertain = {}, {}, []
        self.count = 0

    def write(self, rest, size=200):
        self.count += 1
        contents = f"entry {self.count} " + "x" * size
        try:
            answer = rest.append(contents)
        except (OSError, http.client.HTTPException) as problem:
            self.uncertain.append(contents)
            return problem if isinstance(problem, OSError) else OSError(str(problem))
        if answer.status == 200:
            status = rest.get(f"/app/transactions/{answer.transaction_id}/status")
            if status.status == 200 and status.json()["state"] == "Committed":
                self.committed[answer.transaction_id] = contents
            else:
                self.uncertain.append(contents)
        else:
            self.uncertain.append(contents)
        return answer

    def check(self):
        rest = Rest(self.node, self.identities.admin)
        pem = self.node.service_certificate.read_text()
        for name, contents in self.committed.items():
            answer = rest.get(f"/app/transactions/{name}")
            assert answer.status == 200, (name, answer)
            assert answer.json()["entry"]["contents"] == contents
            verify_with_sdk(rest.get(f"/app/transactions/{name}/receipt").json(), pem, contents=contents)
        rest.close()


def restart_without_faults(node, faults):
    faults.clear()
    node.kill()
    node.start()


@pytest.mark.parametrize("operation", ["sync", "write"])
@pytest.mark.parametrize("mode", ["lost", "kept", "short"])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_one_fault_while_writing(new_node, identities, tmp_path, operation, mode, error):
    if operation == "sync" and mode == "short":
        pytest.skip("a sync is done or not")
    node = new_node("private", start=False)  # large chunks: the fault meets a batch, not the end of a chunk
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    node.start()
    rest = Rest(node, identities.admin)
    book = Book(node, identities)
    for _ in range(20):
        assert book.write(rest).status == 200
    faults.set(operation, mode, error)
    answers = [book.write(rest) for _ in range(3)]
    for answer in answers:
        assert not isinstance(answer, OSError), answer
        assert answer.status in (500, 503), answer
    last = answers[-1]
    assert last.status == 503
    assert last.message, "says why"
    if operation == "sync":
        # Once an fsync failed, nothing later may claim to be durable, whatever the disk says now.
        faults.clear()
        assert book.write(rest).status == 503
    # Reads go on.
    name, contents = next(iter(book.committed.items()))
    assert rest.get(f"/app/transactions/{name}").json()["entry"]["contents"] == contents
    ready = rest.get("/health")
    assert ready.status in (200, 503)
    restart_without_faults(node, faults)
    book.check()
    rest = Rest(node, identities.admin)
    for _ in range(20):
        assert book.write(rest).status == 200
    node.kill()
    node.start()
    book.check()


def test_a_node_that_stopped_writing_is_idle(new_node, identities, tmp_path):
    """Under load the service signs less often than the node, and when writing ends it cannot sign the rest any more."""
    node = new_node("private", start=False)
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    node.start()
    ready = threading.Barrier(9)

    def write():
        rest = Rest(node, identities.admin)
        ready.wait()
        while rest.append("x").status == 200:
            pass
        rest.close()

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    ready.wait()
    time.sleep(0.5)
    faults.set("sync", "kept")
    for writer in writers:
        writer.join(timeout=30)
        assert not writer.is_alive()

    def processor_seconds():
        fields = Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    time.sleep(0.5)
    before = processor_seconds()
    time.sleep(2)
    assert processor_seconds() - before < 0.5
    node.kill()


def test_repeats_of_a_refused_write_are_answered(new_node, identities, tmp_path):
    """Of several at once, those that came while the first one was refused were never answered, and the node did not end."""
    node = new_node("private", start=False)
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    node.start()
    rest = Rest(node, identities.admin)
    assert rest.append("x").status == 200
    faults.set("sync", "kept")
    assert rest.append("x").status == 503
    faults.clear()
    assert rest.append("x").status == 503
    body = {"contents": "y" * 900_000}
    for number in range(4):
        clients = [Rest(node, identities.admin, timeout=60) for _ in range(6)]
        ready = threading.Barrier(len(clients))
        answers = []

        def write(client):
            client.get("/node/state")
            ready.wait()
            with contextlib.suppress(OSError):
                answers.append(client.request(
                    "POST", "/app/transactions", body, {"x-ms-client-request-id": f"same {number}"}).status)

        writers = [threading.Thread(target=write, args=[client]) for client in clients]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert answers == [503] * len(clients)
        for client in clients:
            client.close()
    rest.close()
    assert node.stop() == 0


@pytest.mark.parametrize("operation", ["rename", "truncate", "open"])
@pytest.mark.parametrize("mode", ["lost", "kept"])
def test_fault_while_a_chunk_closes(new_node, identities, tmp_path, operation, mode):
    """The steps around a chunk's end. Writing on or stopping are both right; losing is not."""
    node = new_node("private", start=False, options=["--chunk-size", "8192", "--snapshot-interval", "30"])
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    node.start()
    rest = Rest(node, identities.admin)
    book = Book(node, identities)
    for _ in range(20):
        assert book.write(rest).status == 200
    faults.set(operation, mode)
    for _ in range(40):  # several chunks' worth
        book.write(rest)
    restart_without_faults(node, faults)
    book.check()
    rest = Rest(node, identities.admin)
    for _ in range(40):
        assert book.write(rest).status == 200
    node.restart()
    book.check()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["lost", "kept", "killbefore", "killafter", "killhalf"])
@pytest.mark.parametrize("operation", ["write", "sync", "rename", "truncate"])
def test_every_step_in_turn(new_node, identities, tmp_path, operation, mode):
    """The n-th operation of its kind fails, or is the last thing the process does, for n from 0 on: through batches,
    chunk ends, user changes and snapshots. Nothing promised is lost, at any step."""
    if mode == "killhalf" and operation != "write":
        pytest.skip("only a write can be half done")
    node = new_node("private", start=False, options=["--chunk-size", "4096", "--snapshot-interval", "20"])
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    book = Book(node, identities)
    node.start()
    for step in range(8 if operation in ("write", "sync") else 3):
        rest = Rest(node, identities.admin)
        faults.set(operation, mode, skip=step)
        for number in range(30):
            try:
                answer = book.write(rest, size=300)
                if not isinstance(answer, OSError) and number % 10 == 5:
                    rest.set_user(f"user-{step}", "Reader")
            except (OSError, http.client.HTTPException):
                break
            if not node.is_running or isinstance(answer, OSError) or answer.status != 200:
                break
        restart_without_faults(node, faults)
        book.check()
        assert book.write(Rest(node, identities.admin)).status == 200


def test_callers_that_try_again_at_once_do_not_set_the_pace(new_node, identities, tmp_path):
    """Each attempt to write uses up a view, for ever, and a line of the log: a full disk cost a thousand a second."""
    node = new_node("private", start=False)
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    node.start()
    rest = Rest(node, identities.admin)
    before = rest.append("before")
    view_file = node.directory / "keys/view"

    def view():
        return int(view_file.read_text().split()[1])

    first = view()
    faults.set("write", "lost", errno.ENOSPC)
    began, tries = time.monotonic(), 400
    for number in range(tries):
        answer = rest.append(f"e{number}")
        assert (answer.status, answer.code) == (503, "NotWritable") and "the disk is full" in answer.message, answer
    # Eight at once, then one after each pause; this disk looks as if it had room, which ends a pause once a second.
    allowed = 20 + 2 * (time.monotonic() - began)
    assert view() - first <= allowed < tries, (first, view())
    assert node.log().count("a batch was not written") <= allowed
    assert rest.get("/health").status in (200, 503)
    faults.clear()
    after = retry_until(lambda: (answer := rest.append("after")).status == 200 and answer, 30)
    assert int(after.transaction_id.split(".")[0]) == view()
    history = rest.get("/node/commit", query={"view_history": "true"}).json()["view_history"]
    assert history[-1] == f"{view()}.{int(before.transaction_id.split('.')[1]) + 2}", history
    node.kill()
    node.start()
    assert Rest(node, identities.admin).get(f"/app/transactions/{after.transaction_id}").json()["entry"]["contents"] == "after"


@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_ledger_file_that_is_gone_takes_no_writes(new_node, identities, how):
    """What was written into a file without its name was told as committed, and lost when the node ended."""
    node = new_node("private")
    rest = Rest(node, identities.admin)
    assert rest.append("before").status == 200
    chunk = next(path for path in node.ledger_directory.iterdir() if "committed" not in path.name)
    kept = node.directory / "kept"
    shutil.copy(chunk, kept)
    if how == "removed":
        chunk.unlink()
    elif how == "replaced":
        again = node.directory / "again"
        shutil.copy(chunk, again)
        again.rename(chunk)
    else:
        chunk.rename(node.directory / "moved")
    answer = rest.append("lost")
    assert (answer.status, answer.code) == (503, "OutcomeUnknown") and chunk.name in answer.message, answer
    assert rest.append("refused").code == "NotWritable"
    health = rest.get("/health")
    assert health.status == 503 and chunk.name in health.json()["reason"], health
    node.kill()
    kept.rename(chunk)
    node.start()
    rest = Rest(node, identities.admin)
    assert [entry["contents"] for entry in rest.get("/app/transactions").json()["entries"]] == ["before"]
    assert rest.append("after").status == 200


CLOCK = """
#include <sys/time.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec = NOW;
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) { now->tv_sec = NOW; now->tv_usec = 0; return 0; }
time_t time(time_t *now) { if (now) *now = NOW; return NOW; }
"""


def stopped_clock(folder, now: int) -> dict:
    """The environment of a process for which it is always `now`, in seconds since 1970."""
    (folder / "clock.c").write_text(CLOCK)
    library = folder / f"clock{now}.so"
    subprocess.run(["cc", f"-DNOW=({now})", "-shared", "-fPIC", "-o", str(library), str(folder / "clock.c")], check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.mark.parametrize("years, says", [(8, None), (9.5, "ends at"), (10.5, "ended at")])
def test_the_end_of_the_service_certificate_is_told(new_node, tmp_path, years, says):
    node = new_node("private")
    node.stop()
    node.environment = stopped_clock(tmp_path, int(time.time() + years * 365 * 86_400))
    node.start()
    assert (f"the service certificate {says}" in node.log()) if says else ("service certificate" not in node.log())
    node.kill()


def test_a_clock_before_1970_is_refused(new_node, tmp_path):
    node = new_node("private", start=False)
    node.environment = stopped_clock(tmp_path, -1000)
    with pytest.raises(NodeDidNotStart) as problem:
        node.start()
    assert problem.value.code == 2 and "before 1970" in problem.value.output
    assert not node.directory.exists()


@pytest.mark.parametrize("operation", ["write", "sync", "open", "rename"])
def test_fault_at_the_very_start(new_node, identities, tmp_path, operation):
    """A first start that fails half way says so; the next one works, or refuses with a reason and no half ledger."""
    node = new_node("private", start=False)
    faults = Faults(tmp_path / "faults", node.ledger_directory)
    node.environment = faults.environment
    faults.set(operation)
    try:
        node.start(timeout=30)
    except NodeDidNotStart as refused:
        assert refused.code and refused.code > 0, refused
    node.kill()
    faults.clear()
    node.start()
    assert Rest(node, identities.admin).append("now it works").status == 200


def test_full_disk(new_node, identities, small_disk, tmp_path):
    if small_disk is None:
        import resource

        node = new_node("private", start=False, preexec=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (400_000, 400_000)))
        node.start()
    else:
        node = new_node("private", directory=small_disk / "data")
    try:
        rest = Rest(node, identities.admin)
        book = Book(node, identities)
        refused = None
        for _ in range(200):
            answer = book.write(rest, size=60_000)
            if isinstance(answer, OSError) or answer.status != 200:
                refused = answer
                break
        assert refused is not None, "the disk never filled up"
        assert not isinstance(refused, OSError) and refused.status in (500, 503), refused
        refused = book.write(rest, size=60_000)
        assert refused.status == 503 and refused.message
        health = rest.get("/health")
        assert health.status == 503 and health.json()["status"] == "degraded" and health.json()["reason"], health
        assert rest.get("/node/ready/app").status == 503
        # Anybody may ask: the file, but not where it is on this machine.
        assert "ledger_" in health.json()["reason"] and "/" not in health.json()["reason"] + refused.message
        assert node.says(f"{node.directory}/ledger/ledger_"), node.log()
        assert "indelible_accepts_writes 0" in rest.get("/metrics").body.decode()
        for path in ("/app/transactions", "/app/transactions/current", "/app/collections"):
            assert rest.get(path).status in (200, 503), path
        name, contents = next(iter(book.committed.items()))
        assert rest.get(f"/app/transactions/{name}").json()["entry"]["contents"] == contents
        if small_disk is None:
            node.kill()
            node.preexec = None
        else:  # with room again it may go on by itself, and must after a restart
            subprocess.run(["mount", "-o", "remount,size=60m", str(small_disk)], check=True)
            deadline = time.monotonic() + 10
            while rest.get("/health").status != 200:
                assert time.monotonic() < deadline, "the node does not see that there is room again"
                time.sleep(0.2)
            for _ in range(3):
                book.write(rest, size=60_000)
            book.check()
            node.kill()
        node.start()
        book.check()
        assert book.write(Rest(node, identities.admin)).status == 200
        judge(node)
    finally:
        node.kill()
        if small_disk is not None:
            node.tampered = True  # judged above, before the file system goes away


def test_a_limit_on_file_sizes_is_not_forgotten(new_node, identities):
    """Other files can be written, so the node said that it was well, though the chunk can never grow again."""
    node = new_node("private", start=False, preexec=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (300_000, 300_000)))
    node.start()
    rest = Rest(node, identities.admin)
    answer = retry_until(lambda: (answer := rest.append("x" * 20_000)).status != 200 and answer)
    assert answer.status == 503 and "/" not in answer.message
    time.sleep(2.5)
    assert rest.get("/health").status == 503 and rest.get("/node/ready/app").status == 503
    rest.close()
    node.stop()
    node.preexec = None
    node.start()
    rest = Rest(node, identities.admin)
    assert rest.append("room").status == 200 and rest.get("/node/ready/app").status == 204
    rest.close()


def test_index_on_a_full_disk(new_node, identities, small_disk):
    """Only the derived files have no room: nothing acknowledged is lost, and with room again reads go on by themselves."""
    if small_disk is None:
        pytest.skip("needs a small file system")
    # With a snapshot, a start uses the index that is there; so it can be moved to a disk of its own.
    node = new_node("private", options=["--snapshot-interval", "20"])
    rest = Rest(node, identities.admin)
    for number in range(40):
        rest.append(f"before {number}")
    node.stop()
    shutil.move(node.directory / "index", small_disk / "index")
    (node.directory / "index").symlink_to(small_disk / "index")
    try:
        node.start()
        assert (node.directory / "index").is_symlink()
        rest = Rest(node, identities.admin)
        book = Book(node, identities)
        for _ in range(3):
            book.write(rest)
        book.check()
        filler = os.open(small_disk / "filler", os.O_CREAT | os.O_WRONLY)
        with contextlib.suppress(OSError):
            while os.write(filler, bytes(4096)):
                pass
        os.close(filler)
        # Enough that the index's write-ahead log has to grow.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = book.write(rest, size=200)
            assert answer.status == 200, answer
            if rest.get(f"/app/transactions/{answer.transaction_id}/receipt").status != 200:
                break
        else:
            raise AssertionError("the index never ran out of room")
        (small_disk / "filler").unlink()
        book.check()
        node.kill()
        node.start()
        book.check()
        judge(node)
    finally:
        node.kill()
        node.tampered = True  # judged above, before the file system goes away


def test_an_index_that_cannot_be_written_is_not_the_end_of_the_ledger(new_node, identities, tmp_path):
    """So many transactions in the open chunk that the index is written before its end is reached; only the database is too large."""
    node = new_node("public", options=["--chunk-size", str(1 << 29)])
    tags = [word for tag in "abcde" for word in ("--tag", tag)]
    lines = tmp_path / "lines"
    lines.write_text("".join(f"{number}\n" for number in range(24_000)))
    done = run_cli("entry", "append", "--file", lines, "--lines", "--jobs", "64", "--no-receipt", *tags, "--url",
                   node.url, "--service-certificate", node.service_certificate, "--certificate", identities.admin.combined_file)
    assert done.returncode == 0, done.stderr
    node.stop()
    shutil.rmtree(node.directory / "index")
    before = {path.name: path.stat().st_size for path in node.ledger_directory.iterdir()}
    node.preexec = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    with pytest.raises(NodeDidNotStart) as refused:
        node.start()
    assert refused.value.code == 2 and "the derived index of" in refused.value.output, refused.value
    assert {path.name: path.stat().st_size for path in node.ledger_directory.iterdir()} == before
    assert not list((node.directory / "set-aside").iterdir())
    node.preexec = None
    node.start()


def test_start_on_a_full_disk_changes_nothing(new_node, identities, small_disk):
    if small_disk is None:
        pytest.skip("needs a small file system")
    node = new_node("private", directory=small_disk / "data")
    try:
        book = Book(node, identities)
        rest = Rest(node, identities.admin)
        for _ in range(20):
            book.write(rest)
        node.stop()
        filler = small_disk / "filler"
        descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
        try:
            while os.write(descriptor, bytes(4096)):
                pass
        except OSError:
            pass
        os.close(descriptor)
        try:
            node.start(timeout=30)
        except NodeDidNotStart as refused:
            assert refused.code and refused.code > 0, refused
        node.kill()
        filler.unlink()
        node.start()
        book.check()
        judge(node)
    finally:
        node.kill()
        node.tampered = True


def test_the_limit_of_open_files_is_raised(new_node):
    node = new_node("public", preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2_048)))
    assert resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE) == (2_048, 2_048)


def test_connections_leave_the_ledger_its_files(new_node, identities):
    """Connections that say nothing used up all descriptors; the node was read-only from then on."""
    limit = 256
    node = new_node(
        "public", preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
        options=["--chunk-size", "4096", "--snapshot-interval", "10"])
    rest = Rest(node, identities.admin)
    assert rest.append("before").status == 200
    idle = []
    try:
        for _ in range(2 * limit):
            idle.append(socket.create_connection(("127.0.0.1", node.port), timeout=5))
        time.sleep(1)
        assert len(os.listdir(f"/proc/{node.process.pid}/fd")) < limit - 32
        ids = [rest.append(f"during {number} " + "x" * 300) for number in range(30)]
        assert [answer.status for answer in ids] == [200] * 30, ids
        read = rest.get(f"/app/transactions/{ids[0].transaction_id}/receipt")
        assert read.status == 200, read
        assert rest.get("/health").json()["status"] == "ok"
    finally:
        for one in idle:
            one.close()
    assert retry_until(lambda: Rest(node, identities.admin).append("after").status == 200)


def test_what_can_be_read_again_is_not_reported_for_ever(new_node, identities):
    node = new_node("public", options=["--chunk-size", "4096"])
    rest = Rest(node, identities.admin)
    ids = [rest.append("x" * 500).transaction_id for _ in range(30)]
    node.restart()
    rest = Rest(node, identities.admin)
    chunk = max(node.ledger_directory.glob("*.committed"), key=lambda path: int(path.name.split("_")[1].split("-")[0]))
    first, last = (int(part) for part in chunk.name.removesuffix(".committed").split("_")[1].split("-"))
    inside = [one for one in ids if first <= int(one.split(".")[1]) <= last]
    away = node.directory / "away"
    chunk.rename(away)
    assert rest.get(f"/app/transactions/{inside[0]}").status >= 500
    assert "cannot be read" in rest.get("/health").json()["reason"]
    away.rename(chunk)
    assert rest.get(f"/app/transactions/{inside[1]}").status == 200
    assert rest.get("/health").json()["status"] == "ok"
