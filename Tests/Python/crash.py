"""Kills the node again and again under load and checks what it promised.

    Tests/Python/crash.py --rounds 200

Each round: several clients write, read and change users; the process is killed with SIGKILL at a random moment (at
times while it is still starting); often the files are then damaged the way a crash may damage them: everything that
was never made durable is taken away, the last write is torn, rubbish follows it, the index is gone or rotten. After the
restart every entry that was ever reported committed must be there, with the same id and contents; every receipt given
out must still verify and belong to the same leaf; ids are never used twice; requests that got no answer are sent again
and appear once at most. Every few rounds the `ccf` package and `ledger verify` read the whole directory.
"""

import argparse
import collections
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from support import ledger_files  # noqa: E402
from support.ccf_check import check_in_process  # noqa: E402
from support.certificates import make_identity  # noqa: E402
from support.faults import Faults  # noqa: E402
from support.node import Node, NodeDidNotStart, run_cli  # noqa: E402
from support.receipts import verify_with_sdk  # noqa: E402
from support.rest import Rest  # noqa: E402

BROKEN = (OSError, http.client.HTTPException)


class Broken(Exception):
    """A promise was not kept."""


class Book:
    """Everything the clients were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.committed: dict[str, tuple[str, str]] = {}  # id -> contents, collection
        self.accepted: dict[str, tuple[str, str]] = {}  # answered, but not (yet) reported committed
        self.receipts: dict[str, dict] = {}
        self.uncertain: list[tuple] = []  # contents, collection, tags, request id: no answer came
        self.sent: set[str] = set()
        self.users: dict[str, set] = collections.defaultdict(lambda: {None})  # user -> roles it may now have

    def promise(self, name: str, contents: str, collection: str):
        with self.lock:
            told = self.committed.setdefault(name, (contents, collection))
            if told != (contents, collection):
                raise Broken(f"{name} was reported committed for two different entries")


class Crash:
    def __init__(self, arguments):
        self.arguments = arguments
        self.pick = random.Random(arguments.seed)
        self.base = Path(tempfile.mkdtemp(prefix="indelible-crash."))
        self.admin = make_identity(self.base, "admin")
        self.tally = collections.Counter()
        self.slowest_start = 0.0
        self.failures: list[BaseException] = []

    # One ledger for a number of rounds

    def new_ledger(self, number: int):
        self.book = Book()
        self.directory = self.base / f"ledger{number}" / "data"
        self.directory.parent.mkdir()
        kind = ["private", "public"][number % 2]
        self.node = Node(self.directory, ledger_type=kind, administrator=self.admin)
        self.faults = Faults(self.base / f"ledger{number}" / "faults", self.node.ledger_directory)
        self.node.environment = self.faults.environment
        self.start(first=True)
        self.pem = self.node.service_certificate.read_text()

    def start(self, first: bool = False):
        if not first or self.node.ledger_type:
            self.node.options = [
                "--chunk-size", self.pick.choice([8192, 20_000, 100_000]),
                "--snapshot-interval", self.pick.choice([30, 100, 1000]),
            ]
        self.node.start()
        self.slowest_start = max(self.slowest_start, self.node.ready_seconds)

    # Load

    def client(self, number: int, seed: int, stop: threading.Event):
        pick = random.Random(seed)
        rest = Rest(self.node, self.admin, timeout=20)
        book = self.book
        try:
            while not stop.is_set():
                what = pick.random()
                if what < 0.85:
                    self.write(rest, pick, number)
                elif what < 0.92:
                    self.change_user(rest, pick)
                elif book.committed:
                    with book.lock:
                        name = pick.choice(list(book.committed)[-200:])
                    self.read(rest, name)
        except BROKEN as problem:
            if not stop.is_set():
                time.sleep(0.2)  # the killer sets the event and kills; which of them is seen first is chance
                if not stop.is_set():
                    self.failures.append(Broken(f"connection lost while the node was alive: {problem!r}"))
        except BaseException as problem:
            self.failures.append(problem)
        finally:
            rest.close()

    def write(self, rest, pick, number):
        contents = f"{number} {uuid.UUID(int=pick.getrandbits(128))} " + "x" * pick.choice([0, 10, 200, 2000])
        collection = f"c{pick.randrange(4)}"
        request_id = str(uuid.UUID(int=pick.getrandbits(128)))
        wait = pick.random() < 0.5
        tags = pick.choice([[], ["t"], ["a", "b"]])
        book = self.book
        with book.lock:
            book.sent.add(contents)
        try:
            answer = rest.append(
                contents, collection=collection, tags=tags, wait=wait, request_id=request_id)
        except BROKEN:
            with book.lock:
                book.uncertain.append((contents, collection, tags, request_id))
            raise
        if answer.status != 200:
            with book.lock:
                book.uncertain.append((contents, collection, tags, request_id))
            if answer.status != 503:
                raise Broken(f"write answered {answer}")
            return
        name = answer.transaction_id
        if wait:
            body = answer.json()
            if body["state"] not in ("Committed", "Ready"):
                book.accepted[name] = (contents, collection)
                return
            book.promise(name, contents, collection)
            if body.get("receipt"):
                with book.lock:
                    book.receipts[name] = {
                        "state": "Ready", "transactionId": name, "receipt": body["receipt"],
                        "applicationClaims": body.get("applicationClaims")}
            return
        with book.lock:
            book.accepted[name] = (contents, collection)
        status = rest.get(f"/app/transactions/{name}/status")
        if status.status == 200 and status.json()["state"] == "Committed":
            book.promise(name, contents, collection)
            if pick.random() < 0.3:
                receipt = rest.get(f"/app/transactions/{name}/receipt")
                if receipt.status != 200:
                    raise Broken(f"no receipt for the committed {name}: {receipt}")
                with book.lock:
                    book.receipts[name] = receipt.json()

    def change_user(self, rest, pick):
        user = f"user-{pick.randrange(6)}"
        role = pick.choice(["Reader", "Contributor", None])
        book = self.book
        with book.lock:
            book.users[user] = book.users[user] | {role}  # while it is under way both may be true
        answer = rest.set_user(user, role) if role else rest.request("DELETE", f"/app/users/{user}")
        if answer.status not in (200, 204, 503):
            raise Broken(f"user change answered {answer}")

    def read(self, rest, name):
        contents, collection = self.book.committed[name]
        answer = rest.get(f"/app/transactions/{name}", query={"collectionId": collection})
        if answer.status != 200 or answer.json()["entry"]["contents"] != contents:
            raise Broken(f"{name} was committed and reads {answer}")

    def load_then_kill(self):
        stop = threading.Event()
        seeds = [self.pick.getrandbits(64) for _ in range(self.arguments.threads)]
        threads = [threading.Thread(target=self.client, args=(number, seed, stop)) for number, seed in enumerate(seeds)]
        for thread in threads:
            thread.start()
        time.sleep(self.pick.choice([self.pick.uniform(0.02, 0.15), self.pick.uniform(0.1, 1.2)]))
        stop.set()  # from here on a lost connection is expected; clients are still inside their requests
        self.node.kill()
        for thread in threads:
            thread.join(60)
        if self.failures:
            raise self.failures[0]

    def kill_while_starting(self):
        """Starts the process and kills it before, at or shortly after it is ready."""
        node = self.node
        killer = threading.Timer(self.pick.uniform(0.0, 0.4), lambda: node.process and node.process.kill())
        killer.start()
        try:
            node.start()
        except NodeDidNotStart as problem:
            if problem.code not in (-9, None):
                raise Broken(f"start failed by itself: {problem}") from problem
        killer.join()
        node.kill()
        self.tally["killed while starting"] += 1

    # Damage that a crash may do

    def damage(self):
        kind = self.pick.choices(
            ["none", "power loss", "torn tail", "rubbish", "index gone", "index rotten", "power loss and index rotten"],
            [25, 25, 15, 15, 8, 6, 6])[0]
        self.tally[f"damage: {kind}"] += 1
        if kind.startswith("power loss"):
            low = self.pick.random() < 0.5
            taken = self.faults.lose_power(lambda durable, size: durable if low else self.pick.randint(durable, size))
            self.tally["bytes lost with power"] += taken
        if kind == "torn tail":
            self.tear()
        if kind == "rubbish":
            chunk = ledger_files.open_chunk(self.node.ledger_directory)
            if chunk:
                with open(chunk, "ab") as file:
                    file.write(self.pick.choice([bytes(self.pick.randrange(1, 5000)),
                                                 self.pick.randbytes(self.pick.randrange(1, 5000))]))
        index = self.directory / "index"
        if kind == "index gone" and index.exists():
            shutil.rmtree(index)
        if kind.endswith("index rotten") and index.exists():
            for path in index.rglob("*"):
                if path.is_file() and path.stat().st_size and self.pick.random() < 0.7:
                    data = bytearray(path.read_bytes())
                    if self.pick.random() < 0.3:
                        del data[self.pick.randrange(len(data)):]
                    else:
                        for _ in range(10):
                            data[self.pick.randrange(len(data))] ^= 1 << self.pick.randrange(8)
                    path.write_bytes(bytes(data))

    def tear(self):
        """Cuts the open chunk somewhere after its last signature, or leaves half of another entry there."""
        chunk = ledger_files.open_chunk(self.node.ledger_directory)
        if chunk is None or chunk.stat().st_size < 8:
            return
        end, size = ledger_files.end_of_last_signature(chunk), chunk.stat().st_size
        if size > end + 1:
            with open(chunk, "r+b") as file:
                file.truncate(self.pick.randrange(end, size))
            return
        spans = ledger_files.entries(chunk)
        if spans:
            offset, length = self.pick.choice(spans)
            data = chunk.read_bytes()[offset : offset + length]
            with open(chunk, "ab") as file:
                file.write(data[: self.pick.randrange(1, len(data))])

    # Checks

    def check_after_start(self, everything: bool):
        book, node = self.book, self.node
        if node.service_certificate.read_text() != self.pem:
            raise Broken("the service certificate changed")
        rest = Rest(node, self.admin)
        names = list(book.committed)
        recent, older = names[-150:], names[:-150]
        if not everything:
            older = self.pick.sample(older, min(40, len(older)))
        for name in recent + older:
            self.read(rest, name)
        # Answered but not reported committed: there with these contents, or gone. Never something else.
        for name, (contents, collection) in list(book.accepted.items())[-100:]:
            answer = rest.get(f"/app/transactions/{name}")
            if answer.status == 200 and answer.json()["entry"]["contents"] != contents and name in book.committed:
                raise Broken(f"{name} changed its contents")
        receipts = list(book.receipts)
        chosen = receipts if everything else receipts[-10:] + self.pick.sample(receipts, min(10, len(receipts)))
        for name in chosen:
            answer = rest.get(f"/app/transactions/{name}/receipt")
            if answer.status != 200:
                raise Broken(f"no receipt for {name} any more: {answer}")
            fresh = answer.json()
            if fresh["receipt"]["leafComponents"] != book.receipts[name]["receipt"]["leafComponents"]:
                raise Broken(f"the leaf of {name} changed")
            contents, collection = book.committed[name]
            verify_with_sdk(fresh, self.pem, contents=contents, collection=collection)
            verify_with_sdk(book.receipts[name], self.pem, contents=contents, collection=collection)
            self.tally["receipts checked"] += 1
        for user, may in book.users.items():
            answer = rest.get(f"/app/users/{user}")
            role = answer.json()["assignedRole"] if answer.status == 200 else None
            if answer.status not in (200, 404) or role not in may:
                raise Broken(f"{user} is {answer}, may be {may}")
            book.users[user] = {role}
        # Some requests that got no answer are sent again under their id.
        again, book.uncertain = book.uncertain, []
        for contents, collection, tags, request_id in again:
            if self.pick.random() < 0.5:
                answer = rest.append(contents, collection=collection, tags=tags, request_id=request_id)
                if answer.status != 200:
                    raise Broken(f"a repeated request answered {answer}")
                book.promise(answer.transaction_id, contents, collection)
                self.tally["repeated"] += 1
            else:
                self.tally["left uncertain"] += 1
        # Sequence numbers go on after everything that was promised.
        answer = rest.append("after restart " + uuid.uuid4().hex, collection="c0", wait=True)
        if answer.status != 200:
            raise Broken(f"no writes after the restart: {answer}")
        highest = max((int(name.split(".")[1]) for name in book.committed), default=0)
        if int(answer.transaction_id.split(".")[1]) <= highest:
            raise Broken(f"{answer.transaction_id} was given out again; {highest} was already promised")
        rest.close()

    def check_everything(self):
        """The whole ledger through the API, then the directory through both verifiers, with the node stopped."""
        book = self.book
        self.check_after_start(everything=True)
        rest = Rest(self.node, self.admin)
        found: dict[str, str] = {}
        seen: collections.Counter = collections.Counter()
        for number in range(4):
            link = f"/app/transactions?api-version=2024-12-09-preview&collectionId=c{number}"
            while link:
                page = rest.request("GET", link, api_version=None)
                if page.status != 200:
                    raise Broken(f"range read: {page}")
                for entry in page.json()["entries"]:
                    found[entry["transactionId"]] = entry["contents"]
                    seen[entry["contents"]] += 1
                link = page.json().get("nextLink")
        for name, (contents, _) in book.committed.items():
            if found.get(name) != contents:
                raise Broken(f"{name} is missing from the range read")
        strangers = [text for text in seen if text not in book.sent and not text.startswith("after restart ")]
        if strangers:
            raise Broken(f"entries nobody sent: {strangers[:3]}")
        twice = [text for text, count in seen.items() if count > 1]
        if twice:
            raise Broken(f"{len(twice)} entries appear more than once, for example {twice[0][:60]!r}")
        rest.close()
        self.node.stop()
        self.check_directory()

    def check_directory(self):
        theirs = check_in_process(self.node.ledger_directory)
        if not theirs["ok"]:
            raise Broken(f"ccf rejects the directory: {theirs['error']}")
        highest = max((int(name.split(".")[1]) for name in self.book.committed), default=0)
        if int(theirs["verified"].split(".")[1]) < highest:
            raise Broken(f"ccf verified until {theirs['verified']}, but {highest} was promised")
        arguments = ["ledger", "verify", self.node.ledger_directory, "--json",
                     "--service-certificate", self.node.service_certificate]
        if self.book.receipts:
            newest = max(self.book.receipts, key=lambda name: int(name.split(".")[1]))
            anchor = self.base / "anchor.json"
            anchor.write_text(json.dumps(self.book.receipts[newest]))
            arguments += ["--expect-receipt", anchor]
        done = run_cli(*arguments, timeout=600)
        if done.returncode != 0:
            raise Broken(f"ledger verify: {done.stdout}{done.stderr}")
        ours = json.loads(done.stdout)
        if (ours["signatures"], ours["lastVerified"]) != (theirs["signatures"], theirs["verified"]):
            raise Broken(f"the verifiers disagree: {ours} {theirs}")
        self.tally["directories verified"] += 1

    # All of it

    def run(self) -> int:
        arguments = self.arguments
        began = time.monotonic()
        done = 0
        try:
            for done in range(arguments.rounds):
                if done % arguments.rounds_per_ledger == 0:
                    if done:
                        self.finish_ledger()
                    self.new_ledger(done // arguments.rounds_per_ledger)
                self.load_then_kill()
                self.damage()
                if self.pick.random() < 0.15:
                    self.kill_while_starting()
                self.start()
                if (done + 1) % arguments.verify_every == 0:
                    self.check_everything()
                    self.start()
                else:
                    self.check_after_start(everything=False)
                if arguments.verbose or (done + 1) % 10 == 0:
                    print(f"round {done + 1}/{arguments.rounds}: {len(self.book.committed)} committed in this ledger, "
                          f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            self.finish_ledger()
        except BaseException as problem:
            self.node.kill()
            print(f"round {done + 1} of seed {arguments.seed}: {type(problem).__name__}: {problem}", file=sys.stderr)
            print("".join(self.node.output[-30:]), file=sys.stderr)
            print(f"files kept in {self.base}", file=sys.stderr)
            if not isinstance(problem, Broken):
                raise
            return 1
        if not arguments.keep:
            shutil.rmtree(self.base, ignore_errors=True)
        result = {
            "rounds": arguments.rounds, "seed": arguments.seed, "seconds": round(time.monotonic() - began, 1),
            "lostCommittedEntries": 0, "brokenReceipts": 0, "slowestStartSeconds": round(self.slowest_start, 3),
            **dict(sorted(self.tally.items())),
        }
        print(json.dumps(result, indent=2))
        return 0

    def finish_ledger(self):
        if self.failures:
            raise self.failures[0]
        self.check_everything()
        self.tally["committed entries"] += len(self.book.committed)
        self.tally["receipts given out"] += len(self.book.receipts)
        self.node.kill()
        if not self.arguments.keep:
            shutil.rmtree(self.directory.parent, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="default: random; printed on failure")
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--rounds-per-ledger", type=int, default=40)
    parser.add_argument("--verify-every", type=int, default=10, help="rounds between full checks")
    parser.add_argument("--keep", action="store_true", help="leave the directories")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = int.from_bytes(os.urandom(4), "little")
    return Crash(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
