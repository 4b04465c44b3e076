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

    /// Fingerprints become upper case, as they are compared; anything else stays.
    static func normalised(_ id: String) -> String { isFingerprint(id) ? id.uppercased() : id }
}
