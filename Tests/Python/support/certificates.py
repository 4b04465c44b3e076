"""Client certificates for tests."""

import dataclasses
import datetime
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID


@dataclasses.dataclass(frozen=True)
class ClientIdentity:
    """A self-signed client certificate with its key, and the user id a ledger derives from it."""

    certificate_file: Path  # the certificate alone
    combined_file: Path  # certificate and key in one file, as the Azure SDK wants it
    user_id: str


def make_identity(directory: Path, name: str, kind: str = "p384", days: int = 30) -> ClientIdentity:
    """`kind`: p256, p384, p521, rsa or ed25519. `days` below zero makes an expired certificate."""
    key = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }[kind]()
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, None if kind == "ed25519" else hashes.SHA384())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    directory.mkdir(parents=True, exist_ok=True)
    certificate_file = directory / f"{name}_cert.pem"
    combined_file = directory / f"{name}.pem"
    certificate_file.write_bytes(pem)
    combined_file.write_bytes(pem + key_pem)
    combined_file.chmod(0o600)
    fingerprint = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ClientIdentity(certificate_file, combined_file, ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)))
