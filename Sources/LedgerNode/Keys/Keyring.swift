import Crypto
import Foundation
import LedgerFormat
import LedgerProofs
import X509

/// Every secret of a one-node service. Lives sealed in `DIR/keys/keyring.sealed`; the service key stays the same
/// for the life of the service because clients pin its certificate and receipts chain to it.
struct Keyring: Sendable {
    var serviceKey: P384.Signing.PrivateKey
    var serviceCertificatePEM: String
    /// P-256: it signs every batch, and signing is thirty times cheaper than with P-384 (decision 0006).
    var nodeKey: P256.Signing.PrivateKey
    /// The operator member that the genesis transaction names.
    var memberKey: P384.Signing.PrivateKey
    var memberCertificatePEM: String
    /// Encrypts the private domain of every transaction from seqno 1.
    var ledgerSecret: LedgerSecret
    /// What the ledger was created as. `nil` in keyrings that were made before it was kept here.
    var ledgerType: NodeConfiguration.LedgerType?

    private struct Stored: Codable {
        var serviceKey: String
        var serviceCertificate: String
        var nodeKey: String
        var memberKey: String
        var memberCertificate: String
        var ledgerSecret: Data
        var ledgerType: String?
    }

    private static let purpose = "keyring"

    /// Fresh keys for a new service.
    static func generate(name: String, ledgerType: NodeConfiguration.LedgerType, now: Date) throws -> Keyring {
        let serviceKey = P384.Signing.PrivateKey()
        let memberKey = P384.Signing.PrivateKey()
        return Keyring(
            serviceKey: serviceKey,
            serviceCertificatePEM: try CertificateMaker.service(key: serviceKey, now: now),
            nodeKey: P256.Signing.PrivateKey(),
            memberKey: memberKey,
            memberCertificatePEM: try CertificateMaker.selfSigned(
                key: Certificate.PrivateKey(memberKey), commonName: "\(name) operator", now: now),
            ledgerSecret: LedgerSecret.random(), ledgerType: ledgerType)
    }

    func sealed(with key: SealedFile.Key) throws -> [UInt8] {
        let stored = Stored(
            serviceKey: serviceKey.pemRepresentation, serviceCertificate: serviceCertificatePEM,
            nodeKey: nodeKey.pemRepresentation, memberKey: memberKey.pemRepresentation,
            memberCertificate: memberCertificatePEM, ledgerSecret: Data(ledgerSecret.bytes),
            ledgerType: ledgerType?.rawValue)
        return try SealedFile.seal(Array(try JSONEncoder().encode(stored)), purpose: Keyring.purpose, key: key)
    }

    init(opening bytes: [UInt8], key: SealedFile.Key, path: String) throws {
        let plain = try SealedFile.open(bytes, purpose: Keyring.purpose, key: key, path: path)
        let stored = try JSONDecoder().decode(Stored.self, from: Data(plain))
        guard let secret = LedgerSecret(bytes: Array(stored.ledgerSecret)) else {
            throw LedgerError(.invalidInput, "\(path): the ledger secret must be 32 bytes")
        }
        let type = stored.ledgerType.map { NodeConfiguration.LedgerType(rawValue: $0) }
        if case .some(nil) = type { throw LedgerError(.invalidInput, "\(path): the ledger type is not known") }
        self.init(
            serviceKey: try P384.Signing.PrivateKey(pemRepresentation: stored.serviceKey),
            serviceCertificatePEM: stored.serviceCertificate,
            nodeKey: try P256.Signing.PrivateKey(pemRepresentation: stored.nodeKey),
            memberKey: try P384.Signing.PrivateKey(pemRepresentation: stored.memberKey),
            memberCertificatePEM: stored.memberCertificate,
            ledgerSecret: secret, ledgerType: type ?? nil)
    }

    init(
        serviceKey: P384.Signing.PrivateKey, serviceCertificatePEM: String, nodeKey: P256.Signing.PrivateKey,
        memberKey: P384.Signing.PrivateKey, memberCertificatePEM: String, ledgerSecret: LedgerSecret,
        ledgerType: NodeConfiguration.LedgerType?
    ) {
        self.serviceKey = serviceKey
        self.serviceCertificatePEM = serviceCertificatePEM
        self.nodeKey = nodeKey
        self.memberKey = memberKey
        self.memberCertificatePEM = memberCertificatePEM
        self.ledgerSecret = ledgerSecret
        self.ledgerType = ledgerType
    }

    /// Hex SHA-256 of the node key's DER SubjectPublicKeyInfo (ccf-formats 3.2).
    var nodeID: String { nodeKeyDigest.hex }

    var nodeKeyDigest: Digest32 { SHA256Hashing.digest(Array(nodeKey.publicKey.derRepresentation)) }
    var nodePublicKey: P256.Signing.PublicKey { nodeKey.publicKey }
    var nodePublicKeyPEM: String { nodeKey.publicKey.pemRepresentation + "\n" }
    /// For certificates.
    var nodeCertificateKey: Certificate.PrivateKey { Certificate.PrivateKey(nodeKey) }
    var nodeKeyPEM: String { nodeKey.pemRepresentation + "\n" }
    var servicePublicKey: P384.Signing.PublicKey { serviceKey.publicKey }

    /// Hex SHA-256 of the service key's DER SubjectPublicKeyInfo: the `kid` of COSE signatures.
    var serviceKeyID: String { SHA256Hashing.digest(Array(serviceKey.publicKey.derRepresentation)).hex }
}
