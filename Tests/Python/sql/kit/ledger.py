"""The product as its users meet it: the loadable extension in Python's sqlite3, and the program's `sql` commands."""

import ctypes
import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

from support.node import ROOT, run_cli

from . import reference as ref

# What both verifiers must agree on. Findings about capture, views, policies, indexes and schemas beyond the columns are the
# program's alone: they compare with objects that only the engine knows how to write.
COMPARED = {
    "ROW_ALTERED", "ROW_MISSING", "ROW_EXTRA", "ROW_DUPLICATE", "VERSION_LINK", "TX_ALTERED", "TX_MISSING", "TX_EXTRA",
    "BLOCK_ALTERED", "CHAIN_BROKEN", "DIGEST_MISMATCH", "ROLLBACK", "FORK", "TIME_ANOMALY", "TAIL_UNATTESTED",
}

ROWS = {"ROW_ALTERED", "ROW_MISSING", "ROW_EXTRA", "ROW_DUPLICATE", "VERSION_LINK"}


def extension() -> Path:
    named = os.environ.get("INDELIBLE_SQLITE_EXTENSION")
    return Path(named) if named else ROOT / ".build/release/libindelible_sqlite.so"


def plain(path, uri=False) -> sqlite3.Connection:
    """A connection that knows nothing of ledgers."""
    return sqlite3.connect(path, isolation_level=None, uri=uri, timeout=30)


def load(connection) -> sqlite3.Connection:
    connection.enable_load_extension(True)
    connection.load_extension(str(extension().with_suffix("")))
    connection.enable_load_extension(False)
    return connection


def connect(path, **options) -> sqlite3.Connection:
    """A connection with the extension."""
    return load(plain(path, **options))


def scalar(connection, sql, *values):
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None


# A connection's switches that Python 3.11 has no method for.

_sqlite = None
DBCONFIG_ENABLE_TRIGGER, DBCONFIG_DEFENSIVE, DBCONFIG_WRITABLE_SCHEMA = 1003, 1010, 1011


def _handle(connection):
    """The `sqlite3 *` inside a connection object of CPython: the first field after the object's header."""
    return ctypes.c_void_p.from_address(id(connection) + object.__basicsize__).value


def set_switch(connection, switch, on):
    """`sqlite3_db_config` on the library that the interpreter itself uses."""
    global _sqlite
    if _sqlite is None:
        import _sqlite3
        _sqlite = ctypes.CDLL(_sqlite3.__file__)
        _sqlite.sqlite3_db_config.restype = ctypes.c_int
    code = _sqlite.sqlite3_db_config(
        ctypes.c_void_p(_handle(connection)), ctypes.c_int(switch), ctypes.c_int(int(on)), ctypes.c_void_p(None))
    assert code == 0, code


def without_triggers(path) -> sqlite3.Connection:
    connection = plain(path)
    set_switch(connection, DBCONFIG_ENABLE_TRIGGER, False)
    return connection


def with_writable_schema(path) -> sqlite3.Connection:
    connection = plain(path)
    connection.execute("PRAGMA writable_schema = ON")
    return connection


# Files


SIDE_FILES = ("", "-wal", "-shm", "-journal")


def files_of(path):
    return [Path(str(path) + side) for side in SIDE_FILES if Path(str(path) + side).exists()]


def fingerprint(path):
    """SHA-256 of the database and everything beside it. The index of the log is left out: readers may write it."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files_of(path)
            if not file.name.endswith("-shm")}


def copy_database(source, target) -> Path:
    for side in SIDE_FILES:
        if Path(str(source) + side).exists():
            shutil.copy(str(source) + side, str(target) + side)
    return Path(target)


# Verification


class Report:
    """What `indelible sql verify --json` said."""

    def __init__(self, done):
        self.exit_code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        try:
            self.json = json.loads(done.stdout)
        except ValueError:
            self.json = {}
        self.findings = self.json.get("findings", [])
        self.verdict = self.json.get("verdict")
        self.notes = self.json.get("notes", [])

    @property
    def codes(self):
        return {finding["code"] for finding in self.findings}

    def __repr__(self):
        lines = [f"exit {self.exit_code} verdict {self.verdict} {self.stderr.strip()}"]
        for finding in self.findings[:15]:
            lines.append("  " + " ".join(f"{name}={value}" for name, value in finding.items()
                                         if value not in (None, [], {}) and name not in ("certainty", "time", "principal")))
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def verify(path, *digests, tables=(), options=(), timeout=300) -> Report:
    words = ["sql", "verify", path, "--json"]
    for file in digests:
        words += ["--digest", file]
    for table in tables:
        words += ["--table", table]
    return Report(run_cli(*words, *options, timeout=timeout))


def second_opinion(path, *digests, tables=()):
    """The Python verifier's. Answers (exit code, set of codes, verification)."""
    given = [digest for file in digests for digest in ref.read_digests(file)]
    try:
        done = ref.verify(path, given, tables)
    except ref.Blocked as problem:
        return 2, {"VERIFIER_BLOCKED"}, problem
    return done.exit_code, {finding["code"] for finding in done.findings}, done


def rows_of(findings):
    """(code, transaction, sequence number) of the findings of rows; `None` where some were summed up."""
    findings = [finding for finding in findings if finding["code"] in ROWS]
    if any(finding.get("count", 1) > 1 for finding in findings):
        return None
    return {(finding["code"], finding.get("transaction"), finding.get("sequence")) for finding in findings}


def agree(path, *digests, report=None):
    """Both verifiers say the same of a database: the same verdict, the same codes of rows, transactions, blocks and digests."""
    report = report or verify(path, *digests)
    code, codes, second = second_opinion(path, *digests)
    told = f"\nprogram: {report}\nPython: exit {code} " + "\n  ".join(map(str, getattr(second, "findings", [second])[:15]))
    assert report.exit_code in (0, 1, 2), told
    only_ours = report.codes - COMPARED - {"VERIFIER_BLOCKED"}
    # A verdict that rests on a finding which only the program makes may differ.
    if not only_ours:
        assert code == report.exit_code, f"the verdicts differ{told}"
    assert codes & COMPARED == report.codes & COMPARED, f"the codes differ{told}"
    ours, theirs = rows_of(report.findings), rows_of(getattr(second, "findings", []))
    assert None in (ours, theirs) or ours == theirs, f"the rows differ: {ours ^ theirs}{told}"
    return report


def literal(value):
    """As reports write a value: an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return "x'" + value.hex() + "'"
    return str(value)


def key_of(finding):
    return {part["column"]: part["value"] for part in finding.get("key", [])}
