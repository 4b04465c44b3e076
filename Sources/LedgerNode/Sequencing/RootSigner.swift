import Crypto
import LedgerFormat
import LedgerProofs

/// Signs Merkle roots: raw with the node key, COSE with the service key.
final class RootSigner: Sendable {
    struct Signatures {
        var raw: [UInt8]
        /// `nil` where the service does not sign.
        var cose: [UInt8]?
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

    /// The signatures, one after the other: the raw one takes a thirtieth of the COSE one, less than a hop to another
    /// thread and back.
    /// - Parameter issuedAt: seconds since 1970, for the service's signature; `nil`: the service does not sign.
    func sign(root: Digest32, id: TransactionID, issuedAt: Int64?) throws -> Signatures {
        Signatures(
            raw: try RootSignature.sign(root: root, key: nodeKey),
            cose: try issuedAt.map {
                try COSERootSignature.sign(
                    root: root, txid: id, issuedAt: $0, issuer: Self.issuer, subject: Self.subject,
                    key: serviceKey, keyID: serviceKeyID)
            })
    }
}
