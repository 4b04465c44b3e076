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

    /// Pairs of hexadecimal digits joined by colons, at least two, but not as many as a fingerprint has; or about as many
    /// digits as a fingerprint has, however they are joined, with a few other characters among them, and with the name of
    /// the hash before them. No certificate can match either.
    static func isBrokenFingerprint(_ id: String) -> Bool {
        if isFingerprint(id) { return false }
        let pairs = id.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        if pairs.count > 1, pairs.allSatisfy({ $0.count == 2 && $0.allSatisfy(isHex) }) { return true }
        var text = id.utf8[...]
        for name in ["sha256", "sha-256"] where id.lowercased().hasPrefix(name) {
            text = text.dropFirst(name.utf8.count)
            // As `openssl x509 -fingerprint` writes it.
            if let equals = text.firstIndex(of: UInt8(ascii: "=")) { text = text[text.index(after: equals)...] }
        }
        let digits = text.filter { ![UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: " ")].contains($0) }
        return (50...70).contains(digits.count) && digits.count(where: isHex) * 5 >= digits.count * 4
            && !holdsGUID(text)
    }

    private static func isHex(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit }

    /// Groups of 8, 4, 4, 4 and 12 characters joined by hyphens: ids of users, also two of them in a row.
    private static func holdsGUID(_ text: Substring.UTF8View) -> Bool {
        let groups = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(\.count)
        return groups.indices.dropLast(4).contains { i in
            groups[i] >= 8 && groups[(i + 1)...(i + 3)] == [4, 4, 4] && groups[i + 4] >= 12
        }
    }

    /// Fingerprints become upper case, as they are compared; anything else stays.
    static func normalised(_ id: String) -> String { isFingerprint(id) ? id.uppercased() : id }
}
