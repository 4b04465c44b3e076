#!/usr/bin/env python3
"""Verify an SQLite ledger database without Indelible: this file and Python's standard library are enough.

usage: verify_sql_ledger.py DATABASE [--digests FILE_OR_DIRECTORY]... [--table NAME]... [--json]

Everything is recomputed from the rows, from nothing but the format pages in Documentation/spec (sql-*.md): the leaves of
the row versions, the table roots, the transaction entries, the blocks and their chain, and then compared with digests
that were kept somewhere else; of a directory store only this ledger's folder is read. The database is opened read only and
never changed.

exit code: 0 verified, 1 tampering found, 2 usage, unreadable, or no outside digest anchors the result
"""

import argparse
import calendar
import collections
import datetime
import hashlib
import itertools
import json
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
import time

# ---------------------------------------------------------------------------------------------------------------------
# Formats
# ---------------------------------------------------------------------------------------------------------------------

CREATED, ENDED = 1, 2
EVENTS_TABLE = 0
LEAVES_PER_CHUNK = 128
CREATE, DROP, RENAME, RENAME_VIEW, ADD_COLUMN, RENAME_COLUMN, DROP_COLUMN, OBJECTS, SETTINGS = range(9)
LEDGER_FOLDER = re.compile("[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)


class Text(bytes):
    """TEXT as it is stored; plain `bytes` are BLOBs."""


def folded(name):
    """SQLite ignores the case of ASCII letters in names, and of no others."""
    return "".join(c.lower() if c.isascii() else c for c in name)


def sha256(data):
    return hashlib.sha256(data).digest()


def u32(number):
    return struct.pack(">I", number)


def u64(number):
    return struct.pack(">Q", number)


def text(string):
    data = string if isinstance(string, bytes) else string.encode()
    return u32(len(data)) + data


def encode_value(value):
    if value is None:
        return b"\0"
    if isinstance(value, int):
        return b"\1" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\2" + struct.pack(">d", 0.0 if value == 0 else value)
    if isinstance(value, (Text, str)):
        data = value.encode() if isinstance(value, str) else value
        return b"\3" + u64(len(data)) + data
    return b"\4" + u64(len(value)) + value


def column_check(encoded):
    mask = (1 << 64) - 1
    state = 0x9E3779B97F4A7C15 ^ len(encoded)
    for at in range(0, len(encoded), 8):
        word = int.from_bytes(encoded[at : at + 8], "little")
        state = ((state ^ word) * 0xFF51AFD7ED558CCD) & mask
        state ^= state >> 32
    return (state * 0xFF51AFD7ED558CCD & mask) >> 48


def leaf_hash(preimage):
    return sha256(b"\0" + preimage)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def merkle_root(leaves):
    """RFC 6962: the left subtree is the largest power of two below the size, so an odd last node moves up."""
    if not leaves:
        return sha256(b"")
    level = leaves
    while len(level) > 1:
        above = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


class Frontier:
    """The complete subtrees of a growing tree, the largest first."""

    def __init__(self):
        self.roots, self.size = [], 0

    def append(self, leaf):
        size = self.size
        while size & 1:
            leaf = node_hash(self.roots.pop(), leaf)
            size >>= 1
        self.roots.append(leaf)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256(b"")
        folded = self.roots[-1]
        for node in reversed(self.roots[:-1]):
            folded = node_hash(node, folded)
        return folded


def row_leaf(operation, table, schema, transaction, sequence, encoded, start=None):
    begun = u64(start[0]) + u64(start[1]) if operation == ENDED else b""
    return leaf_hash(
        b"indelible/row/1\0" + bytes([operation]) + u64(table) + schema + u64(transaction) + u64(sequence) + begun
        + u32(len(encoded)) + b"".join(encoded))


def schema_digest(table, columns):
    if table == EVENTS_TABLE:
        return sha256(b"indelible/schema/0")
    data = b"indelible/schema/1\0" + u64(table) + u32(len(columns))
    for column in columns:
        data += text(column["name"]) + text(column["type"]) + bytes([column["notnull"]])
        data += u32(column["pk"]) + bytes([column["generated"]])
    return sha256(data)


def encode_table_hashes(hashes):
    """`hashes` is a list of (table id, root, leaf count)."""
    return b"\1" + u32(len(hashes)) + b"".join(u64(table) + root + u64(count) for table, root, count in hashes)


def decode_table_hashes(blob):
    if len(blob) < 5 or blob[0] != 1:
        raise ValueError("version byte")
    count = struct.unpack_from(">I", blob, 1)[0]
    if count < 1 or len(blob) != 5 + 48 * count:
        raise ValueError("length")
    found = [(*struct.unpack_from(">Q32sQ", blob, 5 + 48 * at),) for at in range(count)]
    if any(a[0] >= b[0] for a, b in zip(found, found[1:])) or any(entry[2] < 1 for entry in found):
        raise ValueError("order or empty table")
    return found


def decode_chunk_leaf(blob, offset):
    """((leaf hash, column checks), where the next one begins)"""
    if offset + 34 > len(blob):
        raise ValueError("a leaf is cut short")
    columns = struct.unpack_from(">H", blob, offset + 32)[0]
    end = offset + 34 + 2 * columns
    if end > len(blob):
        raise ValueError("column checks are cut short")
    return (blob[offset : offset + 32], struct.unpack_from(f">{columns}H", blob, offset + 34)), end


def decode_entry_leaves(blob, counts):
    """The last chunks that an entry keeps. `counts`: the leaves of each table that are in no whole chunk, ascending."""
    if not blob:
        raise ValueError("empty")
    offset, tables = 0, {}
    for table, count in counts.items():
        tables[table] = []
        for _ in range(count):
            leaf, offset = decode_chunk_leaf(blob, offset)
            tables[table].append(leaf)
    if offset != len(blob):
        raise ValueError("trailing bytes")
    return tables


def transaction_leaf(ledger, number, commit_time, principal, login, application, table_hashes):
    return leaf_hash(
        b"indelible/tx/1\0\0" + ledger + u64(number) + commit_time.encode() + text(principal) + text(login)
        + text(application) + text(table_hashes))


def entry_checks(*fields):
    """Of commit time, principal, login, application and table hashes: kept so that an altered field can be named."""
    return [column_check(encode_value(field)) for field in fields]


def block_hash(ledger, number, root, size, first, previous, history, close_time):
    return sha256(
        b"\2" + b"indelible/block/1\0" + ledger + u64(number) + root + u64(size) + u64(first)
        + (previous or bytes(32)) + history + close_time.encode())


DIGEST_MEMBERS = ("block_count", "block_id", "database_name", "digest_time", "format", "hash",
                  "last_transaction_commit_time", "ledger_id")


def make_digest(ledger, name, block, block_hash_bytes, last_commit, digest_time):
    return json.dumps({
        "block_count": block + 1, "block_id": block, "database_name": name, "digest_time": digest_time,
        "format": "indelible/digest/1", "hash": "0x" + block_hash_bytes.hex().upper(),
        "last_transaction_commit_time": last_commit, "ledger_id": ledger.hex()},
        sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class BadDigest(Exception):
    pass


def _members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise BadDigest("a member occurs twice")
    return dict(pairs)


def _number(digits):
    if digits.startswith("-"):
        raise BadDigest("a number with a sign")
    return int(digits)


def _no_constant(name):
    raise BadDigest(f"{name} is no number")


def is_time(string):
    if not TIME.fullmatch(string):
        return False
    year, month, day = int(string[:4]), int(string[5:7]), int(string[8:10])
    return day <= (calendar.monthrange(year, month)[1] if year else [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1])


def check_digest(digest):
    if not isinstance(digest, dict):
        raise BadDigest("a digest is a JSON object")
    if sorted(digest) != list(DIGEST_MEMBERS):
        raise BadDigest(f"members are {sorted(digest)}, not {list(DIGEST_MEMBERS)}")
    for name in ("block_count", "block_id"):
        if type(digest[name]) is not int or not 0 <= digest[name] < 1 << 53:
            raise BadDigest(f"{name} is not a count")
    if digest["block_count"] != digest["block_id"] + 1:
        raise BadDigest("block_count is not block_id + 1")
    for name in DIGEST_MEMBERS[2:]:
        if type(digest[name]) is not str or any(0xD800 <= ord(character) < 0xE000 for character in digest[name]):
            raise BadDigest(f"{name} is not a string")
    if digest["format"] != "indelible/digest/1":
        raise BadDigest("format is not indelible/digest/1")
    if not re.fullmatch("0x[0-9A-F]{64}", digest["hash"]):
        raise BadDigest("hash is not 0x and 64 upper-case hexadecimal digits")
    if not re.fullmatch("[0-9a-f]{32}", digest["ledger_id"]):
        raise BadDigest("ledger_id is not 32 lower-case hexadecimal digits")
    for name in ("digest_time", "last_transaction_commit_time"):
        if not is_time(digest[name]):
            raise BadDigest(f"{name} is not YYYY-MM-DDThh:mm:ss.ffffffZ")
    return digest


def parse_digests(data, origin):
    """One object, an array of objects, or a line for each object."""
    def load(string):
        if len(string.encode()) > 1 << 26:
            raise BadDigest("too long")
        return json.loads(string, object_pairs_hook=_members, parse_int=_number, parse_constant=_no_constant)

    try:
        string = data.decode()
    except UnicodeDecodeError:
        raise BadDigest(f"{origin}: not UTF-8") from None
    try:
        try:
            found = load(string)
            found = found if isinstance(found, list) else [found]
        except json.JSONDecodeError:
            found = [load(line) for line in string.splitlines() if line.strip(" \t\r")]
        if not found:
            raise BadDigest("there is no digest")
        return [check_digest(digest) for digest in found]
    except (json.JSONDecodeError, RecursionError) as problem:
        raise BadDigest(f"{origin}: {problem}") from None
    except BadDigest as problem:
        raise BadDigest(f"{origin}: {problem}") from None


def read_digests(path, ledger=None, notes=None):
    """Those of a file, or of all files of a directory. A directory store may hold many ledgers, each in the folder that
    has its id as name: with `ledger` only that one's folder is read, and `notes` gets a line about the others."""
    path = pathlib.Path(path)
    if not path.is_dir():
        return parse_digests(path.read_bytes(), path)
    files = sorted(file for file in path.rglob("*.json") if not file.name.startswith("."))
    if ledger is not None:
        others = {folder.name for folder in path.iterdir() if folder.is_dir() and LEDGER_FOLDER.fullmatch(folder.name)}
        others.discard(ledger)
        files = [file for file in files if file.relative_to(path).parts[0] not in others]
        if others:
            notes.append(f"{path}: the digests of {len(others)} other {'ledger' if len(others) == 1 else 'ledgers'} were not "
                         "read")
        if not files:
            notes.append(f"{path}: holds no digest of this ledger")
    return [digest for file in files for digest in parse_digests(file.read_bytes(), file)]


# ---------------------------------------------------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------------------------------------------------


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def shown(value):
    if isinstance(value, Text):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, bytes):
        return "x'" + value[:32].hex() + ("…'" if len(value) > 32 else "'")
    return value


class Blocked(Exception):
    """Something that has to be read can't be read."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")
        self.object, self.why = what, str(why)


def file_state(path):
    """Enough to notice that a file was written or replaced; None where there is none."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def varint(data, at):
    """(value, where it ends): seven bits a byte, the highest first; of the ninth byte all eight."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9


class Pages:
    """What SQLite's answers do not show of a database file (https://www.sqlite.org/fileformat.html)."""

    def __init__(self, file, count):
        self.file, self.count = file, count
        header = os.pread(file.fileno(), 100, 0)
        size = int.from_bytes(header[16:18], "big")
        self.size = 65536 if size == 1 else size
        self.usable = self.size - header[20]

    def page(self, number, length=None):
        data = os.pread(self.file.fileno(), length or self.size, (number - 1) * self.size) if 0 < number <= self.count else b""
        if len(data) != (length or self.size):
            raise Blocked(f"page {number}", "the file is damaged")
        return data

    def astray(self):
        """Entries of the pointer map of an auto-vacuum file that call a page the one that follows an overflow page, which names another
        one. Who reads a whole row goes by the page, who steps over columns by the map."""
        lock_page, group = 0x40000000 // self.size + 1, self.usable // 5 + 1
        for first in range(2, self.count + 1, group):
            number = first + (first == lock_page)
            last = min(first + group - 1, self.count)
            entries = self.page(number) if number < last else b""
            for page in range(number + 1, last + 1):
                kind, parent = struct.unpack_from(">BI", entries, (page - number - 1) * 5)
                if kind == 4 and (not 0 < parent <= self.count or self.page(parent, 4) != u32(page)):
                    yield page

    def odd(self, root, reals):
        """How many rows or entries below a root page hold a value that SQLite never writes (a real that is no number, which reads as NULL
        and compares as equal to every number; one of type 10 or 11), and how many values in columns of reals (their places in a record)
        are integers that no real equals, which read as the next real: SQLite before 3.33 wrote such."""
        found, large, waiting, left = 0, 0, [root], self.count
        while waiting:
            data, left = self.page(waiting.pop()), left - 1
            start = 100 if data[:16] == b"SQLite format 3\0" else 0
            kind = data[start]
            if kind not in (2, 5, 10, 13) or left < 0:
                raise Blocked(f"the tree below page {root}", "the file is damaged")
            cells = struct.unpack_from(f">{int.from_bytes(data[start + 3 : start + 5], 'big')}H", data, start + (12 if kind < 8 else 8))
            if kind < 8:
                waiting += [int.from_bytes(data[at : at + 4], "big") for at in (*cells, start + 8)]
            for at in cells if kind != 5 else ():
                length, at = varint(data, at + 4 if kind == 2 else at)
                at = varint(data, at)[1] if kind == 13 else at
                most = self.usable - 35 if kind == 13 else (self.usable - 12) * 64 // 255 - 23
                odd, count = self._odd_values(data, at, length, most, reals)
                found, large = found + odd, large + count
        return found, large

    def _odd_values(self, data, at, length, most, reals):
        if length > self.count * self.size:
            raise IndexError("no record is longer than the file")
        here = length
        if length > most:
            least = (self.usable - 12) * 32 // 255 - 23
            here = least + (length - least) % (self.usable - 4)
            here = here if here <= most else least
        end, place = varint(data, at)
        header, place, body, column, large = self._part(data, at, here, 0, min(end, length)), place - at, end, 0, 0
        while place < end:
            kind, place = varint(header, place)
            if kind in (10, 11):
                return True, large
            if kind == 7 or kind == 6 and column in reals:
                number, = struct.unpack(">d" if kind == 7 else ">q", self._part(data, at, here, body, 8))
                if number != float(number):
                    if kind == 7:
                        return True, large
                    large += 1
            column += 1
            body += (kind - 12) // 2 if kind > 11 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]
        return False, large

    def _part(self, data, at, here, start, count):
        """`count` bytes from `start` on of the record at `at`, of which as many as `here` are on its page."""
        if start + count <= here:
            return data[at + start : at + start + count]
        found = data[at + start : at + here]
        number, start, room = int.from_bytes(data[at + here : at + here + 4], "big"), start + len(found) - here, self.usable - 4
        while len(found) < count:
            page = self.page(number, 4 if start >= room else None)
            if start < room:
                found += page[4 + start : min(4 + start + count - len(found), self.usable)]
            number, start = int.from_bytes(page[:4], "big"), max(start - room, 0)
        return found


class Database:
    """One read-only connection and one snapshot. A database with a hot journal can only be read after a rollback, which
    would write: a copy is rolled back and read instead. Where nothing can be created beside a WAL database whose log is
    empty, the file is read as it is."""

    def __init__(self, path):
        path = pathlib.Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        # SQLite keeps journal and log beside the file that a link leads to.
        path = path.resolve()
        self.connection, self.file, self.copied, self.notes = None, None, None, []
        journal, wal = path.with_name(path.name + "-journal"), path.with_name(path.name + "-wal")
        with open(path, "rb") as file:
            header = file.read(100)
        in_wal_mode = header[18:20] == b"\2\2"
        busy_wal = wal.exists() and wal.stat().st_size > 0
        has_journal = journal.exists() and journal.stat().st_size > 0
        if in_wal_mode and has_journal or busy_wal and not path.with_name(path.name + "-shm").exists():
            self._open(self._copy(path, journal, wal), "?mode=rw")
        elif in_wal_mode and not busy_wal:
            self._open(path, "?immutable=1")
        elif not self._open_shared(path):
            self._open(self._copy(path, journal, wal), "?mode=rw")
        self.tables = {folded(name): name for kind, name in self.objects if kind == "table"}

    def _open_shared(self, path):
        """False where a journal is hot, which SQLite knows: that of a writer who lives is not. SQLite also says so of one that is
        deleted at that moment."""
        for turn in range(3):
            try:
                self._open(path, "?mode=ro")
                return True
            except Blocked as problem:
                if "readonly database" not in problem.why:
                    raise
                time.sleep(0.05)
        return False

    def _copy(self, path, journal, wal):
        files = (path, journal, wal)
        before = [file_state(file) for file in files]
        self.copied = tempfile.mkdtemp(prefix="verify-sql-ledger.")
        try:
            for file, state in zip(files, before):
                if state:
                    shutil.copy(file, self.copied)
        except FileNotFoundError:
            pass  # its state is another one
        if before != [file_state(file) for file in files]:
            self.close()
            raise Blocked(path.name, "it was written while a copy was made; try again")
        copy = pathlib.Path(self.copied) / path.name
        self.settle_super_journal(path, copy.with_name(journal.name))
        self.notes.append("read from a copy, because reading it in place would have changed the files")
        return copy

    def _open(self, path, extra):
        # Closed after the connection: to close it before would drop the locks that SQLite holds.
        self.file = open(path, "rb")
        self.connection = sqlite3.connect(
            "file:" + str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23") + extra,
            uri=True, isolation_level=None, timeout=10)
        self.connection.text_factory = Text
        try:
            if hasattr(self.connection, "setlimit"):
                self.connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0)
            self.connection.execute("PRAGMA trusted_schema = OFF")
            try:
                self.connection.execute("SELECT 1 FROM sqlite_schema")
            except sqlite3.DatabaseError as problem:
                # SQLite 3.40 counts its own JSON functions among the unsafe ones. Python adds no others to a connection.
                if "unsafe use of" in str(problem):
                    self.connection.execute("PRAGMA trusted_schema = ON")
            if self.copied:
                # Folds a log into the copy: of pages in a log only SQLite knows where they are.
                self.connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            else:
                self.connection.execute("PRAGMA query_only = ON")
            self.connection.execute("BEGIN")
            self.objects = {
                (str(kind, "utf-8", "replace"), str(name, "utf-8", "replace")): (root, sql)
                for kind, name, root, sql in self.connection.execute(
                    "SELECT type, name, rootpage, sql FROM main.sqlite_schema")}
            (mode,), = self.connection.execute("PRAGMA main.journal_mode")
            (count,), = self.connection.execute("PRAGMA main.page_count")
            # Of others' logs nothing can be said but what SQLite reads.
            self.pages = Pages(self.file, count) if mode != b"wal" or "immutable" in extra else None
        except sqlite3.Error as problem:
            self.close()
            raise Blocked(str(path.name), problem) from None

    def settle_super_journal(self, original, journal):
        """After a rollback SQLite deletes the super-journal that the journal names, wherever that is; where none exists
        it does not roll back."""
        data = journal.read_bytes() if journal.exists() else b""
        if data[-8:] != bytes.fromhex("d9d505f920a163d7"):
            return
        length, total = struct.unpack(">II", data[-16:-8])
        name = data[-16 - length : -16].split(b"\0")[0]
        if not 0 < length <= min(512, len(data) - 16) or not name:
            return
        place = pathlib.Path(os.fsdecode(name))
        # Where the sum is wrong, SQLite rolls back and deletes nothing; how it adds letters beyond ASCII depends on the processor.
        if name.isascii() and total != sum(data[-16 - length : -16]):
            return
        if not name.isascii() or place.exists() and (not place.is_file() or place.stat().st_size > 0):
            self.close()
            raise Blocked(original.name, "its hot journal belongs to a transaction over several databases that was not "
                          "ended, and names a file that reading the journal would delete")
        journal.unlink()

    def close(self):
        if self.connection:
            self.connection.close()
        if self.file:
            self.file.close()
        if self.copied:
            shutil.rmtree(self.copied, ignore_errors=True)

    def columns(self, table):
        """name → generated (0 no, 2 virtual, 3 stored), in order. Empty when there is no such table."""
        rows = self.rows(table, f"PRAGMA main.table_xinfo({quoted(table)})")
        return {str(row[1], "utf-8"): row for row in rows if row[6] in (0, 2, 3)}

    def rows(self, what, sql, *values):
        try:
            yield from self.connection.execute(sql, values)
        except (sqlite3.Error, OverflowError) as problem:
            raise Blocked(what, problem) from None

    def has(self, table):
        return folded(table) in self.tables

    def odd(self, table):
        """Values in a table and its indexes that SQLite never writes, and integers among reals: (table or index, how many rows or
        entries, how many integers)."""
        if not self.pages:
            return
        types = {row[0]: row[2] for row in self.rows(table, f"PRAGMA main.table_xinfo({quoted(table)})") if row[6] != 2}
        indexes = list(self.rows(table, f"PRAGMA main.index_list({quoted(table)})"))
        trees = list(self.rows(table, "SELECT name, rootpage, type FROM main.sqlite_schema WHERE tbl_name = ? COLLATE NOCASE "
                                      "AND type IN ('table', 'index') AND rootpage > 0", table))
        for name, root, kind in trees:
            # The row of a table without row ids is the entry of its key, which has no tree of its own.
            key = next((index[1] for index in indexes if index[3] == b"pk" and all(index[1] != tree[0] for tree in trees)), None)
            index = name if kind == b"index" else key
            columns = [*types] if index is None else [row[1] for row in self.rows(table, f"PRAGMA main.index_xinfo({quoted(str(index, 'utf-8'))})")]
            reals = {at for at, column in enumerate(columns) if affinity(str(types.get(column) or b"", "utf-8")) == "REAL"}
            try:
                yield str(name, "utf-8"), *self.pages.odd(root, reals)
            except (IndexError, struct.error):
                raise Blocked(table, "the file is damaged") from None

    def wrong_texts(self, table):
        """Columns with texts whose leaf does not say how they are stored: (those with half a unit, those with half a surrogate
        pair). The leaf is that of the UTF-8 form, and of half a pair and whichever unit follows SQLite makes the character of a
        pair. Half a pair that is the last unit converts to itself."""
        (encoding,), = self.rows(table, "PRAGMA main.encoding")
        names = [name for name, row in self.columns(table).items() if row[6] != 2]
        cut, unpaired = set(), set()
        if encoding == b"UTF-8" or not names:
            return [], []
        texts = ", ".join(f"CASE typeof({quoted(name)}) WHEN 'text' THEN CAST({quoted(name)} AS BLOB) END" for name in names)
        for row in self.rows(table, f"SELECT {texts} FROM main.{quoted(table)} NOT INDEXED"):
            for name, data in zip(names, row):
                if data is None:
                    continue
                if len(data) % 2:
                    cut.add(name)
                units = struct.unpack(("<" if encoding == b"UTF-16le" else ">") + f"{len(data) // 2}H", data[: len(data) // 2 * 2])
                at = 0
                while at + 1 < len(units):
                    if units[at] & 0xF800 != 0xD800:
                        at += 1
                    elif units[at] & 0x0400 or units[at + 1] & 0xFC00 != 0xDC00:
                        unpaired.add(name)
                        break
                    else:
                        at += 2
        return sorted(cut), sorted(unpaired)


def string(value, what):
    if not isinstance(value, Text):
        raise ValueError(f"{what} is not text")
    return str(value, "utf-8")


def whole(value, what):
    if type(value) is not int or value < 0:
        raise ValueError(f"{what} is not a count")
    return value


def digest32(value, what):
    if type(value) is not bytes or len(value) != 32:
        raise ValueError(f"{what} is not 32 bytes")
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Schema history
# ---------------------------------------------------------------------------------------------------------------------


class SchemaVersion:
    def __init__(self, transaction, after, kind, body, columns, identities):
        self.transaction, self.after, self.kind, self.body = transaction, after, kind, body
        self.columns, self.identities = columns, identities
        self.digest = None
        self.stored = [at for at, column in enumerate(columns) if column["generated"] != 2]


class Table:
    """A ledger table and its schema versions. A column keeps its identity (a number) through renames."""

    def __init__(self, number):
        self.id, self.versions, self.names, self.defaults, self.next = number, [], {}, {}, 0

    def new_column(self, column):
        identity = self.next
        self.next += 1
        self.names[identity] = column["name"]
        return identity

    def add(self, transaction, kind, body):
        columns = body["columns"]
        before = self.versions[-1] if self.versions else None
        if before is None:
            identities = [self.new_column(column) for column in columns]
        else:
            old = {column["name"]: identity for column, identity in zip(before.columns, before.identities)}
            if kind == RENAME_COLUMN and len(columns) == len(before.columns):
                identities = list(before.identities)
                for identity, column in zip(identities, columns):
                    self.names[identity] = column["name"]
            else:
                identities = []
                for column in columns:
                    identity = old.get(column["name"])
                    if identity is None:
                        identity = self.new_column(column)
                        self.defaults[identity] = column, "STRICT" in body["sql"].rpartition(")")[2].upper()
                    identities.append(identity)
                for identity in set(before.identities) - set(identities):
                    # The history keeps a dropped column under a name that no column of the user's has.
                    self.names[identity] = f"ledger_dropped_{transaction}_{self.names[identity]}"
        version = SchemaVersion(transaction, body["after"], kind, body, columns, identities)
        version.digest = schema_digest(self.id, columns)
        self.versions.append(version)

    @property
    def name(self):
        return self.versions[-1].body["table"]

    @property
    def dropped(self):
        return self.versions[-1].kind == DROP

    def at(self, transaction, sequence):
        found = None
        for version in self.versions:
            if version.transaction < transaction or version.transaction == transaction and version.after <= sequence:
                found = version
        return found

    def converts(self, identity):
        """Whether the column was added with a fractional number for default, but holds others, too."""
        return isinstance(self.default(identity), float) and affinity(self.defaults[identity][0]["type"]) != "REAL"

    def default(self, identity):
        """What a row from before the column was added holds in it: SQLite is asked, through a column of this type."""
        column, strict = self.defaults.get(identity, (None, False))
        if column is None or column.get("default") is None:
            return None
        # Types and defaults are the file's words: what is run is a type of the same affinity and one expression.
        kind = column["type"].upper() if column["type"].isascii() else column["type"]
        if not strict:
            kind = affinity(column["type"])
        elif kind not in ("INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"):
            return None
        text = column["default"]
        if not LITERAL.fullmatch(text):
            text = f"({text}\n)"
        memory = sqlite3.connect(":memory:")
        memory.text_factory = Text
        try:
            memory.execute(f"CREATE TABLE t(a INT){' STRICT' if strict else ''}")
            memory.execute("INSERT INTO t VALUES (1)")
            memory.execute(f"ALTER TABLE t ADD COLUMN b {kind} DEFAULT {text}")
            return memory.execute("SELECT b FROM t").fetchone()[0]
        except (sqlite3.Error, sqlite3.Warning, ValueError):
            return None  # no added column can have it, so no row lacks the column
        finally:
            memory.close()


LITERAL = re.compile(
    r"""[xX]?'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | [+-]?[ ]*[.0-9](?:[0-9A-Za-z_.]|(?<=[eE])[+-])*
        | [A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*""", re.VERBOSE | re.DOTALL)


def affinity(declared):
    """A type with the affinity of the declared one, by SQLite's rules for the letters in it (ASCII only)."""
    letters = "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in declared)
    for words, kind in ((("INT",), "INTEGER"), (("CHAR", "CLOB", "TEXT"), "TEXT"), (("BLOB",), "BLOB"),
                        (("REAL", "FLOA", "DOUB"), "REAL")):
        if any(word in letters for word in words):
            return kind
    return "NUMERIC" if letters else "BLOB"


# ---------------------------------------------------------------------------------------------------------------------
# Verification
# ---------------------------------------------------------------------------------------------------------------------

CLOCK_TOLERANCE = datetime.timedelta(seconds=300)
MOST_TRANSACTIONS = 100_000
OWN_TABLES = [
    "ledger_identity", "database_ledger_transactions", "database_ledger_blocks", "ledger_block_nodes", "ledger_leaf_chunks",
    "ledger_transaction_chunks", "ledger_schema_events", "ledger_tables", "ledger_pending", "ledger_rowid_canary",
    "database_ledger_digest_locations"]
ENTRY_FIELDS = ["commit_time", "principal_name", "login_name", "application_name", "table_hashes"]
BLOCK_COLUMNS = ["transactions_root_hash", "block_size", "first_transaction_id", "history_root_hash", "close_time"]
Entry = collections.namedtuple("Entry", "id block ordinal time principal login application blob hashes leaf")
BlockRow = collections.namedtuple("BlockRow", "id root size first previous history time")
Claim = collections.namedtuple("Claim", "hash side version")


class Version:
    """One stored row version: a live row with its stamp, or a history row."""

    __slots__ = ("table", "place", "rowid", "start", "end", "columns", "key", "schema", "encoded")

    def __init__(self, table, place, rowid, start, end, key):
        self.table, self.place, self.rowid, self.start, self.end, self.key = table, place, rowid, start, end, key
        self.columns, self.schema, self.encoded = [], None, None


class Verification:
    MOST_PER_GROUP = 20

    def __init__(self, database, digests, only=(), stores=()):
        self.database, self.digests, self.stores = database, digests, stores
        self.only = {folded(name): name for name in only}
        self.findings, self.notes, self.counts = [], list(database.notes), collections.Counter()
        self.last_entry_leaves = None, None
        self.last_checks = None, None
        self.anchored = None
        self.claims = collections.defaultdict(lambda: collections.defaultdict(list))  # (tx, table) → seq → claims
        self.versions, self.lost, self.unread = [], {}, set()
        self.tables = {}
        self.covers_all = False
        self.complete = True

    def find(self, code, what, why, **more):
        finding = {"code": code, "object": what, "reason": why, **{key: value for key, value in more.items()
                                                                    if value not in (None, [], {})}}
        self.findings.append(finding)
        return finding

    def guarded(self, step, *arguments):
        try:
            step(*arguments)
            return True
        except Blocked as problem:
            self.find("VERIFIER_BLOCKED", problem.object, problem.why)
        except (ValueError, TypeError, KeyError, OverflowError, struct.error, UnicodeDecodeError) as problem:
            self.find("VERIFIER_BLOCKED", step.__name__.strip("_"), f"{type(problem).__name__}: {problem}")
        self.complete = False
        return False

    def run(self):
        if not self.guarded(self._identity):
            return self
        self.guarded(self._schema)
        for path in self.stores:
            self.digests += read_digests(path, self.ledger.hex(), self.notes)
        if self.guarded(self._transactions) and self.guarded(self._blocks):
            self.guarded(self._digests)
        if self.guarded(self._events):
            if not self.only:
                self.guarded(self._derived)
                self.guarded(self._coverage)
            names = {folded(table.name) for table in self.tables.values()}
            for name in (self.only[name] for name in self.only if name not in names):
                self.find("VERIFIER_BLOCKED", name, "there is no ledger table of this name")
            for table in self.tables.values():
                if (not self.only or folded(table.name) in self.only) and not self.guarded(self._table, table):
                    self.unread.add(table.id)
            self.guarded(self._compare)
        self.guarded(self._pointer_map)
        return self

    def _pointer_map(self):
        (kind,), = self.database.rows("the pointer map", "PRAGMA main.auto_vacuum")
        if kind and self.database.pages:
            count = sum(1 for _ in self.database.pages.astray())
            if count:
                self.find("INDEX_DIVERGENCE", "the pointer map", "the map of the pages of long rows is not what the pages say: queries "
                          "for a part of the columns read other values than those that were verified", count=count)

    # Identity, transactions, blocks

    def _identity(self):
        if not self.database.has("ledger_identity"):
            raise Blocked("ledger_identity", "this is no ledger database")
        rows = list(self.database.rows(
            "ledger_identity", "SELECT ledger_id, format, database_name, create_time, all_tables FROM main.ledger_identity"))
        if len(rows) != 1 or type(rows[0][0]) is not bytes or len(rows[0][0]) != 16 or type(rows[0][1]) is not int or rows[0][1] != 2:
            raise Blocked("ledger_identity", "not one row with a ledger id of 16 bytes and format 2")
        self.ledger, _, name, made, self.all_tables = rows[0]
        self.database_name, wrong = "", []
        try:
            self.database_name = string(name, "database_name")
        except ValueError:
            wrong.append("database_name")
        # When the ledger was made is nothing that a hash holds: all that can be said is whether it is a time.
        if not isinstance(made, Text) or not is_time(str(made, "utf-8", "replace")):
            wrong.append("create_time")
        if wrong:
            self.find("VERIFIER_BLOCKED", "ledger_identity", "what the database says of its ledger is not what a ledger writes there",
                      columns=wrong)

    def _schema(self):
        """How texts are stored, and whether each row of the schema is one that SQLite writes."""
        (encoding,), = self.database.rows("the encoding", "PRAGMA main.encoding")
        if encoding != b"UTF-8":
            self.notes.append(f"texts are stored as {str(encoding, 'utf-8')}: no hash holds the encoding, so the order of texts and "
                              "their bytes are those of this file")
        rows = list(self.database.rows("the schema", "SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_schema"))
        names = {row[1] for row in rows if row[0] == b"table"}
        for kind, name, table, root, sql in rows:
            texts = all(isinstance(value, Text) and b"\0" not in value for value in (kind, name, table))
            paged = kind in (b"table", b"index")
            if (not texts or kind not in (b"table", b"index", b"view", b"trigger") or kind in (b"table", b"view") and name != table
                    or kind == b"index" and table not in names
                    or not (type(root) is int and (paged or root == 0) or root is None and not paged)
                    or not (sql is None or isinstance(sql, Text))):
                self.find("SCHEMA_DRIFT", shown(name), "it stands in the schema in a way that SQLite never writes")

    def _transactions(self):
        what = "database_ledger_transactions"
        self.entries = {}
        last_time = ""
        latest = latest_time()
        for row in self.database.rows(
                what, "SELECT transaction_id, block_id, transaction_ordinal, commit_time, principal_name, login_name, "
                "application_name, table_hashes FROM main.database_ledger_transactions NOT INDEXED "
                "ORDER BY transaction_id"):
            number = row[0]
            if number < 1:
                self.find("TX_EXTRA", what, "a transaction id is 1 or more", transaction=number)
                continue
            entry = self._entry(row)
            self.entries[number] = entry
            if entry.leaf is None:
                continue
            if entry.time < last_time:
                self.find("TIME_ANOMALY", what, f"committed at {entry.time}, before the one before ({last_time})",
                          transaction=number)
            elif entry.time > latest:
                self.find("TIME_ANOMALY", what, f"committed at {entry.time}, in the future", transaction=number)
            last_time = max(entry.time, last_time)
        self.counts["transactions"] = len(self.entries)

    def _entry(self, row):
        number, problems, hashes = row[0], [], []
        block, ordinal = (value if type(value) is int else None for value in row[1:3])
        texts = []
        for value, name in zip(row[3:7], ENTRY_FIELDS):
            try:
                texts.append(string(value, name))
                if name == "commit_time" and not is_time(texts[0]):
                    problems.append(name)
            except ValueError:
                texts.append("")
                problems.append(name)
        try:
            hashes = decode_table_hashes(row[7])
        except (ValueError, TypeError):
            problems.append("table_hashes")
        if problems:
            self.find("TX_ALTERED", "database_ledger_transactions", "unreadable: " + ", ".join(problems), transaction=number,
                      columns=problems)
        leaf = None if problems else transaction_leaf(self.ledger, number, *texts, row[7])
        return Entry(number, block, ordinal, *texts, row[7], {table: (root, count) for table, root, count in hashes}, leaf)

    def _blocks(self):
        what = "database_ledger_blocks"
        stored = [self._block(row) for row in self.database.rows(
            what, "SELECT block_id, transactions_root_hash, block_size, first_transaction_id, previous_block_hash, "
            "history_root_hash, close_time FROM main.database_ledger_blocks NOT INDEXED ORDER BY block_id")]
        for block in stored:
            if block.id < 0:
                self.find("BLOCK_ALTERED", what, f"a block id is 0 or more, not {block.id}")
        stored = [block for block in stored if block.id >= 0]
        stored_nodes = self._nodes()
        self.nodes = {position: node for (level, position), node in stored_nodes.items() if level == 0}
        leaves = []
        self.blocks = {}  # id → (hash, last transaction)
        self.missing_transactions = set()
        numbers = collections.deque(sorted(self.entries))
        frontier, previous, following_id, next_transaction = Frontier(), None, 0, 1
        for at, block in enumerate(stored):
            after = stored[at + 1] if at + 1 < len(stored) else None
            if block.id > following_id:
                self.find("CHAIN_BROKEN", what, f"blocks {following_id} to {block.id - 1} are missing", block=following_id)
                if isinstance(block.first, int) and block.first > next_transaction:
                    while numbers and numbers[0] < block.first:
                        numbers.popleft()
                    next_transaction = block.first
            first, end = next_transaction, self._end(block, after, next_transaction)
            entries = []
            while numbers and numbers[0] < end:
                entries.append(self.entries[numbers.popleft()])
            there = {entry.id for entry in entries}
            self._missing(number for number in range(first, end) if number not in there)
            next_transaction = end
            for entry in entries:
                for field, found, right in (("block_id", entry.block, block.id),
                                            ("transaction_ordinal", entry.ordinal, entry.id - first)):
                    if found != right:
                        self.find("TX_ALTERED", "database_ledger_transactions", f"{field} is {found}, not {right}",
                                  transaction=entry.id, block=block.id, columns=[field])
            if any(entry.ordinal != entry.id - first for entry in entries):
                self.find("BLOCK_ALTERED", what, "the order of the transactions is another", block=block.id)
            complete = len(entries) == end - first and all(entry.leaf for entry in entries)
            root = merkle_root([entry.leaf for entry in entries]) if complete else None
            hashed = self._conclude(block, after, frontier, previous, root, end - first, first, entries)
            frontier.append(leaf_hash(hashed))
            if block.id == len(leaves):
                leaves.append(leaf_hash(hashed))
            previous, following_id = hashed, block.id + 1
            self.blocks[block.id] = (hashed, end - 1)
        self._compare_nodes(leaves, stored_nodes)
        self.counts["blocks"] = len(stored)
        self.block_count, self.closed = following_id, next_transaction - 1
        self._open_block([self.entries[number] for number in numbers], next_transaction)

    def _block(self, row):
        def hashed(value):
            return value if type(value) is bytes and len(value) == 32 else None

        def count(value):
            return value if type(value) is int and value >= 0 else None

        time = str(row[6], "utf-8", "replace") if isinstance(row[6], Text) else None
        return BlockRow(row[0], hashed(row[1]), count(row[2]), count(row[3]), hashed(row[4]), hashed(row[5]),
                        time if time and is_time(time) else None)

    def _nodes(self):
        """The stored block tree, (level, position) → hash. It proves nothing, but its level 0 may confirm a guess."""
        if not self.database.has("ledger_block_nodes"):
            return {}
        try:
            return {(level, position): node for level, position, node in self.database.rows(
                "ledger_block_nodes", "SELECT level, position, hash FROM main.ledger_block_nodes")}
        except Blocked:
            return {}

    def _compare_nodes(self, nodes, stored):
        """Without the complete nodes of the tree over the blocks no more blocks can close."""
        what, level, missing, other = "ledger_block_nodes", 0, 0, 0
        altered = [position for position, node in enumerate(nodes) if stored.get((0, position), node) != node]
        for position in altered:
            self.find("BLOCK_ALTERED", what, "the stored node of the tree over the blocks is not the block's", block=position)
        while nodes:
            found = [stored.get((level, position)) for position in range(len(nodes))]
            missing += found.count(None)
            other += sum(1 for node, there in zip(nodes, found) if there is not None and node != there)
            nodes = [node_hash(*nodes[at : at + 2]) for at in range(0, len(nodes) - 1, 2)]
            level += 1
        if missing:
            self.find("INDEX_DIVERGENCE", what, f"{missing} nodes of the tree over the blocks are missing", count=missing)
        if other and not altered:
            self.find("INDEX_DIVERGENCE", what, f"{other} nodes do not follow from the blocks", count=other)

    def _end(self, block, after, first):
        """The id behind the block's last transaction, from the block's own size and where the next block begins."""
        by_size = first + block.size if block.size and block.size <= MOST_TRANSACTIONS else None
        if by_size and (after is None or after.first == by_size):
            return by_size
        if after and after.first and first < after.first <= first + MOST_TRANSACTIONS:
            if by_size and None not in block[1:4] and after.previous == self._hash(block):
                return by_size
            return after.first
        return by_size or first

    def _hash(self, block):
        if None in (block.root, block.size, block.first, block.history, block.time):
            return None
        return block_hash(self.ledger, *block)

    def _conclude(self, block, after, frontier, previous, root, size, first, entries):
        """Decides what the block's hash is: as stored, or with fields replaced by what they must have been, if that is the
        hash that the next block or a digest names. Reports what differs and answers the hash."""
        what = "database_ledger_blocks"
        derived = {"previous": previous, "history": frontier.root(), "root": root, "size": size, "first": first}
        differ = [field for field, value in derived.items()
                  if getattr(block, field) != value and (value is not None or field == "previous")]
        named = {bytes.fromhex(digest["hash"][2:]) for digest in self.digests
                 if digest["block_id"] == block.id and digest["ledger_id"] == self.ledger.hex()}
        best, most = None, -1
        for count in range(len(differ) + 1):
            for fields in itertools.combinations(differ, count):
                variant = block._replace(**{field: derived[field] for field in fields})
                hashed = self._hash(variant)
                if hashed is None:
                    continue
                tree = Frontier()
                tree.roots, tree.size = list(frontier.roots), frontier.size
                tree.append(leaf_hash(hashed))
                score = 4 * (hashed in named) + (self.nodes.get(block.id) == leaf_hash(hashed))
                score += (after.previous == hashed) + 2 * (after.history == tree.root()) if after else 0
                if score > most:
                    best, most, chosen, replaced = hashed, score, variant, fields
        witnessed = after is not None or bool(named)
        if best is None or most <= 0 and witnessed:
            code = "CHAIN_BROKEN" if block.id and block.previous != previous else "BLOCK_ALTERED"
            self.find(code, what, "the block does not hash to what the next block or a digest says", block=block.id,
                      columns=[column for column, value in zip(BLOCK_COLUMNS, block[1:4] + block[5:]) if value is None]
                      or ["close_time"])
            chosen, replaced = block, ()
        names = {"previous": "previous_block_hash", "history": "history_root_hash", "root": "transactions_root_hash",
                 "size": "block_size", "first": "first_transaction_id"}
        linked = ("previous", "history")
        if best is not None and (most > 0 or not witnessed):
            for field in replaced:
                self.find("CHAIN_BROKEN" if field in linked else "BLOCK_ALTERED", what,
                          f"with another {names[field]} the block hashes to what was said of it later", block=block.id,
                          columns=[names[field]])
            for field in ("previous", "history", "first", "size"):
                if getattr(chosen, field) != derived[field]:
                    self.find("CHAIN_BROKEN" if field in linked else "BLOCK_ALTERED", what,
                              f"{names[field]} is not what everything before gives", block=block.id, columns=[names[field]])
            times = [entry.time for entry in entries if entry.leaf]
            # Former builds closed blocks by the clock alone, which may have been put back a little.
            if times and moment(max(times)) - moment(chosen.time) > CLOCK_TOLERANCE:
                self.find("TIME_ANOMALY", what, "closed before its last transaction", block=block.id)
        if size and chosen.root != root:
            self._name_transactions(block.id, chosen.root, entries, root is not None)
        elif root is not None:
            stored = self._transaction_chunks(block.id, len(entries))
            if stored is None or [leaf for leaf, _ in stored] != [entry.leaf for entry in entries]:
                self.find("INDEX_DIVERGENCE", "ledger_transaction_chunks",
                          "the stored leaves of the block's transactions are not those of its entries", block=block.id)
        if after and after.previous and (best is None or most <= 0):
            # What the next block says twice, in its previous hash and its history root, was the block's hash.
            tree = Frontier()
            tree.roots, tree.size = list(frontier.roots), frontier.size
            tree.append(leaf_hash(after.previous))
            if tree.root() == after.history:
                return after.previous
        return best or (after.previous if after else None) or bytes(32)

    def _name_transactions(self, block, root, entries, complete):
        """The leaves of a closed block's transactions are stored like row leaves, so the altered entry can be told."""
        what = "database_ledger_transactions"
        if not complete:
            self.find("BLOCK_ALTERED", "database_ledger_blocks", "transactions of the block are missing or unreadable",
                      block=block)
            return
        stored = self._transaction_chunks(block, len(entries))
        if stored is None or merkle_root([leaf for leaf, _ in stored]) != root or len(stored) != len(entries):
            self.find("TX_ALTERED", what, "one of the block's transactions was altered", transaction=entries[0].id, block=block)
            return
        for entry, (leaf, checks) in zip(entries, stored):
            if entry.leaf != leaf:
                columns = [name for name, was, now in zip(ENTRY_FIELDS, checks, entry_checks(*entry[3:8])) if was != now]
                self.find("TX_ALTERED", what, "the entry is not the one that was sealed", transaction=entry.id, block=block,
                          columns=columns)

    def _open_block(self, entries, next_transaction):
        block, first = self.block_count, next_transaction
        for entry in entries:
            if entry.id > next_transaction:
                fits = entry.block == block and entry.ordinal == entry.id - first
                if not fits and entry.id - next_transaction >= 1000:
                    # It is no part of the ledger: it is in no tail, and no rows are measured by it.
                    self.find("TX_EXTRA", "database_ledger_transactions", "its id does not follow", transaction=entry.id)
                    del self.entries[entry.id]
                    continue
                self._missing(range(next_transaction, entry.id))
            if entry.block == block + 1 and entry.id > first:
                block, first = block + 1, entry.id
            next_transaction = entry.id + 1
            if entry.block is not None and entry.block < self.block_count:
                self.find("TX_EXTRA", "database_ledger_transactions", f"block {entry.block} was closed without it",
                          transaction=entry.id)
                self.find("BLOCK_ALTERED", "database_ledger_blocks", "a transaction claims to be in it that it does not hold",
                          block=entry.block)
                continue
            for field, found, right in (("block_id", entry.block, block),
                                        ("transaction_ordinal", entry.ordinal, entry.id - first)):
                if found != right:
                    self.find("TX_ALTERED", "database_ledger_transactions", f"{field} is {found}, not {right}",
                              transaction=entry.id, columns=[field])

    def _missing(self, numbers):
        for number in numbers:
            self.missing_transactions.add(number)
            self.find("TX_MISSING", "database_ledger_transactions", "there is no such transaction", transaction=number)

    def _digests(self):
        fits, seen = set(), {}
        own = [digest for digest in self.digests if digest["ledger_id"] == self.ledger.hex()]
        foreign = [digest for digest in self.digests if digest["ledger_id"] != self.ledger.hex()]
        suspects = [digest for digest in foreign if digest["database_name"] == self.database_name or not own]
        if suspects:
            self.find("DIGEST_MISMATCH", "digests", f"{len(suspects)} are of another ledger, {suspects[0]['ledger_id']}")
        elif foreign:
            self.notes.append(f"{len(foreign)} digests of other databases were not used")
        for digest in sorted(own, key=lambda digest: (digest["block_id"], digest["digest_time"])):
            number, value = digest["block_id"], bytes.fromhex(digest["hash"][2:])
            what = f"digest of block {number}"
            if seen.setdefault(number, value) != value:
                self.find("FORK", what, "two outside digests of one block differ", block=number)
            if number >= self.block_count:
                self.find("ROLLBACK", what, f"the database ends at block {self.block_count - 1}", block=number)
                continue
            if self.blocks.get(number, (None,))[0] != value:
                self.find("DIGEST_MISMATCH", what, "the block's hash is another", block=number)
                continue
            fits.add(number)
            last = self.entries.get(self.blocks[number][1])
            if last is not None and last.time != digest["last_transaction_commit_time"]:
                self.find("DIGEST_MISMATCH", what,
                          f"last_transaction_commit_time is {digest['last_transaction_commit_time']}, "
                          f"the transaction's is {last.time}", block=number)
            if digest["database_name"] != self.database_name:
                self.find("DIGEST_MISMATCH", what, f"database_name is {digest['database_name']}, the identity's is "
                          f"{self.database_name}", block=number)
            if digest["digest_time"] > latest_time():
                self.find("TIME_ANOMALY", what, f"made at {digest['digest_time']}, in the future", block=number)
            if moment(digest["last_transaction_commit_time"]) > moment(digest["digest_time"]) + CLOCK_TOLERANCE:
                self.find("TIME_ANOMALY", what, "a transaction that it covers was committed after it was made", block=number)
        self.anchored = max(fits, default=None)
        covered = self.blocks[self.anchored][1] if fits else 0
        count = max(self.entries, default=0) - covered
        if count > 0:
            last = self.entries.get(covered)
            times = [entry.time for entry in self.entries.values() if entry.id > covered and entry.leaf]
            known = times and last is not None and last.leaf
            self.find("TAIL_UNATTESTED", "database_ledger_transactions",
                      f"{count} transactions are newer than the newest digest that fits", transactions=count,
                      seconds=(moment(max(times)) - moment(last.time)).total_seconds() if known else None)

    # Schema events and rows

    def _events(self):
        what = "ledger_schema_events"
        table = Table(EVENTS_TABLE)
        columns = [{"name": name, "type": kind, "notnull": 0, "pk": 0, "generated": 0, "default": None}
                   for name, kind in (("event_type", "INTEGER"), ("table_id", "INTEGER"), ("body", "TEXT"))]
        table.add(0, CREATE, {"columns": columns, "after": 0, "table": what, "rowid": "event_id"})
        events = []
        for event, transaction, sequence, kind, number, body in self.database.rows(
                what, "SELECT event_id, transaction_id, sequence_number, event_type, table_id, body "
                "FROM main.ledger_schema_events NOT INDEXED"):
            version = Version(table, "live", event, self._place(what, transaction, sequence), None, [("event_id", event)])
            self._claim(version, [kind, number, body])
            # Numbers that none can have say nothing of when an event happened: it must not define a table.
            if type(transaction) is not int or type(sequence) is not int or transaction < 1 or sequence < 0:
                self.find("SCHEMA_DRIFT", what, "an event's transaction or sequence number is none that it can have")
                continue
            events.append((transaction, sequence, kind, number, body, event))
        events.sort(key=lambda event: event[:2])
        # Others read them in the order of their ids, of which the leaves say nothing.
        if [event[-1] for event in events] != [*range(1, len(events) + 1)]:
            self.find("SCHEMA_DRIFT", what, "the events are not numbered in the order in which they were recorded",
                      columns=["event_id"])
        for transaction, sequence, kind, number, body, _ in events:
            try:
                if type(kind) is not int or type(number) is not int or not isinstance(body, Text):
                    raise ValueError("a value is not of its class")
                if kind == SETTINGS:
                    self.covers_all = body == b'{"all_tables":1}'
                    continue
                table_of_event = self.tables.get(number) or Table(number)
                table_of_event.add(transaction, kind, json.loads(str(body, "utf-8")))
                self.tables[number] = table_of_event
            except (ValueError, KeyError, TypeError, struct.error):
                self.find("SCHEMA_DRIFT", what, "an event's body can't be read", transaction=transaction,
                          sequence=sequence)
        self.events_table = table
        self.counts["tables"] = len(self.tables)

    def _coverage(self):
        """Where every table is to be a ledger table, ordinary tables that are none. Whether it is so is what was ledgered, of which
        the identity has a copy that writers go by."""
        if type(self.all_tables) is not int or self.all_tables != int(self.covers_all):
            self.find("CAPTURE_CHANGED", "ledger_identity", "whether every table is to be a ledger table is not what was ledgered",
                      columns=["all_tables"])
        if not self.covers_all:
            return
        numbers = "|".join(str(number) for number in self.tables)
        own = re.compile(f"sqlite_.*|{'|'.join(OWN_TABLES)}|ledger_(history|stamps)_({numbers})", re.IGNORECASE | re.DOTALL)
        known = {folded(table.name) for table in self.tables.values() if not table.dropped}
        for row in self.database.rows("the schema", "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"):
            name = string(row[0], "name")
            if not own.fullmatch(name) and folded(name) not in known:
                self.find("COVERAGE_GAP", name, "every table is to be a ledger table, and this one is not")

    def _derived(self):
        """Tables that prove nothing, but that the ledger works with, and how values of all of its own are stored."""
        for name in OWN_TABLES:
            self._storage(name)
        what = "ledger_tables"
        if self.database.has(what):
            expected = {number: [encode_value(table.versions[-1].body[name]) for name in ("table", "view", "kind")]
                        + [encode_value(int(table.dropped))] for number, table in self.tables.items()}
            found = {row[0]: [encode_value(value) for value in row[1:]] for row in self.database.rows(
                what, "SELECT table_id, name, view, kind, is_dropped FROM main.ledger_tables NOT INDEXED")}
            for number in sorted(expected.keys() | found.keys()):
                if expected.get(number) != found.get(number):
                    self.find("INDEX_DIVERGENCE", what, f"what is kept of table {number} is not what the schema events say")
        what = "database_ledger_digest_locations"
        if self.database.has(what):
            (count,), = self.database.rows(
                what, f"SELECT count(*) FROM main.{what} NOT INDEXED WHERE typeof(path) NOT IN ('text', 'null') "
                "OR typeof(last_digest_block_id) NOT IN ('integer', 'null') OR typeof(is_current) <> 'integer'")
            if count:
                self.find("INDEX_DIVERGENCE", what, "places of digests are not stored as the texts and numbers that they are", count=count)
        what = "ledger_pending"
        if self.database.has(what):
            (count,), = self.database.rows(what, "SELECT count(*) FROM main.ledger_pending")
            if count:
                self.find("INDEX_DIVERGENCE", what, f"{count} rows wait to become history outside of a transaction", count=count)

    def _claim(self, version, values):
        """Adds the leaves that a stored version stands for. `values` is in the order of the schema version's columns."""
        table = version.table
        encoded = [encode_value(value) for value in values]
        version.encoded = encoded
        self.versions.append(version)
        self.counts["versions"] += 1
        for side, place in (("created", version.start), ("ended", version.end)):
            if place is None:
                continue
            leaf = row_leaf(CREATED if side == "created" else ENDED, table.id, version.schema or schema_digest(0, []),
                            *place, encoded, start=version.start)
            self.claims[(place[0], table.id)][place[1]].append(Claim(leaf, side, version))

    def _key(self, version):
        return [[name, shown(value)] for name, value in version.key]

    def _table(self, table):
        database = self.database
        last = table.versions[-1]
        history = f"ledger_history_{table.id}"
        if not table.dropped:
            self._live(table, last)
            self._storage(f"ledger_stamps_{table.id}")
        if not database.has(history):
            self.find("SCHEMA_DRIFT", history, "the history table is missing")
            return
        self._storage(history)
        columns = database.columns(history)
        names = {identity: name for identity, name in table.names.items() if name in columns}
        order = sorted(names)
        selected = ", ".join(quoted(names[identity]) for identity in order)
        system = ("ledger_start_transaction_id, ledger_start_sequence_number, ledger_end_transaction_id, "
                  "ledger_end_sequence_number")
        # Of whole numbers and texts such a column made fractional numbers. Former builds gave it the type.
        converted = {identity for identity in order if columns[names[identity]][2] == b"REAL" and table.converts(identity)}
        for identity in sorted(converted):
            self.notes.append(f"a former build, or somebody who rewrote the definition, made column {names[identity]} of {history} REAL: its values were read as the stored "
                              "leaves say")
        for number, row in enumerate(database.rows(history, f"SELECT {system}{', ' if order else ''}{selected} "
                                                            f"FROM main.{quoted(history)} NOT INDEXED")):
            held = dict(zip(order, row[4:]))
            version = Version(table, "history", number, self._place(history, *row[:2]), self._place(history, *row[2:4]), None)
            self._version(table, version, held, converted)

    def _storage(self, what):
        if not self.database.has(what):
            return
        self.guarded(self._kinds, what)
        cut, unpaired = self.database.wrong_texts(what)
        if cut:
            self.find("ENCODING_DRIFT", what, "texts end with half a character, which is not what was recorded", columns=cut)
        if unpaired:
            self.find("VERIFIER_BLOCKED", what, "texts have half a surrogate pair before another character: they hash like the "
                      "text with the whole pair, so they may be what was recorded, or may have been altered", columns=unpaired)

    def _kinds(self, what):
        for name, count, large in self.database.odd(what):
            if count:
                self.find("INDEX_DIVERGENCE", name, "values that SQLite never writes: queries can find another type or number than was "
                          "verified, or NULL", count=count)
            if large:
                self.notes.append(f"{name} has whole numbers in columns of reals that no real equals ({large}): they read as the next "
                                  "real, and searches compare the number; SQLite before 3.33 wrote such")

    def _live(self, table, last):
        database, name = self.database, table.name
        if ("view", name) in database.objects or not database.has(name):
            code = "READ_UNTRUSTED" if ("view", name) in database.objects else "SCHEMA_DRIFT"
            self.find(code, name, "a view stands where the ledger table was" if code == "READ_UNTRUSTED"
                      else "the ledger table is missing")
            self._unmatched(table, self._stamps(table, last))
            return
        root, sql = database.objects[("table", database.tables[folded(name)])]
        if not root or sql is None or sql.upper().startswith(b"CREATE VIRTUAL"):
            self.find("READ_UNTRUSTED", name, "a virtual table stands where the ledger table was")
            self._unmatched(table, self._stamps(table, last))
            return
        self._storage(name)
        columns = database.columns(name)
        recorded = {column["name"]: column for column in last.columns}
        drift = [f"column {column} is missing" for column in recorded if column not in columns]
        added = [column for column in columns if column not in recorded]
        drift += [f"column {column} is new" for column in added]
        # A column that is NULL in every row holds nothing yet that could have escaped the ledger.
        if added and len(drift) == len(added) and [*columns] == [*recorded, *added] and str(sql, "utf-8").startswith(
                last.body["sql"].rpartition(")")[0]) and all(columns[column][4] is None and not columns[column][6]
                                                             for column in added):
            drift = []
            self.find("COVERAGE_GAP", name, "columns that the ledger has not noticed yet", columns=added)
        else:
            added = []
        for column, row in columns.items():
            was = recorded.get(column)
            if was is None:
                continue
            now = (str(row[2] or b"", "utf-8"), int(bool(row[3])), row[5], row[6])
            if now != (was["type"], was["notnull"], was["pk"], was["generated"]):
                drift.append(f"column {column} is declared in another way")
        if not drift and not added and [*columns] != [*recorded]:
            drift.append("the columns are in another order")
        if not drift and not added and str(sql, "utf-8", "replace") != last.body["sql"]:
            drift.append("the definition reads differently")
        if database.tables[folded(name)] != name:
            drift.append("its name stands there in other letters")
        if drift:
            self.find("SCHEMA_DRIFT", name, "; ".join(drift))
        # Where only names changed places the bytes of the rows did not: columns are read by position.
        rowid = last.body["rowid"]
        keys = [column["name"] for column in sorted(last.columns, key=lambda column: column["pk"]) if column["pk"]]
        keys = [key for key in keys if key in columns]
        place = dict(zip(recorded, columns)) if len(columns) == len(recorded) else {name: name for name in recorded}
        present = [(identity, place[column["name"]]) for identity, column in zip(last.identities, last.columns)
                   if column["generated"] != 2 and place[column["name"]] in columns]
        # Double quotes around a name that is no column would be read as a string: only columns that exist are asked for.
        handle = None
        if rowid is not None:
            handle = rowid if rowid in columns else next(
                (alias for alias in ("rowid", "_rowid_", "oid") if alias not in map(str.lower, columns)), None)
            if handle is None:
                raise Blocked(name, "all names of the rowid are taken by columns")
        stamps = self._stamps(table, last)
        identity_columns = [handle] if rowid is not None else keys
        selected = [*identity_columns, *keys, *(column for _, column in present)]
        rows = database.rows(name, "SELECT " + ", ".join(map(quoted, selected) if handle not in ("rowid", "_rowid_", "oid")
                             else [handle, *map(quoted, selected[1:])])
                             + f" FROM main.{quoted(name)} NOT INDEXED")
        renumbered = rowid in ("rowid", "_rowid_", "oid") and self._renumbered()
        if renumbered:
            ranked = [stamps[number] for number in sorted(stamps)]
            rows = sorted(rows, key=lambda row: row[0])
            if len(rows) != len(ranked):
                renumbered = False
            elif [row[0] for row in rows] != sorted(stamps):
                # VACUUM and a reload either keep row ids or count them from 1.
                if all(row[0] == at for at, row in enumerate(rows, 1)):
                    self.notes.append(f"{name}: rows were renumbered (VACUUM or a reload); versions are matched in order, and the "
                                      "ledger view is wrong until the next write or ledger_refresh()")
                else:
                    self.find("VERSION_LINK", name, "row ids are others than when the rows were ledgered, and not those that VACUUM "
                              "or a reload gives: the ledger view shows rows with the transactions of others")
        for at, row in enumerate(rows):
            identity = row[0] if rowid is not None else tuple(self._folded(value) for value in row[:len(keys)])
            key = list(zip(keys, row[len(identity_columns):])) if keys else [(rowid, identity)]
            stamp = ranked[at] if renumbered else stamps.pop(identity, None)
            version = Version(table, "live", identity, stamp, None, key)
            held = dict(zip((column for column, _ in present), row[len(identity_columns) + len(keys):]))
            if stamp is None:
                self.counts["versions"] += 1
                self.find("ROW_EXTRA", name, "the row was never ledgered", key=self._key(version))
                continue
            self._version(table, version, held)
        if not renumbered:
            self._unmatched(table, stamps)

    @staticmethod
    def _folded(value):
        # A number is the same key whether it has a fraction or not.
        return ("number" if isinstance(value, (int, float)) else type(value).__name__, value)

    def _renumbered(self):
        if not self.database.has("ledger_rowid_canary"):
            return False
        return [row[0] for row in self.database.rows(
            "ledger_rowid_canary", "SELECT rowid FROM main.ledger_rowid_canary ORDER BY rowid")] == [1, 2]

    def _stamps(self, table, last):
        what = f"ledger_stamps_{table.id}"
        if not self.database.has(what):
            self.find("SCHEMA_DRIFT", what, "the stamps are missing")
            return {}
        if last.body["rowid"] is not None:
            return {row[0]: self._place(what, *row[1:3]) for row in self.database.rows(
                what, f"SELECT row_id, transaction_id, sequence_number FROM main.{what} NOT INDEXED")}
        keys = [column["name"] for column in sorted(last.columns, key=lambda column: column["pk"]) if column["pk"]]
        columns = self.database.columns(what)
        keys = [key for key in keys if key in columns]
        return {tuple(self._folded(value) for value in row[:-2]): self._place(what, *row[-2:]) for row in self.database.rows(
            what, f"SELECT {', '.join(map(quoted, keys))}, transaction_id, sequence_number "
            f"FROM main.{what} NOT INDEXED")}

    def _place(self, what, transaction, sequence):
        if type(transaction) is not int or type(sequence) is not int:
            self.find("VERSION_LINK", what, "a transaction or sequence number of a row version is not an integer")
        return leaf_place(transaction, sequence)

    def _unmatched(self, table, stamps):
        """Stamps whose row is gone: their leaf place stays unclaimed, but the key is known."""
        last = table.versions[-1]
        names = [column["name"] for column in sorted(last.columns, key=lambda column: column["pk"]) if column["pk"]]
        for identity, (transaction, sequence) in stamps.items():
            values = [value for _, value in identity] if isinstance(identity, tuple) else [identity]
            keys = names if isinstance(identity, tuple) or len(names) == 1 else [last.body["rowid"]]
            self.lost[(transaction, table.id, sequence)] = [[name, shown(value)] for name, value in zip(keys, values)]

    def _recorded(self, table, start, values, places):
        """The values of a history version, of which those at `places` were converted to fractional numbers: what the stored
        column checks say that they were. The leaves are made of the answer, so it is not taken on trust."""
        transaction, sequence = start
        if self.last_checks[0] != (transaction, table.id):
            entry = self.entries.get(transaction)
            self.last_checks = (transaction, table.id), entry and table.id in entry.hashes and self._chunks(transaction, table.id)
        stored = self.last_checks[1] or []
        checks = stored[sequence][1] if sequence < len(stored) else ()
        if len(checks) != len(values):
            return values
        for at in places:
            number = values[at]
            if not isinstance(number, float):
                continue
            candidates = [number, Text(repr(number).encode())]
            if number.is_integer() and -1 << 63 <= number < 1 << 63:
                candidates += [int(number), Text(str(int(number)).encode())]
            values[at] = next((value for value in candidates if column_check(encode_value(value)) == checks[at]), number)
        return values

    def _version(self, table, version, held, converted=frozenset()):
        start = version.start
        schema = table.at(*start) or table.versions[0]
        version.schema = schema.digest
        version.columns = [schema.columns[at]["name"] for at in schema.stored]
        identities = [schema.identities[at] for at in schema.stored]
        if version.key is None:
            keys = sorted((column["pk"], identity, column["name"]) for column, identity
                          in zip(schema.columns, schema.identities) if column["pk"])
            version.key = [(name, held.get(identity)) for _, identity, name in keys]
            if not version.key:
                version.key = [("ledger_start_transaction_id", start[0]), ("ledger_start_sequence_number", start[1])]
        values = [held.get(identity) for identity in identities]
        places = [at for at, identity in enumerate(identities) if identity in converted]
        self._claim(version, self._recorded(table, start, values, places) if places else values)
        later = [identity for identity in held if identity not in schema.identities and identity in table.defaults
                 and self._added_after(table, identity, schema)]
        wrong = [table.names[identity] for identity in later
                 if encode_value(held[identity]) != encode_value(table.default(identity))]
        if wrong:
            self.find("ROW_ALTERED", table.name, "a column that did not exist when the row was written holds a value",
                      key=self._key(version), columns=wrong, transaction=start[0], sequence=start[1])
        # What the history gives to rows from after the column was dropped: nothing, or the default, whose fraction SQLite may drop.
        gone = [identity for identity in held if identity not in schema.identities
                and not self._added_after(table, identity, schema)
                and held[identity] is not None and encode_value(held[identity]) not in self._leftovers(table.default(identity))]
        if gone:
            self.find("ROW_ALTERED", table.name, "a column that was dropped before the row was written holds a value",
                      key=self._key(version), columns=[table.names[identity] for identity in gone], transaction=start[0],
                      sequence=start[1])

    @staticmethod
    def _leftovers(default):
        whole = isinstance(default, float) and default.is_integer() and -1 << 63 <= default < 1 << 63
        return [encode_value(default)] + ([encode_value(int(default))] if whole else [])

    @staticmethod
    def _added_after(table, identity, schema):
        at = table.versions.index(schema)
        return any(identity in version.identities for version in table.versions[at + 1:])

    def _chunks(self, transaction, table):
        """[(leaf hash, column checks)] as stored, or None."""
        place = "transaction_id = ? AND table_id = ? AND chunk >= 0 AND chunk < ?"
        last = self._entry_leaves(transaction)
        count = self.entries[transaction].hashes[table][1]
        if last is None or table not in last:
            return self._stored_leaves("ledger_leaf_chunks", place, transaction, table, -(-count // LEAVES_PER_CHUNK))
        if last[table] is None:
            return None
        whole = count // LEAVES_PER_CHUNK
        if not whole:
            return last[table]
        stored = self._stored_leaves("ledger_leaf_chunks", place, transaction, table, whole)
        return stored + last[table] if stored and len(stored) == whole * LEAVES_PER_CHUNK else None

    def _root_chunks_fit(self, transaction, table, leaves):
        """Root chunks, where there are any, hold the roots of the whole chunks."""
        what = "ledger_leaf_chunks"
        if len(leaves) < LEAVES_PER_CHUNK ** 2 or not self.database.has(what):
            return True
        for number, blob in self.database.rows(
                what, f"SELECT chunk, leaves FROM main.{what} WHERE transaction_id = ? AND table_id = ?", transaction, -2 - table):
            first = number * LEAVES_PER_CHUNK
            for at in range(first, min(first + LEAVES_PER_CHUNK, len(leaves) // LEAVES_PER_CHUNK)) if number >= 0 else ():
                try:
                    (root, _), _ = decode_chunk_leaf(blob, (at - first) * 34)
                except (ValueError, TypeError):
                    return False
                if root != merkle_root(leaves[at * LEAVES_PER_CHUNK : (at + 1) * LEAVES_PER_CHUNK]):
                    return False
        return True

    def _entry_leaves(self, transaction):
        """The last chunks that the entry keeps: leaves by table, None for damaged ones. None where it keeps none."""
        if self.last_entry_leaves[0] != transaction:
            self.last_entry_leaves = transaction, self._read_entry_leaves(transaction)
        return self.last_entry_leaves[1]

    def _read_entry_leaves(self, transaction):
        what = "database_ledger_transactions"
        try:
            rows = list(self.database.rows(what, f"SELECT leaves FROM main.{what} NOT INDEXED WHERE transaction_id = ?",
                                           transaction))
        except Blocked:
            return None
        blob = rows[0][0] if rows else None
        if type(blob) is not bytes:
            return None
        over = {table: count % LEAVES_PER_CHUNK for table, (_, count) in self.entries[transaction].hashes.items()
                if count % LEAVES_PER_CHUNK}
        try:
            return decode_entry_leaves(blob, over)
        except ValueError:
            return dict.fromkeys(over)

    def _transaction_chunks(self, block, count):
        return self._stored_leaves("ledger_transaction_chunks", "block_id = ? AND chunk BETWEEN 0 AND ?", block,
                                   (count - 1) // LEAVES_PER_CHUNK)

    def _stored_leaves(self, what, place, *values):
        if not self.database.has(what):
            return None
        leaves = []
        try:
            rows = list(self.database.rows(
                what, f"SELECT chunk, leaves FROM main.{what} WHERE {place} ORDER BY chunk", *values))
        except Blocked:
            return None
        for at, (number, blob) in enumerate(rows):
            if number != at or type(blob) is not bytes:
                return None
            offset, count = 0, 0
            try:
                while offset < len(blob):
                    leaf, offset = decode_chunk_leaf(blob, offset)
                    leaves.append(leaf)
                    count += 1
            except ValueError:
                return None
            if count > LEAVES_PER_CHUNK or count < LEAVES_PER_CHUNK and at + 1 < len(rows):
                return None
        return leaves or None

    def _covers(self, table):
        if table in self.unread:
            return False  # Half a table would look like missing rows.
        if not self.only or table == EVENTS_TABLE:
            return True
        known = self.tables.get(table)
        return known is not None and folded(known.name) in self.only

    def _compare(self):
        """Folds the claimed leaves of every transaction and table and compares the root with the transaction's entry. Where
        it differs, `expected` gets the leaves that must be there, `found` those that are."""
        self.expected, self.found, self.unplaced = {}, collections.defaultdict(list), set()
        for number, entry in self.entries.items():
            for table, (root, count) in entry.hashes.items():
                if not self._covers(table):
                    continue
                if table != EVENTS_TABLE and table not in self.tables:
                    self.find("COVERAGE_GAP", f"table {table}", "no schema event tells of this table", transaction=number)
                    continue
                claims = self.claims.pop((number, table), {})
                stored = self._chunks(number, table)
                self.counts["leaves"] += count
                if len(claims) == count == max(claims, default=-1) + 1 and all(len(here) == 1 for here in claims.values()):
                    leaves = [claims[at][0].hash for at in range(count)]
                    if merkle_root(leaves) == root:
                        if stored is None or [leaf for leaf, _ in stored] != leaves or not self._root_chunks_fit(
                                number, table, leaves):
                            # They prove nothing, but nothing can be located or proven to others without them.
                            kept = self._entry_leaves(number)
                            self.find("INDEX_DIVERGENCE", "database_ledger_transactions" if kept and table in kept and
                                      count < LEAVES_PER_CHUNK else "ledger_leaf_chunks",
                                      f"the stored leaves of {self._name(table)} are damaged; the rows are right",
                                      transaction=number)
                        continue
                if count == 1:
                    checks = stored[0][1] if stored and stored[0][0] == root else ()
                    stored = [(root, checks)]
                elif stored is None or len(stored) != count or merkle_root([leaf for leaf, _ in stored]) != root:
                    self._whole_root(number, table, claims, count)
                    continue
                for at, leaf in enumerate(stored):
                    self.expected[(table, number, at)] = leaf
                for at, here in claims.items():
                    self.found[(table, number, at)] = list(here)
        for (number, table), claims in self.claims.items():
            if not self._covers(table):
                continue
            if number in self.missing_transactions:
                self.find("COVERAGE_GAP", self._name(table), "the entry of their transaction is missing, so nothing can be "
                          "said about these row versions", transaction=number, count=len(claims))
                continue
            for at, here in claims.items():
                self.found[(table, number, at)] = list(here)
        if self.expected or self.found:
            self._localise()
        for (number, table, sequence), key in self.lost.items():
            if number not in self.missing_transactions and table not in self.unread:
                self.find("VERSION_LINK", self._name(table), "there is a stamp without a row", key=key, transaction=number,
                          sequence=sequence)

    def _name(self, table):
        return self.tables[table].name if table in self.tables else "ledger_schema_events"

    def _whole_root(self, number, table, claims, count):
        found = sum(len(here) for here in claims.values())
        code = "ROW_ALTERED" if found == count else "ROW_MISSING" if found < count else "ROW_EXTRA"
        self.find(code, self._name(table), f"{found} row versions do not give the root of {count} in the transaction's entry, "
                  "and the stored leaves do not either", transaction=number)

    # Which rows, and what happened to them

    def _localise(self):
        self.reported = set()
        for place, claims in list(self.found.items()):
            leaf = self.expected.get(place)
            match = next((claim for claim in claims if leaf and claim.hash == leaf[0]), None)
            if match is None:
                continue
            del self.expected[place]
            rest = [claim for claim in claims if claim is not match]
            for claim in rest:
                if claim.hash == match.hash:
                    live = {claim.version.place, match.version.place} == {"live", "history"}
                    self._say("VERSION_LINK" if live else "ROW_DUPLICATE", claim.version, place,
                              "an ended version is there as a current row" if live else "the row version is there more than once")
            self._keep(place, [claim for claim in rest if claim.hash != match.hash])
        self._moved()
        altered = {}
        for place in self.expected:
            claim = next((claim for claim in self.found.get(place, ()) if claim.version not in self.reported), None)
            if claim and (claim.version not in altered or place[1:] < altered[claim.version][0][1:]):
                altered[claim.version] = (place, claim)
        for version, (place, claim) in altered.items():
            checks = self.expected[place][1]
            now = [column_check(value) for value in version.encoded]
            columns = [name for name, was, is_ in zip(version.columns or ["event_type", "table_id", "body"], checks, now)
                       if was != is_]
            for other in [other for other in self._places(version) if any(
                    claim.version is version for claim in self.found.get(other, ()))]:
                self.expected.pop(other, None)
            self._forget(version)
            if claim.side == "ended" and not columns:
                self._say("VERSION_LINK", version, place, "when the version began or ended was changed")
            else:
                self._say("ROW_ALTERED", version, place, "the values are not those that were ledgered", columns=sorted(columns))
        self._report_missing()
        for place, claims in sorted(self.found.items(), key=lambda found: found[0]):
            for claim in claims:
                version = claim.version
                if version in self.reported:
                    continue
                genuine = claim.side == "ended" and not self._open(version, self._places(version)[0])
                self._say("VERSION_LINK" if genuine else "ROW_EXTRA", version, place,
                          "the ledger has no such end of the version" if genuine else "the ledger has no such row")

    def _places(self, version):
        return [(version.table.id, *place) for place in (version.start, version.end) if place is not None]

    def _open(self, version, place):
        return any(claim.version is version for claim in self.found.get(place, ()))

    def _keep(self, place, claims):
        if claims:
            self.found[place] = claims
        else:
            self.found.pop(place, None)

    def _forget(self, version):
        for place in self._places(version):
            self._keep(place, [claim for claim in self.found.get(place, ()) if claim.version is not version])

    def _say(self, code, version, place, why, **more):
        if version in self.reported and code not in ("ROW_MISSING",):
            return
        self.reported.add(version)
        self.find(code, version.table.name, why, key=self._key(version), transaction=place[1], sequence=place[2], **more)

    def _moved(self):
        """Versions whose values fit a leaf at another place than they say they belong to."""
        wanted = collections.defaultdict(list)
        for place, (_, checks) in self.expected.items():
            if checks:
                wanted[(place[0], tuple(checks))].append(place)
        if not wanted:
            return
        open_versions = {claim.version for claims in self.found.values() for claim in claims}
        candidates = sorted(self.versions, key=lambda version: version not in open_versions)
        for version in candidates:
            if version in self.reported:
                continue
            places = wanted.get((version.table.id, tuple(column_check(value) for value in version.encoded)), ())
            for place in sorted(places):
                if place in self.expected and version not in self.reported:
                    self._match(version, place)

    def _match(self, version, place):
        leaf = self.expected[place][0]
        start, end = (self._places(version) + [None])[:2]
        schema = version.schema or schema_digest(0, [])

        def is_leaf(operation, at, begun):
            return row_leaf(operation, at[0], schema, at[1], at[2], version.encoded, start=begun)

        if self._open(version, start) and start != place and is_leaf(CREATED, place, None) == leaf:
            del self.expected[place]
            if end in self.expected and is_leaf(ENDED, end, place[1:]) == self.expected[end][0]:
                del self.expected[end]
            self._forget(version)
            if place[1] == start[1]:
                self._say("VERSION_LINK", version, place, "its sequence number was changed")
            else:
                self._say("ROW_MISSING", version, place, "the row was moved to another transaction: it belongs here")
                self.find("ROW_EXTRA", version.table.name, "the row was moved here", key=self._key(version),
                          transaction=start[1], sequence=start[2])
        elif (end is None or end != place and self._open(version, end)) and is_leaf(ENDED, place, version.start) == leaf:
            del self.expected[place]
            if end is not None:
                self._keep(end, [claim for claim in self.found.get(end, ())
                                 if claim.version is not version or claim.side != "ended"])
            self._say("VERSION_LINK", version, place, "when the version ended was changed, or it came back to life")

    def _report_missing(self):
        """Two leaves with the same checks are the beginning and the end of one version."""
        groups = collections.defaultdict(list)
        begun = {}
        for place in sorted(place for place in self.expected if place not in self.found):
            checks = (place[0], tuple(self.expected[place][1]))
            if checks[1] and checks in begun:
                del begun[checks]
                continue
            begun[checks] = place
            groups[place[:2]].append(place)
        for (table, number), places in groups.items():
            if len(places) > self.MOST_PER_GROUP:
                for place in places:
                    self.lost.pop((number, table, place[2]), None)
                self.find("ROW_MISSING", self._name(table), f"{len(places)} row versions are missing", transaction=number,
                          count=len(places))
                continue
            for place in places:
                key = self.lost.pop((number, table, place[2]), None)
                self.find("ROW_MISSING", self._name(table), "a row version is missing", transaction=number, sequence=place[2],
                          key=key)

    # Result

    @property
    def verdict(self):
        codes = {finding["code"] for finding in self.findings}
        if codes - {"TAIL_UNATTESTED", "VERIFIER_BLOCKED", "COVERAGE_GAP"}:
            return "tampered"
        if codes & {"VERIFIER_BLOCKED", "COVERAGE_GAP"} or self.anchored is None or not self.complete:
            return "unable"
        return "ok"

    @property
    def exit_code(self):
        return {"ok": 0, "tampered": 1, "unable": 2}[self.verdict]

    def report(self):
        return {"verdict": self.verdict, "ledger_id": getattr(self, "ledger", b"").hex(), "findings": self.findings,
                "notes": self.notes, "counts": dict(self.counts), "anchored_through_block": self.anchored,
                "tables": list(self.only.values()) or None}


def leaf_place(transaction, sequence):
    """(transaction, sequence number) as stored beside a row. SQLite's 64 bits are read without a sign, and what is no
    integer is 0: such a place is no leaf's, so it is judged like any other wrong one."""
    return tuple((value if type(value) is int else 0) % (1 << 64) for value in (transaction, sequence))


def moment(time):
    return datetime.datetime.strptime(time.replace("0000", "0001", 1) if time.startswith("0000") else time,
                                      "%Y-%m-%dT%H:%M:%S.%fZ")


def latest_time():
    """What is later is in the future. Times are as ordered as their texts."""
    return (datetime.datetime.now(datetime.timezone.utc) + CLOCK_TOLERANCE).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def verify(path, digests=(), only=(), stores=()):
    """The whole verification as a value: `verdict`, `exit_code`, `findings`, `report()`. `stores` are files and directories
    of digests; Errors: BadDigest, OSError."""
    database = Database(path)
    try:
        return Verification(database, list(digests), only, stores).run()
    finally:
        database.close()


def main():
    parser = argparse.ArgumentParser(description="Verify an SQLite ledger database without Indelible.")
    parser.add_argument("database")
    parser.add_argument("--digests", action="append", default=[], help="file or directory of digests")
    parser.add_argument("--table", action="append", default=[], help="only the rows of this table")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        done = verify(arguments.database, only=arguments.table, stores=arguments.digests)
    except (BadDigest, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    except Blocked as problem:
        report = {"verdict": "unable", "findings": [
            {"code": "VERIFIER_BLOCKED", "object": problem.object, "reason": problem.why}], "notes": [], "counts": {},
            "anchored_through_block": None}
        print(json.dumps(report) if arguments.json else f"VERIFIER_BLOCKED {problem}")
        return 2
    if arguments.json:
        print(json.dumps(done.report(), indent=2, ensure_ascii=False))
        return done.exit_code
    for finding in done.findings:
        place = ", ".join(f"{name}={value}" for name, value in finding.get("key", []))
        extra = "".join(f" {name} {finding[name]}" for name in ("block", "transaction", "sequence") if name in finding)
        columns = f" columns {', '.join(finding['columns'])}" if finding.get("columns") else ""
        print(f"{finding['code']} {finding['object']}{f' ({place})' if place else ''}{columns}{extra}: {finding['reason']}")
    for note in done.notes:
        print(f"note: {note}")
    if done.anchored is None:
        print("nothing outside the database anchors this result: give --digests")
    else:
        print(f"digests fit through block {done.anchored}")
    part = f", only of {', '.join(arguments.table)}" if arguments.table else ""
    print(f"{done.verdict}{' in part' if part and done.verdict == 'ok' else ''}{part}: {done.counts['versions']} row versions, {done.counts['transactions']} transactions, "
          f"{done.counts['blocks']} blocks")
    return done.exit_code


if __name__ == "__main__":
    sys.exit(main())
