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
    private let sealer: EntrySealer

    /// Returns `nil` unless there are exactly 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == LedgerSecret.byteCount else { return nil }
        self.init(key: SymmetricKey(data: bytes))
    }

    private init(key: SymmetricKey) {
        self.key = key
        sealer = EntrySealer(key: key)
        commitSecret = SymmetricKey(data: key.withUnsafeBytes { Digest32(hmac: "Commit S", key: $0) }.bytes)
    }

    /// A fresh secret from the system's random generator.
    public static func random() -> LedgerSecret { LedgerSecret(key: SymmetricKey(size: .bits256)) }

    /// The 32 bytes. Handle with care: they open every private entry.
    public var bytes: [UInt8] { key.withUnsafeBytes { Array($0) } }

    /// `ce:view.seqno:` and 64 hexadecimal digits. To be revealed only after the transaction is committed.
    public func commitEvidence(for id: TransactionID) -> String {
        withCommitEvidence(for: id) { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes the text in place: every transaction has one.
    private func withCommitEvidence<R>(for id: TransactionID, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        // "ce:", two numbers of at most 10 and 20 digits, a dot, a colon and the digits of the HMAC.
        withUnsafeTemporaryAllocation(byteCount: 3 + 10 + 1 + 20 + 1 + 64, alignment: 1) { text in
            text.copyBytes(from: "ce:".utf8)
            var end = 3
            Self.write(UInt64(id.view.rawValue), to: text, at: &end)
            text[end] = UInt8(ascii: ".")
            end += 1
            Self.write(id.seqno.rawValue, to: text, at: &end)
            let message = UnsafeRawBufferPointer(rebasing: text[3..<end])
            let mac = commitSecret.withUnsafeBytes { Digest32(hmac: message, key: $0) }
            text[end] = UInt8(ascii: ":")
            end += 1
            mac.withUnsafeBytes { bytes in
                for byte in bytes {
                    text[end] = Self.digit(byte >> 4)
                    text[end + 1] = Self.digit(byte & 15)
                    end += 2
                }
            }
            return body(UnsafeRawBufferPointer(rebasing: text[..<end]))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Decimal digits of `value` from `end` on, which moves behind them.
    private static func write(_ value: UInt64, to text: UnsafeMutableRawBufferPointer, at end: inout Int) {
        var count = 1
        var rest = value / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        rest = value
        for i in stride(from: end + count - 1, through: end, by: -1) {
            text[i] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        end += count
    }

    /// SHA-256 of the commit evidence.
    public func commitEvidenceDigest(for id: TransactionID) -> Digest32 {
        withCommitEvidence(for: id) { SHA256Hashing.digest($0) }
    }

    /// Encrypts `plaintext` and authenticates `authenticated` with it.
    public func seal(
        _ plaintext: [UInt8], authenticating authenticated: [UInt8], iv: EntryIV
    ) throws(LedgerFormatError) -> SealedDomain {
        let box = try box(plaintext, authenticating: authenticated, range: 0..<authenticated.count, iv: iv)
        return SealedDomain(tag: Array(box.tag), ciphertext: Array(box.ciphertext))
    }

    /// Encrypts the bytes of `buffer` from `textOffset` on in place, authenticates those of `range` with them and writes
    /// the tag to the 16 bytes at `tagOffset`. On an error the text is not usable.
    func seal(
        _ buffer: inout [UInt8], from textOffset: Int, authenticating range: Range<Int>, tagOffset: Int, iv: EntryIV
    ) throws(LedgerFormatError) {
        guard sealer.seal(&buffer, from: textOffset, authenticating: range, tagOffset: tagOffset, iv: iv) else {
            throw Self.notEncrypted
        }
    }

    private static let notEncrypted = LedgerFormatError(
        .authentication, "the private domain could not be encrypted")

    private func box(
        _ plaintext: [UInt8], authenticating buffer: [UInt8], range: Range<Int>, iv: EntryIV
    ) throws(LedgerFormatError) -> AES.GCM.SealedBox {
        do {
            return try buffer.withUnsafeBytes { raw in
                try AES.GCM.seal(
                    plaintext, using: key, nonce: try nonce(iv),
                    authenticating: UnsafeRawBufferPointer(rebasing: raw[range]))
            }
        } catch {
            throw Self.notEncrypted
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
