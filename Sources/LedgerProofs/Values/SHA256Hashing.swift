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

    /// HMAC-SHA256 of `message` under `key`.
    public init(hmac message: some Sequence<UInt8>, key: SymmetricKey) {
        var mac = HMAC<SHA256>(key: key)
        mac.update(data: Array(message))
        self = .zero
        mac.finalize().withUnsafeBytes { from in
            Swift.withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: from) }
        }
    }
}
