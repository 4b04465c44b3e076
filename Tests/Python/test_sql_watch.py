"""`sql watch` beside stores that do not answer, files that are replaced under it, and other watchers."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from support.node import binary, clean_environment, run_cli


class Watch:
    """A running `sql watch --json` with what it has told so far."""

    def __init__(self, path, *stores, words=(), environment=None):
        given = [word for store in stores for word in ("--store", store)]
        self.file = Path(f"{path}.told{time.monotonic_ns()}")
        with open(self.file, "wb") as out:
            self.process = subprocess.Popen(
                [str(binary()), "sql", "watch", str(path), "--interval", "0.2", "--json", *given, *map(str, words)],
                stdout=out, stderr=subprocess.STDOUT, env={**clean_environment(), **(environment or {})})

    def told(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def until(self, event, seconds=30, **members):
        """Waits for the line with this event and these members; a text is part of the member."""
        def fits(line):
            return line["event"] == event and all(
                value in line.get(name, "") if isinstance(value, str) else line.get(name) == value
                for name, value in members.items())

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [line for line in self.told() if fits(line)]
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"no line {event} {members} in {seconds} s: {self.file.read_text()}")

    def stop(self, code=0, seconds=30):
        """SIGTERM and the end, in time."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(seconds) == code, self.file.read_text()


@pytest.fixture
def watch():
    made = []

    def start(*words, **options):
        made.append(Watch(*words, **options))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def places(tmp_path):
    for name in ["x", "y"]:
        (tmp_path / name).mkdir()
    return [f"file://{tmp_path}/x", f"file://{tmp_path}/y"]


def sql(path, command, *words, code=0):
    done = run_cli("sql", command, path, *words)
    assert done.returncode == code, (command, words, done.stdout, done.stderr)
    return done.stdout


def make(path, mode="delete"):
    plain = sqlite3.connect(path)
    plain.executescript(f"PRAGMA journal_mode = {mode}; CREATE TABLE t (id INTEGER PRIMARY KEY, a);")
    plain.close()
    sql(path, "init")
    sql(path, "enable", "t")
    return path


def insert(path):
    sql(path, "exec", "INSERT INTO t (a) VALUES ('x')")


def blocks(store):
    """The blocks whose digests a directory holds, for each ledger."""
    return {
        folder.name: sorted(int(file.stem) for file in folder.iterdir())
        for folder in Path(store.removeprefix("file://")).iterdir()}


def status(path):
    return json.loads(sql(path, "status", "--json"))


def copy(path, to):
    """A restored backup: whole, in one file."""
    source, target = sqlite3.connect(path), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


# Stores that do not answer

def test_a_store_that_hangs_holds_up_neither_blocks_nor_stores(watch, places, tmp_path, new_node, identities):
    node = new_node("public", users=False)
    path = make(tmp_path / "a.db")
    words = ["--service-certificate", node.service_certificate, "--certificate", identities.admin.combined_file]
    hanging = f"{node.url}?collection=x"
    watcher = watch(path, hanging, places[0], words=words)
    watcher.until("uploaded", blockId=0, store=hanging)
    node.process.send_signal(signal.SIGSTOP)
    try:
        for number in range(1, 4):
            insert(path)
            watcher.until("uploaded", seconds=25, blockId=number, store=places[0])
        watcher.until("behind", seconds=60, store=hanging, reason="has not answered for 1")
        insert(path)
        watcher.stop(code=2, seconds=40)  # 10 s for the last round, and a few to close connections
    finally:
        node.process.send_signal(signal.SIGCONT)
    last = watcher.told()[-1]
    assert (last["event"], last["store"]) == ("behind", hanging) and "4 blocks behind" in last["reason"], last
    assert list(blocks(places[0]).values()) == [[0, 1, 2, 3, 4]], "the last round closed a block and took it to the other"
    sql(path, "watch", "--once", "--store", hanging, "--store", places[0], *words)
    assert {store["path"]: store["lag"] for store in status(path)["stores"]} == {hanging: 0, places[0]: 0}


# A medium that is away without an error, as a network file system may be.
HANGING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int mkdir(const char *path, mode_t mode) {
    while (strstr(path, "/hangs")) pause();
    return ((int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir"))(path, mode);
}
"""


def test_directories_that_hang_hold_up_nobody(watch, places, tmp_path):
    (tmp_path / "hanging.c").write_text(HANGING)
    library = tmp_path / "hanging.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "hanging.c"), "-ldl"], check=True)
    path = make(tmp_path / "a.db")
    hanging = []
    # More than there are processors, which is how many threads all tasks share.
    for number in range((os.cpu_count() or 1) + 2):
        (tmp_path / f"hangs{number}").mkdir()
        hanging.append(f"file://{tmp_path}/hangs{number}")
    watcher = watch(path, *hanging, places[0], environment={"LD_PRELOAD": str(library)})
    for number in range(3):
        watcher.until("uploaded", blockId=number, store=places[0])
        insert(path)
    watcher.stop(code=2)
    assert {line["store"] for line in watcher.told()[-len(hanging):]} == set(hanging)
    assert list(blocks(places[0]).values()) == [[0, 1, 2, 3]]


def test_the_last_round_tries_a_store_that_is_in_a_pause(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=0)
    os.rename(tmp_path / "x", tmp_path / "away")
    insert(path)
    for _ in range(3):  # the pause after the third failure is 4 s
        count = len(watcher.told())
        watcher.until("behind", store=places[0])
        end = time.monotonic() + 10
        while len(watcher.told()) == count and time.monotonic() < end:
            time.sleep(0.05)
    os.rename(tmp_path / "away", tmp_path / "x")
    watcher.stop()
    assert watcher.told()[-1]["event"] == "uploaded"
    assert status(path)["stores"][0]["lag"] == 0 and list(blocks(places[0]).values()) == [[0, 1]]


def test_a_store_that_stays_behind_is_named_at_the_end(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    watcher = watch(path, *places)
    watcher.until("uploaded", blockId=0, store=places[0])
    os.rename(tmp_path / "x", tmp_path / "away")
    insert(path)
    watcher.until("behind", store=places[0])
    watcher.stop(code=2)
    assert places[0] in watcher.told()[-1]["reason"] and watcher.told()[-1]["event"] == "behind"
    assert list(blocks(places[1]).values()) == [[0, 1]]


def test_the_last_round_does_not_wait_for_a_locked_database(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    watcher = watch(path, *places)
    for store in places:
        watcher.until("uploaded", blockId=0, store=store)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        watcher.until("failed", reason="locked")
        watcher.stop(code=2, seconds=25)  # 10 s, and what was waited for when the signal came
    finally:
        writer.execute("COMMIT")
        writer.close()
    last = watcher.told()[-1]
    assert last["event"] == "failed" and "what was written after block 0 has no digest at any store" in last["reason"], last


def test_the_last_round_takes_what_a_short_lock_leaves(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=0)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    watcher.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    writer.execute("COMMIT")
    writer.close()
    assert watcher.process.wait(25) == 0, watcher.told()


# Expected stores

def test_an_expected_ledger_without_a_collection(places, tmp_path, new_node, identities):
    """What is recorded names the collection of the database."""
    node = new_node("public", users=False)
    path = make(tmp_path / "a.db")
    words = ["--service-certificate", node.service_certificate, "--certificate", identities.admin.combined_file]
    sql(path, "watch", "--once", "--store", node.url, *words)
    (store,) = status(path)["stores"]
    assert store["path"].startswith(f"{node.url}?collection=sqldbledgerdigests/")
    for url in node.url, f"{node.url}/", store["path"], store["path"].replace("sqldb", "%73qldb"), node.url.replace("https", "HTTPS"):
        sql(path, "verify", "--store", node.url, "--expect-store", url, *words)
    sql(path, "verify", "--store", node.url, "--expect-store", f"{node.url}?collection=other", *words, code=1)


# Files that are replaced

def test_an_older_copy_in_place_is_told_until_it_is_gone(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    for number in range(3):
        sql(path, "watch", "--once", "--store", places[0])
        if number == 0:
            copy(path, tmp_path / "older.db")
        insert(path)
    sql(path, "watch", "--once", "--store", places[0])
    copy(path, tmp_path / "newer.db")
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=3)
    copy(tmp_path / "older.db", path)
    told = watcher.until("behind", reason="an older copy of the database was restored")
    assert "halted" in told["reason"] and told["blockId"] == 0, told
    time.sleep(1)
    watcher.stop(code=2)
    events = [line for line in watcher.told() if line["event"] == "uploaded"]
    assert [line["blockId"] for line in events] == [3], "nothing is said to be there that was there before"
    # What the store has is noted, so that the next process knows.
    assert status(path)["stores"][0]["lastBlockId"] == 3
    assert "an older copy" in sql(path, "status")
    for _ in range(2):
        sql(path, "watch", "--once", "--store", places[0], code=2)
    insert(path)
    told = run_cli("sql", "watch", path, "--once", "--store", places[0])
    assert told.returncode == 2 and "one of them was rewritten" in told.stderr, told
    # The newer copy again, and it goes on.
    copy(tmp_path / "newer.db", path)
    sql(path, "watch", "--once", "--store", places[0])
    insert(path)
    sql(path, "watch", "--once", "--store", places[0])
    assert list(blocks(places[0]).values()) == [[0, 1, 2, 3, 4]]
    assert sql(path, "verify", "--store", places[0]).startswith("VERIFIED")


def test_what_the_database_has_noted_is_asked_for(places, tmp_path):
    """Whoever writes the database writes its notes, and stores lose things."""
    path = make(tmp_path / "a.db")
    sql(path, "watch", "--once", "--store", places[0])
    for file in Path(places[0].removeprefix("file://")).rglob("*.json"):
        file.unlink()
    told = run_cli("sql", "watch", path, "--once", "--store", places[0])
    assert told.returncode == 0 and "the store has none" in told.stderr, told
    assert list(blocks(places[0]).values()) == [[0]], "it is there again"
    # Nobody listens there, whatever the database says.
    away = "https://127.0.0.1:1?collection=w"
    sql(path, "exec", f"SELECT ledger_record_upload('{away}', 0, 1)")
    vector = Path(__file__).parents[2] / "Vectors/sql/evidence/good.json"
    (tmp_path / "pin.pem").write_text(json.loads(vector.read_text())["serviceCertificate"])
    for command in ["watch", path, "--once"], ["digest", path]:
        told = run_cli("sql", *command, "--store", away, "--service-certificate", tmp_path / "pin.pem")
        assert told.returncode == 2 and "are at" not in told.stdout and "uploaded" not in told.stderr, told


def test_a_store_that_loses_digests_below_a_running_watch(watch, places, tmp_path):
    """Named and uploaded again in the next round, without a new block; also when it is the last round."""
    path, folder = make(tmp_path / "a.db"), Path(places[0].removeprefix("file://"))

    def lose():
        for file in folder.rglob("*.json"):
            file.unlink()

    running = watch(path, places[0])
    running.until("uploaded", store=places[0])
    lose()
    running.until("lost", store=places[0], reason="it is uploaded again")
    deadline = time.monotonic() + 20
    while list(blocks(places[0]).values()) != [[0]] and time.monotonic() < deadline:
        time.sleep(0.05)
    running.stop()
    assert list(blocks(places[0]).values()) == [[0]]
    assert sql(path, "verify", "--store", places[0]).startswith("VERIFIED")
    last = watch(path, places[0], words=["--interval", "600"])
    last.until("uploaded", store=places[0])
    lose()
    last.stop()
    assert list(blocks(places[0]).values()) == [[0]]
    assert sql(path, "verify", "--store", places[0]).startswith("VERIFIED")


def test_an_older_copy_with_its_own_notes(places, tmp_path):
    path = make(tmp_path / "a.db")
    sql(path, "watch", "--once", "--store", places[0])
    copy(path, tmp_path / "older.db")
    insert(path)
    sql(path, "watch", "--once", "--store", places[0])
    copy(tmp_path / "older.db", path)
    told = run_cli("sql", "watch", path, "--once", "--store", places[0])
    assert told.returncode == 2 and "an older copy of the database was restored" in told.stderr, told


def test_a_digest_that_was_added_later_holds_up_no_upload(tmp_path, new_node, identities):
    """Whoever may write to the collection can add one; the oldest counts."""
    node = new_node("public", users=False)
    words = ["--service-certificate", node.service_certificate, "--certificate", identities.admin.combined_file]
    path, store = make(tmp_path / "a.db"), f"{node.url}?collection=w"
    sql(path, "watch", "--once", "--store", store, *words)
    digest = json.loads(sql(path, "digest", "--no-close"))
    forged = json.dumps(dict(digest, hash="0x" + "AB" * 32), sort_keys=True, separators=(",", ":"))
    done = run_cli("entry", "append", "--url", node.url, "--collection", "w", *words, forged)
    assert done.returncode == 0, done.stderr
    sql(path, "digest", "--store", store, *words)
    insert(path)
    sql(path, "watch", "--once", "--store", store, *words)
    told = run_cli("sql", "verify", path, "--store", store, *words)
    assert told.returncode == 1 and "FORK" in told.stdout and "DIGEST_MISMATCH" not in told.stdout, told


def test_a_digest_that_was_noted_and_cannot_be_read(places, tmp_path):
    path = make(tmp_path / "a.db")
    sql(path, "watch", "--once", "--store", places[0])
    (file,) = Path(places[0].removeprefix("file://")).rglob("*.json")
    file.chmod(0o644)
    file.write_text("{}")
    for command in ["watch", path, "--once"], ["digest", path]:
        told = run_cli("sql", *command, "--store", places[0])
        assert told.returncode == 2 and "cannot be read" in told.stderr, told
        assert "are at" not in told.stdout and "uploaded to" not in told.stderr, told
    insert(path)
    sql(path, "watch", "--once", "--store", places[0])


def test_stores_of_the_environment(places, tmp_path):
    path = make(tmp_path / "a.db")
    told = run_cli("sql", "digest", path, environment={"INDELIBLE_STORES": places[0]})
    assert told.returncode == 0 and list(blocks(places[0]).values()) == [[0]], told


def test_a_watch_goes_on_when_the_newer_copy_is_back(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    sql(path, "watch", "--once", "--store", places[0])
    copy(path, tmp_path / "older.db")
    insert(path)
    sql(path, "watch", "--once", "--store", places[0])
    copy(path, tmp_path / "newer.db")
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=1)
    copy(tmp_path / "older.db", path)
    watcher.until("behind", reason="an older copy")
    copy(tmp_path / "newer.db", path)
    insert(path)
    watcher.until("uploaded", blockId=2)
    watcher.stop()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_copy_that_is_moved_over_the_database_is_watched(watch, places, tmp_path, mode):
    path = make(tmp_path / "a.db", mode)
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=0)
    copy(path, tmp_path / "copy.db")
    for end in ["-wal", "-shm"]:
        Path(f"{path}{end}").unlink(missing_ok=True)
    os.rename(tmp_path / "copy.db", path)
    insert(path)
    watcher.until("reopened", reason="another file")
    watcher.until("uploaded", blockId=1)
    insert(path)
    watcher.stop()
    assert status(path)["openTransactions"] == 0 and status(path)["stores"][0]["lag"] == 0
    assert list(blocks(places[0]).values()) == [[0, 1, 2]]
    assert sql(path, "verify", "--store", places[0]).startswith("VERIFIED")


def test_another_ledger_that_is_copied_into_the_file_begins_anew(watch, places, tmp_path):
    path, other = make(tmp_path / "a.db"), make(tmp_path / "other.db")
    first, second = status(path)["ledgerId"], status(other)["ledgerId"]
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=0)
    shutil.copyfile(other, path)
    watcher.until("reopened", reason=second)
    insert(path)
    watcher.until("uploaded", blockId=1)
    watcher.stop()
    assert blocks(places[0]) == {first: [0], second: [0, 1]}, "block 0 of the other ledger as well"


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_that_is_gone_is_told_and_waited_for(watch, places, tmp_path, mode):
    path = make(tmp_path / "a.db", mode)
    watcher = watch(path, places[0])
    watcher.until("uploaded", blockId=0)
    copy(path, tmp_path / "copy.db")
    for end in ["", "-wal", "-shm"]:
        Path(f"{path}{end}").unlink(missing_ok=True)
    watcher.until("failed", reason="no such file")
    time.sleep(1)
    assert len([line for line in watcher.told() if line["event"] == "failed"]) == 1, "once a minute"
    assert not path.exists(), "nothing is made in its place"
    os.rename(tmp_path / "copy.db", path)
    insert(path)
    watcher.until("uploaded", blockId=1)
    path.unlink()
    watcher.until("failed", reason="no such file", blockId=None)
    watcher.stop(code=2)
    assert not path.exists()


# Other watchers

def test_two_watchers_with_different_stores_leave_each_other_alone(watch, places, tmp_path):
    path = make(tmp_path / "a.db")
    watchers = [watch(path, store) for store in places]
    for watcher, store in zip(watchers, places):
        watcher.until("uploaded", blockId=0, store=store)
    time.sleep(1)
    for number in range(1, 4):
        insert(path)
        for watcher, store in zip(watchers, places):
            watcher.until("uploaded", blockId=number, store=store)
        assert [store["isCurrent"] for store in status(path)["stores"]] == [True, True], number
    for watcher in watchers:
        watcher.stop()
    assert [(store["isCurrent"], store["lag"]) for store in status(path)["stores"]] == [(True, 0), (True, 0)]


def test_a_watcher_alone_marks_a_store_as_former(places, tmp_path):
    path = make(tmp_path / "a.db")
    for store in places:
        sql(path, "watch", "--once", "--store", store)
    assert {store["path"]: store["isCurrent"] for store in status(path)["stores"]} == {places[0]: False, places[1]: True}
