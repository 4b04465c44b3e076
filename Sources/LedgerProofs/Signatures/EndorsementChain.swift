import SwiftASN1
import X509

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A node certificate, the endorsements that follow it, and the pinned service certificate. Each is signed by
/// the key of the next.
///
/// Documentation/spec/receipt-json.md, "Certificate chain"
struct EndorsementChain {
    /// From the node to the service.
    let certificates: [Certificate]

    /// Critical extensions that the checks below know or may ignore. Any other critical one refuses the chain.
    private static let knownExtensions: Set<ASN1ObjectIdentifier> = [
        .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage,
        .X509ExtensionID.subjectAlternativeName, .X509ExtensionID.subjectKeyIdentifier,
        .X509ExtensionID.authorityKeyIdentifier,
    ]

    /// Every reason why the chain does not hold; empty when it does.
    func findings() -> [VerificationFinding] {
        var findings: [VerificationFinding] = []
        for (position, certificate) in certificates.enumerated() {
            if let reason = Self.extensionFault(certificate, isLeaf: position == 0, below: certificates[..<position]) {
                findings.append(VerificationFinding(code: .certificateInvalid, reason: reason))
            }
        }
        for (certificate, issuer) in zip(certificates, certificates.dropFirst()) {
            if certificate.issuer != issuer.subject {
                findings.append(
                    .init(code: .endorsementInvalid, reason: "a certificate names another issuer than the next one"))
            }
            if (try? SigningPublicKey(issuer.publicKey)) == nil {
                findings.append(.init(code: .certificateInvalid, reason: "an issuer's key is not ECDSA"))
            } else if !issuer.publicKey.isValidSignature(certificate.signature, for: certificate) {
                findings.append(.init(code: .endorsementInvalid, reason: "a certificate is not signed by the next one"))
            }
        }
        return findings
    }

    private static func extensionFault(
        _ certificate: Certificate, isLeaf: Bool, below: ArraySlice<Certificate>
    ) -> String? {
        let constraints: BasicConstraints?
        let usage: KeyUsage?
        do {
            constraints = try certificate.extensions.basicConstraints
            usage = try certificate.extensions.keyUsage
        } catch {
            return "an extension of a certificate cannot be read"
        }
        for item in certificate.extensions where item.critical && !knownExtensions.contains(item.oid) {
            return "a certificate has a critical extension that is not known"
        }
        if isLeaf {
            return usage.map(\.digitalSignature) == false ? "the node's key must not sign roots" : nil
        }
        guard case .isCertificateAuthority(let maximumPathLength) = constraints else {
            return "a certificate that endorses another is not a certificate authority"
        }
        if usage.map(\.keyCertSign) == false { return "an issuer's key must not sign certificates" }
        let intermediateCount = below.dropFirst().count { $0.issuer != $0.subject }
        if let maximumPathLength, intermediateCount > maximumPathLength {
            return "the chain is longer than an issuer's path length allows"
        }
        return nil
    }

    /// One note for each certificate that is not valid at `time`, in seconds since 1970.
    func dateNotes(at time: Int64) -> [VerificationFinding] {
        let now = Double(time)
        return certificates.compactMap { certificate in
            if now < certificate.notValidBefore.timeIntervalSince1970 {
                VerificationFinding(code: .certificateDates, reason: "a certificate of the chain is not valid yet")
            } else if now > certificate.notValidAfter.timeIntervalSince1970 {
                VerificationFinding(code: .certificateDates, reason: "a certificate of the chain has expired")
            } else {
                nil
            }
        }
    }
}
