"""Receipts given out early still verify after 100,000 more entries."""

import random
import time

import pytest
from azure.confidentialledger import ConfidentialLedgerCertificateCredential, ConfidentialLedgerClient

from support.node import run_cli
from support.receipts import verify_with_sdk

MORE = 100_000


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ledger_type", ["private", "public"])
def test_after_many_more_entries(new_node, identities, ledger_type):
    node = new_node(ledger_type)
    pem = node.service_certificate.read_text()

    def client():
        return ConfidentialLedgerClient(
            node.url, ConfidentialLedgerCertificateCredential(str(identities.admin.combined_file)),
            ledger_certificate_path=str(node.service_certificate))

    written, old = {}, {}
    with client() as ledger:
        for number in range(300):
            contents = f"early {number}"
            name = ledger.create_ledger_entry({"contents": contents}, collection_id=f"c{number % 7}")["transactionId"]
            written[name] = contents
            old[name] = ledger.get_receipt(name)
    began = time.monotonic()
    lines = "".join(f"record {number} {random.Random(number).random()}\n" for number in range(MORE))
    done = run_cli(
        "entry", "append", "--lines", "--jobs", "256", "--no-receipt", "--url", node.url, "--collection", "bulk",
        "--service-certificate", node.service_certificate, "--certificate", identities.admin.combined_file,
        stdin=lines, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    print(f"{MORE} entries in {time.monotonic() - began:.1f} s")
    bulk = [word for line in done.stdout.splitlines() for word in line.split()[:1]]
    for _ in range(2):
        with client() as ledger:
            for name, contents in written.items():
                fresh = ledger.get_receipt(name)
                verify_with_sdk(fresh, pem, contents=contents)
                verify_with_sdk(old[name], pem, contents=contents)
                assert fresh["receipt"]["leafComponents"] == old[name]["receipt"]["leafComponents"]
            listed = sum(1 for _ in ledger.list_ledger_entries(collection_id="bulk"))
            assert listed == MORE
            for name in random.sample(bulk, 200):
                verify_with_sdk(ledger.get_receipt(name), pem, collection="bulk")
        node.restart()
