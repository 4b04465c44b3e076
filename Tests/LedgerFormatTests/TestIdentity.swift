import Crypto
import LedgerProofs

@testable import LedgerFormat

/// The keys of a service with one node.
struct TestIdentity {
    var serviceKey: TestKey
    var serviceCertificate: String
    var nodeKey: TestKey
    var nodeCertificate: String

    var nodeID: String { get throws { try SigningPublicKey(certificatePEM: nodeCertificate).nodeID } }
    var keyID: String { get throws { try SigningPublicKey(certificatePEM: serviceCertificate).nodeID } }

    static func standard() throws -> TestIdentity {
        let keys = try Vectors.json("keys.json")
        return TestIdentity(
            serviceKey: .p384(try .init(pemRepresentation: keys["service"]["private_pem"].text)),
            serviceCertificate: keys["service"]["cert_pem"].text,
            nodeKey: .p384(try .init(pemRepresentation: keys["node"]["private_pem"].text)),
            nodeCertificate: keys["node"]["cert_pem"].text)
    }

    static func small() throws -> TestIdentity {
        TestIdentity(
            serviceKey: .p256(try .init(pemRepresentation: SmallIdentity.serviceKey)),
            serviceCertificate: SmallIdentity.serviceCertificate,
            nodeKey: .p256(try .init(pemRepresentation: SmallIdentity.nodeKey)),
            nodeCertificate: SmallIdentity.nodeCertificate)
    }
}
