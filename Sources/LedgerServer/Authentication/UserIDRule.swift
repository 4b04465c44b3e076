/// Which texts may be user ids.
enum UserIDRule {
    static let byteLimit = 256

    /// 1 to 256 bytes of UTF-8 without control characters.
    static func isAcceptable(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= byteLimit && id.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// 32 pairs of hexadecimal digits joined by colons.
    static func isFingerprint(_ id: String) -> Bool {
        let bytes = Array(id.utf8)
        guard bytes.count == 95 else { return false }
        return bytes.enumerated().allSatisfy { i, c in
            i % 3 == 2
                ? c == UInt8(ascii: ":")
                : (c >= 0x30 && c <= 0x39) || (c | 0x20 >= UInt8(ascii: "a") && c | 0x20 <= UInt8(ascii: "f"))
        }
    }

    /// Pairs of hexadecimal digits joined by colons, at least two, but not as many as a fingerprint has; or all the 64
    /// digits of one without colons. No certificate can match either.
    static func isBrokenFingerprint(_ id: String) -> Bool {
        func isHex(_ text: some Sequence<UInt8>) -> Bool {
            text.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        }
        if id.utf8.count == 64, isHex(id.utf8) { return true }
        let pairs = id.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return pairs.count > 1 && !isFingerprint(id) && pairs.allSatisfy { $0.count == 2 && isHex($0) }
    }

    /// Fingerprints become upper case, as they are compared; anything else stays.
    static func normalised(_ id: String) -> String { isFingerprint(id) ? id.uppercased() : id }
}
