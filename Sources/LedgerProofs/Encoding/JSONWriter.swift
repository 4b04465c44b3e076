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
        JSONEscaping.append(text, to: &bytes)
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

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
