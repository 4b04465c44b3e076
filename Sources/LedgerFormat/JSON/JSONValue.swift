import LedgerProofs

/// A JSON value as it stands in table rows. Written compactly, with object keys sorted by their bytes and
/// text as UTF-8, which is the form CCF writes (ledger format 2.4).
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent.
    case integer(Int64)
    /// A whole number above `Int64.max`.
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue {
    /// Reads one value and nothing after it. Throws `table` with the byte offset. Refused are: repeated keys,
    /// more than 64 levels, control characters in strings, lone surrogates, text that is not UTF-8.
    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        do throws(JSONTextError) {
            self = try .reading(
                bytes, limits: DecodingLimits(maximumByteCount: .max, maximumDepth: 64, maximumItemCount: .max))
        } catch {
            throw LedgerFormatError(.table, at: error.offset, error.reason)
        }
    }

    /// The compact text.
    public func encoded() -> [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): out.append(contentsOf: String(value).utf8)
        case .unsigned(let value): out.append(contentsOf: String(value).utf8)
        case .double(let value): out.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
        case .string(let value): JSONEscaping.append(value, to: &out)
        case .array(let values):
            out.append(UInt8(ascii: "["))
            for (i, value) in values.enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                value.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (i, member) in sorted.enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                JSONEscaping.append(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue: JSONTree {
    package static func number(_ digits: String, at offset: Int) throws(JSONTextError) -> JSONValue {
        if let value = Int64(digits) { return .integer(value) }
        if let value = UInt64(digits) { return .unsigned(value) }
        guard let value = Double(digits), value.isFinite else {
            throw JSONTextError("a number out of range", at: offset, .limit)
        }
        return .double(value)
    }

    package static func object(_ members: [(name: String, value: JSONValue)]) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: members.lazy.map { ($0.name, $0.value) }))
    }
}
