import Crypto
import LedgerProofs

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The AES-256 key of the private domains, valid from some seqno on (CCF ledger format 2.5 and 7.5).
public struct LedgerSecret: Sendable {
    public static let byteCount = 32

    let key: SymmetricKey
    /// HMAC of the first eight bytes of CCF's label: only those enter the derivation.
    private let commitSecret: SymmetricKey

    /// Returns `nil` unless there are exactly 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == LedgerSecret.byteCount else { return nil }
        self.init(key: SymmetricKey(data: bytes))
    }

    private init(key: SymmetricKey) {
        self.key = key
        commitSecret = SymmetricKey(data: Digest32(hmac: "Commit S".utf8, key: key).bytes)
    }

    /// A fresh secret from the system's random generator.
    public static func random() -> LedgerSecret { LedgerSecret(key: SymmetricKey(size: .bits256)) }

    /// The 32 bytes. Handle with care: they open every private entry.
    public var bytes: [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// `ce:view.seqno:` and 64 hexadecimal digits. To be revealed only after the transaction is committed.
    public func commitEvidence(for id: TransactionID) -> String {
        let text = id.description
        return "ce:\(text):\(Digest32(hmac: text.utf8, key: commitSecret).hex)"
    }

    /// SHA-256 of the commit evidence.
    public func commitEvidenceDigest(for id: TransactionID) -> Digest32 {
        SHA256Hashing.digest(utf8: commitEvidence(for: id))
    }

    /// Encrypts `plaintext` and authenticates `authenticated` with it.
    public func seal(
        _ plaintext: [UInt8], authenticating authenticated: [UInt8], iv: EntryIV
    ) throws(LedgerFormatError) -> SealedDomain {
        try seal(plaintext, authenticating: authenticated, range: 0..<authenticated.count, iv: iv)
    }

    func seal(
        _ plaintext: [UInt8], authenticating buffer: [UInt8], range: Range<Int>, iv: EntryIV
    ) throws(LedgerFormatError) -> SealedDomain {
        do {
            let box = try buffer.withUnsafeBytes { raw in
                try AES.GCM.seal(
                    plaintext, using: key, nonce: try nonce(iv),
                    authenticating: UnsafeRawBufferPointer(rebasing: raw[range]))
            }
            return SealedDomain(tag: Array(box.tag), ciphertext: Array(box.ciphertext))
        } catch {
            throw LedgerFormatError(.authentication, "the private domain could not be encrypted")
        }
    }

    /// Decrypts. Throws `authentication` when the tag does not fit the key, the IV and both texts.
    public func open(
        _ sealed: SealedDomain, authenticating authenticated: [UInt8], iv: EntryIV
    ) throws(LedgerFormatError) -> [UInt8] {
        let tag = sealed.tag
        let ciphertext = sealed.ciphertext
        do {
            return try authenticated.withUnsafeBytes { aad in
                try ciphertext.withUnsafeBytes { text in
                    try tag.withUnsafeBytes { tag in
                        try open(tag: tag, ciphertext: text, authenticating: aad, iv: iv)
                    }
                }
            }
        } catch {
            throw LedgerFormatError(.authentication, at: 8, "the GCM tag does not fit the ledger secret")
        }
    }

    func open(
        tag: UnsafeRawBufferPointer, ciphertext: UnsafeRawBufferPointer,
        authenticating authenticated: UnsafeRawBufferPointer, iv: EntryIV
    ) throws(LedgerFormatError) -> [UInt8] {
        do {
            let box = try AES.GCM.SealedBox(nonce: nonce(iv), ciphertext: ciphertext, tag: tag)
            return Array(try AES.GCM.open(box, using: key, authenticating: authenticated))
        } catch {
            throw LedgerFormatError(.authentication, at: 8, "the GCM tag does not fit the ledger secret")
        }
    }

    private func nonce(_ iv: EntryIV) throws -> AES.GCM.Nonce {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(EntryIV.byteCount)
        iv.append(to: &bytes)
        return try AES.GCM.Nonce(data: bytes)
    }
}
