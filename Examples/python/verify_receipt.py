"""Verify a stored receipt offline with the unmodified Azure SDK.

usage: verify_receipt.py RECEIPT SERVICE_CERTIFICATE

RECEIPT is what `indelible receipt get` writes. Ends with an error when the receipt proves nothing.
"""

import json
import sys

from azure.confidentialledger.receipt import verify_receipt


def main() -> None:
    receipt_path, certificate_path = sys.argv[1:]
    with open(receipt_path, encoding="utf-8") as file:
        answer = json.load(file)
    with open(certificate_path, encoding="utf-8") as file:
        certificate = file.read()
    try:
        verify_receipt(answer["receipt"], certificate, application_claims=answer.get("applicationClaims"))
    except ValueError as error:
        sys.exit(f"error: {receipt_path}: {error}")
    print(f"verified transaction {answer['transactionId']}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
