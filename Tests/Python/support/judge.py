"""What every directory that a test leaves behind must pass."""

from support.ccf_check import check_in_process
from support.node import Node


def judge(node: Node, minimum_signatures: int = 1):
    """Stops the node and has both verifiers read the whole directory, the open chunk included."""
    node.stop()
    theirs = check_in_process(node.ledger_directory)
    assert theirs["ok"], f"ccf rejects {node.ledger_directory}: {theirs['error']}"
    assert theirs["signatures"] >= minimum_signatures
    sealing = []
    for option in ("--sealing-key", "--sealing-passphrase-file"):
        if option in node.options:
            sealing = [option, node.options[node.options.index(option) + 1]]
    code, ours, done = node.verify(
        "--service-certificate", node.service_certificate, "--secret-from", node.directory, *sealing)
    assert code == 0, f"ledger verify: {done.stdout}{done.stderr}"
    assert ours["signatures"] == theirs["signatures"], (ours, theirs)
    assert ours["lastVerified"] == theirs["verified"], (ours, theirs)
    return theirs
