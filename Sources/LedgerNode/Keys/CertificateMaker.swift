import Crypto
import Foundation
import LedgerProofs
import SwiftASN1
import X509

/// Makes the certificates of a service in the one profile that every tested client version accepts (API spec D.4).
enum CertificateMaker {
    /// Long, because clients pin the service certificate and refuse an expired one.
    static let serviceValidity = 3650
    /// Node certificates are renewed under the same keys well before they end.
    static let nodeValidity = 365

    private static let day: TimeInterval = 86_400
    /// Tolerates clients whose clocks are behind.
    private static let clockSkew: TimeInterval = 86_400

    static func service(key: P384.Signing.PrivateKey, now: Date) throws -> String {
        let subject = try DistinguishedName { CommonName("CCF Network") }
        let identifier = SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
        return try make(
            subject: subject, issuer: subject, publicKey: Certificate.PublicKey(key.publicKey),
            issuerKey: Certificate.PrivateKey(key), now: now, days: serviceValidity,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 1))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                identifier
                AuthorityKeyIdentifier(keyIdentifier: identifier.keyIdentifier)
            })
    }

    /// - Parameter names: host names and IP addresses (v4 or v6) for the subject alternative name.
    static func node(
        key: P256.Signing.PublicKey, names: [String], issuer: P384.Signing.PrivateKey, now: Date
    ) throws -> String {
        let issuerIdentifier = SubjectKeyIdentifier(hash: Certificate.PublicKey(issuer.publicKey))
        return try make(
            subject: try DistinguishedName { CommonName("CCF Node") },
            issuer: try DistinguishedName { CommonName("CCF Network") },
            publicKey: Certificate.PublicKey(key), issuerKey: Certificate.PrivateKey(issuer), now: now,
            days: nodeValidity,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key))
                AuthorityKeyIdentifier(keyIdentifier: issuerIdentifier.keyIdentifier)
                SubjectAlternativeNames(names.map(generalName))
            })
    }

    /// A user's, a member's or a node's own certificate.
    static func selfSigned(
        key: Certificate.PrivateKey, commonName: String, names: [String] = [], now: Date
    ) throws -> String {
        let subject = try DistinguishedName { CommonName(commonName) }
        return try make(
            subject: subject, issuer: subject, publicKey: key.publicKey, issuerKey: key, now: now,
            days: serviceValidity,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectKeyIdentifier(hash: key.publicKey)
                if !names.isEmpty { SubjectAlternativeNames(names.map(generalName)) }
            })
    }

    /// The SHA-256 fingerprint of a PEM certificate: upper-case hex pairs joined by colons (API spec B.1).
    static func fingerprint(pem: String) throws -> String {
        let hex = SHA256Hashing.digest(try der(pem)).hex.uppercased()
        return stride(from: 0, to: hex.count, by: 2).map { start in
            String(hex.dropFirst(start).prefix(2))
        }.joined(separator: ":")
    }

    /// Hex SHA-256 of the DER certificate: a member's or user's id inside the ledger (ccf-formats 3.2).
    static func memberID(pem: String) throws -> String {
        SHA256Hashing.digest(try der(pem)).hex
    }

    /// The certificate of a PEM text that may hold a key as well, but no second certificate.
    private static func der(_ pem: String) throws -> [UInt8] {
        let documents = try? PEMDocument.parseMultiple(pemString: pem)
        let certificates = documents?.filter { $0.discriminator == Certificate.defaultPEMDiscriminator } ?? []
        guard let certificate = certificates.first else {
            throw LedgerError(.invalidInput, "holds no PEM certificate")
        }
        guard certificates.count == 1 else {
            throw LedgerError(.invalidInput, "holds \(certificates.count) certificates; give each a file of its own")
        }
        do {
            _ = try Certificate(derEncoded: certificate.derBytes)
        } catch {
            throw LedgerError(
                .invalidInput, "its certificate cannot be read, or has a key of a kind that is not supported",
                cause: error)
        }
        return certificate.derBytes
    }

    /// When the certificate begins and ends, and the subject alternative names it carries, for deciding on renewal.
    static func facts(pem: String) throws -> (notBefore: Date, notAfter: Date, names: Set<String>) {
        let certificate = try Certificate(pemEncoded: pem)
        let names = try certificate.extensions.subjectAlternativeNames?.compactMap(text) ?? []
        return (certificate.notValidBefore, certificate.notValidAfter, Set(names))
    }

    /// What is to be said of a service certificate that ends within a year; `nil` before.
    static func ending(_ pem: String, now: Date) throws -> String? {
        let end = try facts(pem: pem).notAfter
        guard end < now.addingTimeInterval(365 * day) else { return nil }
        return
            "the service certificate \(end < now ? "ended" : "ends") at \(end.formatted(.iso8601)); after that clients accept the "
            + "node no more. It cannot be renewed; receipts and the ledger stay verifiable"
    }

    private static func make(
        subject: DistinguishedName, issuer: DistinguishedName, publicKey: Certificate.PublicKey,
        issuerKey: Certificate.PrivateKey, now: Date, days: Int, extensions: Certificate.Extensions
    ) throws -> String {
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: now.addingTimeInterval(-clockSkew),
            notValidAfter: now.addingTimeInterval(TimeInterval(days) * day),
            issuer: issuer, subject: subject, extensions: extensions, issuerPrivateKey: issuerKey)
        return try certificate.serializeAsPEM().pemString + "\n"
    }

    /// Whether a certificate can carry it: an IP address, or a host name of labels of letters, digits and hyphens (the
    /// first may be `*`), whose last one is no number.
    static func isName(_ text: String) -> Bool {
        if ipBytes(text) != nil { return true }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 2, labels.first == "*" { labels.removeFirst() }
        guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(\.isNumber) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                        || $0 == 0x2D || $0 == 0x5F
                }
        }
    }

    /// An IP address as a certificate's is told; any other name as it is.
    static func plain(_ name: String) -> String { ipBytes(name).flatMap(ipText) ?? name }

    private static func generalName(_ name: String) -> GeneralName {
        if let address = ipBytes(name) {
            return .ipAddress(ASN1OctetString(contentBytes: address[...]))
        }
        return .dnsName(name)
    }

    private static func text(_ name: GeneralName) -> String? {
        switch name {
        case .dnsName(let host): host
        case .ipAddress(let octets): ipText(Array(octets.bytes))
        default: nil
        }
    }

    private static func ipBytes(_ text: String) -> [UInt8]? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: &v4) { Array($0) } }
        var v6 = in6_addr()
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: &v6) { Array($0) } }
        return nil
    }

    private static func ipText(_ bytes: [UInt8]) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16,
            inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil
        else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
