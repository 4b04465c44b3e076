#!/usr/bin/env python3
"""Writes the receipts under Vectors/receipts: a good one, and one file for each way to change it.

    python3 Vectors/make_receipts.py            # needs the package `cryptography`

The keys are made on the first run and kept in receipts/keys/, so that later runs start from the same identities.
All of them are public test data. ECDSA signatures use deterministic nonces (RFC 6979), so a second run writes the
same bytes.

Each file: `verdict` (verified, failed, unreadable), `codes` (what exactly is reported), `about`, the pinned
`serviceCertificate`, the `transactionId` that was asked for (optional), and the `document` as the text that a server
sent.
"""

import base64, copy, datetime, hashlib, hmac, json, pathlib, struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent / "receipts"
KEYS = HERE / "keys"
KEYS.mkdir(parents=True, exist_ok=True)
for old in HERE.glob("*.json"):
    old.unlink()

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def key(name, make=lambda: ec.generate_private_key(ec.SECP384R1())):
    path = KEYS / f"{name}.pem"
    if not path.exists():
        path.write_bytes(make().private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return serialization.load_pem_private_key(path.read_bytes(), None)


def certificate(
    subject,
    public_key,
    issuer,
    issuer_key,
    ca,
    pathlen=None,
    usage=None,
    critical=None,
    digest=None,
    before=(2025, 1, 1),
    after=(2049, 12, 31),
):
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    spki = public_key.public_bytes(DER, SPKI)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public_key)
        .serial_number(int.from_bytes(hashlib.sha256(subject.encode() + spki).digest()[:8], "big") >> 1)
        .not_valid_before(datetime.datetime(*before))
        .not_valid_after(datetime.datetime(*after))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=pathlen), critical=True)
    if usage is not None:
        flags = dict.fromkeys(
            [
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ],
            False,
        )
        flags.update(dict.fromkeys(usage, True))
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    if critical is not None:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(critical), b"\x05\x00"), critical=True
        )
    options = {"ecdsa_deterministic": True} if isinstance(issuer_key, ec.EllipticCurvePrivateKey) else {}
    signed = builder.sign(issuer_key, digest or hashes.SHA384(), **options)
    return signed.public_bytes(PEM).decode()


H = lambda data: hashlib.sha256(data).digest()


def sign(private_key, root):
    return private_key.sign(root, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))


def node_id(public_key):
    return H(public_key.public_bytes(DER, SPKI)).hex()


service_key, node_key, other_key, previous_key = key("service"), key("node"), key("other"), key("previous")
rsa_key = key("rsa", lambda: rsa.generate_private_key(65537, 2048))
SERVICE = certificate("Test Service", service_key.public_key(), "Test Service", service_key, True, 1)
NODE = certificate("Test Node", node_key.public_key(), "Test Service", service_key, False)
OTHER_SERVICE = certificate("Test Service", other_key.public_key(), "Test Service", other_key, True, 1)
# A node of the previous service, and the current service's endorsement of that service.
OLD_NODE = certificate("Test Node", node_key.public_key(), "Test Service", previous_key, False)
ENDORSEMENT = certificate("Test Service", previous_key.public_key(), "Test Service", service_key, True, 1)

SECRET = bytes([1]) * 32
CLAIM = {
    "kind": "LedgerEntry",
    "ledgerEntry": {
        "protocol": "LedgerEntryV1",
        "collectionId": "subledger:0",
        "contents": "hello",
        "secretKey": base64.b64encode(SECRET).decode(),
    },
}


def claims_digest(claims):
    digests = b""
    for claim in claims:
        entry = claim["ledgerEntry"]
        mac = lambda text: hmac.new(SECRET, text.encode(), hashlib.sha256).digest()
        digests += H(b"LedgerEntryV1" + H(mac(entry["collectionId"]) + mac(entry["contents"])))
    return H(struct.pack("<I", len(claims)) + digests).hex()


COMPONENTS = {
    "claimsDigest": claims_digest([CLAIM]),
    "commitEvidence": "ce:2.15:" + "ab" * 32,
    "writeSetDigest": "cd" * 32,
}
PROOF = [{"left": H(b"A").hex()}, {"right": H(b"B").hex()}]


def root_of(components, proof):
    node = H(
        bytes.fromhex(components["writeSetDigest"])
        + H(components["commitEvidence"].encode())
        + bytes.fromhex(components["claimsDigest"])
    )
    for step in proof:
        node = H(bytes.fromhex(step["left"]) + node) if "left" in step else H(node + bytes.fromhex(step["right"]))
    return node


def receipt(cert=NODE, private_key=node_key, endorsements=(), components=COMPONENTS, proof=PROOF):
    return {
        "cert": cert,
        "leafComponents": components,
        "nodeId": node_id(private_key.public_key()),
        "proof": proof,
        "serviceEndorsements": list(endorsements),
        "signature": base64.b64encode(sign(private_key, root_of(components, proof))).decode(),
    }


GOOD = {"state": "Ready", "transactionId": "2.15", "receipt": receipt(), "applicationClaims": [CLAIM]}


def write(name, verdict, codes, about, document, service=SERVICE, transaction_id=None):
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    value = {"about": about, "verdict": verdict, "codes": codes, "serviceCertificate": service, "document": text}
    if transaction_id:
        value["transactionId"] = transaction_id
    path = HERE / f"{name}.json"
    assert not path.exists(), name
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def changed(change):
    document = copy.deepcopy(GOOD)
    change(document)
    return document


def inside(change):
    return changed(lambda d: change(d["receipt"]))


ok = lambda name, about, document, **more: write(name, "verified", [], about, document, **more)
fails = lambda name, codes, about, document, **more: write(name, "failed", codes, about, document, **more)
unreadable = lambda name, code, about, document, **more: write(name, "unreadable", [code], about, document, **more)


def put(d, key, value):
    d[key] = value


# --- Accepted -------------------------------------------------------------------------------------------------------

ok("good", "Nothing changed.", GOOD, transaction_id="2.15")
ok("bare-receipt", "The receipt without the response around it.", receipt())
SNAKE = {
    "cert": "cert",
    "leafComponents": "leaf_components",
    "nodeId": "node_id",
    "proof": "proof",
    "serviceEndorsements": "service_endorsements",
    "signature": "signature",
}
snake = {SNAKE[k]: v for k, v in receipt().items()}
snake["leaf_components"] = {
    "claims_digest": COMPONENTS["claimsDigest"],
    "commit_evidence": COMPONENTS["commitEvidence"],
    "write_set_digest": COMPONENTS["writeSetDigest"],
}
ok("snake-case", "The spelling of the node endpoints and of old services.", snake)
ok(
    "snake-case-signature-flag",
    "Old services add is_signature_transaction.",
    {**snake, "is_signature_transaction": False},
)
ok("node-id-absent", "The node id is optional.", inside(lambda r: r.pop("nodeId")))
ok("endorsements-absent", "Endorsements are optional.", inside(lambda r: r.pop("serviceEndorsements")))
ok("extra-member-in-receipt", "Extensions stand at the top level.", inside(lambda r: put(r, "extension", {"a": [1]})))
ok("extra-member-in-response", "Extensions stand at the top level.", changed(lambda d: put(d, "extension", None)))
ok(
    "extra-member-in-claim",
    "A claim may have members beside its kind.",
    changed(lambda d: put(d["applicationClaims"][0], "digest", None)),
)
ok("claims-empty", "An empty list of claims is not checked.", changed(lambda d: put(d, "applicationClaims", [])))
ok("claims-null", "No claims are not checked.", changed(lambda d: put(d, "applicationClaims", None)))
ok("proof-empty", "The leaf is the root.", {**GOOD, "receipt": receipt(proof=[])})
ok("upper-case-node-id", "Hexadecimal digits of either case.", inside(lambda r: put(r, "nodeId", r["nodeId"].upper())))
ok(
    "upper-case-proof",
    "Hexadecimal digits of either case.",
    inside(lambda r: put(r["proof"], 0, {"left": r["proof"][0]["left"].upper()})),
)
ok(
    "pem-without-final-newline",
    "PEM need not end with a line feed.",
    inside(lambda r: put(r, "cert", NODE.rstrip("\n"))),
)
ok("pem-crlf", "PEM lines may end with CR LF.", inside(lambda r: put(r, "cert", NODE.replace("\n", "\r\n"))))
ok("pem-trailing-nul", "PEM may end with one NUL.", inside(lambda r: put(r, "cert", NODE + "\0")))
ok(
    "leaf-beside-components",
    "Old services repeat the leaf.",
    inside(lambda r: put(r, "leaf", root_of(COMPONENTS, []).hex())),
)
ok(
    "endorsed",
    "A node of the previous service, with the endorsement of that service.",
    {**GOOD, "receipt": receipt(OLD_NODE, endorsements=[ENDORSEMENT])},
)
for curve, name, digest in [(ec.SECP256R1(), "p256", hashes.SHA256()), (ec.SECP521R1(), "p521", hashes.SHA512())]:
    k = key(f"node-{name}", lambda: ec.generate_private_key(curve))
    ok(
        f"node-key-{name}",
        "Another curve for the node key.",
        {**GOOD, "receipt": receipt(certificate("Test Node", k.public_key(), "Test Service", service_key, False), k)},
    )
expired = certificate(
    "Test Node", node_key.public_key(), "Test Service", service_key, False, before=(2001, 1, 1), after=(2002, 1, 1)
)
ok("expired-node-certificate", "Expiry is a note, not a failure.", {**GOOD, "receipt": receipt(expired)})
signed_root = {
    "cert": NODE,
    "leaf": H(b"root").hex(),
    "node_id": node_id(node_key.public_key()),
    "proof": [],
    "signature": base64.b64encode(sign(node_key, H(b"root"))).decode(),
}
ok("signed-root", "The receipt of a signature transaction.", signed_root)
fails(
    "signed-root-in-response",
    ["transaction-mismatch"],
    "A signed root proves no transaction id.",
    {"state": "Ready", "transactionId": "2.15", "receipt": signed_root},
)
fails(
    "signed-root-with-claims",
    ["claims-mismatch"],
    "A signed root has no claims.",
    {"receipt": signed_root, "applicationClaims": [CLAIM]},
)

# --- Members missing, null or of the wrong type -----------------------------------------------------------------------

for member in ["cert", "leafComponents", "proof", "signature"]:
    unreadable(f"missing-{member}", "missing-member", "A required member.", inside(lambda r: r.pop(member)))
for member in ["cert", "leafComponents", "proof", "signature", "nodeId", "serviceEndorsements"]:
    unreadable(f"null-{member}", "missing-member", "Null is not a value.", inside(lambda r: put(r, member, None)))
    unreadable(f"number-{member}", "invalid-member", "The wrong type.", inside(lambda r: put(r, member, 1)))
for member in COMPONENTS:
    unreadable(
        f"missing-{member}", "missing-member", "A required member.", inside(lambda r: r["leafComponents"].pop(member))
    )
    unreadable(
        f"null-{member}",
        "missing-member",
        "Null is not a value.",
        inside(lambda r: put(r["leafComponents"], member, None)),
    )
    unreadable(
        f"number-{member}", "invalid-member", "The wrong type.", inside(lambda r: put(r["leafComponents"], member, 1))
    )
unreadable("null-receipt", "missing-member", "No receipt in the response.", changed(lambda d: put(d, "receipt", None)))
unreadable(
    "state-loading",
    "missing-member",
    "A receipt that is not ready.",
    '{"receipt": null, "state": "Loading", "transactionId": ""}',
)
unreadable(
    "extra-member-in-leaf-components",
    "unexpected-member",
    "Nothing may be added here.",
    inside(lambda r: put(r["leafComponents"], "extension", 1)),
)
unreadable(
    "leaf-disagrees-with-components",
    "invalid-member",
    "A leaf of something else.",
    inside(lambda r: put(r, "leaf", "00" * 32)),
)
unreadable(
    "signed-root-with-proof",
    "invalid-member",
    "An interior node passed off as a signed root.",
    inside(lambda r: (put(r, "leaf", root_of(r.pop("leafComponents"), []).hex()))),
)
unreadable(
    "endorsement-not-a-string",
    "invalid-member",
    "The wrong type.",
    inside(lambda r: put(r, "serviceEndorsements", [1])),
)
unreadable(
    "too-many-endorsements",
    "out-of-range",
    "More than 32 endorsements.",
    inside(lambda r: put(r, "serviceEndorsements", [ENDORSEMENT] * 33)),
)

# --- Proof ------------------------------------------------------------------------------------------------------------


def step(value):
    return inside(lambda r: put(r["proof"], 0, value))


unreadable("proof-step-empty", "invalid-member", "No side.", step({}))
unreadable("proof-step-both-sides", "invalid-member", "Two sides.", step({"left": "00" * 32, "right": "00" * 32}))
unreadable("proof-step-extra-member", "invalid-member", "Nothing may be added here.", step({"left": "00" * 32, "x": 1}))
unreadable("proof-step-null-side", "invalid-member", "An explicit null.", step({"left": None}))
unreadable("proof-step-null-beside-side", "invalid-member", "An explicit null.", step({**PROOF[0], "right": None}))
unreadable("proof-step-other-name", "unexpected-member", "Neither left nor right.", step({"Left": "00" * 32}))
unreadable("proof-step-not-hex", "invalid-member", "Not hexadecimal.", step({"left": "zz" * 32}))
unreadable("proof-step-short", "invalid-member", "31 bytes.", step({"left": "00" * 31}))
unreadable("proof-too-long", "out-of-range", "65 steps.", inside(lambda r: put(r, "proof", PROOF[:1] * 65)))
fails("proof-sibling-changed", ["signature-invalid"], "Another sibling.", step({"left": "00" * 32}))
fails("proof-side-changed", ["signature-invalid"], "Left is right.", step({"right": PROOF[0]["left"]}))
fails("proof-step-removed", ["signature-invalid"], "A shorter path.", inside(lambda r: r["proof"].pop()))
fails("proof-reordered", ["signature-invalid"], "The steps in the other order.", inside(lambda r: r["proof"].reverse()))

# --- Leaf and claims --------------------------------------------------------------------------------------------------


def component(name, value):
    return inside(lambda r: put(r["leafComponents"], name, value))


unreadable("write-set-digest-not-hex", "invalid-member", "Not hexadecimal.", component("writeSetDigest", "zz" * 32))
unreadable("claims-digest-not-hex", "invalid-member", "Not hexadecimal.", component("claimsDigest", "zz" * 32))
unreadable(
    "claims-digest-upper-case",
    "invalid-member",
    "Clients compare it as text.",
    component("claimsDigest", COMPONENTS["claimsDigest"].upper()),
)
fails("write-set-digest-changed", ["signature-invalid"], "Another write set.", component("writeSetDigest", "ce" * 32))
fails(
    "claims-digest-changed",
    ["claims-mismatch", "signature-invalid"],
    "Another claims digest.",
    component("claimsDigest", "00" * 32),
)
fails(
    "commit-evidence-changed",
    ["signature-invalid"],
    "Another nonce.",
    component("commitEvidence", "ce:2.15:" + "ac" * 32),
)
fails(
    "commit-evidence-other-transaction",
    ["signature-invalid", "transaction-mismatch"],
    "Another transaction id.",
    component("commitEvidence", "ce:2.16:" + "ab" * 32),
)
for name, evidence in [
    ("upper-case", "ce:2.15:" + "AB" * 32),
    ("no-prefix", "2.15:" + "ab" * 32),
    ("short", "ce:2.15:" + "ab" * 31),
    ("leading-zero", "ce:2.015:" + "ab" * 32),
    ("empty", ""),
]:
    fails(
        f"commit-evidence-{name}",
        ["commit-evidence-malformed", "transaction-mismatch"],
        "Signed, but not evidence that names a transaction.",
        {**GOOD, "receipt": receipt(components={**COMPONENTS, "commitEvidence": evidence})},
    )
fails(
    "other-transaction",
    ["transaction-mismatch"],
    "A genuine receipt of another transaction.",
    GOOD,
    transaction_id="2.16",
)
fails(
    "response-names-other-transaction",
    ["transaction-mismatch"],
    "The response says another id than the receipt.",
    changed(lambda d: put(d, "transactionId", "2.16")),
)
unreadable(
    "response-transaction-id-malformed", "invalid-member", "Not an id.", changed(lambda d: put(d, "transactionId", "2"))
)


def claim(change):
    return changed(lambda d: change(d["applicationClaims"][0]))


def entry(name, value):
    return claim(lambda c: put(c["ledgerEntry"], name, value))


fails("claim-contents-changed", ["claims-mismatch"], "Other contents.", entry("contents", "hello "))
fails("claim-collection-changed", ["claims-mismatch"], "Another collection.", entry("collectionId", "subledger:1"))
fails(
    "claim-repeated", ["claims-mismatch"], "The claim twice.", changed(lambda d: d["applicationClaims"].append(CLAIM))
)
fails(
    "claim-secret-key-changed",
    ["claims-mismatch"],
    "Another secret key.",
    entry("secretKey", base64.b64encode(bytes([2]) * 32).decode()),
)
unreadable("claim-secret-key-not-base64", "invalid-member", "Not base64.", entry("secretKey", "*" * 44))
unreadable(
    "claim-secret-key-longer",
    "invalid-member",
    "A zero byte more, which HMAC alone would not notice.",
    entry("secretKey", base64.b64encode(SECRET + b"\0").decode()),
)
unreadable("claim-protocol-unknown", "unsupported", "A protocol nobody knows.", entry("protocol", "LedgerEntryV2"))
unreadable("claim-kind-unknown", "unsupported", "A kind nobody knows.", claim(lambda c: put(c, "kind", "Other")))
unreadable("claim-kind-missing", "missing-member", "No kind.", claim(lambda c: c.pop("kind")))
unreadable("claim-entry-missing", "missing-member", "No entry.", claim(lambda c: c.pop("ledgerEntry")))
for member in CLAIM["ledgerEntry"]:
    unreadable(
        f"claim-{member}-missing", "missing-member", "A required member.", claim(lambda c: c["ledgerEntry"].pop(member))
    )
unreadable("claim-entry-extra-member", "unexpected-member", "Nothing may be added here.", entry("extension", 1))
unreadable(
    "claim-digest-extra-member",
    "unexpected-member",
    "Nothing may be added here.",
    changed(
        lambda d: put(
            d,
            "applicationClaims",
            [{"kind": "ClaimDigest", "digest": {"protocol": "LedgerEntryV1", "value": "00" * 32, "x": 1}}],
        )
    ),
)
unreadable(
    "claims-not-an-array", "invalid-member", "The wrong type.", changed(lambda d: put(d, "applicationClaims", CLAIM))
)

# --- Signature and node -----------------------------------------------------------------------------------------------


def signature(value):
    return inside(lambda r: put(r, "signature", value))


DER_SIGNATURE = sign(node_key, root_of(COMPONENTS, PROOF))
r, s = decode_dss_signature(DER_SIGNATURE)
b64 = lambda data: base64.b64encode(data).decode()
unreadable("signature-not-base64", "invalid-member", "Not base64.", signature("*" + b64(DER_SIGNATURE)[1:]))
unreadable(
    "signature-base64-wrapped",
    "invalid-member",
    "A line break inside.",
    signature(b64(DER_SIGNATURE)[:64] + "\n" + b64(DER_SIGNATURE)[64:]),
)
unreadable(
    "signature-base64-url",
    "invalid-member",
    "The other alphabet.",
    signature(base64.urlsafe_b64encode(b"\xfb\xff" + DER_SIGNATURE).decode()),
)
unreadable(
    "signature-base64-unpadded", "invalid-member", "Without padding.", signature(b64(DER_SIGNATURE[:100]).rstrip("="))
)
fails(
    "signature-raw",
    ["signature-invalid"],
    "r and s instead of DER.",
    signature(b64(r.to_bytes(48, "big") + s.to_bytes(48, "big"))),
)
fails("signature-empty", ["signature-invalid"], "No signature.", signature(""))
fails("signature-trailing-byte", ["signature-invalid"], "A byte after the DER.", signature(b64(DER_SIGNATURE + b"\0")))
fails(
    "signature-of-hashed-root",
    ["signature-invalid"],
    "The root was hashed again.",
    signature(b64(node_key.sign(root_of(COMPONENTS, PROOF), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))),
)
fails(
    "signature-sha384-of-root",
    ["signature-invalid"],
    "The usual hash of the curve.",
    signature(b64(node_key.sign(root_of(COMPONENTS, PROOF), ec.ECDSA(hashes.SHA384(), deterministic_signing=True)))),
)
fails(
    "signature-other-key",
    ["signature-invalid"],
    "Signed by somebody else.",
    signature(b64(sign(other_key, root_of(COMPONENTS, PROOF)))),
)
fails("node-id-changed", ["node-id-mismatch"], "Another node's id.", inside(lambda r: put(r, "nodeId", "00" * 32)))
fails("node-id-empty", ["node-id-mismatch"], "No id.", inside(lambda r: put(r, "nodeId", "")))

# --- Certificates -----------------------------------------------------------------------------------------------------


def chain(cert, *endorsements, **more):
    return {**GOOD, "receipt": receipt(cert, endorsements=endorsements, **more)}


fails("cert-unreadable", ["certificate-invalid"], "Not PEM.", inside(lambda r: put(r, "cert", "nonsense")))
fails(
    "cert-twice",
    ["certificate-invalid"],
    "Two certificates where one belongs.",
    inside(lambda r: put(r, "cert", NODE + NODE)),
)
fails(
    "cert-text-before",
    ["certificate-invalid"],
    "Text before the PEM block.",
    inside(lambda r: put(r, "cert", "x\n" + NODE)),
)
fails(
    "cert-rsa",
    ["certificate-invalid"],
    "An RSA node key.",
    inside(
        lambda r: put(r, "cert", certificate("Test Node", rsa_key.public_key(), "Test Service", service_key, False))
    ),
)
fails(
    "cert-self-signed",
    ["endorsement-invalid"],
    "A node certificate that the service never signed.",
    chain(certificate("Test Node", node_key.public_key(), "Test Service", node_key, False)),
)
fails(
    "cert-other-issuer-name",
    ["endorsement-invalid"],
    "Signed by the service, but naming another issuer.",
    chain(certificate("Test Node", node_key.public_key(), "Other Service", service_key, False)),
)
fails(
    "cert-critical-extension",
    ["certificate-invalid"],
    "A critical extension nobody knows.",
    chain(
        certificate(
            "Test Node", node_key.public_key(), "Test Service", service_key, False, critical="1.3.6.1.4.1.99999.1"
        )
    ),
)
fails(
    "cert-usage-without-signing",
    ["certificate-invalid"],
    "A key that must not sign.",
    chain(
        certificate("Test Node", node_key.public_key(), "Test Service", service_key, False, usage=["key_encipherment"])
    ),
)
flipped = bytearray(base64.b64decode("".join(NODE.split("\n")[1:-2])))
flipped[-1] ^= 1
fails(
    "cert-signature-changed",
    ["endorsement-invalid"],
    "One bit of the service's signature.",
    chain("-----BEGIN CERTIFICATE-----\n" + b64(bytes(flipped)) + "\n-----END CERTIFICATE-----\n"),
)
fails("other-service", ["endorsement-invalid"], "The verifier pins another service.", GOOD, service=OTHER_SERVICE)
fails("endorsement-missing", ["endorsement-invalid"], "A node of the previous service alone.", chain(OLD_NODE))
fails("endorsement-unreadable", ["certificate-invalid"], "Not PEM.", chain(OLD_NODE, "nonsense"))
fails(
    "endorsement-rsa",
    ["certificate-invalid"],
    "An RSA key in the chain.",
    chain(
        certificate("Test Node", node_key.public_key(), "Test Service", rsa_key, False),
        certificate("Test Service", rsa_key.public_key(), "Test Service", service_key, True, 1),
    ),
)
fails(
    "endorsement-not-authority",
    ["certificate-invalid"],
    "A node certificate used to endorse another one.",
    chain(
        certificate("Test Node", node_key.public_key(), "Test Node", other_key, False),
        certificate("Test Node", other_key.public_key(), "Test Service", service_key, False),
    ),
)
fails(
    "endorsement-without-constraints",
    ["certificate-invalid"],
    "No basic constraints at all.",
    chain(OLD_NODE, certificate("Test Service", previous_key.public_key(), "Test Service", service_key, None)),
)
fails(
    "endorsement-usage-without-signing",
    ["certificate-invalid"],
    "A key that must not sign certificates.",
    chain(
        OLD_NODE,
        certificate(
            "Test Service", previous_key.public_key(), "Test Service", service_key, True, 1, usage=["digital_signature"]
        ),
    ),
)
MIDDLE = key("middle")
FIRST = certificate("Test Service", previous_key.public_key(), "Test Service", MIDDLE, True, 1)
SECOND = certificate("Test Service", MIDDLE.public_key(), "Test Service", service_key, True, 1)
ok("endorsed-twice", "Two changes of the service's key.", chain(OLD_NODE, FIRST, SECOND))
fails(
    "endorsements-reordered", ["endorsement-invalid"], "The chain in the other order.", chain(OLD_NODE, SECOND, FIRST)
)
fails(
    "endorsement-repeated", ["endorsement-invalid"], "One endorsement twice.", chain(OLD_NODE, ENDORSEMENT, ENDORSEMENT)
)
fails(
    "path-too-long",
    ["certificate-invalid"],
    "More authorities than the service's path length allows.",
    chain(
        certificate("Test Node", node_key.public_key(), "A", previous_key, False),
        certificate("A", previous_key.public_key(), "B", MIDDLE, True, 1),
        certificate("B", MIDDLE.public_key(), "Test Service", service_key, True, 1),
    ),
)

# --- JSON -------------------------------------------------------------------------------------------------------------

text = json.dumps(GOOD)
bare = json.dumps(receipt())
unreadable("json-empty", "malformed", "No text.", "")
unreadable("json-truncated", "malformed", "The end is missing.", text[:-1])
unreadable("json-trailing-text", "trailing-bytes", "Text after the value.", text + "x")
unreadable("json-array", "invalid-member", "Not an object.", "[" + text + "]")
unreadable("json-duplicate-member", "duplicate-member", "A member twice.", bare[:-1] + ', "signature": "AAAA"}')
unreadable(
    "json-duplicate-spelling", "duplicate-member", "A member in both spellings.", bare[:-1] + ', "node_id": "00"}'
)
step_text = json.dumps(PROOF[0])
unreadable(
    "json-duplicate-in-proof-step",
    "duplicate-member",
    "The same side twice.",
    bare.replace(step_text, step_text[:-1] + ", " + step_text[1:]),
)
unreadable(
    "json-duplicate-in-extension",
    "duplicate-member",
    "A member twice where nobody reads it.",
    bare[:-1] + ', "x": {"y": 1, "y": 2}}',
)
unreadable(
    "json-duplicate-escaped",
    "duplicate-member",
    "A member twice, once with an escape.",
    bare[:-1] + ', "sign\\u0061ture": "AAAA"}',
)
unreadable("json-deep", "out-of-range", "Nested too deeply.", bare[:-1] + ', "x": ' + "[" * 99 + "]" * 99 + "}")
unreadable("json-many-values", "out-of-range", "Too many values.", bare[:-1] + ', "x": [' + "0," * 4999 + "0]}")
unreadable("json-unpaired-surrogate", "malformed", "Half a character.", bare[:-1] + ', "x": "\\ud800"}')
unreadable("json-control-character", "malformed", "A raw line feed in a string.", bare[:-1] + ', "x": "\n"}')
unreadable("json-number-leading-zero", "malformed", "Not a JSON number.", bare[:-1] + ', "x": 01}')
unreadable("json-byte-order-mark", "malformed", "A byte order mark.", "\ufeff" + bare)
unreadable("json-trailing-comma", "malformed", "A comma before the end.", bare[:-1] + ",}")
print(len(list(HERE.glob("*.json"))), "files")
