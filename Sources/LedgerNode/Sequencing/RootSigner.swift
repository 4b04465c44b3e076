import Crypto
import Foundation
import LedgerFormat
import LedgerProofs
import Synchronization

/// Signs Merkle roots: raw with the node key, COSE with the service key. The two signatures are independent, so
/// the second one is made on a thread of its own.
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
    private let queue = DispatchQueue(label: "indelible.cose-signature", qos: .userInitiated)

    init(keyring: Keyring) {
        nodeID = keyring.nodeID
        nodeKey = keyring.nodeKey
        serviceKey = keyring.serviceKey
        serviceKeyID = keyring.serviceKeyID
    }

    func sign(root: Digest32, id: TransactionID, issuedAt: Int64) throws -> Signatures {
        let cose = Mutex<Result<[UInt8], any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            let result = Result {
                try COSERootSignature.sign(
                    root: root, txid: id, issuedAt: issuedAt, issuer: Self.issuer, subject: Self.subject,
                    key: serviceKey, keyID: serviceKeyID)
            }
            cose.withLock { $0 = result }
            done.signal()
        }
        let raw = Result { try RootSignature.sign(root: root, key: nodeKey) }
        done.wait()
        guard let signed = cose.withLock({ $0 }) else {
            throw LedgerError(.inputOutput, "the COSE signature was not made")
        }
        return Signatures(raw: try raw.get(), cose: try signed.get())
    }
}
