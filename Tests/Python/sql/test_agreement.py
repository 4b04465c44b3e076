"""Where two verifiers could read the same damage differently: forged transactions (catalogue H05), and versions that claim
places that are not theirs (H06, H07). Documentation/spec/sql-verification.md, "Which code"."""

import pytest

from kit import model
from kit.bank import FRESH
from test_attacks_history import CHANGED, GONE, forge_transaction

COLUMNS = "id, name, nick, balance, units, spare, code, note, data"
LINKS = ("ledger_start_transaction_id, ledger_start_sequence_number, ledger_end_transaction_id, ledger_end_sequence_number")


def entry(change, again=False):
    """A forged transaction in the tail, whose entry is changed afterwards."""
    def attack(victim):
        number = forge_transaction(victim.path)
        if again:
            forge_transaction(victim.path, (5_000_001, "forged too"))
        victim.plain((f"UPDATE database_ledger_transactions SET {change} WHERE transaction_id >= ?", (number,)))
    return attack


def renumbered(by, change="block_id = block_id"):
    """A forged transaction with a greater id, every hash right."""
    def attack(victim):
        number = forge_transaction(victim.path)
        db = victim.plain()
        db.execute(f"UPDATE database_ledger_transactions SET transaction_id = transaction_id + ?, {change} "
                   "WHERE transaction_id = ?", (by, number))
        db.execute(f"UPDATE {victim.stamps()} SET transaction_id = ? WHERE transaction_id = ?", (number + by, number))
        model.reroot(db, number + by, victim.table_id("account"))
        db.close()
    return attack


def larger(block):
    """A forged transaction in a closed block that says it is larger by one."""
    def attack(victim):
        entry(f"block_id = {block}, transaction_ordinal = 2")(victim)
        victim.plain(f"UPDATE database_ledger_blocks SET block_size = block_size + 1 WHERE block_id = {block}")
    return attack


def rows(*statements):
    def attack(victim):
        for statement in statements:
            victim.plain(statement.format(history=victim.history(), stamps=victim.stamps(), gone=GONE, changed=CHANGED,
                                          fresh=FRESH))
    return attack


def alive(*statements):
    """A version that has ended is put into the table again, with its stamp."""
    return rows(f"INSERT INTO account SELECT {COLUMNS} FROM {{history}} WHERE id = {{gone}}",
                "INSERT INTO {stamps} SELECT id, ledger_start_transaction_id, ledger_start_sequence_number FROM {history} "
                "WHERE id = {gone}", *statements)


def copied(end, *statements, source="account JOIN {stamps} s ON s.row_id = id WHERE id = {fresh}"):
    """A current row is put into the history with an end."""
    return rows(f"INSERT INTO {{history}}({LINKS}, {COLUMNS}) SELECT s.transaction_id, s.sequence_number, {end}, {COLUMNS} "
                f"FROM {source}", *statements)


def again(start, end):
    """A history row once more, with another beginning or end."""
    return rows(f"INSERT INTO {{history}}({LINKS}, {COLUMNS}) SELECT ledger_start_transaction_id, "
                f"ledger_start_sequence_number + {start}, {end}, {COLUMNS} FROM {{history}} WHERE id = {{gone}}")


END = "ledger_end_transaction_id, ledger_end_sequence_number"
NO_LONGER = ("DELETE FROM account WHERE id = {fresh}", "DELETE FROM {stamps} WHERE row_id = {fresh}")
CLOSED = {"TX_EXTRA", "BLOCK_ALTERED", "TAIL_UNATTESTED"}
STRANGER = {"TX_EXTRA", "ROW_EXTRA"}

ATTACKS = {
    # H05: entries
    "in the newest block": (entry("block_id = 5, transaction_ordinal = 2"), CLOSED),
    "in the first block": (entry("block_id = 0, transaction_ordinal = 0"), CLOSED),
    "in block -1": (entry("block_id = -1"), CLOSED),
    "in a block far away": (entry("block_id = 99"), {"TX_ALTERED", "TAIL_UNATTESTED"}),
    "in the next block": (entry("block_id = block_id + 1, transaction_ordinal = 0"), {"TX_ALTERED", "TAIL_UNATTESTED"}),
    "with another ordinal": (entry("transaction_ordinal = 9"), {"TX_ALTERED", "TAIL_UNATTESTED"}),
    "two in a closed block": (entry("block_id = 5", again=True), CLOSED),
    "unreadable in a closed block": (
        entry("block_id = 5, table_hashes = zeroblob(10)"), {*CLOSED, "TX_ALTERED", "ROW_EXTRA"}),
    "unreadable in the tail": (
        entry("table_hashes = zeroblob(10)"), {"TX_ALTERED", "ROW_EXTRA", "TAIL_UNATTESTED"}),
    "older than the one before": (
        entry("commit_time = '2001-01-01T00:00:00.000000Z'"), {"TIME_ANOMALY", "TAIL_UNATTESTED"}),
    "numbered 5,000 later": (renumbered(5000), STRANGER),
    "numbered 5,000 later, in a closed block": (renumbered(5000, "block_id = 5"), STRANGER),
    "numbered 5,000 later, with its ordinal": (
        renumbered(5000, "transaction_ordinal = 5000"), {"TX_MISSING", "TAIL_UNATTESTED"}),
    "numbered 5 later": (renumbered(5), {"TX_MISSING", "TX_ALTERED", "TAIL_UNATTESTED"}),
    "numbered 5 later, in a closed block": (renumbered(5, "block_id = 5"), {*CLOSED, "TX_MISSING"}),
    "in the newest block, made larger": (
        larger(5), {"BLOCK_ALTERED", "TX_ALTERED", "DIGEST_MISMATCH", "TAIL_UNATTESTED"}),
    "in block 3, made larger": (larger(3), CLOSED),
    "in the first block, made larger": (larger(0), CLOSED),
    # H07: versions that live twice
    "alive again": (alive(), {"VERSION_LINK"}),
    "alive again, not in the history": (alive("DELETE FROM {history} WHERE id = {gone}"), {"VERSION_LINK"}),
    "alive again with another value": (alive("UPDATE account SET name = 'z' WHERE id = {gone}"), {"ROW_EXTRA"}),
    "alive again, the history altered": (
        alive("UPDATE {history} SET name = 'z' WHERE id = {gone}"), {"ROW_EXTRA", "VERSION_LINK"}),
    "alive again at another place": (
        alive("UPDATE {stamps} SET sequence_number = sequence_number + 40 WHERE row_id = {gone}"), {"ROW_EXTRA"}),
    "alive again in another transaction": (
        alive("UPDATE {stamps} SET transaction_id = transaction_id + 1 WHERE row_id = {gone}"), {"ROW_EXTRA"}),
    "alive again where it ended": (
        alive(f"UPDATE {{stamps}} SET (transaction_id, sequence_number) = (SELECT {END} FROM {{history}} WHERE id = {{gone}}) "
              "WHERE row_id = {gone}"), {"ROW_EXTRA"}),
    "alive again under another key": (
        alive("UPDATE account SET id = 7000000 WHERE id = {gone}",
              "UPDATE {stamps} SET row_id = 7000000 WHERE row_id = {gone}"), {"ROW_EXTRA"}),
    "ended twice alike": (rows("INSERT INTO {history} SELECT * FROM {history} WHERE id = {gone}"), {"ROW_DUPLICATE"}),
    "all of a key ended twice": (
        rows("INSERT INTO {history} SELECT * FROM {history} WHERE id = {changed}"), {"ROW_DUPLICATE"}),
    "ended twice, later": (
        again(0, "ledger_end_transaction_id + 1, ledger_end_sequence_number"), {"ROW_DUPLICATE"}),
    "ended twice, behind": (
        again(0, "ledger_end_transaction_id, ledger_end_sequence_number + 50"), {"ROW_DUPLICATE"}),
    "begun twice": (again(70, END), {"ROW_EXTRA"}),
    "ended and alive": (copied("s.transaction_id, s.sequence_number + 1"), {"VERSION_LINK"}),
    "ended behind and alive": (copied("s.transaction_id + 1, 500"), {"VERSION_LINK"}),
    "ended behind": (copied("s.transaction_id + 1, 500", *NO_LONGER), {"VERSION_LINK"}),
    "ended by another's operation": (copied("s.transaction_id + 1, 0", *NO_LONGER), {"VERSION_LINK"}),
    # H06: numbers that no transaction has
    "end far behind": (
        rows("UPDATE {history} SET ledger_end_sequence_number = ledger_end_sequence_number + 500 WHERE id = {gone}"),
        {"VERSION_LINK"}),
    "beginning far behind": (
        rows("UPDATE {history} SET ledger_start_sequence_number = ledger_start_sequence_number + 500 WHERE id = {gone}"),
        {"VERSION_LINK"}),
    "stamp far behind": (rows("UPDATE {stamps} SET sequence_number = 500 WHERE row_id = {fresh}"), {"VERSION_LINK"}),
    "stamp beyond all counting": (
        rows("UPDATE {stamps} SET sequence_number = 1000000000000 WHERE row_id = {fresh}"), {"VERSION_LINK"}),
    "stamp with a negative operation": (
        rows("UPDATE {stamps} SET sequence_number = -1 WHERE row_id = {fresh}"), {"VERSION_LINK"}),
    "stamp with a negative transaction": (
        rows("UPDATE {stamps} SET transaction_id = -5 WHERE row_id = {fresh}"), {"ROW_MISSING", "ROW_EXTRA"}),
    "end in a negative transaction": (
        rows("UPDATE {history} SET ledger_end_transaction_id = -5 WHERE id = {gone}"), {"VERSION_LINK"}),
    "end with a negative operation": (
        rows("UPDATE {history} SET ledger_end_sequence_number = -1 WHERE id = {gone}"), {"VERSION_LINK"}),
    "all ends a transaction later": (
        rows("UPDATE {history} SET ledger_end_transaction_id = ledger_end_transaction_id + 1 WHERE id = {changed}"),
        {"VERSION_LINK"}),
    "all beginnings a transaction earlier": (
        rows("UPDATE {history} SET ledger_start_transaction_id = ledger_start_transaction_id - 1 WHERE id = {changed}"),
        {"ROW_MISSING", "ROW_EXTRA"}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_both_verifiers_agree(whole_victim, attack):
    act, codes = ATTACKS[attack]
    act(whole_victim)
    report = whole_victim.demand(*(codes - {"TAIL_UNATTESTED"}), repair=False)
    assert report.codes == codes, report
