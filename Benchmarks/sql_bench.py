"""The figures of the SQLite engine: each workload in a process of its own, the modes in turns, medians of ratios."""

import os
import random
import shutil
import statistics
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODES = ("plain", "audit", "ledger")


class SQLBench:
    """Runs sqlite.c (the SQLite C API) with the loadable extension, and the released program for verification."""

    def __init__(self, bench, program: Path, extension: Path):
        self.bench = bench
        self.program = program
        self.extension = extension
        self.base = bench.base / "sql"
        self.base.mkdir()
        self.driver = self.base / "driver"
        subprocess.run(["cc", "-O2", "-Wno-deprecated-declarations", "-o", self.driver, HERE / "sqlite.c", "-lsqlite3",
                        "-lcrypto"], check=True)

    def work(self, mode, database, workload, count=0) -> float:
        done = subprocess.run([self.driver, mode, self.extension, database, workload, str(count)], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise SystemExit(f"{mode} {workload}: {done.stderr}")
        return float(done.stdout)

    def fresh(self, mode, rows=0) -> Path:
        path = self.base / f"{mode}.{random.getrandbits(40):x}.db"
        self.work(mode, path, "make")
        if rows:
            self.work(mode, path, "bulk", rows)
        return path

    def drop(self, path: Path):
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)

    def ratios(self, workload, count, rows, rounds, modes=MODES, keep=False):
        """Seconds of each mode by round. Writers get a fresh file each round; readers keep theirs."""
        times = {mode: [] for mode in modes}
        kept = {mode: self.fresh(mode, rows) for mode in modes} if keep else {}
        for number in range(rounds):
            order = list(modes)
            random.Random(number).shuffle(order)
            for mode in order:
                path = kept.get(mode) or self.fresh(mode, rows)
                times[mode].append(self.work(mode, path, workload, count))
                if not kept:
                    self.drop(path)
        for path in kept.values():
            self.drop(path)
        return times

    def report(self, name, times, count, budget_plain, budget_audit=None):
        def middle(over):
            return statistics.median(a / b for a, b in zip(times[over], times["ledger"]))

        command = f"Benchmarks/sqlite.c, {len(times['plain'])} rounds, medians of the ratios of a round"
        for mode in times:
            self.bench.add(f"{name}: {mode}", round(statistics.median(times[mode]) / count * 1e6, 2), "us each", "", None,
                           command)
        self.bench.add(f"{name} / plain tables", round(middle("plain"), 3), "", f"≥ {budget_plain}",
                       middle("plain") >= budget_plain, command)
        if budget_audit:
            self.bench.add(f"{name} / audit triggers", round(middle("audit"), 3), "", f"≥ {budget_audit}",
                           middle("audit") >= budget_audit, command)

    # The program

    def timed(self, *arguments, accept=(0,)):
        """Wall seconds and peak resident bytes of one run of the program."""
        began = time.monotonic()
        process = subprocess.Popen([self.program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**os.environ, "XDG_STATE_HOME": str(self.base / "state")})
        output = process.stdout.read()
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        code = os.waitstatus_to_exitcode(status)
        if code not in accept:
            raise SystemExit(f"indelible {arguments}: exit {code}: {output[-2000:]!r} {errors[-2000:]!r}")
        return took, usage.ru_maxrss * 1024, output.decode()

    def verification(self, rows, rounds):
        path = self.fresh("ledger", rows)
        (self.base / "store").mkdir()
        store = f"file://{self.base}/store"
        self.timed("sql", "digest", path, "--store", store)
        floors, single, double, peak = [], [], [], 0
        for _ in range(rounds):
            floors.append(self.work("plain", path, "floor"))
            took, memory, _ = self.timed("sql", "verify", path, "--store", store, "--jobs", 1, "--json")
            single.append(took)
            peak = max(peak, memory)
            took, memory, _ = self.timed("sql", "verify", path, "--store", store, "--jobs", 2, "--json")
            double.append(took)
            peak = max(peak, memory)
        command = f"indelible sql verify, {rows:,} rows inserted in one transaction, {rounds} rounds"
        ratio = statistics.median(f / s for f, s in zip(floors, single))
        scale = statistics.median(s / d for s, d in zip(single, double))
        self.bench.add("floor of verification: scan and SHA-256", round(statistics.median(floors), 3), "s", "", None,
                       "Benchmarks/sqlite.c floor")
        self.bench.add("verification, one job", round(statistics.median(single), 3), "s", "", None, command)
        self.bench.add("verification / floor", round(ratio, 3), "", "≥ 0.70", ratio >= 0.70, command)
        self.bench.add("verification, two jobs against one", round(scale, 2), "times", "≥ 1.6", scale >= 1.6, command)
        self.bench.add(f"memory of verification at {rows:,} rows", round(peak / 2**20), "MiB", "≤ 200",
                       peak <= 200 * 2**20, command)
        self.since(path, store, statistics.median(single))
        self.export(path, store, rounds)
        plain = self.fresh("plain", rows)
        sizes = {}
        for name, file in (("plain", plain), ("ledger", path)):
            self.checkpoint(file)
            sizes[name] = file.stat().st_size
        self.bench.add("storage of a row version, plain", round(sizes["plain"] / rows, 1), "bytes", "", None,
                       "size of the file / rows")
        self.bench.add("storage that the ledger adds to a row version", round((sizes["ledger"] - sizes["plain"]) / rows, 1),
                       "bytes", "", None, "size of the file / rows")
        self.drop(plain)
        self.drop(path)

    def checkpoint(self, path):
        import sqlite3

        connection = sqlite3.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def since(self, path, store, whole):
        self.timed("sql", "verify", path, "--store", store, "--since-last", "--json")
        self.work("ledger", path, "bulk", 1000)
        self.timed("sql", "digest", path, "--store", store)
        took, _, _ = self.timed("sql", "verify", path, "--store", store, "--since-last", "--json")
        self.bench.add("verification --since-last after 1,000 new rows", round(took * 1000), "ms", "", None,
                       "indelible sql verify --since-last")
        self.bench.add("… of the whole verification", round(took / whole, 3), "", "", None, "the two above")

    def export(self, path, store, rounds):
        times = []
        for number in range(max(rounds, 3)):
            out = self.base / f"evidence{number}.json"
            took, _, _ = self.timed("evidence", "export", path, "--table", "account", "--key", 1 + number * 7919, "--store",
                                    store, "--out", out)
            times.append(took)
            size = out.stat().st_size
        took = statistics.median(times) * 1000
        self.bench.add("export of one row's evidence, whole process", round(took), "ms", "≤ 50", took <= 50,
                       "indelible evidence export")
        self.bench.add("… size of the bundle", size, "bytes", "", None, "indelible evidence export")

    def run(self):
        smoke = self.bench.arguments.smoke
        rounds = 1 if smoke else 5
        rows = 20_000 if smoke else 500_000
        few = 200 if smoke else 4_000
        self.report("one-row durable transactions", self.ratios("durable", few, 1000, rounds), few, 0.85)
        self.report("bulk insert in one transaction", self.ratios("bulk", rows, 0, rounds), rows, 0.25, 0.70)
        updates = rows // 2
        self.report("keyed updates in one transaction", self.ratios("update", updates, rows, rounds), updates, 0.20, 0.70)
        self.report("point reads", self.ratios("point", rows, rows, rounds, ("plain", "ledger"), keep=True), rows, 0.97)
        self.report("scans", self.ratios("scan", 5, rows, rounds, ("plain", "ledger"), keep=True), 5 * rows, 0.97)
        self.verification(rows if smoke else self.bench.arguments.rows, rounds if smoke else 3)
        shutil.rmtree(self.base, ignore_errors=True)
