"""A pytest plugin that turns every database of somebody else's test suite into a ledger database.

    python -m pytest -p kit.auto_ledger tests        (with this directory's parent on PYTHONPATH)

Every connection that the suite opens loads the extension; a main database without a ledger gets one, in which every new table
is a ledger table; a table joins right after the statement that made it, as soon as no transaction is open. When a test is over, every
database that still can be read is verified with the Python verifier; what it finds fails the test. INDELIBLE_AUTO=off leaves
everything as it is, so that the same command gives the count on plain tables.
"""

import os
import sqlite3
import tempfile
import weakref
from pathlib import Path

import pytest

from . import reference as ref

EXTENSION = os.environ.get("INDELIBLE_SQLITE_EXTENSION", "")
real_connect = sqlite3.connect
opened = []


class Connection(sqlite3.Connection):
    _is_ledger = False

    def _joined(self, sql):
        if self._is_ledger and isinstance(sql, str) and not self.in_transaction:
            words = sql.lstrip().lower()
            if words.startswith(("create table", "alter table", "begin", "commit", "release", "end")):
                self._refresh()

    def _refresh(self):
        factory, self.row_factory = self.row_factory, None
        try:
            # A table with a random name is one in which the library tries out what SQLite can do, and drops at once.
            if not super().execute("SELECT 1 FROM sqlite_master WHERE length(name) = 33 AND name GLOB 't*' AND name NOT GLOB 't*[^0-9a-f]*'").fetchone():
                super().execute("SELECT ledger_refresh()").fetchall()
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) and "readonly" not in str(problem) and "read-only" not in str(problem):
                raise
        finally:
            self.row_factory = factory

    def execute(self, sql, *arguments):
        cursor = super().execute(sql, *arguments)
        self._joined(sql)
        return cursor

    def executescript(self, sql):
        cursor = super().executescript(sql)
        if self._is_ledger and not self.in_transaction:
            self._refresh()
        return cursor

    def commit(self):
        super().commit()
        if self._is_ledger:
            self._refresh()

    def __exit__(self, *problem):
        done = super().__exit__(*problem)
        if self._is_ledger and not self.in_transaction:
            self._refresh()
        return done


def connect(database, *arguments, **options):
    if "factory" in options or options.get("uri") and "mode=ro" in str(database):
        return real_connect(database, *arguments, **options)
    connection = real_connect(database, *arguments, factory=Connection, **options)
    connection.enable_load_extension(True)
    sqlite3.Connection.load_extension(connection, EXTENSION)
    try:
        sqlite3.Connection.execute(connection, "SELECT ledger_init(1)").fetchall()
        if connection.in_transaction:
            sqlite3.Connection.commit(connection)
        connection._is_ledger = True
    except sqlite3.DatabaseError:
        pass  # a file that is no database, or that can't be written: as without the ledger
    opened.append(weakref.ref(connection))
    return connection


if os.environ.get("INDELIBLE_AUTO", "on") == "on":
    sqlite3.connect = connect
    sqlite3.dbapi2.connect = connect


def judge(connection):
    """Findings of the Python verifier about what the connection holds."""
    try:
        if connection.in_transaction:
            return None
        connection.row_factory = None
        if not sqlite3.Connection.execute(
                connection, "SELECT 1 FROM sqlite_master WHERE name = 'ledger_identity'").fetchone():
            return None
        digest = sqlite3.Connection.execute(connection, "SELECT ledger_close_block()").fetchone()
        digest = digest and digest[0] or sqlite3.Connection.execute(connection, "SELECT ledger_digest()").fetchone()[0]
    except sqlite3.Error:
        return None  # closed, read-only, locked
    if digest is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "copy.db"
        copy = real_connect(path)
        connection.backup(copy)
        copy.close()
        done = ref.verify(path, ref.parse_digests(digest.encode(), "digest"))
    judged[0] += 1
    judged[1] += done.counts["leaves"]
    return [finding for finding in done.findings if finding["code"] != "TAIL_UNATTESTED"]


judged = [0, 0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Judges at the end of the test itself, before fixtures close the connections."""
    result = yield
    problems = []
    for reference in opened:
        connection = reference()
        found = connection is not None and judge(connection)
        if found:
            problems.append(found)
    opened.clear()
    if problems:
        pytest.fail(f"INDELIBLE: the ledger does not verify: {problems}", pytrace=False)
    return result


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"databases verified: {judged[0]}, row operations in them: {judged[1]}")
