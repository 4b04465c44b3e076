import SwiftASN1
import X509

extension Certificate {
    /// Reads one PEM certificate.
    /// - Throws: `ProofError.malformed` for unreadable text, `.unsupported` for an unknown kind of key.
    static func reading(pem: String) throws(ProofError) -> Certificate {
        let der = try PEM.decode(pem, label: "CERTIFICATE")
        do {
            return try Certificate(derEncoded: der)
        } catch let error as CertificateError where error.code == .unsupportedPublicKeyAlgorithm {
            throw .unsupported("the certificate's key is not an ECDSA key on P-256, P-384 or P-521")
        } catch {
            throw .malformed("the PEM block is not a DER certificate")
        }
    }
}
