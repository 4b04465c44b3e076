"""One history of statements on a plain database and on one with a ledger: what an application sees must be the same, the ledger
must tell every state that was, and both verifiers must say so. `histories.py` makes the histories."""

import re
import sqlite3
from collections import Counter

from . import ledger
from . import reference as ref
from .histories import quoted

# What the documentation says is refused; the statement is then left out on the plain side, too.
REFUSALS = re.compile(
    "which has generated columns, needs PRAGMA recursive_triggers = ON"  # said by the message itself
    "|Updates are not allowed for the append only Ledger table")


# The name that databases are attached under where a history is played on attached ones.
ATTACHED = 'da"ta'
CREATES = re.compile(r"(CREATE (?:UNIQUE )?(?:TABLE|INDEX|VIEW|TRIGGER) (?:IF NOT EXISTS )?)")

COMMITS = re.compile("COMMIT|RELEASE")
DEFINITIONS = re.compile("CREATE|ALTER|DROP|COMMIT|VACUUM|REINDEX|ANALYZE")
CHANGES = re.compile("INSERT|UPDATE|DELETE|REPLACE")


class Text(bytes):
    """A text as it is stored, whether it is Unicode or not."""

    def __repr__(self):
        return "t" + super().__repr__()[1:]

    def __eq__(self, other):
        return type(other) is Text and bytes.__eq__(self, other)

    def __hash__(self):
        return bytes.__hash__(self) ^ 1


def exact(row):
    """Values that compare with their types: 1, 1.0 and '1' are three, 0.0 and -0.0 are two."""
    return tuple(value if isinstance(value, Text) else f"{type(value).__name__[0]}:{value!r}" for value in row)


class Difference(Exception):
    def __init__(self, kind, told):
        super().__init__(f"{kind}: {told}")
        self.kind = kind


class Side:
    def __init__(self, path, options, with_ledger):
        self.path, self.options, self.with_ledger = path, options, with_ledger
        db = sqlite3.connect(path, isolation_level=None)
        if options["utf16"]:
            db.execute("PRAGMA encoding = 'UTF-16le'")
        db.execute("CREATE TABLE first(x)")
        db.execute("DROP TABLE first")
        if options["wal"]:
            db.execute("PRAGMA journal_mode = WAL")
        db.close()
        self.is_attached = options.get("attached", False)
        self.schema = quoted(ATTACHED) if self.is_attached else "main"
        self.connections = [self.open() for _ in range(options["connections"])]

    def open(self, itself=False):
        """`itself`: the database is not attached, even where histories are played on attached ones."""
        db = sqlite3.connect(":memory:" if self.is_attached and not itself else self.path, isolation_level=None, timeout=0)
        if self.with_ledger:
            ledger.load(db)
        if self.is_attached and not itself:
            if self.options["utf16"]:
                db.execute("PRAGMA encoding = 'UTF-16le'")
            db.execute(f"ATTACH ? AS {self.schema}", (str(self.path),))
            db.execute(f"PRAGMA {self.schema}.synchronous = OFF")
        db.text_factory = Text
        # Triggers that fire each other can go on for hours: such a history is left.
        budget = iter(range(100))
        db.set_progress_handler(lambda: next(budget, None) is None, 10_000)
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"PRAGMA recursive_triggers = {self.options['recursive']:d}")
        db.execute(f"PRAGMA foreign_keys = {self.options['foreign']:d}")
        return db

    def reopen(self, number):
        self.connections[number].close()
        self.connections[number] = self.open()

    def close(self):
        for db in self.connections:
            db.close()


def outcome(db, statement, rows=None):
    """What an application learns of a statement: rows or error, and what the connection says afterwards."""
    try:
        if rows is None:
            cursor = db.execute(statement)
            answer = [exact(row) for row in cursor.fetchall()]
        else:
            answer = db.executemany(statement, rows).rowcount
    except sqlite3.Error as problem:
        answer = (type(problem).__name__, str(problem))
        if str(problem) == "interrupted" or "levels of trigger recursion" in str(problem):
            raise Skip
    return "done" if statement.startswith("PRAGMA") else answer


def counters(db):
    return (db.in_transaction, *db.execute("SELECT changes(), last_insert_rowid()").fetchone())


def tables_of(db, schema):
    """Name → (columns without the generated ones that are not stored, whether it has row ids) of the user's tables on the plain side."""
    found = {}
    for name, kind, without in db.execute("SELECT name, type, wr FROM pragma_table_list WHERE schema = ? AND type = 'table'", (schema,)).fetchall():
        name = name.decode()
        if name.startswith("sqlite_") or name == "witness":
            continue
        columns = [(row[1].decode(), row[6]) for row in db.execute(f"PRAGMA table_xinfo({quoted(name)})")]
        found[name] = (columns, not without)
    return found


def contents(db, tables):
    made = {}
    for name, (columns, has_rowid) in tables.items():
        names = [quoted(column) for column, _ in columns]
        folded = [column.lower() for column, _ in columns]
        row = next((alias for alias in ("_rowid_", "oid", "rowid") if alias not in folded), None) if has_rowid else None
        listed = ", ".join(([row] if row else []) + names)
        made[name] = Counter(exact(row) for row in db.execute(f"SELECT {listed} FROM {quoted(name)} NOT INDEXED").fetchall())
    return made


class Run:
    def __init__(self, directory, options, steps, witness=False):
        self.witness = witness
        self.plain_path, self.path = directory / "plain.db", directory / "ledger.db"
        self.options, self.steps = options, steps
        self.plain, self.led = Side(self.plain_path, options, False), Side(self.path, options, True)
        self.is_ledger = False
        # (transaction, {view: (columns, content)}): what the table was at the end of each transaction of the ledger.
        self.states = []
        self.done = 0
        self.skipped = 0
        # SQLLedger.md: connections whose changes() is not the application's since they committed or changed definitions.
        self.unsettled = set()
        # And since they called the ledger's functions: last_insert_rowid() is not either.
        self.unsettled_row = {}
        self.differs_by_triggers = False

    def idle(self):
        return not any(db.in_transaction for side in (self.plain, self.led) for db in side.connections)

    def step(self, step):
        kind = step[0]
        if kind in ("init", "enable", "refresh", "block"):
            # Only while nothing is open, so that nobody's snapshot grows old on one side alone.
            if not self.idle():
                return
            is_own = self.options["own"] and not self.led.is_attached
            db = self.led.connections[0] if is_own else self.led.open(itself=True)
            if kind == "init":
                db.execute("SELECT ledger_init(?)", (step[1],))
                self.is_ledger = True
            elif not self.is_ledger:
                pass
            elif kind == "enable":
                known = {name.decode() for name, in db.execute("SELECT name FROM ledger_tables WHERE NOT is_dropped")}
                exists = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE", (step[1],)).fetchone()
                if step[1] not in known and exists:
                    try:
                        db.execute("SELECT ledger_enable(?)", (step[1],))
                    except sqlite3.Error as problem:
                        raise Difference("enable", f"{step[1]}: {problem}")
            elif kind == "refresh":
                db.execute("SELECT ledger_refresh()")
            else:
                db.execute("SELECT ledger_close_block()")
            if not is_own:
                db.close()
            self.compare_contents(0)
            self.remember()
            return
        if kind == "reopen":
            if not self.idle():
                return
            self.plain.reopen(step[1])
            self.led.reopen(step[1])
            self.remember()
            return
        number = step[1]
        if kind.startswith("drop") and not self.idle() and self.options["connections"] > 1:
            return  # The functions take the write lock before they refuse.
        plain, led = self.plain.connections[number], self.led.connections[number]
        statement = step[2] if kind in ("sql", "many") else None
        if statement and self.led.is_attached:
            statement = f"VACUUM {self.led.schema}" if statement == "VACUUM" else CREATES.sub(rf"\g<1>{self.led.schema}.", statement, count=1)
        for db in (plain, led):
            # What another connection has defined is seen late by statements that fail to compile.
            if not db.in_transaction:
                outcome(db, f"SELECT count(*) FROM {self.led.schema}.sqlite_schema")
        other = statement
        if kind.startswith("drop") and self.led.is_attached and self.ledgered(led, step[2]):
            return  # The ledger's functions are for `main`.
        if kind == "drop column":
            other = statement = f"ALTER TABLE {quoted(step[2])} DROP COLUMN {quoted(step[3])}"
            if self.ledgered(led, step[2]):
                other = f"SELECT ledger_drop_column('{step[2].replace(chr(39), chr(39) * 2)}', '{step[3].replace(chr(39), chr(39) * 2)}')"
        elif kind == "drop table":
            other = statement = f"DROP TABLE {quoted(step[2])}"
            if self.ledgered(led, step[2]):
                other = f"SELECT ledger_drop_table('{step[2].replace(chr(39), chr(39) * 2)}')"
        rows = step[3] if kind == "many" else None
        theirs = outcome(led, other, rows)
        if isinstance(theirs, tuple) and REFUSALS.search(theirs[1]):
            self.skipped += 1
            self.unsettled.add(number)
            self.unsettled_row[number] = counters(plain)[2]
            if rows is not None and len(rows) > 1:
                raise Skip
            for db in (led, plain):
                if db.in_transaction:
                    db.execute("ROLLBACK")
            return
        answer = outcome(plain, statement, rows)
        if other != statement:
            # Functions give their answer as a row, and word refusals themselves.
            if isinstance(answer, tuple) != isinstance(theirs, tuple):
                raise Difference("outcome of " + kind, f"plain {answer}, ledger {theirs}")
            if plain.in_transaction != led.in_transaction:
                raise Difference("in transaction", statement)
            self.unsettled.add(number)
            self.unsettled_row[number] = counters(plain)[2]
        elif answer != theirs:
            # SQLite words errors of ALTER TABLE and names of objects by what is in the schema.
            raise Difference("outcome" + (f" ({theirs[1][:60]})" if isinstance(theirs, tuple) else ""), f"plain {answer}, ledger {theirs}")
        else:
            before, after = counters(plain), counters(led)
            if isinstance(answer, tuple) and "FOREIGN KEY" in answer[1]:
                self.unsettled_row[number] = before[2]  # SQLite looks at them before the row, or behind it where there are triggers.
            if COMMITS.match(statement):
                self.unsettled.add(number)
            elif CHANGES.match(statement) and isinstance(answer, list):
                self.unsettled.discard(number)
            if DEFINITIONS.match(statement):
                self.unsettled.add(number)
            if statement.startswith("VACUUM"):
                self.unsettled_row[number] = before[2]  # SQLite's own, the number of things in the schema
            if number in self.unsettled_row and self.unsettled_row[number] != before[2]:
                del self.unsettled_row[number]
            if number in self.unsettled:
                before, after = (before[0], None, before[2]), (after[0], None, after[2])
            if number in self.unsettled_row:
                before, after = before[:2], after[:2]
            if before != after and (before[0] != after[0] or not self.options["own"] or number > 0):
                raise Difference("counters", f"in transaction, changes(), last_insert_rowid(): plain {before}, ledger {after}")
        self.compare_contents(number)
        self.remember()

    def ledgered(self, db, name):
        return self.is_ledger and bool(db.execute(
            f"SELECT 1 FROM {self.led.schema}.sqlite_schema WHERE type = 'trigger' AND name GLOB 'ledger_insert_*' AND tbl_name = ? COLLATE NOCASE",
            (name,)).fetchone())

    def compare_contents(self, number):
        plain, led = self.plain.connections[number], self.led.connections[number]
        try:
            led.execute(f"SELECT count(*) FROM {self.led.schema}.sqlite_schema").fetchone()  # Both sides read, and hold their locks, or none.
            tables = tables_of(plain, ATTACHED if self.plain.is_attached else "main")
            ours, theirs = contents(plain, tables), contents(led, tables)
        except sqlite3.OperationalError as problem:
            if "locked" in str(problem):
                return
            raise Difference("reading", str(problem))
        for name in ours:
            if ours[name] != theirs[name]:
                raise Difference("contents", f"{name}: only plain {list((ours[name] - theirs[name]))}, only ledger {list((theirs[name] - ours[name]))}")

    # States: what the ledger view must tell

    def bear_witness(self):
        """Triggers that do nothing, on the plain side."""
        names = [name.decode() for name, in self.led.connections[0].execute("SELECT name FROM ledger_tables WHERE NOT is_dropped").fetchall()]
        db = self.plain.open(itself=True)
        db.execute("CREATE TABLE IF NOT EXISTS witness(x PRIMARY KEY)")
        has = {row[0].decode() for row in db.execute("SELECT tbl_name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'witness*'").fetchall()}
        for number, name in enumerate(names):
            if name not in has and db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone():
                for kind in ("INSERT", "UPDATE", "DELETE"):
                    db.execute(f"CREATE TRIGGER {quoted(f'witness {name} {kind}')} AFTER {kind} ON {quoted(name)} BEGIN INSERT INTO witness SELECT 1 WHERE 0; END")
        db.close()

    def remember(self):
        if not self.is_ledger or not self.idle():
            return
        if self.witness:
            self.bear_witness()
        db = self.led.connections[0]
        try:
            last = db.execute("SELECT max(transaction_id) FROM database_ledger_transactions").fetchone()[0] or 0
            if self.states and self.states[-1][0] == last:
                self.states.pop()
            kept = {}
            for number, name in db.execute("SELECT table_id, name FROM ledger_tables WHERE NOT is_dropped").fetchall():
                name = name.decode()
                if not db.execute(f"SELECT 1 FROM {self.led.schema}.sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone():
                    continue  # renamed, and nobody has looked since
                columns = [row[1].decode() for row in db.execute(f"PRAGMA table_xinfo({quoted(name)})") if row[6] in (0, 3)]
                kept[number] = (columns, db.execute(f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)} NOT INDEXED").fetchall())
            self.states.append((last, kept))
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem):
                raise Difference("remembering", str(problem))

    def compare_history(self):
        """The ledger view tells the state at the end of each transaction: what was created until then and has not ended."""
        db = ledger.connect(self.path)
        db.text_factory = Text
        compared = 0
        for number, name, view in db.execute("SELECT table_id, name, view FROM ledger_tables WHERE NOT is_dropped").fetchall():
            columns = [row[1].decode() for row in db.execute(f"PRAGMA table_xinfo({quoted(name.decode())})") if row[6] in (0, 3)]
            listed = ", ".join(map(quoted, columns))
            lines = db.execute(f"SELECT ledger_transaction_id, ledger_operation_type, {listed} FROM {quoted(view.decode())}").fetchall()
            created = [row for row in db.execute("SELECT min(transaction_id) FROM ledger_schema_events WHERE table_id = ?", (number,))][0][0]
            for last, kept in self.states:
                if number not in kept or kept[number][0] != columns or last < created:
                    continue
                told = Counter()
                for transaction, operation, *values in lines:
                    if transaction <= last:
                        told[exact(values)] += 1 if operation == 1 else -1
                told = Counter({values: count for values, count in told.items() if count})
                was = Counter(exact(values) for values in kept[number][1])
                compared += 1
                if told != was:
                    raise Difference("history", f"{name.decode()} after transaction {last}: only the table {list((was - told).items())}, only the view "
                                     f"{list((told - was).items())}, {[v for v in told.items() if v[1] < 0]}")
        db.close()
        return compared

    def play(self):
        for step in self.steps:
            try:
                self.step(step)
            except sqlite3.OperationalError as problem:
                if str(problem) == "interrupted" or re.match("error in (trigger|view)", str(problem)):
                    raise Skip  # A definition that names what is gone: SQLite refuses every ALTER TABLE.
                raise Difference(f"error in {step[0]}", str(problem))
            self.done += 1
        for side in (self.plain, self.led):
            for db in side.connections:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        self.done += 1
        self.compare_contents(0)
        self.remember()

    def seal(self, directory):
        """Closes everything and the block. Answers the file of the digest, or None when there is no ledger."""
        self.plain.close()
        self.led.close()
        if not self.is_ledger:
            return None
        db = ledger.connect(self.path)
        try:
            db.execute("SELECT ledger_refresh()")
            db.execute("SELECT ledger_close_block()")
            digest = ledger.scalar(db, "SELECT ledger_digest()")
            sound = [row[0] for row in db.execute("PRAGMA integrity_check").fetchall()]
        except sqlite3.Error as problem:
            raise Difference("sealing", str(problem))
        finally:
            db.close()
        plain = ledger.plain(self.plain_path)
        plain.text_factory = bytes
        expected = [row[0].decode() for row in plain.execute("PRAGMA integrity_check").fetchall()]
        plain.close()
        if sound != ["ok"] and expected == ["ok"]:
            raise Difference("integrity", f"plain {expected[:5]}, ledger {sound[:5]}")
        if expected != ["ok"]:
            return None  # SQLite's own faults, as with lower() of a BLOB in UTF-16, are reported as such.
        if digest is None:
            return None
        file = directory / "digest.json"
        file.write_text(digest)
        return file


class Skip(Exception):
    """The history cannot be compared any further."""


def codes(path, digest):
    code, found, done = ledger.second_opinion(path, digest)
    return code, found, getattr(done, "findings", [done])


def run(directory, options, steps, program=True):
    """Raises `Difference`. Answers the run and its digest.

    SQLite itself takes some statements otherwise where a table has triggers: it then keeps statement journals, which without them
    it leaves out where an error (of a STRICT type, or of an INTEGER PRIMARY KEY that is none) can come after a row, and looks at
    foreign keys that it otherwise need not. So what differs is compared again with triggers that do nothing on the plain side.
    """
    try:
        return run_once(directory, options, steps, program, False)
    except Difference as problem:
        if problem.kind.startswith(VERIFIED):
            raise
    made, digest = run_once(directory, options, steps, program, True)
    made.differs_by_triggers = True
    return made, digest


VERIFIED = ("Python", "program", "history", "sealing")


def run_once(directory, options, steps, program, witness):
    directory.mkdir(parents=True, exist_ok=True)
    for file in directory.iterdir():
        file.unlink()
    made = Run(directory, options, steps, witness)
    try:
        try:
            made.play()
        except Skip:
            made.skipped += 1
            for side in (made.plain, made.led):
                for db in side.connections:
                    db.set_progress_handler(None, 0)
                    if db.in_transaction:
                        db.execute("ROLLBACK")
        digest = made.seal(directory)
    finally:
        made.plain.close()
        made.led.close()
    if digest is None:
        return made, None
    made.compared = made.compare_history()
    code, found, findings = codes(made.path, digest)
    if code != 0:
        raise Difference(f"Python verifier {sorted(found)}", "\n  ".join(map(str, findings[:6])))
    if program:
        report = ledger.verify(made.path, digest)
        if report.exit_code != 0:
            raise Difference(f"program {sorted(report.codes)}", str(report))
    return made, digest


def tamper(path, random):
    """Changes one value of a row or a former version, past the ledger. Answers what was changed, or None when there is nothing."""
    db = ledger.without_triggers(path)
    db.text_factory = Text
    db.execute("PRAGMA ignore_check_constraints = ON")
    places = []
    for number, name, dropped in db.execute("SELECT table_id, name, is_dropped FROM ledger_tables").fetchall():
        for table in [f"ledger_history_{number}"] + [name.decode()] * (not dropped):
            has_rowid = not db.execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table,)).fetchone()[0]
            columns = [row[1].decode() for row in db.execute(f"PRAGMA table_xinfo({quoted(table)})") if row[6] == 0]
            row = next((name for name in ("_rowid_", "rowid", "oid") if name not in [column.lower() for column in columns]), None)
            if has_rowid and row:
                places += [(table, row, number, column) for number, in db.execute(f"SELECT {row} FROM {quoted(table)}").fetchall()
                           for column in columns if not column.startswith("ledger_")]
    random.shuffle(places)
    for table, row, number, column in places:
        for value in ("'tampered'", "77", "NULL", "x'77'"):
            asked = f"SELECT {quoted(column)}, (SELECT count(*) FROM {quoted(table)}) FROM {quoted(table)} WHERE {row} = {number}"
            db.execute("BEGIN")
            before = exact(db.execute(asked).fetchone())
            try:
                db.execute(f"UPDATE {quoted(table)} SET {quoted(column)} = {value} WHERE {row} = {number}")
                after = db.execute(asked).fetchone()
            except sqlite3.Error:
                after = None
            if after is not None and exact(after) != before:
                db.execute("COMMIT")
                db.close()
                return f"{table}, row {number}, {column}: {before[0]} is now {exact(after)[0]}"
            db.execute("ROLLBACK")
    db.close()
    return None


def shrink(directory, options, steps, kind, limit=400):
    """The shortest history found that fails in the same way."""
    def fails(candidate, candidate_options):
        nonlocal limit
        limit -= 1
        if limit < 0:
            return False
        try:
            run(directory, candidate_options, candidate, program=kind.startswith("program"))
        except Difference as problem:
            return problem.kind == kind
        except sqlite3.Error:
            return False
        return False

    for name in options:
        simpler = {**options, name: 1 if name == "connections" else False}
        if simpler != options:
            moved = [(*step[:1], 0, *step[2:]) if step[0] in ("sql", "many", "drop column", "drop table", "reopen") else step
                     for step in steps] if name == "connections" else steps
            if fails(moved, simpler):
                options, steps = simpler, moved
    size = max(1, len(steps) // 2)
    while True:
        at, shrunk = 0, False
        while at < len(steps):
            candidate = steps[:at] + steps[at + size:]
            if fails(candidate, options):
                steps, shrunk = candidate, True
            else:
                at += size
        if size == 1 and not shrunk or limit < 0:
            return options, steps
        size = max(1, size // 2)
