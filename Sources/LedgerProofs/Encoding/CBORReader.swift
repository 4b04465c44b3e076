/// Reads CBOR values from the front of some bytes; see `CBOR.init(decoding:limits:)`.
struct CBORReader {
    let bytes: [UInt8]
    var offset = 0
    private var remainingItemCount: Int

    init(bytes: [UInt8], maximumItemCount: Int) {
        self.bytes = bytes
        self.remainingItemCount = maximumItemCount
    }

    mutating func value(depth: Int) throws(ProofError) -> CBOR {
        guard depth > 0 else { throw .outOfRange("the CBOR value is nested too deeply") }
        guard remainingItemCount > 0 else { throw .outOfRange("the CBOR value has too many items") }
        remainingItemCount -= 1
        guard offset < bytes.count else { throw .truncated("the CBOR value ends early") }
        let first = bytes[offset]
        let major = first >> 5
        if major == 7 { return try simple(first) }
        let argument = try argument()
        switch major {
        case 0: return .unsigned(argument)
        case 1: return .negative(argument)
        case 2: return .bytes(Array(try take(argument)))
        case 3:
            guard let text = String(validating: try take(argument), as: UTF8.self) else {
                throw .malformed("CBOR text that is not UTF-8")
            }
            return .text(text)
        case 4:
            var items: [CBOR] = []
            for _ in 0..<(try count(argument)) { items.append(try value(depth: depth - 1)) }
            return .array(items)
        case 5:
            var pairs: [CBOR.Pair] = []
            var keys: Set<CBOR> = []
            for _ in 0..<(try count(argument)) {
                let key = try value(depth: depth - 1)
                guard keys.insert(key).inserted else { throw .duplicate("a CBOR map key occurs twice") }
                pairs.append(CBOR.Pair(key, try value(depth: depth - 1)))
            }
            return .map(pairs)
        default:
            return .tagged(argument, try value(depth: depth - 1))
        }
    }

    private mutating func simple(_ first: UInt8) throws(ProofError) -> CBOR {
        offset += 1
        switch first {
        case 0xF4: return .bool(false)
        case 0xF5: return .bool(true)
        case 0xF6: return .null
        default: throw .malformed("a CBOR value of a kind that is not used")
        }
    }

    /// The head's number. Throws unless it has its shortest form.
    private mutating func argument() throws(ProofError) -> UInt64 {
        let low = bytes[offset] & 0x1F
        offset += 1
        guard low >= 24 else { return UInt64(low) }
        guard low <= 27 else { throw .malformed("a CBOR length that is indefinite or reserved") }
        let width: UInt64 = 1 << UInt64(low - 24)
        var value: UInt64 = 0
        for byte in try take(width) { value = value << 8 | UInt64(byte) }
        let smallest: UInt64 = width == 1 ? 24 : 1 << (width * 4)
        guard value >= smallest else { throw .malformed("a CBOR number that is not in its shortest form") }
        return value
    }

    private mutating func take(_ count: UInt64) throws(ProofError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - offset) else { throw .truncated("the CBOR value ends early") }
        defer { offset += Int(count) }
        return bytes[offset..<offset + Int(count)]
    }

    /// The number of items of a container; each takes at least one byte.
    private func count(_ argument: UInt64) throws(ProofError) -> Int {
        guard argument <= UInt64(bytes.count - offset) else { throw .truncated("the CBOR value ends early") }
        return Int(argument)
    }
}
