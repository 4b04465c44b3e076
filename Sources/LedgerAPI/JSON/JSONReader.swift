/// A strict JSON reader over bytes that outlive it: RFC 8259, UTF-8 checked, no duplicate member names, no
/// lone surrogates, no trailing text, bounded depth. It allocates only the strings it returns.
public struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    /// The next byte to read, `0...bytes.count`.
    public private(set) var offset = 0
    private var depth = 0

    /// Arrays and objects inside each other; deeper texts are refused.
    public static let depthLimit = 32

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    // MARK: Tokens

    /// The next byte that is not white space, without consuming it.
    public mutating func peek() throws(JSONError) -> UInt8 {
        skipSpace()
        guard offset < bytes.count else { throw JSONError("the JSON text ends too early", offset: offset) }
        return bytes[offset]
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    /// Consumes white space and one expected byte.
    public mutating func expect(_ byte: UInt8) throws(JSONError) {
        let next = try peek()
        guard next == byte else {
            throw JSONError("expected '\(Character(Unicode.Scalar(byte)))' in the JSON text", offset: offset)
        }
        offset += 1
    }

    /// Throws unless only white space is left.
    public mutating func expectEnd() throws(JSONError) {
        skipSpace()
        guard offset == bytes.count else { throw JSONError("text after the end of the JSON value", offset: offset) }
    }

    /// Begins an array or object. Each must be ended by `leave`.
    public mutating func enter(_ opening: UInt8) throws(JSONError) {
        try expect(opening)
        depth += 1
        guard depth <= Self.depthLimit else {
            throw JSONError("the JSON text is nested deeper than \(Self.depthLimit) levels", offset: offset)
        }
    }

    /// After `enter` or after an element: `true` when another element follows.
    public mutating func hasNext(closing: UInt8, first: Bool) throws(JSONError) -> Bool {
        let next = try peek()
        if next == closing {
            offset += 1
            depth -= 1
            return false
        }
        if first { return true }
        try expect(UInt8(ascii: ","))
        if try peek() == closing { throw JSONError("a comma before the end of the JSON list", offset: offset) }
        return true
    }

    /// Reads a string. Its bytes must be UTF-8 without control characters.
    public mutating func string() throws(JSONError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = offset
        var i = offset
        // Eight bytes at a time while none is a quote, a backslash or a control character.
        while i + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            if Self.hasSpecial(word) { break }
            i += 8
        }
        while i < bytes.count {
            let c = bytes[i]
            if c == UInt8(ascii: "\"") {
                offset = i + 1
                return try text(start..<i)
            }
            if c == UInt8(ascii: "\\") {
                return try escapedString(start: start, from: i)
            }
            if c < 0x20 { throw JSONError("a control character inside a JSON string", offset: i) }
            i += 1
        }
        throw JSONError("a JSON string has no end", offset: start)
    }

    @inline(__always)
    private static func hasSpecial(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        func zero(_ x: UInt64) -> UInt64 { (x &- ones) & ~x & highs }
        let quote = zero(word ^ (ones &* 0x22))
        let backslash = zero(word ^ (ones &* 0x5C))
        let control = (word &- (ones &* 0x20)) & ~word & highs
        return quote | backslash | control != 0
    }

    private func text(_ range: Range<Int>) throws(JSONError) -> String {
        guard let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self) else {
            throw JSONError("a JSON string is not UTF-8", offset: range.lowerBound)
        }
        return text
    }

    private mutating func escapedString(start: Int, from: Int) throws(JSONError) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count - start)
        out.append(contentsOf: bytes[start..<from])
        var i = from
        while i < bytes.count {
            let c = bytes[i]
            switch c {
            case UInt8(ascii: "\""):
                offset = i + 1
                guard let text = String(validating: out, as: UTF8.self) else {
                    throw JSONError("a JSON string is not UTF-8", offset: start)
                }
                return text
            case UInt8(ascii: "\\"):
                guard i + 1 < bytes.count else { throw JSONError("a JSON string has no end", offset: start) }
                let kind = bytes[i + 1]
                i += 2
                switch kind {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(kind)
                case UInt8(ascii: "b"): out.append(0x08)
                case UInt8(ascii: "f"): out.append(0x0C)
                case UInt8(ascii: "n"): out.append(0x0A)
                case UInt8(ascii: "r"): out.append(0x0D)
                case UInt8(ascii: "t"): out.append(0x09)
                case UInt8(ascii: "u"):
                    var scalar = UInt32(try hexUnit(at: i))
                    i += 4
                    if scalar >= 0xD800, scalar < 0xDC00 {
                        guard i + 6 <= bytes.count, bytes[i] == UInt8(ascii: "\\"), bytes[i + 1] == UInt8(ascii: "u")
                        else { throw JSONError("a lone surrogate in a JSON string", offset: i) }
                        let low = UInt32(try hexUnit(at: i + 2))
                        guard low >= 0xDC00, low < 0xE000 else {
                            throw JSONError("a lone surrogate in a JSON string", offset: i)
                        }
                        scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00)
                        i += 6
                    }
                    guard let value = Unicode.Scalar(scalar) else {
                        throw JSONError("a lone surrogate in a JSON string", offset: i)
                    }
                    out.append(contentsOf: UTF8.encode(value) ?? UTF8.encodedReplacementCharacter)
                default: throw JSONError("an unknown escape in a JSON string", offset: i - 1)
                }
            case 0..<0x20: throw JSONError("a control character inside a JSON string", offset: i)
            default:
                out.append(c)
                i += 1
            }
        }
        throw JSONError("a JSON string has no end", offset: start)
    }

    private func hexUnit(at start: Int) throws(JSONError) -> UInt16 {
        guard start + 4 <= bytes.count else { throw JSONError("a JSON string has no end", offset: start) }
        var unit: UInt16 = 0
        for i in start..<start + 4 {
            let c = bytes[i]
            let digit: UInt8
            switch c {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = c - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = c - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = c - UInt8(ascii: "A") + 10
            default: throw JSONError("a \\u escape needs four hexadecimal digits", offset: i)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Reads a number and returns its text, checked against the grammar.
    public mutating func number() throws(JSONError) -> String {
        _ = try peek()
        let start = offset
        var i = offset
        func digits(_ i: inout Int) -> Int {
            let from = i
            while i < bytes.count, bytes[i] >= 0x30, bytes[i] <= 0x39 { i += 1 }
            return i - from
        }
        if i < bytes.count, bytes[i] == UInt8(ascii: "-") { i += 1 }
        let whole = i
        let count = digits(&i)
        guard count > 0 else { throw JSONError("unknown JSON value", offset: start) }
        if bytes[whole] == UInt8(ascii: "0"), count > 1 { throw JSONError("a number begins with 0", offset: start) }
        if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
            i += 1
            guard digits(&i) > 0 else { throw JSONError("a number without digits after the point", offset: start) }
        }
        if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
            i += 1
            if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") { i += 1 }
            guard digits(&i) > 0 else { throw JSONError("a number without digits in its exponent", offset: start) }
        }
        offset = i
        return try text(start..<i)
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let count = word.utf8CodeUnitCount
        guard offset + count <= bytes.count,
            UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]).elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { throw JSONError("unknown JSON value", offset: offset) }
        offset += count
    }

    /// Reads any value.
    public mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"):
            try enter(UInt8(ascii: "{"))
            var members: [(name: String, value: JSONValue)] = []
            var names: Set<String> = []
            var first = true
            while try hasNext(closing: UInt8(ascii: "}"), first: first) {
                first = false
                let name = try string()
                guard names.insert(name).inserted else {
                    throw JSONError("a JSON object has the member \"\(name.prefix(64))\" twice", offset: offset)
                }
                try expect(UInt8(ascii: ":"))
                members.append((name, try value()))
            }
            return .object(members)
        case UInt8(ascii: "["):
            try enter(UInt8(ascii: "["))
            var elements: [JSONValue] = []
            while try hasNext(closing: UInt8(ascii: "]"), first: elements.isEmpty) {
                elements.append(try value())
            }
            return .array(elements)
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: return .number(try number())
        }
    }
}
