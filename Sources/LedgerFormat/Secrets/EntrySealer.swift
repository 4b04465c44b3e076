import CLedgerGCM
import Crypto
import LedgerProofs

/// Encrypts the private domains of entries under one key, which is expanded once (decision 0015).
final class EntrySealer: @unchecked Sendable {
    static let tagByteCount = 16

    #if canImport(Darwin)
        private let key: SymmetricKey

        init(key: SymmetricKey) { self.key = key }
    #else
        // Never written after `init`; BoringSSL allows any number of threads to seal with one context.
        private let context: UnsafeMutableRawPointer?

        init(key: SymmetricKey) { context = key.withUnsafeBytes { ledger_gcm_new($0.baseAddress) } }

        deinit { ledger_gcm_free(context) }
    #endif

    /// Encrypts the bytes of `buffer` from `textOffset` to its end in place, authenticates those of `range` with them and
    /// writes the tag to the 16 bytes at `tagOffset`. The three must not overlap. Returns `false` when it failed; the
    /// text is then not usable.
    func seal(
        _ buffer: inout [UInt8], from textOffset: Int, authenticating range: Range<Int>, tagOffset: Int, iv: EntryIV
    ) -> Bool {
        precondition(
            tagOffset >= 0 && tagOffset + Self.tagByteCount <= range.lowerBound && range.upperBound <= textOffset
                && textOffset <= buffer.count, "the parts of an entry overlap")
        return buffer.withUnsafeMutableBytes { bytes in
            let authenticated = UnsafeRawBufferPointer(rebasing: bytes[range])
            let text = UnsafeMutableRawBufferPointer(rebasing: bytes[textOffset...])
            let tag = UnsafeMutableRawBufferPointer(rebasing: bytes[tagOffset..<tagOffset + Self.tagByteCount])
            return iv.withBytes { seal(text, authenticating: authenticated, tag: tag, nonce: $0) }
        }
    }

    private func seal(
        _ text: UnsafeMutableRawBufferPointer, authenticating authenticated: UnsafeRawBufferPointer,
        tag: UnsafeMutableRawBufferPointer, nonce: UnsafeRawBufferPointer
    ) -> Bool {
        #if canImport(Darwin)
            guard let nonce = try? AES.GCM.Nonce(data: nonce),
                let box = try? AES.GCM.seal(text, using: key, nonce: nonce, authenticating: authenticated)
            else { return false }
            text.copyBytes(from: box.ciphertext)
            tag.copyBytes(from: box.tag)
            return true
        #else
            guard let context else { return false }
            return ledger_gcm_seal(
                context, nonce.baseAddress, text.baseAddress, text.count, authenticated.baseAddress,
                authenticated.count, tag.baseAddress) == 1
        #endif
    }
}
