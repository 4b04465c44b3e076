"""A copy of the bank, the attacker's tools on it, and what is demanded afterwards."""

import json
import shutil

from support.node import run_cli

from . import bank as banks
from . import ledger
from .ledger import agree, copy_database, fingerprint, key_of, literal
from .pages import Pages


class Victim:
    def __init__(self, bank, directory, digests, mode):
        self.bank, self.directory, self.mode = bank, directory, mode
        self.path = copy_database(bank.path, directory / "bank.db")
        self.digests = [shutil.copy(bank.digests, directory / "digests.json")] if digests == "digests" else []
        self.anchored = digests == "digests"
        self.demanded = False

    # The attacker's tools

    def plain(self, *statements):
        """A connection without the extension, with triggers switched off."""
        db = ledger.without_triggers(self.path)
        for statement in statements:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
        if statements:
            db.close()
        return db

    def schema(self, *statements):
        """Edits sqlite_schema. A last statement of the same connection would still see the old one."""
        db = ledger.with_writable_schema(self.path)
        for statement in statements:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
        db.close()

    def honest(self, *statements):
        """A connection with the extension."""
        db = ledger.connect(self.path)
        for statement in statements:
            db.execute(*statement) if isinstance(statement, tuple) else db.execute(statement)
        if statements:
            db.close()
        return db

    def pages(self):
        return Pages(self.path)

    def root(self, table):
        with ledger.plain(self.path) as db:
            found = ledger.scalar(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", table)
        db.close()
        return found

    def table_id(self, table):
        db = ledger.plain(self.path)
        found = ledger.scalar(db, "SELECT table_id FROM ledger_tables WHERE name = ?", table)
        db.close()
        return found

    def history(self, table="account"):
        return f"ledger_history_{self.table_id(table)}"

    def stamps(self, table="account"):
        return f"ledger_stamps_{self.table_id(table)}"

    # What must be said

    def verify(self, table="account", mode=None):
        mode = mode or self.mode
        before = fingerprint(self.path)
        options = []
        if mode == "since":
            options = ["--since-last", "--state", shutil.copy(self.bank.state, self.directory / "seen.json")]
        report = ledger.verify(self.path, *self.digests, tables=[table] if mode == "table" else [], options=options)
        assert fingerprint(self.path) == before, "verification changed the files"
        return report

    def demand(self, *wanted, table="account", exit_code=1, allowed=(), repair=True):
        """Each of `wanted` is a code, or a dict with `code` and any of `object`, `key`, `columns`, `transaction`, `block`,
        `count`. No other codes may be reported than these, `allowed` ones and TAIL_UNATTESTED."""
        self.demanded = True
        report = self.verify(table)
        wanted = [{"code": item} if isinstance(item, str) else item for item in wanted]
        assert report.exit_code == exit_code, report
        matched = []
        for item in wanted:
            fits = [finding for finding in report.findings if self._fits(finding, item)]
            assert fits, f"{item} is not among\n{report}"
            matched.append(fits[0])
        others = report.codes - {item["code"] for item in wanted} - set(allowed) - {"TAIL_UNATTESTED"}
        assert not others, f"also said: {others}\n{report}"
        if self.mode == "whole":
            agree(self.path, *self.digests, report=report)
        if self.mode == "whole" and self.anchored and repair:
            self.repair(report)
        return report

    @staticmethod
    def _fits(finding, item):
        if finding["code"] != item["code"]:
            return False
        for name in ("object", "transaction", "block", "sequence"):
            if name in item and finding.get(name) != item[name]:
                return False
        if "count" in item and finding.get("count", 1) < item["count"]:
            return False
        if "columns" in item and sorted(finding.get("columns", [])) != sorted(item["columns"]):
            return False
        key = key_of(finding)
        return all(key.get(column) == literal(value) for column, value in item.get("key", {}).items())

    def repair(self, report):
        """On a copy: after the proposals the database verifies, or every finding that is left says why not."""
        if not any(finding.get("repair") for finding in report.findings):
            return
        copy = copy_database(self.path, self.directory / "repaired.db")
        words = ["sql", "repair", copy]
        for file in self.digests:
            words += ["--digest", file]
        dry = run_cli(*words, "--dry-run")
        assert fingerprint(copy).get("repaired.db") == fingerprint(self.path).get("bank.db"), "a dry run wrote"
        assert dry.returncode in (0, 1), dry.stdout + dry.stderr
        done = run_cli(*words, "--apply", "--json")
        if done.returncode == 2:
            # All repairs are one transaction: where they would change more than they shall nothing is done, and the reason is said.
            assert "nothing was changed" in done.stderr, done.stdout + done.stderr
            assert fingerprint(copy).get("repaired.db") == fingerprint(self.path).get("bank.db")
            return
        assert done.returncode in (0, 1), done.stdout + done.stderr
        after = ledger.verify(copy, *self.digests)
        hopeless = {(finding["code"], finding["object"]) for finding in report.findings if not finding.get("repair")}
        refused = set()
        for line in map(json.loads, done.stdout.splitlines()):
            if "statement" in line and not line["isDone"]:
                # Repairs that are in each other's way, say.
                assert line["explanation"].startswith("not made: "), line
                refused.add((line["code"], line["object"]))
        for finding in after.findings:
            proposal = finding.get("repair")
            place = finding["code"], finding["object"]
            if finding["code"] == "TAIL_UNATTESTED" or place in refused or not proposal and place in hopeless:
                continue
            assert proposal and proposal["action"] == "NONE" and proposal["explanation"], (
                f"not repaired, and no reason: {finding}\n{done.stdout}{done.stderr}")

    def finish(self):
        pass


__all__ = ["Victim", "banks"]
