import SwiftASN1
import X509

/// Whether one certificate was signed by a key. Dates and extensions are not judged.
public enum CertificateEndorsement {
    /// Checks the certificate's signature with the issuer's key. The verified value is the subject key.
    public static func verify(
        certificatePEM pem: String, issuer: SigningPublicKey
    ) -> Verdict<SigningPublicKey> {
        do {
            let certificate = try Certificate.reading(pem: pem)
            let issuerKey = try Certificate.PublicKey(derEncoded: issuer.derRepresentation)
            guard issuerKey.isValidSignature(certificate.signature, for: certificate) else {
                return .failed(.endorsementInvalid, "the certificate is not signed by the service key")
            }
            return .verified(try SigningPublicKey(certificate.publicKey))
        } catch {
            return .failed(.certificateInvalid, "the certificate cannot be read")
        }
    }

    /// SHA-256 of the certificate's DER bytes. `nil` when the text is not a PEM certificate.
    public static func fingerprint(certificatePEM pem: String) -> Digest32? {
        (try? PEM.decode(pem, label: "CERTIFICATE")).map { SHA256Hashing.digest($0) }
    }
}
