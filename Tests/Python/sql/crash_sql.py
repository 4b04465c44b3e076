"""Kills writers, sealers and uploaders of a ledger database again and again and checks what was promised.

    Tests/Python/sql/crash_sql.py --rounds 500

Each round several processes work on one database: writers with the extension (transactions, savepoints, rollbacks, REPLACE),
one that closes blocks, and `indelible sql watch`, which uploads digests to a directory. They are killed with SIGKILL at a
random moment; in some rounds a writer runs out of disk instead (a file size limit in the middle of a transaction), or the log
is torn the way a crash may tear what was never synchronised. Then, before anything writes again: both verifiers must say OK
over every digest that was ever uploaded; every acknowledged transaction must be there, with its rows and its entry; nothing
that was rolled back may be there; and the work goes on.
"""

import argparse
import atexit
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from kit import ledger  # noqa: E402
from support.node import binary, clean_environment  # noqa: E402

TABLES = """
CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, balance INTEGER, note TEXT);
CREATE TABLE entry(writer INTEGER, number INTEGER, amount INTEGER, PRIMARY KEY(writer, number)) WITHOUT ROWID;
CREATE TABLE event(writer INTEGER, number INTEGER, what TEXT);
CREATE TABLE journal(id INTEGER PRIMARY KEY, writer INTEGER, number INTEGER);
"""


class Broken(Exception):
    """A promise was not kept."""


def writer(path, number, seed, book, file_size):
    """One writer's process. A line in `book` after COMMIT came back is an acknowledgement."""
    import resource
    import sqlite3
    pick = random.Random(seed)
    if file_size:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    db = ledger.connect(path)
    db.execute(f"PRAGMA synchronous = {pick.choice(['FULL', 'NORMAL'])}")
    db.execute("SELECT ledger_set_principal(?)", (f"writer {number}",))
    turn = (ledger.scalar(db, "SELECT max(number) FROM entry WHERE writer = ?", number) or 0) + 1
    with open(book, "a", buffering=1) as told:
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT INTO entry VALUES (?, ?, ?)", (number, turn, pick.randrange(100)))
                db.execute("INSERT INTO journal(writer, number) VALUES (?, ?)", (number, turn))
                for _ in range(pick.randrange(4)):
                    db.execute("REPLACE INTO account VALUES (?, ?, ?, ?)", (
                        pick.randrange(50), f"w{number}", turn, "x" * pick.choice([0, 10, 5000])))
                db.execute("SAVEPOINT a")
                db.execute("INSERT INTO event VALUES (?, ?, 'undone')", (number, turn))
                db.execute("UPDATE account SET balance = balance + 1 WHERE id < 10")
                db.execute("ROLLBACK TO a")
                db.execute("RELEASE a")
                db.execute("INSERT INTO event VALUES (?, ?, 'done')", (number, turn))
                if pick.random() < 0.1:
                    db.execute("DELETE FROM account WHERE id = ?", (pick.randrange(50),))
                if pick.random() < 0.15:
                    db.execute("ROLLBACK")
                else:
                    db.execute("COMMIT")
                    told.write(f"{turn}\n")
                turn += 1
            except sqlite3.Error as problem:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if "locked" in str(problem) or "busy" in str(problem):
                    continue
                if file_size and ("full" in str(problem) or "I/O" in str(problem)):
                    told.write("full\n")
                    time.sleep(60)
                raise


def sealer(path, seed):
    pick = random.Random(seed)
    db = ledger.connect(path)
    while True:
        try:
            db.execute("SELECT ledger_close_block()").fetchall()
        except Exception as problem:
            if "locked" not in str(problem) and "busy" not in str(problem):
                raise
        time.sleep(pick.random() * 0.05)


class Crash:
    def __init__(self, arguments):
        self.arguments = arguments
        self.pick = random.Random(arguments.seed)
        self.base = Path(tempfile.mkdtemp(prefix="indelible-crash-sql."))
        self.tally = {"kills": 0, "full": 0, "acknowledged": 0, "digests": 0}
        self.all_acknowledged = self.all_digests = 0
        self.running = []
        atexit.register(self.end)
        self.new_database(0)

    def new_database(self, number):
        arguments = self.arguments
        if number:
            self.all_acknowledged += self.tally["acknowledged"]
            self.all_digests += self.tally["digests"]
            if not arguments.keep:
                shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = self.base / f"{number}"
        self.folder.mkdir()
        self.path, self.store, self.kept = self.folder / "bank.db", self.folder / "digests", self.folder / "kept"
        self.store.mkdir()
        self.kept.mkdir()
        self.told = {number: set() for number in range(arguments.writers)}
        db = ledger.connect(self.path)
        db.execute(f"PRAGMA journal_mode = {arguments.journal_mode}")
        db.execute("SELECT ledger_init(1)")
        db.executescript(TABLES)
        db.execute("SELECT ledger_refresh()")
        db.close()

    def end(self):
        """Whatever ended this: nothing of it goes on."""
        for process in self.running:
            process.kill()

    def spawn(self, *words):
        return subprocess.Popen([sys.executable, __file__, *map(str, words)], stdout=subprocess.DEVNULL,
                                stderr=open(self.base / "stderr.txt", "ab"))

    def round(self):
        pick, running = self.pick, []
        self.running = running
        size = self.path.stat().st_size
        full = pick.random() < 0.25
        for number in range(self.arguments.writers):
            limit = size + pick.randrange(1, 200_000) if full and number == 0 else 0
            running.append(self.spawn("--writer", number, "--path", self.path, "--seed", pick.randrange(1 << 30), "--book",
                                      self.folder / f"book{number}", "--file-size", limit))
        if pick.random() < 0.6:
            running.append(self.spawn("--sealer", "--path", self.path, "--seed", pick.randrange(1 << 30)))
        running.append(subprocess.Popen(
            [str(binary()), "sql", "watch", str(self.path), "--store", f"file://{self.store}", "--interval", "0.1"],
            stdout=subprocess.DEVNULL, stderr=open(self.base / "stderr.txt", "ab"), env=clean_environment()))
        # Mostly in the middle of the work, at times while a process is still starting.
        books = [self.folder / f"book{number}" for number in self.told]
        before = sum(book.stat().st_size for book in books if book.exists())
        patience = time.monotonic() + (15 if pick.random() < 0.8 else 0)
        while time.monotonic() < patience and sum(book.stat().st_size for book in books if book.exists()) == before:
            time.sleep(0.02)
        time.sleep(pick.uniform(0.1, 1.2))
        pick.shuffle(running)
        ended = [process.args for process in running if process.poll() not in (None,)]
        for process in running:
            process.send_signal(signal.SIGKILL)
            if pick.random() < 0.3:
                time.sleep(pick.random() * 0.05)
        for process in running:
            process.wait()
            self.tally["kills"] += 1
        if ended:
            raise Broken(f"ended by itself: {ended}\n{(self.base / 'stderr.txt').read_text()[-3000:]}")
        self.check()

    def digests(self):
        """What was ever seen in the store must stay there, byte for byte."""
        found = {file.relative_to(self.store): file.read_bytes() for file in self.store.rglob("*.json")
                 if not file.name.startswith(".")}
        for file in self.kept.rglob("*.json"):
            name = file.relative_to(self.kept)
            if found.get(name) != file.read_bytes():
                raise Broken(f"the store lost or changed {name}")
        for name, data in found.items():
            if not (self.kept / name).exists():
                (self.kept / name).parent.mkdir(parents=True, exist_ok=True)
                (self.kept / name).write_bytes(data)
        self.tally["digests"] = len(found)

    def check(self):
        self.digests()
        before = ledger.fingerprint(self.path)
        done = ledger.Report(ledger.run_cli("sql", "verify", self.path, "--store", f"file://{self.store}", "--json",
                                            "--state", self.folder / "state.json"))
        code, codes, second = ledger.second_opinion(self.path, self.store)
        if before != ledger.fingerprint(self.path):
            raise Broken("a verifier changed the files")
        allowed = (0, 2) if not self.tally["digests"] else (0,)
        hot = Path(str(self.path) + "-journal").exists()
        if done.exit_code not in allowed + ((2,) if hot else ()) or done.codes & {"ROW_ALTERED", "ROW_MISSING", "ROLLBACK"}:
            raise Broken(f"a false alarm: {done}")
        if code not in allowed:
            raise Broken(f"a false alarm of the Python verifier: {codes} {getattr(second, 'findings', second)}")
        db = ledger.connect(self.path)
        for number in self.told:
            book = self.folder / f"book{number}"
            lines = book.read_text().split("\n")[:-1] if book.exists() else []
            self.tally["full"] += lines.count("full") and 1
            self.told[number] |= {int(line) for line in lines if line != "full"}
            there = {row[0] for row in db.execute("SELECT number FROM entry WHERE writer = ?", (number,))}
            lost = self.told[number] - there
            if lost:
                raise Broken(f"writer {number}: {len(lost)} acknowledged transactions are lost, for example {min(lost)}")
            for table, more in (("journal", ""), ("event", " AND what = 'done'")):
                other = {row[0] for row in db.execute(f"SELECT number FROM {table} WHERE writer = ?{more}", (number,))}
                if other != there:
                    raise Broken(f"writer {number}: {table} and entry differ: half a transaction")
            ledgered = {row[0] for row in db.execute("SELECT number FROM entry_Ledger WHERE writer = ?", (number,))}
            if ledgered != there:
                raise Broken(f"writer {number}: the ledger view differs")
        if ledger.scalar(db, "SELECT count(*) FROM event WHERE what = 'undone'"):
            raise Broken("a rolled-back operation is there")
        if ledger.scalar(db, "SELECT count(*) FROM event_Ledger WHERE what = 'undone'"):
            raise Broken("a rolled-back operation is in the ledger")
        if ledger.scalar(db, "PRAGMA integrity_check") != "ok":
            raise Broken("SQLite finds the file damaged")
        db.close()
        self.tally["acknowledged"] = sum(map(len, self.told.values()))

    def run(self):
        began = time.monotonic()
        done = 0
        try:
            for done in range(1, self.arguments.rounds + 1):
                if done > 1 and done % self.arguments.rounds_per_database == 1:
                    self.new_database(done)
                self.round()
                if done % 10 == 0:
                    print(f"round {done}: {self.tally}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        except Broken as problem:
            print(f"round {done} of seed {self.arguments.seed}: {problem}\nfiles kept in {self.base}", file=sys.stderr)
            return 1
        if not self.arguments.keep:
            shutil.rmtree(self.base, ignore_errors=True)
        print(json.dumps({"rounds": done, "seed": self.arguments.seed, "seconds": round(time.monotonic() - began, 1),
                          "falseAlarms": 0, "lost": 0, **self.tally,
                          "acknowledged": self.all_acknowledged + self.tally["acknowledged"],
                          "digests": self.all_digests + self.tally["digests"]}))
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="default: random; printed on failure")
    parser.add_argument("--rounds-per-database", type=int, default=25)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--journal-mode", default="WAL", choices=["WAL", "DELETE", "TRUNCATE"])
    parser.add_argument("--keep", action="store_true", help="leave the directory")
    for name in ("--writer", "--file-size"):
        parser.add_argument(name, type=int, help=argparse.SUPPRESS)
    for name in ("--path", "--book"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--sealer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.writer is not None:
        return writer(arguments.path, arguments.writer, arguments.seed, arguments.book, arguments.file_size)
    if arguments.sealer:
        return sealer(arguments.path, arguments.seed)
    if arguments.seed is None:
        arguments.seed = int.from_bytes(os.urandom(4), "little")
    return Crash(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
