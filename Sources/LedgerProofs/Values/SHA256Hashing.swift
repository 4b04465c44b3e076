import CLedgerSHA256
import Crypto

/// SHA-256 of what is in one piece. Every leaf and node of the package goes through here, straight to the code that
/// swift-crypto wraps (decision 0014).
public enum SHA256Hashing {
    /// SHA-256 of one contiguous piece.
    public static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest32 {
        #if canImport(Darwin)
            var hasher = SHA256()
            hasher.update(bufferPointer: bytes)
            return Digest32(finishing: hasher)
        #else
            var digest = Digest32.zero
            withUnsafeMutableBytes(of: &digest.words) {
                ledger_sha256(bytes.baseAddress, bytes.count, $0.baseAddress)
            }
            return digest
        #endif
    }

    /// SHA-256 of the bytes of `bytes`.
    public static func digest(_ bytes: [UInt8]) -> Digest32 {
        bytes.withUnsafeBytes { digest($0) }
    }

    /// SHA-256 of the UTF-8 bytes of `text`.
    public static func digest(utf8 text: String) -> Digest32 {
        var text = text
        return text.withUTF8 { digest(UnsafeRawBufferPointer($0)) }
    }

    /// SHA-256 of `left ‖ right`: an interior node of the ledger's tree (no domain prefix).
    public static func digest(_ left: Digest32, _ right: Digest32) -> Digest32 {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { scratch in
            scratch.storeBytes(of: left.words, as: (UInt64, UInt64, UInt64, UInt64).self)
            scratch.storeBytes(of: right.words, toByteOffset: 32, as: (UInt64, UInt64, UInt64, UInt64).self)
            return digest(UnsafeRawBufferPointer(scratch))
        }
    }

    /// SHA-256 of `0x01 ‖ left ‖ right`: an interior node of RFC 6962.
    static func prefixedNode(_ left: Digest32, _ right: Digest32) -> Digest32 {
        withUnsafeTemporaryAllocation(byteCount: 72, alignment: 8) { scratch in
            scratch[7] = 1
            scratch.storeBytes(of: left.words, toByteOffset: 8, as: (UInt64, UInt64, UInt64, UInt64).self)
            scratch.storeBytes(of: right.words, toByteOffset: 40, as: (UInt64, UInt64, UInt64, UInt64).self)
            return digest(UnsafeRawBufferPointer(rebasing: scratch[7..<72]))
        }
    }

    /// SHA-256 of `a ‖ b ‖ c`: the leaf of a transaction with commit evidence and claims.
    public static func digest(_ a: Digest32, _ b: Digest32, _ c: Digest32) -> Digest32 {
        withUnsafeTemporaryAllocation(byteCount: 96, alignment: 8) { scratch in
            scratch.storeBytes(of: a.words, as: (UInt64, UInt64, UInt64, UInt64).self)
            scratch.storeBytes(of: b.words, toByteOffset: 32, as: (UInt64, UInt64, UInt64, UInt64).self)
            scratch.storeBytes(of: c.words, toByteOffset: 64, as: (UInt64, UInt64, UInt64, UInt64).self)
            return digest(UnsafeRawBufferPointer(scratch))
        }
    }
}

extension Digest32 {
    /// The result of a running SHA-256.
    public init(finishing hasher: consuming SHA256) {
        self = .zero
        hasher.finalize().withUnsafeBytes { from in
            Swift.withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: from) }
        }
    }

    /// Messages up to so many bytes are hashed behind their key in one piece.
    private static let shortMessageByteCount = 1_024

    /// HMAC-SHA256 of `message` under `key` (RFC 2104).
    ///
    /// Three of these are made for every entry. The library's `HMAC` copies the key five times through arrays of its
    /// own, which costs more than the hashing; here the two padded blocks are made in place.
    public init(hmac message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) {
        guard key.count <= SHA256.blockByteCount else {
            let short = SHA256Hashing.digest(key)
            self = short.withUnsafeBytes { Digest32(hmac: message, key: $0) }
            return
        }
        let isShort = message.count <= Self.shortMessageByteCount
        let block = SHA256.blockByteCount
        self = withUnsafeTemporaryAllocation(
            byteCount: block + (isShort ? max(message.count, 32) : 32), alignment: 8
        ) { scratch in
            for i in 0..<block { scratch[i] = (i < key.count ? key[i] : 0) ^ 0x36 }
            let digest: Digest32
            if isShort {
                UnsafeMutableRawBufferPointer(rebasing: scratch[block...]).copyBytes(from: message)
                digest = SHA256Hashing.digest(UnsafeRawBufferPointer(rebasing: scratch[..<(block + message.count)]))
            } else {
                var inner = SHA256()
                inner.update(bufferPointer: UnsafeRawBufferPointer(rebasing: scratch[..<block]))
                inner.update(bufferPointer: message)
                digest = Digest32(finishing: inner)
            }
            for i in 0..<block { scratch[i] ^= 0x36 ^ 0x5C }
            scratch.storeBytes(of: digest.words, toByteOffset: block, as: (UInt64, UInt64, UInt64, UInt64).self)
            return SHA256Hashing.digest(UnsafeRawBufferPointer(rebasing: scratch[..<(block + 32)]))
        }
    }

    /// HMAC-SHA256 of the UTF-8 bytes of `text`.
    public init(hmac text: String, key: UnsafeRawBufferPointer) {
        var text = text
        self = text.withUTF8 { Digest32(hmac: UnsafeRawBufferPointer($0), key: key) }
    }
}
