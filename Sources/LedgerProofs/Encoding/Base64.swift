/// Standard base64 with padding (RFC 4648 section 4), strict in both directions: no line breaks, no other
/// characters, no missing padding, no stray bits in the last character.
public enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    /// The text for `bytes`; four characters for every three bytes.
    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text for `bytes` to `out`.
    public static func append(_ bytes: [UInt8], to out: inout [UInt8]) {
        out.reserveCapacity(out.count + (bytes.count + 2) / 3 * 4)
        alphabet.withUnsafeBufferPointer { digits in
            var i = 0
            while i + 2 < bytes.count {
                let word = UInt32(bytes[i]) << 16 | UInt32(bytes[i + 1]) << 8 | UInt32(bytes[i + 2])
                out.append(digits[Int(word >> 18)])
                out.append(digits[Int(word >> 12 & 63)])
                out.append(digits[Int(word >> 6 & 63)])
                out.append(digits[Int(word & 63)])
                i += 3
            }
            switch bytes.count - i {
            case 1:
                out.append(digits[Int(bytes[i] >> 2)])
                out.append(digits[Int(bytes[i] & 3) << 4])
                out.append(UInt8(ascii: "="))
                out.append(UInt8(ascii: "="))
            case 2:
                out.append(digits[Int(bytes[i] >> 2)])
                out.append(digits[Int(bytes[i] & 3) << 4 | Int(bytes[i + 1] >> 4)])
                out.append(digits[Int(bytes[i + 1] & 15) << 2])
                out.append(UInt8(ascii: "="))
            default:
                break
            }
        }
    }

    /// The bytes of `text`, or `nil` unless it is exactly what `encode` writes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(ascii: Array(text.utf8))
    }

    static func decode(ascii text: [UInt8]) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.reversed().prefix(2).prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var word: UInt32 = 0
        var digitCount = 0
        for character in text.dropLast(padding) {
            let value = values[Int(character)]
            guard value != 0xFF else { return nil }
            word = word << 6 | UInt32(value)
            digitCount += 1
            if digitCount.isMultiple(of: 4) {
                bytes.append(UInt8(truncatingIfNeeded: word >> 16))
                bytes.append(UInt8(truncatingIfNeeded: word >> 8))
                bytes.append(UInt8(truncatingIfNeeded: word))
                word = 0
            }
        }
        switch padding {
        case 1:
            guard word & 3 == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: word >> 10))
            bytes.append(UInt8(truncatingIfNeeded: word >> 2))
        case 2:
            guard word & 15 == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: word >> 4))
        default:
            break
        }
        return bytes
    }
}
