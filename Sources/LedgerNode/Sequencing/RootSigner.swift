import Crypto
import LedgerFormat
import LedgerProofs

/// Signs Merkle roots: raw with the node key, COSE with the service key.
final class RootSigner: Sendable {
    struct Signatures {
        var raw: [UInt8]
        var cose: [UInt8]
    }

    static let issuer = "service.indelible"
    static let subject = "ledger.signature"

    let nodeID: String
    private let nodeKey: P256.Signing.PrivateKey
    private let serviceKey: P384.Signing.PrivateKey
    private let serviceKeyID: String

    init(keyring: Keyring) {
        nodeID = keyring.nodeID
        nodeKey = keyring.nodeKey
        serviceKey = keyring.serviceKey
        serviceKeyID = keyring.serviceKeyID
    }

    /// Both signatures, one after the other: the raw one takes a thirtieth of the COSE one, less than a hop to another
    /// thread and back.
    func sign(root: Digest32, id: TransactionID, issuedAt: Int64) throws -> Signatures {
        Signatures(
            raw: try RootSignature.sign(root: root, key: nodeKey),
            cose: try COSERootSignature.sign(
                root: root, txid: id, issuedAt: issuedAt, issuer: Self.issuer, subject: Self.subject,
                key: serviceKey, keyID: serviceKeyID))
    }
}
