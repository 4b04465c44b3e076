"""Receipts judged by programs that this project did not write."""

import base64
import json

import ccf.cose
import ccf.receipt
from azure.confidentialledger.receipt import verify_receipt
from cryptography.x509 import load_pem_x509_certificate


def verify_with_sdk(document: dict, service_pem: str, *, contents: str | None = None, collection: str | None = None):
    """`document` is the whole answer of GET …/receipt. Raises what the SDK's verifier raises."""
    assert document["state"] == "Ready"
    claims = document.get("applicationClaims")
    verify_receipt(document["receipt"], service_pem, application_claims=claims)
    evidence = document["receipt"]["leafComponents"]["commitEvidence"]
    assert evidence.startswith(f"ce:{document['transactionId']}:"), "the receipt is for another transaction"
    if contents is not None:
        assert claims[0]["kind"] == "LedgerEntry"
        entry = claims[0]["ledgerEntry"]
        assert entry["contents"] == contents
        if collection is not None:
            assert entry["collectionId"] == collection
        assert len(base64.b64decode(entry["secretKey"])) == 32


def leaf_of(receipt: dict) -> str:
    from hashlib import sha256

    parts = receipt.get("leafComponents") or receipt.get("leaf_components")
    get = lambda camel, snake: parts.get(camel, parts.get(snake))
    return sha256(
        bytes.fromhex(get("writeSetDigest", "write_set_digest"))
        + sha256(get("commitEvidence", "commit_evidence").encode()).digest()
        + bytes.fromhex(get("claimsDigest", "claims_digest"))
    ).hexdigest()


def verify_with_ccf(receipt: dict, service_pem: str):
    """A receipt in the framework's form (GET /node/receipt)."""
    leaf = receipt["leaf"] if "leaf" in receipt else leaf_of(receipt)
    root = ccf.receipt.root(leaf, receipt["proof"])
    node = load_pem_x509_certificate(receipt["cert"].encode())
    service = load_pem_x509_certificate(service_pem.encode())
    endorsements = [load_pem_x509_certificate(pem.encode()) for pem in receipt.get("service_endorsements", [])]
    ccf.receipt.verify(root, receipt["signature"], node)
    ccf.receipt.check_endorsements(node, service, endorsements)
    ccf.receipt.check_cert_chain(node, service, endorsements)
    return root


def verify_cose_with_ccf(receipt: bytes, service_pem: str, claims_digest: bytes):
    service = load_pem_x509_certificate(service_pem.encode())
    ccf.cose.verify_receipt(receipt, service.public_key(), claims_digest)


def tampered(document: dict) -> list[tuple[str, dict]]:
    """Copies of a receipt answer, each with one lie; no verifier may accept any of them."""
    text = json.dumps(document)
    lies = []

    def lie(name, change):
        copy = json.loads(text)
        change(copy)
        lies.append((name, copy))

    def flip_hex(value: str) -> str:
        return ("0" if value[0] != "0" else "1") + value[1:]

    for part in ("writeSetDigest", "claimsDigest"):
        lie(part, lambda d, part=part: d["receipt"]["leafComponents"].update(
            {part: flip_hex(d["receipt"]["leafComponents"][part])}))
    lie("commitEvidence", lambda d: d["receipt"]["leafComponents"].update(
        commitEvidence=d["receipt"]["leafComponents"]["commitEvidence"][:-1]
        + ("0" if d["receipt"]["leafComponents"]["commitEvidence"][-1] != "0" else "1")))
    if document["receipt"]["proof"]:
        def side(d):
            element = d["receipt"]["proof"][0]
            for key in element:
                element[key] = flip_hex(element[key])
        lie("proof", side)
        lie("shorter proof", lambda d: d["receipt"]["proof"].pop())
    lie("nodeId", lambda d: d["receipt"].update(nodeId=flip_hex(d["receipt"]["nodeId"])))
    if document.get("applicationClaims"):
        entry = lambda d: d["applicationClaims"][0]["ledgerEntry"]
        lie("contents", lambda d: entry(d).update(contents=entry(d)["contents"] + "!"))
        lie("collection", lambda d: entry(d).update(collectionId=entry(d)["collectionId"] + "!"))
    return lies
