"""Random schemas and histories of statements, by seed, for `test_differential.py`.

A history is a list of steps, made without looking at a database, so that any part of it is a history as well:
("sql", connection, statement), ("many", connection, statement, rows), of the ledger alone ("enable", table),
("init", all tables), ("refresh",), ("block",), and ("drop column", connection, table, column), ("drop table", connection, table),
("reopen", connection).
"""

import random

NAMES = ["t", "t 1", "Order", 'q"\u0301uote', "ledger_entries", "größe"]
COLUMNS = ["a", "b", "c d", "select", "E", "rowid", "f'\u0301g", "oid", "x1"]
TYPES = ["INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "", "VARCHAR(10)", "DOUBLE"]
STRICT_TYPES = ["INTEGER", "INT", "TEXT", "REAL", "BLOB", "ANY"]
CONFLICTS = ["", "", "", " OR REPLACE", " OR REPLACE", " OR IGNORE", " OR ABORT", " OR FAIL", " OR ROLLBACK"]
VALUES = [
    "NULL", "NULL", "0", "1", "2", "3", "4", "5", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993", "1.5", "2.0",
    "-0.0", "1e308", "9e999", "-9e999", "1e-320", "0.1", "''", "x''", "'a'", "'A'", "'b '", "'b'", "'1'", "'2.0'", "'1e2'", "' 3'", "x'61'",
    "x'00ff'", "CAST(x'610062' AS TEXT)", "CAST(x'ff61' AS TEXT)", "'ünïcødé 𝄞'", "9223372036854775808", "123456789012", "zeroblob(3)",
    "3.0", "1e15", "4503599627370497.0", "-2147483649", "'0x10'", "printf('%.*c', 300, 'z')"]
PARAMETERS = [None, 0, 1, 2, 3, -1, 7, 2**63 - 1, -2**63, 1.5, 2.0, -0.0, 1e308, float("inf"), float("nan"), "", "a", "1", "2.0", "a\0b", b"", b"\0\xff", b"a"]
FITTING = {"INTEGER": [1, 2, 3, None], "INT": [1, 2, 2**63 - 1], "TEXT": ["a", "A", "", None, "a\0b"], "REAL": [1.5, -0.0, 1e308, None],
           "BLOB": [b"", b"\0\xff", b"a"], "ANY": PARAMETERS}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def is_numeric(column):
    return column.kind in ("INTEGER", "INT", "REAL", "NUMERIC", "DOUBLE")


class Column:
    def __init__(self, name, kind):
        self.name, self.kind, self.generated, self.extra, self.strict = name, kind, None, "", False

    @property
    def sql(self):
        return quoted(self.name)

    @property
    def is_rowid(self):
        return self.kind == "INTEGER" and " PRIMARY KEY" in self.extra


class Table:
    """What the generator believes a table to be; statements that fail make it wrong, which does no harm."""

    def __init__(self, name):
        self.name, self.columns, self.key, self.rowid, self.strict, self.uniques, self.alive = name, [], [], True, False, [], True

    @property
    def sql(self):
        return quoted(self.name)

    @property
    def given(self):
        return [column for column in self.columns if not column.generated]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        chance = self.chance
        self.options = {
            "wal": chance(0.6), "utf16": chance(0.12), "all": chance(0.45), "connections": 1 if chance(0.5) else 2,
            "recursive": chance(0.4), "foreign": chance(0.6), "own": chance(0.3)}
        self.tables, self.views, self.indexes, self.triggers, self.steps = [], [], [], [], []
        self.savepoints = [[] for _ in range(2)]
        self.names = random.Random(seed).sample(NAMES, len(NAMES)) if chance(0.4) else ["t0", "t1", "t2", "t3", "t4", "t5"]
        # SQLLedger.md, "Everyday SQL": what fails inside of an AFTER trigger must not keep the row. The conflict clause of a statement
        # is that of the statements in the triggers it fires, too.
        self.fails = chance(0.4)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, choices):
        return self.random.choice(choices)

    # Schema

    def column_name(self, table, number):
        free = [name for name in COLUMNS if name not in [column.name.lower() for column in table.columns]]
        name = self.pick(free) if self.chance(0.25) else f"c{number}"
        # Without another name for the row id nobody could compare what has none.
        return f"c{number}" if name in ("rowid", "oid") and self.chance(0.5) else name

    def create(self):
        table = Table(self.names.pop())
        table.strict, table.rowid = self.chance(0.25), not self.chance(0.3)
        key = self.pick(["integer", "integer", "auto", "typed", "composite", "none"]) if table.rowid else self.pick(["typed", "composite", "composite"])
        types = STRICT_TYPES if table.strict else TYPES
        count = self.random.randint(2, 5)
        for number in range(count):
            table.columns.append(Column(self.column_name(table, number), self.pick(types)))
        first = table.columns[0]
        for column in table.columns:
            column.strict = table.strict
        constraints = []
        if key in ("integer", "auto"):
            first.kind = "INTEGER"
            first.extra = " PRIMARY KEY" + (" AUTOINCREMENT" if key == "auto" else self.pick(["", "", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE"]))
            table.key = [first]
        elif key == "typed":
            first.extra = " PRIMARY KEY" + self.pick(["", "", " DESC", " ON CONFLICT REPLACE", " ON CONFLICT FAIL"])
            table.key = [first]
        elif key == "composite":
            # CHANGELOG, "Known gaps": in WITHOUT ROWID tables with REAL columns the key columns come first.
            table.key = table.columns[:2]
            order = table.key if not self.chance(0.3) else table.key[::-1]
            reversed_allowed = table.rowid or all("REAL" not in c.kind and "DOUB" not in c.kind and c.kind not in ("", "ANY", "NUMERIC") for c in table.columns)
            order = order if reversed_allowed else table.key
            constraints.append(f"PRIMARY KEY({', '.join(c.sql + self.pick(['', '', ' DESC']) for c in order)})"
                               + self.pick(["", "", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE"]))
        for column in table.columns[1:]:
            parts = ""
            if self.chance(0.12):
                parts += " NOT NULL" + self.pick(["", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE", " ON CONFLICT FAIL"])
            if self.chance(0.3):
                parts += f" DEFAULT ({self.default(table, column)})"
            if self.chance(0.2):
                parts += " UNIQUE" + self.pick(["", " ON CONFLICT REPLACE", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE", " ON CONFLICT FAIL", " ON CONFLICT ROLLBACK"])
                table.uniques.append([column])
            if self.chance(0.15):
                parts += f" COLLATE {self.pick(['NOCASE', 'RTRIM', 'BINARY'])}"
            if self.chance(0.12):
                parts += f" CHECK ({column.sql} IS NOT {self.pick(['5', chr(39) + 'b' + chr(39), '1.5'])})"
            column.extra += parts
        if self.chance(0.3):
            source = self.pick(table.columns)
            column = Column("g", self.pick(["INTEGER", "TEXT", "REAL"] if table.strict else TYPES))
            column.generated = self.pick(["VIRTUAL", "STORED"])
            # In STRICT tables only what always fits.
            expression = self.pick([f"{source.sql} || 'x'", f"typeof({source.sql})", f"length({source.sql})", f"{source.sql}"]
                                   if not table.strict else [f"typeof({source.sql})"])
            if table.strict:
                column.kind = "TEXT"
            column.extra = f" GENERATED ALWAYS AS ({expression}) {column.generated}"
            if self.chance(0.3):
                column.extra += " UNIQUE"
            table.columns.insert(self.random.randint(len(table.key) or 1, len(table.columns)), column)
        if self.chance(0.2) and len(table.given) > 2:
            pair = self.random.sample(table.given, 2)
            constraints.append(f"UNIQUE({', '.join(c.sql for c in pair)})" + self.pick(["", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE"]))
            table.uniques.append(pair)
        parents = [other for other in self.tables if other.alive and other.key] + ([table] if table.key else [])
        if parents and self.chance(0.45):
            parent = self.pick(parents)
            if len(parent.key) <= len(table.given) - 1:
                own = self.random.sample(table.given[1:], len(parent.key)) if len(table.given) - 1 >= len(parent.key) else None
                # SQLLedger.md: an indexed child column of numbers beside a parent's of texts.
                if own and all(is_numeric(c) <= is_numeric(k) for c, k in zip(own, parent.key)):
                    action = lambda: self.pick(["CASCADE", "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION", "RESTRICT"])
                    if parent is table and not (set(own) & set(table.key)) or parent is not table:
                        constraints.append(
                            f"FOREIGN KEY({', '.join(c.sql for c in own)}) REFERENCES {parent.sql}({', '.join(c.sql for c in parent.key)}) "
                            f"ON DELETE {action()} ON UPDATE {action()}" + self.pick(["", "", " DEFERRABLE INITIALLY DEFERRED"]))
        ending = ", ".join(filter(None, ["" if table.rowid else "WITHOUT ROWID", "STRICT" if table.strict else ""]))
        body = ", ".join([f"{c.sql} {c.kind}{c.extra}" for c in table.columns] + constraints)
        self.tables.append(table)
        self.sql(f"CREATE TABLE {table.sql}({body}){' ' + ending if ending else ''}")
        return table

    def default(self, table, column):
        if not table.strict:
            return self.pick(["1", "'d'", "NULL", "2.0", "x'64'", "-0.0", "'7'"])
        return {"INTEGER": "3", "INT": "4", "TEXT": "'d'", "REAL": "2.0", "BLOB": "x'64'", "ANY": self.pick(["1", "'d'", "1.5", "'1'"])}[column.kind]

    def create_index(self):
        table = self.table()
        name = f"i{len(self.indexes)}"
        self.indexes.append(name)
        column = self.pick(table.columns)
        what = self.pick([column.sql, f"{column.sql} COLLATE NOCASE", f"lower({column.sql})", f"{column.sql}, {self.pick(table.columns).sql} DESC"])
        unique = self.chance(0.25)
        where = self.pick(["", "", f" WHERE {column.sql} IS NOT NULL", f" WHERE typeof({column.sql}) = 'integer'"])
        self.sql(f"CREATE {'UNIQUE ' if unique else ''}INDEX {name} ON {table.sql}({what}){where}")

    def create_view(self):
        table = self.table()
        name = f"v{len(self.views)}"
        self.views.append((name, table))
        columns = self.random.sample(table.columns, self.random.randint(1, len(table.columns)))
        self.sql(f"CREATE VIEW {name}({', '.join(f'y{n}' for n in range(len(columns)))}) AS SELECT {', '.join(c.sql for c in columns)} FROM {table.sql}")
        if self.chance(0.8):
            kind = self.pick(["INSERT", "UPDATE", "DELETE"])
            self.sql(f"CREATE TRIGGER r{name} INSTEAD OF {kind} ON {name} BEGIN {self.change(table, None, nested=True)}; END")

    def create_trigger(self):
        table = self.table()
        name = f"r{len(self.triggers)}"
        self.triggers.append(name)
        time, kind = "BEFORE" if self.fails else self.pick(["BEFORE", "AFTER", "AFTER"]), self.pick(["INSERT", "UPDATE", "DELETE"])
        row = {"INSERT": ["NEW"], "UPDATE": ["NEW", "OLD"], "DELETE": ["OLD"]}[kind]
        of = f" OF {self.pick(table.given).sql}" if kind == "UPDATE" and self.chance(0.25) else ""
        when = f" WHEN {self.pick(row)}.{self.pick(table.columns).sql} IS NOT {self.pick(VALUES[:20])}" if self.chance(0.4) else ""
        bodies = []
        for _ in range(self.random.randint(1, 2)):
            if self.chance(0.2):
                # SQLLedger.md, "Everyday SQL": AFTER triggers refuse with ABORT (or ROLLBACK) only.
                how = self.pick(["ABORT, 'no'", "ROLLBACK, 'no'"] + (["IGNORE", "FAIL, 'no'"] if time == "BEFORE" else []))
                bodies.append(f"SELECT RAISE({how}) WHERE {self.pick(row)}.{self.pick(table.columns).sql} IS {self.pick(VALUES)}")
            else:
                target = table if self.chance(0.35) else self.table()
                if target is table and time == "BEFORE" and any(c.generated == "VIRTUAL" for c in table.columns):
                    # SQLLedger.md: such triggers must not change their own row.
                    continue
                bodies.append(self.change(target, row, nested=True, own=target is table))
        if bodies:
            temporary = "TEMP " if self.chance(0.08) else ""
            self.sql(f"CREATE {temporary}TRIGGER {name} {time} {kind}{of} ON {table.sql}{when} BEGIN {'; '.join(bodies)}; END",
                     0 if not temporary else None)

    # Statements

    def table(self):
        return self.pick([table for table in self.tables if table.alive] or self.tables)

    def value(self, column=None, single=False):
        if column is not None and column.is_rowid:
            # After the greatest number SQLite draws lots.
            return self.pick(["'x'", "1.5", "x''", "'2.0'", "-9223372036854775808"]) if single and self.chance(0.1) else self.pick(["1", "2", "3", "4", "5", "6", "7", "8", "NULL", "NULL", "-3", "100"])
        if column is not None and column.strict and not (single and self.chance(0.1)):
            return self.pick({"INTEGER": ["1", "2", "3", "4", "NULL", "'1'", "9223372036854775807"], "INT": ["1", "2", "3", "NULL", "2.0"],
                              "TEXT": ["'a'", "'A'", "1", "NULL", "'b '", "CAST(x'610062' AS TEXT)", "0.1"], "REAL": ["1", "2.5", "-0.0", "NULL", "9e999", "'1e2'"],
                              "BLOB": ["x''", "x'61'", "NULL", "zeroblob(3)"], "ANY": VALUES}[column.kind])
        if column is not None and column.kind in ("INTEGER", "INT") and self.chance(0.75):
            return self.pick(["1", "2", "3", "4", "5", "6", "7", "8", "NULL"])
        if column is not None and "TEXT" in column.kind and self.chance(0.5):
            return self.pick(["'a'", "'A'", "'b'", "'b '", "''", "'1'"])
        if self.chance(0.4):
            return self.pick(["1", "2", "3", "4"])
        return self.pick(VALUES)

    def where(self, table, alone=False):
        if self.chance(0.12 if not alone else 0.05):
            return ""
        column = self.pick(table.key if table.key and self.chance(0.5) else table.columns)
        return " WHERE " + self.pick([
            f"{column.sql} = {self.value(column)}", f"{column.sql} = {self.value(column)}", f"{column.sql} IS {self.value(column)}",
            f"{column.sql} > {self.value(column)}", f"{column.sql} IN ({self.value(column)}, {self.value(column)})",
            f"typeof({column.sql}) = 'text'", f"{column.sql} IS NULL"])

    def returning(self, table):
        if not self.chance(0.2):
            return ""
        return " RETURNING " + self.pick(["*", ", ".join(c.sql for c in self.random.sample(table.columns, min(2, len(table.columns)))),
                                          f"typeof({self.pick(table.columns).sql}) AS k"])

    def assignment(self, column, table, excluded=False):
        if column.is_rowid:
            return f"{column.sql} = {self.pick([self.value(column)] * 3 + [f'{column.sql} + 1', f'{column.sql} - 1', f'-{column.sql}'])}"
        if column.strict:
            return f"{column.sql} = {self.pick([self.value(column)] * 4 + [f'excluded.{column.sql}'] * 3 * excluded)}"
        choices = [self.value(column)] * 5 + [f"{self.pick(table.columns).sql}"]
        if column.kind in ("INTEGER", "INT", "REAL", "NUMERIC"):
            choices += [f"{column.sql} + 1", f"{column.sql} - 1", f"-{column.sql}"]
        else:
            choices += [f"{column.sql} || 'x'", f"upper({column.sql})", f"CAST({column.sql} AS TEXT)"]
        if excluded:
            choices += [f"excluded.{column.sql}"] * 4
        return f"{column.sql} = {self.pick(choices)}"

    def insert(self, table, nested):
        conflict = self.pick(CONFLICTS)
        if nested:
            # SQLLedger.md: no OR FAIL and no OR IGNORE inside of triggers, which AFTER triggers may not have.
            conflict = self.pick(["", "", " OR REPLACE", " OR ABORT"])
        word = "REPLACE" if self.chance(0.05) else f"INSERT{conflict}"
        into = f"{word} INTO {table.sql}"
        if not nested and self.chance(0.04):
            return f"{into} DEFAULT VALUES{self.returning(table)}"
        columns = table.given if self.chance(0.6) else self.random.sample(table.given, self.random.randint(1, len(table.given)))
        listed = f"({', '.join(c.sql for c in columns)})"
        if self.chance(0.2):
            other = self.table()
            source = (f"SELECT {', '.join(self.pick([c.sql for c in other.columns] * (not column.is_rowid and not column.strict) + [self.value(column)]) for column in columns)} "
                      f"FROM {other.sql}{self.where(other) or ' WHERE true'}" + self.pick([" LIMIT 3", f" ORDER BY 1, 2 LIMIT 2" if len(columns) > 1 else " LIMIT 2"]))
        else:
            count = self.pick([1, 1, 1, 2, 3, 5])
            source = "VALUES " + ", ".join(f"({', '.join(self.value(column, count == 1) for column in columns)})" for _ in range(count))
        upsert = ""
        if self.chance(0.2) and conflict == "" and word != "REPLACE":
            targets = [table.key] * bool(table.key) + table.uniques
            target = f"({', '.join(c.sql for c in self.pick(targets))})" if targets and self.chance(0.85) else ""
            if self.chance(0.3):
                upsert = f" ON CONFLICT {target} DO NOTHING"
            else:
                sets = self.random.sample(table.given, self.random.randint(1, min(2, len(table.given))))
                upsert = (f" ON CONFLICT {target} DO UPDATE SET {', '.join(self.assignment(c, table, True) for c in sets)}"
                          + self.pick(["", "", f" WHERE excluded.{self.pick(table.columns).sql} IS NOT 3"]))
        return f"{into}{listed} {source}{upsert}{'' if nested else self.returning(table)}"

    def update(self, table, nested):
        conflict = self.pick(["", "", " OR REPLACE", " OR ABORT"]) if nested else self.pick(CONFLICTS)
        columns = self.random.sample(table.given, self.random.randint(1, min(2, len(table.given))))
        sets = ", ".join(self.assignment(c, table) for c in columns)
        if self.chance(0.12) and not nested:
            other = self.pick([t for t in self.tables if t is not table and t.alive] or [None])
            if other:
                column, source = self.pick([c for c in columns if not c.is_rowid and not c.strict] or [None]), self.pick(other.columns)
            if other and column:
                return (f"UPDATE{conflict} {table.sql} SET {column.sql} = z.{source.sql} FROM {other.sql} AS z WHERE "
                        f"z.{self.pick(other.columns).sql} = {table.sql}.{self.pick(table.columns).sql}{self.returning(table)}")
        limit = self.pick(["", "", "", " LIMIT 2"]) if not nested else ""
        return f"UPDATE{conflict} {table.sql} SET {sets}{self.where(table)}{'' if nested else self.returning(table)}{limit}"

    def delete(self, table, nested):
        where = self.where(table, alone=True)
        limit = "" if nested or not self.chance(0.2) else self.pick([" LIMIT 1", f" ORDER BY {self.pick(table.columns).sql} LIMIT 2 OFFSET 1"])
        return f"DELETE FROM {table.sql}{where}{'' if nested else self.returning(table)}{limit}"

    def change(self, table, row, nested=False, own=False):
        made = self.pick([self.insert, self.insert, self.update, self.update, self.delete])(table, nested)
        if row and self.chance(0.5):
            # The statement is about the very row that fires the trigger.
            side = self.pick(row)
            column = self.pick((table.key or table.columns) if own else table.columns)
            source = column.sql if own else self.pick(["1", "2", "3"])
            which = f"{column.sql} IS {side}.{column.sql}" if own else f"{column.sql} IS {source}"
            target = self.pick(table.given)
            made = self.pick([f"UPDATE {table.sql} SET {self.assignment(target, table)} WHERE {which}",
                              f"UPDATE {table.sql} SET {self.assignment(target, table)} WHERE {which}", f"DELETE FROM {table.sql} WHERE {which}"])
        return made

    def sql(self, statement, connection=None):
        if not self.fails:
            statement = statement.replace("OR FAIL", "OR ABORT").replace("ON CONFLICT FAIL", "ON CONFLICT ABORT").replace("RAISE(FAIL", "RAISE(ABORT")
        self.steps.append(("sql", self.connection() if connection is None else connection, statement))

    def connection(self):
        return self.random.randrange(self.options["connections"])

    def write(self):
        table = self.table()
        if self.views and self.chance(0.06):
            name, under = self.pick(self.views)
            return self.sql(self.pick([f"INSERT INTO {name} VALUES ({self.value()})", f"UPDATE {name} SET y0 = {self.value()}",
                                       f"DELETE FROM {name} WHERE y0 IS {self.value()}"]))
        if self.chance(0.08):
            columns = table.given
            rows = [[self.pick(range(1, 9)) if column.is_rowid else self.pick(FITTING[column.kind] if column.strict else PARAMETERS) for column in columns] for _ in range(self.random.randint(1, 4))]
            word = self.pick(["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
            self.steps.append(("many", self.connection(), f"{word} INTO {table.sql}({', '.join(c.sql for c in columns)}) VALUES ({', '.join('?' * len(columns))})", rows))
            return None
        return self.sql(self.change(table, None))

    def transaction(self):
        connection = self.connection()
        names = self.savepoints[connection]
        kind = self.pick(["begin", "begin", "commit", "commit", "rollback", "savepoint", "savepoint", "release", "to", "to"])
        if kind == "begin":
            self.sql(self.pick(["BEGIN", "BEGIN IMMEDIATE", "BEGIN"]), connection)
        elif kind in ("commit", "rollback"):
            self.sql(kind.upper(), connection)
            names.clear()
        elif kind == "savepoint" or not names:
            names.append(self.pick(["s1", "s2"]))
            self.sql(f"SAVEPOINT {names[-1]}", connection)
        elif kind == "release":
            self.sql(f"RELEASE {names.pop()}", connection)
        else:
            self.sql(f"ROLLBACK TO {self.pick(names)}", connection)

    def define(self):
        kind = self.pick(["index", "trigger", "trigger", "view", "add", "add", "rename column", "rename", "drop column", "drop index", "drop trigger",
                          "drop table", "create", "reindex"])
        table = self.table()
        if kind == "index":
            self.create_index()
        elif kind == "trigger":
            self.create_trigger()
        elif kind == "view":
            self.create_view()
        elif kind == "add":
            column = Column(f"n{self.random.randint(0, 9)}", self.pick(STRICT_TYPES if table.strict else TYPES))
            column.strict = table.strict
            extra = self.pick(["", "", f" DEFAULT {self.default(table, column)}",
                               f" NOT NULL DEFAULT {self.default(table, column)}"])
            if not table.strict and self.chance(0.1):
                column.generated, extra = "VIRTUAL", f" AS ({self.pick(table.columns).sql}) VIRTUAL"
            self.sql(f"ALTER TABLE {table.sql} ADD COLUMN {column.sql} {column.kind}{extra}")
            if column.name not in [c.name for c in table.columns]:
                table.columns.append(column)
        elif kind == "rename column":
            column = self.pick(table.columns)
            name = f"m{self.random.randint(0, 9)}"
            if name not in [c.name for c in table.columns]:
                self.sql(f"ALTER TABLE {table.sql} RENAME COLUMN {column.sql} TO {quoted(name)}")
                column.name = name
        elif kind == "rename" and self.names:
            name = self.names.pop()
            self.sql(f"ALTER TABLE {table.sql} RENAME TO {quoted(name)}")
            table.name = name
        elif kind == "drop column" and len(table.columns) > 2:
            column = self.pick(table.columns[1:])
            self.steps.append(("drop column", self.connection(), table.name, column.name))
            if not column.extra or "UNIQUE" not in column.extra and column not in table.key:
                table.columns.remove(column)
                table.uniques = [unique for unique in table.uniques if column not in unique]
        elif kind == "drop index" and self.indexes:
            self.sql(f"DROP INDEX IF EXISTS {self.pick(self.indexes)}")
        elif kind == "drop trigger" and self.triggers:
            self.sql(f"DROP TRIGGER IF EXISTS {self.pick(self.triggers)}")
        elif kind == "drop table" and len([t for t in self.tables if t.alive]) > 1 and self.chance(0.4):
            table.alive = False
            self.steps.append(("drop table", self.connection(), table.name))
        elif kind == "create" and self.names and len(self.tables) < 5:
            created = self.create()
            if self.chance(0.7):
                self.steps.append(("enable", created.name))
        elif kind == "reindex":
            self.sql(self.pick(["REINDEX", "VACUUM", "ANALYZE", "VACUUM"]))

    def make(self, length):
        connections = self.options["connections"]
        for _ in range(self.random.randint(1, 3)):
            self.create()
        for _ in range(self.random.randint(0, 2)):
            self.create_index()
        for _ in range(self.pick([0, 0, 1, 2])):
            self.create_trigger()
        if self.chance(0.3):
            self.create_view()
        beginning = self.pick([0, 0, 0, length // 3, length // 2])
        late = {table: self.pick([0, 0, 0, 0, length // 3, length // 2]) for table in list(self.tables)}
        plain = self.pick([None] * 5 + self.tables) if len(self.tables) > 1 else None
        for at in range(length):
            if at == beginning:
                self.steps.append(("init", int(self.options["all"])))
            for table, place in late.items():
                if max(place, beginning) == at and not self.options["all"] and table is not plain:
                    self.steps.append(("enable", table.name))
            if self.chance(0.72):
                self.write()
            elif self.chance(0.62):
                self.transaction()
            elif self.chance(0.6):
                self.define()
            else:
                self.steps.append(self.pick([("refresh",), ("block",), ("reopen", self.connection()), ("reopen", self.connection()),
                                             ("sql", self.connection(), "PRAGMA recursive_triggers = " + self.pick(["ON", "OFF"])),
                                             ("sql", self.connection(), "PRAGMA foreign_keys = " + self.pick(["ON", "OFF"])),
                                             ("sql", self.connection(), "PRAGMA defer_foreign_keys = ON"),
                                             ("sql", self.connection(), "PRAGMA wal_checkpoint(TRUNCATE)")]))
        return self.options, self.steps


def make(seed, length=None):
    generator = Generator(seed)
    return generator.make(length or generator.random.choice([15, 30, 45]))
