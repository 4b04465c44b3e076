/// Appends JSON to one buffer without intermediate strings.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// Punctuation and names, as they are.
    package mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// A quoted string with the escapes that JSON demands.
    package mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            // What needs no escape is copied in whole runs: a receipt holds a certificate.
            var start = 0
            for i in 0..<utf8.count {
                let c = utf8[i]
                guard c < 0x20 || c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<i]))
                start = i + 1
                switch c {
                case UInt8(ascii: "\""): raw("\\\"")
                case UInt8(ascii: "\\"): raw("\\\\")
                case 0x0A: raw("\\n")
                case 0x0D: raw("\\r")
                case 0x09: raw("\\t")
                case 0x08: raw("\\b")
                case 0x0C: raw("\\f")
                default:
                    raw("\\u00")
                    hexDigits(c)
                }
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The digits of a number, as they are.
    package mutating func number(_ digits: String) {
        bytes.append(contentsOf: digits.utf8)
    }

    /// 64 quoted lower-case digits.
    package mutating func hex(_ digest: Digest32) {
        withUnsafeTemporaryAllocation(byteCount: 2 * Digest32.byteCount + 2, alignment: 1) { text in
            text[0] = UInt8(ascii: "\"")
            digest.withUnsafeBytes { raw in
                for i in 0..<Digest32.byteCount {
                    text[2 * i + 1] = Self.digit(raw[i] >> 4)
                    text[2 * i + 2] = Self.digit(raw[i] & 15)
                }
            }
            text[text.count - 1] = UInt8(ascii: "\"")
            bytes.append(contentsOf: UnsafeRawBufferPointer(text))
        }
    }

    /// Quoted standard base64 with padding.
    package mutating func base64(_ value: [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        Base64.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func hexDigits(_ byte: UInt8) {
        bytes.append(Self.digit(byte >> 4))
        bytes.append(Self.digit(byte & 15))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
