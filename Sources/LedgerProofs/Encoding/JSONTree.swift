/// A type of JSON values that can be read whole. The modules keep different ones: receipts keep digits and order, table
/// rows keep numbers and sort their keys.
package protocol JSONTree {
    static var null: Self { get }
    static func bool(_ value: Bool) -> Self
    static func string(_ value: String) -> Self
    static func array(_ elements: [Self]) -> Self
    /// `digits` fit the grammar of JSON and begin at byte `offset`. Throws when the type cannot hold the number.
    static func number(_ digits: String, at offset: Int) throws(JSONTextError) -> Self
    /// No name occurs twice.
    static func object(_ members: [(name: String, value: Self)]) -> Self
}

extension JSONTree {
    /// Reads exactly one value and nothing after it.
    package static func reading(_ bytes: [UInt8], limits: DecodingLimits) throws(JSONTextError) -> Self {
        var result: Result<Self, JSONTextError> = .success(.null)
        bytes.withUnsafeBytes { raw in
            do throws(JSONTextError) {
                var tokens = try JSONTokens(raw, limits: limits)
                let value = try Self(from: &tokens)
                try tokens.expectEnd()
                result = .success(value)
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    /// Reads the next value.
    package init(from tokens: inout JSONTokens) throws(JSONTextError) {
        switch try tokens.beginValue() {
        case UInt8(ascii: "\""): self = .string(try tokens.string())
        case UInt8(ascii: "{"):
            try tokens.enter(UInt8(ascii: "{"))
            var members: [(name: String, value: Self)] = []
            var names = JSONMemberNames()
            while try tokens.hasNext(closing: UInt8(ascii: "}"), first: members.isEmpty) {
                let name = try tokens.name(new: &names)
                members.append((name, try Self(from: &tokens)))
            }
            self = .object(members)
        case UInt8(ascii: "["):
            try tokens.enter(UInt8(ascii: "["))
            var elements: [Self] = []
            while try tokens.hasNext(closing: UInt8(ascii: "]"), first: elements.isEmpty) {
                elements.append(try Self(from: &tokens))
            }
            self = .array(elements)
        case UInt8(ascii: "t"):
            try tokens.literal("true")
            self = .bool(true)
        case UInt8(ascii: "f"):
            try tokens.literal("false")
            self = .bool(false)
        case UInt8(ascii: "n"):
            try tokens.literal("null")
            self = .null
        default:
            let start = tokens.offset
            self = try .number(try tokens.number(), at: start)
        }
    }
}
