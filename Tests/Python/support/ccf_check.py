"""Verifies one ledger directory with the `ccf` package, in a process of its own: the package keeps validator state
at class level, so two ledgers must not share a process. As a script it prints one JSON object; exit code 1 on failure.
"""

import json
import subprocess
import sys
from pathlib import Path


def check(directory: str, committed_only: bool = False) -> dict:
    """Full verification, deprecated entry types refused, the open chunk included unless asked otherwise."""
    import ccf.ledger

    validator = ccf.ledger.LedgerValidator(accept_deprecated_entry_types=False)
    transactions, error, last = 0, None, None
    try:
        ledger = ccf.ledger.Ledger([directory], committed_only=committed_only)
        for chunk in ledger:
            for transaction in chunk:
                validator.add_transaction(transaction)
                transactions += 1
                last = transaction.get_txid()
    except Exception as problem:  # the package raises whatever its dependencies raise
        error = f"{type(problem).__name__}: {problem}"
    return {
        "ok": error is None, "error": error, "transactions": transactions, "signatures": validator.signature_count,
        "verified": str(validator.last_verified_txid()), "last": last, "service": validator.service_status,
    }


def check_in_process(directory: Path, committed_only: bool = False, timeout: float = 900) -> dict:
    command = [sys.executable, __file__, str(directory)] + (["--committed-only"] if committed_only else [])
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if not done.stdout.strip():
        return {"ok": False, "error": done.stderr[-2000:], "transactions": 0, "signatures": 0, "verified": "0.0"}
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    result = check(sys.argv[1], committed_only="--committed-only" in sys.argv[2:])
    print(json.dumps(result))
    sys.exit(0 if result["ok"] else 1)
