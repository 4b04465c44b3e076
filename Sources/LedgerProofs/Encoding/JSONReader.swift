/// A strict JSON reader (RFC 8259): UTF-8 only, no byte order mark, no name twice in an object, no unpaired
/// surrogates, limits on size, depth and number of values.
package struct JSONReader {
    private let bytes: [UInt8]
    private var offset = 0
    private var remainingItemCount: Int

    /// Reads exactly one value.
    /// - Throws: `ProofError`: `.outOfRange` for more than `limits` allow, `.malformed`, `.duplicateMember`,
    ///   `.trailingBytes`.
    package static func read(_ bytes: [UInt8], limits: DecodingLimits) throws(ProofError) -> JSONValue {
        guard bytes.count <= limits.maximumByteCount else { throw .outOfRange("the JSON text is too large") }
        var reader = JSONReader(bytes: bytes, remainingItemCount: limits.maximumItemCount)
        let value = try reader.value(depth: limits.maximumDepth)
        reader.skipSpace()
        guard reader.offset == bytes.count else { throw .trailingBytes("text after the JSON value") }
        return value
    }

    private init(bytes: [UInt8], remainingItemCount: Int) {
        self.bytes = bytes
        self.remainingItemCount = remainingItemCount
    }

    private mutating func value(depth: Int) throws(ProofError) -> JSONValue {
        guard remainingItemCount > 0 else { throw .outOfRange("the JSON text has too many values") }
        remainingItemCount -= 1
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number(try number())
        default: throw .malformed("the text is not JSON")
        }
    }

    private mutating func object(depth: Int) throws(ProofError) -> [JSONMember] {
        guard depth > 0 else { throw .outOfRange("the JSON text is nested too deeply") }
        offset += 1
        skipSpace()
        if consume(UInt8(ascii: "}")) { return [] }
        var members: [JSONMember] = []
        var names: Set<String> = []
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw .malformed("a JSON member has no name") }
            let name = try string()
            guard names.insert(name).inserted else { throw .duplicate("a JSON member occurs twice") }
            skipSpace()
            guard consume(UInt8(ascii: ":")) else { throw .malformed("a JSON member has no value") }
            members.append(JSONMember(name: name, value: try value(depth: depth - 1)))
            skipSpace()
        } while consume(UInt8(ascii: ","))
        guard consume(UInt8(ascii: "}")) else { throw .malformed("a JSON object does not end") }
        return members
    }

    private mutating func array(depth: Int) throws(ProofError) -> [JSONValue] {
        guard depth > 0 else { throw .outOfRange("the JSON text is nested too deeply") }
        offset += 1
        skipSpace()
        if consume(UInt8(ascii: "]")) { return [] }
        var items: [JSONValue] = []
        repeat {
            items.append(try value(depth: depth - 1))
            skipSpace()
        } while consume(UInt8(ascii: ","))
        guard consume(UInt8(ascii: "]")) else { throw .malformed("a JSON array does not end") }
        return items
    }

    private mutating func string() throws(ProofError) -> String {
        offset += 1
        var text: [UInt8] = []
        while true {
            guard let c = next() else { throw .malformed("a JSON string does not end") }
            switch c {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw .malformed("a JSON string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                try escape(into: &text)
            case 0..<0x20:
                throw .malformed("a JSON string holds a control character")
            default:
                text.append(c)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(ProofError) {
        switch next() {
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if (0xD800..<0xDC00).contains(code) {
                guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else {
                    throw .malformed("an unpaired surrogate in a JSON string")
                }
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw .malformed("an unpaired surrogate in a JSON string")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw .malformed("an unpaired surrogate in a JSON string")
            }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default:
            throw .malformed("an unknown escape in a JSON string")
        }
    }

    private mutating func codeUnit() throws(ProofError) -> UInt32 {
        guard bytes.count - offset >= 4,
            let pair = Hex.decode(String(decoding: bytes[offset..<offset + 4], as: UTF8.self)), pair.count == 2
        else { throw .malformed("an unknown escape in a JSON string") }
        offset += 4
        return UInt32(pair[0]) << 8 | UInt32(pair[1])
    }

    private mutating func number() throws(ProofError) -> String {
        let start = offset
        _ = consume(UInt8(ascii: "-"))
        if !consume(UInt8(ascii: "0")) { try digits() }
        if consume(UInt8(ascii: ".")) { try digits() }
        if consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) {
            if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func digits() throws(ProofError) {
        let start = offset
        while let c = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(c) { offset += 1 }
        guard offset > start else { throw .malformed("a JSON number without digits") }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(ProofError) -> JSONValue {
        let end = offset + word.utf8CodeUnitCount
        guard end <= bytes.count, bytes[offset..<end].elementsEqual(word.description.utf8) else {
            throw .malformed("the text is not JSON")
        }
        offset = end
        return value
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func next() -> UInt8? {
        guard offset < bytes.count else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func consume(_ c: UInt8) -> Bool {
        guard peek == c else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let c = peek, c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { offset += 1 }
    }
}
