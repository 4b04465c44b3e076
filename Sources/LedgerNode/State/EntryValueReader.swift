import Foundation

/// Reads the canonical form that `EntryValue.encode` writes, members in order and nothing else, without a general
/// JSON parser. `nil` for any other form, which is then left to the general one.
struct EntryValueReader {
    private let bytes: [UInt8]
    private var position = 0

    static func read(_ bytes: [UInt8]) -> EntryValue? {
        var reader = EntryValueReader(bytes)
        return reader.value()
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value() -> EntryValue? {
        guard take("{\"author\":"), let author = string(), take(",\"contents\":"), let contents = string() else {
            return nil
        }
        var requestID: String?
        if take(",\"requestId\":") {
            guard let text = string() else { return nil }
            requestID = text
        }
        guard take(",\"secretKey\":"), let key = string(), let secretKey = Data(base64Encoded: key) else { return nil }
        var tags: [String]?
        if take(",\"tags\":[") {
            var list: [String] = []
            repeat {
                guard let tag = string() else { return nil }
                list.append(tag)
            } while take(",")
            guard take("]") else { return nil }
            tags = list
        }
        guard take(",\"time\":"), let time = number(), take("}"), position == bytes.count else { return nil }
        return EntryValue(
            author: author, contents: contents, requestId: requestID, secretKey: secretKey, tags: tags, time: time)
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        let matches = text.withUTF8Buffer { expected in
            for i in 0..<count where bytes[position + i] != expected[i] { return false }
            return true
        }
        if matches { position += count }
        return matches
    }

    private mutating func number() -> Int64? {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        return Int64(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    /// A JSON string with the escapes that `EntryValue.appendJSONString` makes.
    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
            position += 1
        }
        guard position < bytes.count else { return nil }
        if bytes[position] == UInt8(ascii: "\"") {
            defer { position += 1 }
            return String(validating: bytes[start..<position], as: UTF8.self)
        }
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let c = bytes[position]
            position += 1
            if c == UInt8(ascii: "\"") { return String(validating: text, as: UTF8.self) }
            guard c == UInt8(ascii: "\\") else {
                text.append(c)
                continue
            }
            guard position < bytes.count else { return nil }
            let escape = bytes[position]
            position += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(escape)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                guard position + 4 <= bytes.count,
                    let code = UInt8(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
                    code < 0x20
                else { return nil }
                text.append(code)
                position += 4
            default: return nil
            }
        }
        return nil
    }
}
