import Crypto
import Foundation
import LedgerNode
import NIOSSL
import SwiftASN1
import X509

/// Self-signed certificates made by the test.
enum TestCertificates {
    struct Pair {
        var certificate: NIOSSLCertificate
        var key: NIOSSLPrivateKey
        var der: [UInt8]
        var certificatePEM: String
        var keyPEM: String
    }

    static func make(_ key: Certificate.PrivateKey, name: String = "localhost", expired: Bool = false) throws -> Pair {
        let subject = try DistinguishedName { CommonName(name) }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-200_000),
            notValidAfter: now.addingTimeInterval(expired ? -100_000 : 86_400),
            issuer: subject, subject: subject,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                SubjectAlternativeNames([
                    .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                ])
            }, issuerPrivateKey: key)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        let keyPEM = try key.serializeAsPEM().pemString
        return Pair(
            certificate: try NIOSSLCertificate(bytes: serializer.serializedBytes, format: .der),
            key: try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem), der: serializer.serializedBytes,
            certificatePEM: try certificate.serializeAsPEM().pemString, keyPEM: keyPEM)
    }

    static func server(name: String = "localhost") throws -> (identity: TLSIdentity, pair: Pair) {
        let pair = try make(.init(P384.Signing.PrivateKey()), name: name)
        return (TLSIdentity(certificateChainPEM: pair.certificatePEM, privateKeyPEM: pair.keyPEM), pair)
    }
}
