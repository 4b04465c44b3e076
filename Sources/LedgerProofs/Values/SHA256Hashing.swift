import Crypto

/// Every SHA-256 of the package goes through here, so that the backend can change in one place.
public enum SHA256Hashing {
    /// SHA-256 of one contiguous piece.
    public static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest32 {
        var hasher = SHA256()
        hasher.update(bufferPointer: bytes)
        return Digest32(finishing: hasher)
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
        self = withUnsafeTemporaryAllocation(byteCount: SHA256.blockByteCount + 32, alignment: 8) { scratch in
            for i in 0..<SHA256.blockByteCount { scratch[i] = (i < key.count ? key[i] : 0) ^ 0x36 }
            var inner = SHA256()
            inner.update(bufferPointer: UnsafeRawBufferPointer(rebasing: scratch[..<SHA256.blockByteCount]))
            inner.update(bufferPointer: message)
            let digest = Digest32(finishing: inner)
            for i in 0..<SHA256.blockByteCount { scratch[i] ^= 0x36 ^ 0x5C }
            scratch.storeBytes(
                of: digest.words, toByteOffset: SHA256.blockByteCount, as: (UInt64, UInt64, UInt64, UInt64).self)
            return SHA256Hashing.digest(UnsafeRawBufferPointer(scratch))
        }
    }

    /// HMAC-SHA256 of the UTF-8 bytes of `text`.
    public init(hmac text: String, key: UnsafeRawBufferPointer) {
        var text = text
        self = text.withUTF8 { Digest32(hmac: UnsafeRawBufferPointer($0), key: key) }
    }
}
