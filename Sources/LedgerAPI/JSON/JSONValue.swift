import LedgerProofs

/// Any JSON value, members in their order. For calls that are not hot; the hot ones use `JSONTokens` and `JSONWriter`
/// directly.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// The number's text.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(name: String, value: JSONValue)])

    /// Arrays and objects inside each other; deeper texts are refused.
    public static let depthLimit = 32

    /// What is read when the size of the text is bounded already.
    static let limits = DecodingLimits(
        maximumByteCount: .max, maximumDepth: depthLimit, maximumItemCount: .max)

    /// Reads one value and nothing after it: RFC 8259, UTF-8, no name twice in an object, no lone surrogates.
    public init(json: [UInt8]) throws(JSONError) {
        do throws(JSONTextError) {
            self = try .reading(json, limits: Self.limits)
        } catch {
            throw JSONError(error)
        }
    }

    /// The member of that name; `nil` when there is none or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The member `name`, which some clients spell `other`.
    /// - Throws: when both are there and differ.
    public func member(_ name: String, or other: String) throws(JSONError) -> JSONValue? {
        guard let first = self[name] else { return self[other] }
        if let second = self[other], second.encoded() != first.encoded() {
            throw JSONError("\"\(name)\" and \"\(other)\" are one member and say different things")
        }
        return first
    }

    public static func number(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
    public static func strings(_ values: some Sequence<String>) -> JSONValue { .array(values.map { .string($0) }) }

    /// Compact JSON text.
    public func encoded() -> [UInt8] {
        var out = JSONWriter(capacity: 256)
        out.value(self)
        return out.bytes
    }

    /// JSON text with line breaks and two spaces for each level, ending in a line feed.
    public func prettyEncoded() -> [UInt8] {
        var out = JSONWriter(capacity: 4096)
        out.prettyValue(self, indent: 0)
        out.raw("\n")
        return out.bytes
    }
}

extension JSONValue: Equatable {
    public static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.name == $1.name && $0.value == $1.value }
        default: false
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { ($0.0, $0.1) }) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(String(value)) }
    public init(nilLiteral: ()) { self = .null }
}

extension JSONValue: JSONTree {
    package static func number(_ digits: String, at offset: Int) -> JSONValue { .number(digits) }
}
