"""Verify a ledger directory with the unmodified ccf package.

usage: verify_directory.py LEDGER_DIRECTORY

Reads every chunk, the open one too, recomputes the Merkle tree and checks every signature. The package reports
how far it got; a directory without signatures would pass it, so that is an error here.
"""

import sys

import ccf.ledger
from loguru import logger


def main() -> None:
    directory = sys.argv[1]
    # The package logs every transaction at a low level; only problems are wanted.
    logger.remove()
    logger.add(sys.stderr, level="WARNING")

    validator = ccf.ledger.LedgerValidator(accept_deprecated_entry_types=True)
    transactions = 0
    try:
        for chunk in ccf.ledger.Ledger([directory], committed_only=False):
            for transaction in chunk:
                validator.add_transaction(transaction)
                transactions += 1
    except Exception as error:  # the package has no common base class for its errors
        sys.exit(f"error: {directory}: {type(error).__name__}: {error}")

    if validator.signature_count == 0:
        sys.exit(f"error: {directory}: no signature was found, nothing is proved")
    print(
        f"{transactions} transactions, {validator.signature_count} signatures, "
        f"verified to {validator.last_verified_txid()}"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
