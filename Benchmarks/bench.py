"""The figures of README.md, each with the command that made it. Everything runs on loopback, in one go."""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Tests/Python"))

from support.certificates import make_identity  # noqa: E402
from support.issuer import Issuer  # noqa: E402
from support.node import Node, binary, run_cli  # noqa: E402
from support.rest import Rest  # noqa: E402

USER = "00000000-0000-4000-8000-00000000be4c"


def extension() -> Path:
    """The loadable extension, as scripts/build-release makes it."""
    path = os.environ.get("INDELIBLE_SQLITE_EXTENSION")
    return Path(path) if path else HERE.parent / ".build/release/libindelible_sqlite.so"


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.base = Path(tempfile.mkdtemp(prefix="indelible-bench.", dir=arguments.directory))
        self.admin = make_identity(self.base, "admin")
        self.issuer = Issuer()
        self.rows: list[dict] = []

    # Helpers

    def node(self, name: str) -> Node:
        node = Node(self.base / name, ledger_type="private", administrator=self.admin, issuers=[self.issuer],
                    options=["--benchmark-route"]).start()
        rest = Rest(node, self.admin)
        assert rest.set_user(USER, "Contributor").status == 200
        rest.close()
        return node

    def add(self, name, value, unit, budget, good, command):
        verdict = "" if good is None or self.arguments.smoke else ("met" if good else "MISSED")
        self.rows.append({"name": name, "value": value, "unit": unit, "budget": budget, "verdict": verdict,
                          "command": command})
        print(f"{name}: {value} {unit} {f'(budget {budget}) {verdict}' if budget else ''}", file=sys.stderr, flush=True)

    def wrk(self, node, script, path, connections, seconds, **environment):
        """One run; requests a second and latencies in milliseconds."""
        # A slow machine may need all of a short run for the handshakes: then a longer one tells more.
        for length in (seconds, 4 * seconds, 16 * seconds):
            command = ["wrk", "-t2", f"-c{connections}", f"-d{length}s", "--timeout", "20s",
                       "-s", str(HERE / script), node.url + path]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=length + 60,
                env={**os.environ, "BENCH_TOKEN": self.issuer.token(USER, lifetime=36_000), **environment})
            line = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
            if not line:
                raise SystemExit(f"wrk failed: {done.stdout}{done.stderr}")
            result = json.loads(line[0][7:])
            if result["bad"] or result["requests"]:
                break
        if result["bad"] or not result["requests"]:
            raise SystemExit(f"wrk saw errors: {result} {done.stdout} {node.log()[-1000:]}")
        return {"rate": result["requests"] / (result["microseconds"] / 1e6), "requests": result["requests"],
                **{name: result[name] / 1000 for name in ("p50", "p99", "max")}}

    APPEND = "/app/transactions?api-version=2022-05-13"

    # (a) durable appends as a ratio to an empty handler

    def appends(self):
        node = self.node("appends")
        seconds, rounds = (1, 1) if self.arguments.smoke else (8, 5)
        for path in ("/benchmark/empty", self.APPEND):
            self.wrk(node, "post.lua", path, 32, 1)  # warm
        empty, append = [], []
        for _ in range(rounds):
            empty.append(self.wrk(node, "post.lua", "/benchmark/empty", 32, seconds))
            append.append(self.wrk(node, "post.lua", self.APPEND, 32, seconds))
        middle = lambda runs, key: statistics.median(run[key] for run in runs)
        ratio = statistics.median(a["rate"] / e["rate"] for a, e in zip(append, empty))
        command = f"wrk -t2 -c32 -d{seconds}s -s Benchmarks/post.lua, {rounds} alternating pairs, medians"
        self.add("empty handler", round(middle(empty, "rate")), "requests/s", "", None, command)
        self.add("durable appends", round(middle(append, "rate")), "entries/s", "", None, command)
        self.add("durable appends p99", round(middle(append, "p99"), 1), "ms", "", None, command)
        self.add("appends / empty handler", round(ratio, 3), "", "≥ 0.60", ratio >= 0.60, command)
        node.stop()

    # (b) one client's latency, over what the machine itself needs

    def latency(self):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        node = self.node("latency")
        rest = Rest(node, self.admin)
        count = 50 if self.arguments.smoke else 1000
        times = []
        for number in range(count + 20):
            began = time.perf_counter()
            answer = rest.append("x" * 256, wait=True)
            took = time.perf_counter() - began
            if answer.status != 200 or not answer.json().get("receipt"):
                raise SystemExit(f"no receipt in {answer}")
            if number >= 20:
                times.append(took)
        key = ec.generate_private_key(ec.SECP384R1())
        digest = bytes(32)
        probe = os.open(self.base / "probe", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        disk, sign = [], []
        for _ in range(count):
            os.write(probe, bytes(2048))
            began = time.perf_counter()
            os.fdatasync(probe)
            disk.append(time.perf_counter() - began)
            began = time.perf_counter()
            key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
            sign.append(time.perf_counter() - began)
        os.close(probe)
        p50 = statistics.median(times) * 1000
        floor = (statistics.median(disk) + statistics.median(sign)) * 1000
        command = f"POST …?waitForCommit=true, {count} times on one connection (the answer holds the receipt)"
        self.add("append to commit and receipt, p50", round(p50, 2), "ms", "", None, command)
        self.add("append to commit and receipt, p99", round(sorted(times)[int(count * 0.99)] * 1000, 2), "ms", "", None,
                 command)
        self.add("one fdatasync + one P-384 signature, p50", round(floor, 2), "ms", "", None, "probe in bench.py")
        self.add("append over that floor, p50", round(p50 - floor, 2), "ms", "≤ 5", p50 - floor <= 5, command)
        rest.close()
        node.stop()

    # (c), (d), (e): a big ledger

    def load(self, node, count: int):
        """Many clients at once, in slices of a few seconds, until there are at least `count` more entries."""
        seconds = 1 if self.arguments.smoke else 4
        while count > 0:
            count -= self.wrk(node, "load.lua", self.APPEND, 256, seconds)["requests"]

    def load_by_command(self, node, count: int):
        lines = self.base / "lines"
        with open(lines, "w") as file:
            for number in range(count):
                file.write(f"record {number:09} {uuid.UUID(int=random.Random(number).getrandbits(128))}\n")
        command = [str(binary()), "entry", "append", "--lines", "--jobs", "512", "--no-receipt", "--file", str(lines),
                   "--url", node.url, "--service-certificate", str(node.service_certificate),
                   "--certificate", str(self.admin.combined_file)]
        began = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"loading failed: {done.stderr[-2000:]}")
        lines.unlink()
        return count / (time.monotonic() - began)

    def sample_ids(self, node, count: int) -> Path:
        """Ids of entries at random places all over the ledger, in random order."""
        pick = random.Random(1)
        rest = Rest(node, self.admin)
        view, last = rest.get("/app/commit").json()["transaction_id"].split(".")
        chosen: set[str] = set()
        for _ in range(max(1, count // 20)):
            page = rest.get("/app/transactions", query={
                "fromTransactionId": f"{view}.{pick.randint(1, int(last))}", "limit": "20"})
            chosen.update(entry["transactionId"] for entry in page.json()["entries"])
        rest.close()
        mixed = sorted(chosen)
        pick.shuffle(mixed)
        path = self.base / "sample"
        path.write_text("\n".join(mixed) + "\n")
        return path

    def measure(self, node, label):
        """Memory and restart time at this size, and receipts of random entries."""
        loaded = node.resident_bytes()
        node.stop()
        restarts = []
        for number in range(1 if self.arguments.smoke else 3):
            node.start()
            restarts.append(node.ready_seconds)
            if number == 0:
                node.kill()  # once by a crash
            else:
                node.stop()
        node.start()
        seconds = 1 if self.arguments.smoke else 10
        ids = self.sample_ids(node, 50_000)
        few = self.wrk(node, "receipts.lua", "", 8, seconds, BENCH_IDS=str(ids))
        many = self.wrk(node, "receipts.lua", "", 32, seconds, BENCH_IDS=str(ids))
        resident = node.resident_bytes()
        size = sum(path.stat().st_size for path in node.ledger_directory.iterdir())
        return {"label": label, "loaded": loaded / 2**20, "resident": resident / 2**20, "restart": max(restarts),
                "few": few, "many": many, "ledger": size / 2**20}

    def big(self):
        small, large = (2_000, 5_000) if self.arguments.smoke else (100_000, self.arguments.entries)
        node = self.node("big")
        rate = self.load_by_command(node, small // 10)
        self.load(node, small - small // 10)
        first = self.measure(node, f"{small:,}")
        self.verify(node, first)
        self.load(node, large - small)
        second = self.measure(node, f"{large:,}")
        node.stop()
        load = "indelible entry append --lines --jobs 512 --no-receipt --file LINES"
        self.add("loading through the command line", round(rate), "entries/s", "", None, load)
        for point in (first, second):
            at = f"at {point['label']} entries"
            last = point is second
            receipts = "wrk -t2 -c8 -s Benchmarks/receipts.lua, random ids of the ledger"
            self.add(f"ledger files {at}", round(point["ledger"]), "MiB", "", None, "size of DIR/ledger")
            self.add(f"receipts of random entries {at}, 8 connections", round(point["few"]["rate"]), "/s",
                     "≥ 5,000" if last else "", point["few"]["rate"] >= 5000 if last else None, receipts)
            self.add(f"… p99", round(point["few"]["p99"], 2), "ms", "≤ 10" if last else "",
                     point["few"]["p99"] <= 10 if last else None, receipts)
            receipts = receipts.replace("-c8", "-c32")
            self.add(f"receipts of random entries {at}, 32 connections", round(point["many"]["rate"]), "/s", "", None,
                     receipts)
            self.add(f"… p99", round(point["many"]["p99"], 2), "ms", "", None, receipts)
            self.add(f"resident memory after loading, {at}", round(point["loaded"]), "MiB", "≤ 250" if last else "",
                     point["loaded"] <= 250 if last else None, "VmRSS of the node")
            self.add(f"resident memory after a restart and the receipts, {at}", round(point["resident"]), "MiB",
                     "≤ 250" if last else "", point["resident"] <= 250 if last else None, "VmRSS of the node")
            self.add(f"restart {at}, slowest", round(point["restart"], 2), "s", "≤ 3" if last else "",
                     point["restart"] <= 3 if last else None, "indelible serve until its ready line, after TERM and KILL")

    def verify(self, node, point):
        """Ours against the ccf package on the same directory."""
        node.stop()
        runs = 1 if self.arguments.smoke else 3
        ours = []
        for _ in range(runs):
            began = time.monotonic()
            done = run_cli("ledger", "verify", node.ledger_directory, "--json", timeout=3600)
            ours.append(time.monotonic() - began)
            if done.returncode != 0:
                raise SystemExit(f"ledger verify: {done.stdout}{done.stderr}")
        began = time.monotonic()
        script = HERE.parent / "Tests/Python/support/ccf_check.py"
        done = subprocess.run([sys.executable, str(script), str(node.ledger_directory)], capture_output=True, text=True)
        theirs = time.monotonic() - began
        result = json.loads(done.stdout)
        if not result["ok"]:
            raise SystemExit(f"ccf rejects the directory: {result}")
        ratio = theirs / statistics.median(ours)
        entries = result["transactions"]
        self.add(f"ledger verify, {entries:,} transactions", round(statistics.median(ours), 3), "s", "", None,
                 "indelible ledger verify DIR/ledger")
        self.add(f"ccf package, the same directory", round(theirs, 2), "s", "", None,
                 "python Tests/Python/support/ccf_check.py DIR/ledger")
        self.add("ledger verify is faster by", round(ratio, 1), "times", "≥ 20", ratio >= 20,
                 "the two above; ours uses both cores, the package one")
        self.add("entries for each signature", round(entries / result["signatures"], 1), "", "", None,
                 "of the directory that was verified")
        node.start()

    # (f): the SQLite engine

    def sql(self):
        from sql_bench import SQLBench

        SQLBench(self, binary(), extension()).run()

    def run(self) -> int:
        chosen = self.arguments.only.split(",")
        began = time.monotonic()
        try:
            for name, part in (("appends", self.appends), ("latency", self.latency), ("big", self.big),
                               ("sql", self.sql)):
                if "all" in chosen or name in chosen:
                    part()
        finally:
            self.issuer.close()
            if not self.arguments.keep:
                shutil.rmtree(self.base, ignore_errors=True)
        result = {"smoke": self.arguments.smoke, "seconds": round(time.monotonic() - began),
                  "cores": os.cpu_count(), "figures": self.rows}
        if self.arguments.json:
            Path(self.arguments.json).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        width = max(len(row["name"]) for row in self.rows)
        print(f"{'figure':{width}}  {'value':>10} {'unit':10} {'budget':8} verdict")
        for row in self.rows:
            print(f"{row['name']:{width}}  {row['value']:>10} {row['unit']:10} {row['budget']:8} {row['verdict']}")
        print(json.dumps(result, ensure_ascii=False))
        return 1 if any(row["verdict"] == "MISSED" for row in self.rows) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes; no budgets are judged")
    parser.add_argument("--only", default="all", help="comma-separated: appends, latency, big, sql")
    parser.add_argument("--entries", type=int, default=1_000_000, help="size of the big ledger")
    parser.add_argument("--rows", type=int, default=1_000_000, help="size of the table that is verified")
    parser.add_argument("--directory", default=None, help="where to put the data (default: the temporary directory)")
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--keep", action="store_true", help="leave the data directories")
    arguments = parser.parse_args()
    if not binary().exists():
        raise SystemExit(f"{binary()} is missing: scripts/build-release program")
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    return Bench(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
