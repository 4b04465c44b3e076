import Crypto
import LedgerProofs

/// A signing key of either size.
enum TestKey {
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)

    var algorithm: [UInt8] {
        switch self {
        case .p256: [0x26]  // -7
        case .p384: [0x38, 0x22]  // -35
        }
    }

    /// DER over the 32 bytes as the digest.
    func prehashed(_ root: Digest32) throws -> [UInt8] {
        switch self {
        case .p256(let key): Array(try key.signature(for: PrehashedSHA256(root)).derRepresentation)
        case .p384(let key): Array(try key.signature(for: PrehashedSHA256(root)).derRepresentation)
        }
    }

    /// The same as `r ‖ s`.
    func prehashedRaw(_ root: Digest32) throws -> [UInt8] {
        switch self {
        case .p256(let key): Array(try key.signature(for: PrehashedSHA256(root)).rawRepresentation)
        case .p384(let key): Array(try key.signature(for: PrehashedSHA256(root)).rawRepresentation)
        }
    }

    /// With the curve's own hash: `r ‖ s` and DER.
    func hashed(_ bytes: [UInt8]) throws -> (raw: [UInt8], der: [UInt8]) {
        switch self {
        case .p256(let key):
            let signature = try key.signature(for: bytes)
            return (Array(signature.rawRepresentation), Array(signature.derRepresentation))
        case .p384(let key):
            let signature = try key.signature(for: bytes)
            return (Array(signature.rawRepresentation), Array(signature.derRepresentation))
        }
    }
}
