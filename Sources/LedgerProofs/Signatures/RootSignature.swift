import Crypto

/// The node's signature over a Merkle root: ECDSA with the 32 root bytes as the digest, DER encoded.
///
/// Documentation/spec/receipt-json.md, "Signature"
public enum RootSignature {
    /// Signs `root` with the node key. Returns DER bytes, different at every call.
    /// - Throws: `ProofError.signingFailed`.
    public static func sign(root: Digest32, key: P256.Signing.PrivateKey) throws(ProofError) -> [UInt8] {
        do {
            return Array(try key.signature(for: PrehashedSHA256(root)).derRepresentation)
        } catch {
            throw ProofError(code: .signingFailed, reason: "the node key could not sign the root")
        }
    }

    /// As above, with a P-384 key.
    public static func sign(root: Digest32, key: P384.Signing.PrivateKey) throws(ProofError) -> [UInt8] {
        do {
            return Array(try key.signature(for: PrehashedSHA256(root)).derRepresentation)
        } catch {
            throw ProofError(code: .signingFailed, reason: "the node key could not sign the root")
        }
    }

    /// Checks a DER signature over `root`. The verified value is the root.
    public static func verify(der: [UInt8], root: Digest32, publicKey: SigningPublicKey) -> Verdict<Digest32> {
        let isValid: Bool
        do {
            isValid = try publicKey.rawSignature(der: der).withUnsafeBytes {
                try publicKey.isValid(raw: $0, digest: PrehashedSHA256(root))
            }
        } catch {
            return .failed(.signatureInvalid, "the signature is not a DER ECDSA signature of the key's curve")
        }
        return isValid
            ? .verified(root)
            : .failed(.signatureInvalid, "the signature does not belong to this root and key")
    }

    /// What `verify` checks, for a key that has many signatures to check. `nil` when `der` is no signature of its curve.
    package static func claim(der: [UInt8], root: Digest32, key: RecurringKey) -> SignatureClaim? {
        guard let raw = try? key.key.rawSignature(der: der) else { return nil }
        return SignatureClaim(raw: raw, digest: root.bytes)
    }
}
