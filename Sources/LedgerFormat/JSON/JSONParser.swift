/// A strict JSON reader (RFC 8259) over one array.
struct JSONParser {
    private let bytes: [UInt8]
    private var at = 0
    private static let maximumDepth = 64

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(LedgerFormatError) -> JSONValue {
        let result = try value(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw error("something follows the JSON value") }
        return result
    }

    private func error(_ rule: String) -> LedgerFormatError { LedgerFormatError(.table, at: at, rule) }

    private mutating func skipSpace() {
        while at < bytes.count, bytes[at] <= 0x20 {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private mutating func take(_ c: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: c) else { return false }
        at += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - at >= count else { return false }
        let matches = word.withUTF8Buffer { bytes[at..<at + count].elementsEqual($0) }
        if matches { at += count }
        return matches
    }

    private mutating func value(depth: Int) throws(LedgerFormatError) -> JSONValue {
        guard depth < JSONParser.maximumDepth else { throw error("more than 64 levels") }
        skipSpace()
        guard at < bytes.count else { throw error("a JSON value is missing") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where take(word: "true"): return .bool(true)
        case UInt8(ascii: "f") where take(word: "false"): return .bool(false)
        case UInt8(ascii: "n") where take(word: "null"): return .null
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(LedgerFormatError) -> JSONValue {
        at += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw error("a key must be a string") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw error("a colon is missing") }
            let member = try value(depth: depth + 1)
            guard members.updateValue(member, forKey: key) == nil else { throw error("a key occurs twice") }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("a comma is missing") }
        }
    }

    private mutating func array(depth: Int) throws(LedgerFormatError) -> JSONValue {
        at += 1
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(values) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { throw error("a comma is missing") }
        }
    }

    private mutating func string() throws(LedgerFormatError) -> String {
        at += 1
        var out: [UInt8] = []
        while true {
            let run = at
            at = endOfRun(from: run)
            guard at < bytes.count else { throw error("a string does not end") }
            if out.isEmpty, bytes[at] == UInt8(ascii: "\"") {
                // Nothing to unescape.
                let text = String(validating: bytes[run..<at], as: UTF8.self)
                at += 1
                guard let text else { throw error("a string must be UTF-8") }
                return text
            }
            if out.isEmpty { out.reserveCapacity(min(1024, bytes.count - run)) }
            out.append(contentsOf: bytes[run..<at])
            if take("\"") { break }
            guard take("\\"), at < bytes.count else { throw error("a control character in a string") }
            let c = bytes[at]
            at += 1
            switch c {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(c)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"):
                var code = try hex4()
                if 0xD800..<0xDC00 ~= code {
                    guard take("\\"), take("u") else { throw error("a lone surrogate") }
                    let low = try hex4()
                    guard 0xDC00..<0xE000 ~= low else { throw error("a lone surrogate") }
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(code) else { throw error("a lone surrogate") }
                out.append(contentsOf: String(Character(scalar)).utf8)
            default: throw error("an unknown escape")
            }
        }
        guard let text = String(validating: out, as: UTF8.self) else { throw error("a string must be UTF-8") }
        return text
    }

    /// Where the characters that stand for themselves end.
    private func endOfRun(from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var i = start
            while i < bytes.count, bytes[i] >= 0x20, bytes[i] != UInt8(ascii: "\""), bytes[i] != UInt8(ascii: "\\") {
                i += 1
            }
            return i
        }
    }

    private mutating func hex4() throws(LedgerFormatError) -> UInt32 {
        guard bytes.count - at >= 4 else { throw error("an escape needs four digits") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue, bytes[at] < 0x80 else {
                throw error("an escape needs four digits")
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }

    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[at] { at += 1 }
        return at - start
    }

    private mutating func number() throws(LedgerFormatError) -> JSONValue {
        let start = at
        _ = take("-")
        let lead = at
        guard digits() > 0 else { throw error("not a JSON value") }
        guard bytes[lead] != UInt8(ascii: "0") || at == lead + 1 else { throw error("a number with a leading zero") }
        var whole = true
        if take(".") {
            whole = false
            guard digits() > 0 else { throw error("a number ends with its point") }
        }
        if take("e") || take("E") {
            whole = false
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw error("a number ends with its exponent") }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if whole {
            if let value = Int64(text) { return .integer(value) }
            if let value = UInt64(text) { return .unsigned(value) }
        }
        guard let value = Double(text), value.isFinite else { throw error("a number out of range") }
        return .double(value)
    }
}
