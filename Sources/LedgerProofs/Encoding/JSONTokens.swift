/// The tokens of a JSON text, over bytes that outlive it; the one reader of JSON that there is. Strict: RFC 8259, UTF-8
/// checked, no byte order mark, no lone surrogates, no trailing text, bounded size, depth and number of values. It
/// allocates only the strings it returns. Whole values are read by `JSONTree`.
package struct JSONTokens {
    private let bytes: UnsafeRawBufferPointer
    /// The next byte to read, `0...bytes.count`.
    package private(set) var offset = 0
    private var depth = 0
    private var itemCount = 0
    private let limits: DecodingLimits

    package init(_ bytes: UnsafeRawBufferPointer, limits: DecodingLimits) throws(JSONTextError) {
        guard bytes.count <= limits.maximumByteCount else {
            throw JSONTextError("the JSON text is larger than \(limits.maximumByteCount) bytes", at: 0, .limit)
        }
        self.bytes = bytes
        self.limits = limits
    }

    // MARK: Tokens

    /// The next byte that is not white space, without consuming it.
    package mutating func peek() throws(JSONTextError) -> UInt8 {
        skipSpace()
        guard offset < bytes.count else { throw JSONTextError("the JSON text ends too early", at: offset) }
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

    /// The first byte of the next value, which counts towards the limit.
    package mutating func beginValue() throws(JSONTextError) -> UInt8 {
        itemCount += 1
        guard itemCount <= limits.maximumItemCount else {
            throw JSONTextError("the JSON text has more than \(limits.maximumItemCount) values", at: offset, .limit)
        }
        return try peek()
    }

    /// Consumes white space and one expected byte.
    package mutating func expect(_ byte: UInt8) throws(JSONTextError) {
        let next = try peek()
        guard next == byte else {
            throw JSONTextError("expected '\(Character(Unicode.Scalar(byte)))' in the JSON text", at: offset)
        }
        offset += 1
    }

    /// Throws unless only white space is left.
    package mutating func expectEnd() throws(JSONTextError) {
        skipSpace()
        guard offset == bytes.count else {
            throw JSONTextError("text after the end of the JSON value", at: offset, .trailing)
        }
    }

    /// Begins an array or object. It ends when `hasNext` says so.
    package mutating func enter(_ opening: UInt8) throws(JSONTextError) {
        try expect(opening)
        depth += 1
        guard depth <= limits.maximumDepth else {
            throw JSONTextError("the JSON text is nested deeper than \(limits.maximumDepth) levels", at: offset, .limit)
        }
    }

    /// After `enter` or after an element: `true` when another element follows.
    package mutating func hasNext(closing: UInt8, first: Bool) throws(JSONTextError) -> Bool {
        let next = try peek()
        if next == closing {
            offset += 1
            depth -= 1
            return false
        }
        if first { return true }
        try expect(UInt8(ascii: ","))
        if try peek() == closing { throw JSONTextError("a comma before the end of the JSON list", at: offset) }
        return true
    }

    /// Reads a member's name and the colon behind it; throws when `names` has it already.
    package mutating func name(new names: inout JSONMemberNames) throws(JSONTextError) -> String {
        let name = try string()
        guard names.insert(name) else {
            throw JSONTextError("a JSON object has the same member twice", at: offset, .duplicate)
        }
        try expect(UInt8(ascii: ":"))
        return name
    }

    /// Reads a string. Its bytes must be UTF-8 without control characters.
    package mutating func string() throws(JSONTextError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = offset
        // Stays empty until the first escape: most strings are one run of bytes that stand for themselves.
        var unescaped: [UInt8] = []
        while true {
            let run = offset
            offset = endOfRun(from: run)
            guard offset < bytes.count else { throw JSONTextError("a JSON string has no end", at: start) }
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let end = offset
                offset += 1
                if unescaped.isEmpty { return try text(run..<end) }
                unescaped.append(contentsOf: bytes[run..<end])
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw JSONTextError("a JSON string is not UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: bytes[run..<offset])
                offset += 1
                try escape(into: &unescaped)
            default: throw JSONTextError("a control character inside a JSON string", at: offset)
            }
        }
    }

    /// Where the bytes that stand for themselves end: at a quote, a backslash or a control character, or at the end.
    private func endOfRun(from start: Int) -> Int {
        var i = start
        while i + 8 <= bytes.count {
            if Self.hasSpecial(bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)) { break }
            i += 8
        }
        while i < bytes.count {
            let c = bytes[i]
            if c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") || c < 0x20 { break }
            i += 1
        }
        return i
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

    private func text(_ range: Range<Int>) throws(JSONTextError) -> String {
        guard let text = String(validating: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self) else {
            throw JSONTextError("a JSON string is not UTF-8", at: range.lowerBound)
        }
        return text
    }

    /// What follows a backslash.
    private mutating func escape(into out: inout [UInt8]) throws(JSONTextError) {
        guard offset < bytes.count else { throw JSONTextError("a JSON string has no end", at: offset) }
        let kind = bytes[offset]
        offset += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(kind)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            let start = offset - 2
            var code = try hexUnit()
            if 0xD800..<0xDC00 ~= code {
                guard offset + 2 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"),
                    bytes[offset + 1] == UInt8(ascii: "u")
                else { throw JSONTextError("a lone surrogate in a JSON string", at: start) }
                offset += 2
                let low = try hexUnit()
                guard 0xDC00..<0xE000 ~= low else {
                    throw JSONTextError("a lone surrogate in a JSON string", at: start)
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw JSONTextError("a lone surrogate in a JSON string", at: start)
            }
            out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw JSONTextError("an unknown escape in a JSON string", at: offset - 1)
        }
    }

    /// The four digits of a `\u` escape.
    private mutating func hexUnit() throws(JSONTextError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard offset < bytes.count, let digit = Hex.nibble(bytes[offset]) else {
                throw JSONTextError("a \\u escape needs four hexadecimal digits", at: offset)
            }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }

    /// Reads a number and returns its text, checked against the grammar.
    package mutating func number() throws(JSONTextError) -> String {
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
        guard count > 0 else { throw JSONTextError("unknown JSON value", at: start) }
        if bytes[whole] == UInt8(ascii: "0"), count > 1 { throw JSONTextError("a number begins with 0", at: start) }
        if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
            i += 1
            guard digits(&i) > 0 else { throw JSONTextError("a number without digits after the point", at: start) }
        }
        if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
            i += 1
            if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") { i += 1 }
            guard digits(&i) > 0 else { throw JSONTextError("a number without digits in its exponent", at: start) }
        }
        offset = i
        return try text(start..<i)
    }

    /// Reads `true`, `false` or `null`.
    package mutating func literal(_ word: StaticString) throws(JSONTextError) {
        let count = word.utf8CodeUnitCount
        guard offset + count <= bytes.count,
            UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]).elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { throw JSONTextError("unknown JSON value", at: offset) }
        offset += count
    }
}
