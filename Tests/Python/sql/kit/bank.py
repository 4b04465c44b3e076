"""The database that the attacks are made on: a small bank, written through the extension by ordinary SQL.

Blocks 0 … 5 are closed, each digest is kept outside. `seen` is the state that `--since-last` goes on from: it was taken after
block 2; the rows with ids of NEW and above, and what happened to FRESH, came later.
"""

import json
from pathlib import Path

from .ledger import connect, scalar

SCHEMA = [
    "CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT, nick TEXT, balance REAL, units INTEGER, spare INTEGER, "
    "code, note TEXT, data BLOB)",
    "CREATE TABLE customer(email TEXT PRIMARY KEY, full_name TEXT NOT NULL, city TEXT COLLATE NOCASE)",
    "CREATE TABLE setting(area TEXT, name TEXT, value, PRIMARY KEY(area, name)) WITHOUT ROWID",
    "CREATE TABLE visit(what TEXT, at INTEGER)",
    "CREATE TABLE journal(id INTEGER PRIMARY KEY, line TEXT, amount INTEGER) STRICT",
    "CREATE TABLE plain(id INTEGER PRIMARY KEY, x)",
    "CREATE INDEX account_nick ON account(nick)",
    "CREATE UNIQUE INDEX account_code ON account(code)",
]
TABLES = ["account", "customer", "setting", "visit", "journal"]
NEW = 1_000_000
FRESH = NEW + 7  # the row most attacks are made on
OTHER = NEW + 8


def marker(number):
    return f"marker-{number:08d}"


def fill(connection, first, count):
    connection.executemany(
        "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (
            (number, marker(number), f"nick-{number:08d}", number * 0.25 + 0.125, number % 1000 + 10, None,
             f"code-{number:08d}", "" if number % 2 else None, bytes([number % 251]) * (number % 17))
            for number in range(first, first + count)))


class Bank:
    """Where everything is."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.path = self.directory / "bank.db"
        self.digests = self.directory / "digests.json"
        self.state = self.directory / "seen.json"

    def keep(self, *digests):
        with open(self.digests, "a") as file:
            file.writelines(json.dumps(json.loads(text)) + "\n" for text in digests)


def make(directory, rows=400, verify_state=None, journal_mode="DELETE") -> Bank:
    """`verify_state(bank)` is called where the state of `--since-last` is to be taken."""
    bank = Bank(directory)
    db = connect(bank.path)
    db.execute(f"PRAGMA journal_mode = {journal_mode}")
    db.execute("SELECT ledger_init(0)")
    db.execute("SELECT ledger_set_principal('alice')")
    for sql in SCHEMA:
        db.execute(sql)
    for table in TABLES:
        db.execute("SELECT ledger_enable(?, ?)", (table, "append-only" if table == "journal" else "updatable"))

    def seal():
        bank.keep(scalar(db, "SELECT ledger_close_block()"))

    def transaction(*statements):
        db.execute("BEGIN")
        for statement in statements:
            if callable(statement):
                statement()
            else:
                db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
        db.execute("COMMIT")

    transaction(lambda: fill(db, 1, rows))
    seal()
    transaction(
        lambda: db.executemany("INSERT INTO customer VALUES (?, ?, ?)", (
            (f"c{number}@example.org", f"Customer {number}", "Town") for number in range(40))),
        lambda: db.executemany("INSERT INTO setting VALUES (?, ?, ?)", (
            ("area", f"name{number}", number) for number in range(40))),
        lambda: db.executemany("INSERT INTO visit VALUES (?, ?)", ((f"visit {number}", number) for number in range(40))),
        lambda: db.executemany("INSERT INTO journal(line, amount) VALUES (?, ?)", (
            (f"line {number}", number) for number in range(40))))
    seal()
    for number in range(1, 21):
        transaction(("UPDATE account SET balance = balance + 1 WHERE id = ?", (number,)))
    seal()
    if verify_state:
        verify_state(bank)
    transaction(lambda: fill(db, NEW, 40))
    transaction(
        ("UPDATE account SET spare = 77 WHERE id = ?", (NEW + 1,)),
        ("UPDATE account SET note = ?, data = ? WHERE id = ?", ("long " * 4000 + "end", b"\1\2\3\4" * 5000, NEW + 2)),
        ("UPDATE account SET name = 'ab', nick = 'c' WHERE id = ?", (NEW + 3,)),
        ("UPDATE account SET code = 1 WHERE id = ?", (NEW + 4,)),
        ("UPDATE account SET name = ? WHERE id = ?", ("Jos\u00e9 na\u00efve", NEW + 5)),
        ("UPDATE account SET name = '{\"a\": 1}', nick = '2026-01-01T00:00:00+00:00', code = 0.0 WHERE id = ?", (NEW + 6,)))
    seal()
    db.execute("SELECT ledger_set_principal('bob')")
    for number in range(NEW + 10, NEW + 20):
        transaction(("UPDATE account SET balance = 5.5 WHERE id = ?", (number,)))
    transaction(("DELETE FROM account WHERE id BETWEEN ? AND ?", (NEW + 30, NEW + 33)))
    transaction("INSERT INTO visit VALUES ('late visit', 99)", "UPDATE setting SET value = 'v2' WHERE name = 'name3'",
                "DELETE FROM visit WHERE at = 5")
    seal()
    transaction(("UPDATE account SET units = 11 WHERE id = ?", (NEW + 12,)))
    transaction(("UPDATE account SET units = 12 WHERE id = ?", (NEW + 12,)))
    seal()
    db.close()
    return bank
