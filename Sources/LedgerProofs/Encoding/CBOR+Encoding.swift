extension CBOR {
    /// The bytes of the value.
    public func encoded() -> [UInt8] {
        var out: [UInt8] = []
        append(to: &out)
        return out
    }

    /// Appends the bytes of the value to `out`.
    public func append(to out: inout [UInt8]) {
        switch self {
        case .unsigned(let value):
            Self.appendHead(0, value, to: &out)
        case .negative(let value):
            Self.appendHead(1, value, to: &out)
        case .bytes(let bytes):
            Self.appendHead(2, UInt64(bytes.count), to: &out)
            out.append(contentsOf: bytes)
        case .text(let text):
            Self.appendHead(3, UInt64(text.utf8.count), to: &out)
            out.append(contentsOf: text.utf8)
        case .array(let items):
            Self.appendHead(4, UInt64(items.count), to: &out)
            for item in items { item.append(to: &out) }
        case .map(let pairs):
            Self.appendHead(5, UInt64(pairs.count), to: &out)
            for pair in pairs {
                pair.key.append(to: &out)
                pair.value.append(to: &out)
            }
        case .tagged(let tag, let value):
            Self.appendHead(6, tag, to: &out)
            value.append(to: &out)
        case .bool(let value):
            out.append(value ? 0xF5 : 0xF4)
        case .null:
            out.append(0xF6)
        }
    }

    private static func appendHead(_ major: UInt8, _ value: UInt64, to out: inout [UInt8]) {
        let top = major << 5
        switch value {
        case 0..<24:
            out.append(top | UInt8(value))
        case 24...0xFF:
            out.append(top | 24)
            out.append(UInt8(value))
        case 0x100...0xFFFF:
            out.append(top | 25)
            withUnsafeBytes(of: UInt16(value).bigEndian) { out.append(contentsOf: $0) }
        case 0x1_0000...0xFFFF_FFFF:
            out.append(top | 26)
            withUnsafeBytes(of: UInt32(value).bigEndian) { out.append(contentsOf: $0) }
        default:
            out.append(top | 27)
            withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) }
        }
    }
}
