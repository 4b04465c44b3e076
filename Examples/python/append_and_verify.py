"""Append one entry with the unmodified Azure SDK and verify its receipt.

usage: append_and_verify.py URL SERVICE_CERTIFICATE CLIENT_CERTIFICATE [CONTENTS]

CLIENT_CERTIFICATE is one PEM file with certificate and private key. Nothing here is special to Indelible: the
same lines work against the hosted service.
"""

import sys

from azure.confidentialledger import ConfidentialLedgerCertificateCredential, ConfidentialLedgerClient
from azure.confidentialledger.receipt import verify_receipt


def main() -> None:
    url, service_certificate, client_certificate, *rest = sys.argv[1:]
    contents = rest[0] if rest else "written with azure-confidentialledger"

    client = ConfidentialLedgerClient(
        endpoint=url,
        credential=ConfidentialLedgerCertificateCredential(client_certificate),
        # The file exists, so the client pins it and asks no identity service.
        ledger_certificate_path=service_certificate,
    )

    # Waits until the ledger says that the entry is committed.
    result = client.begin_create_ledger_entry({"contents": contents}).result()
    transaction = result["transactionId"]
    print(f"appended {transaction} to {result['collectionId']}")

    entry = client.begin_get_ledger_entry(transaction).result()["entry"]
    assert entry["contents"] == contents, "the ledger returned other contents"

    answer = client.begin_get_receipt(transaction).result()
    with open(service_certificate, encoding="utf-8") as file:
        verify_receipt(answer["receipt"], file.read(), application_claims=answer["applicationClaims"])

    # The SDK checks the proof, not what it is about: these two comparisons are the caller's.
    assert answer["receipt"]["leafComponents"]["commitEvidence"].startswith(f"ce:{transaction}:"), "another transaction"
    assert answer["applicationClaims"][0]["ledgerEntry"]["contents"] == contents, "other contents"
    print(f"entry {transaction} appended, read back and its receipt verified")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main()
