extension JSONValue {
    /// The value in its only canonical form (that of RFC 8785 for values without fractions): members sorted by name, no
    /// spaces, and in strings no escape but `\"`, `\\`, `\b`, `\t`, `\n`, `\f`, `\r` and `\u00xx` for other controls.
    /// Numbers are written as they are.
    package func canonicalBytes() -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        append(to: &writer)
        return writer.bytes
    }

    private func append(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.raw("null")
        case .bool(let value): writer.raw(value ? "true" : "false")
        case .number(let digits): writer.number(digits)
        case .string(let text): writer.string(text)
        case .array(let items):
            writer.raw("[")
            for (index, item) in items.enumerated() {
                if index > 0 { writer.raw(",") }
                item.append(to: &writer)
            }
            writer.raw("]")
        case .object(let members):
            writer.raw("{")
            let sorted = members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.string(member.name)
                writer.raw(":")
                member.value.append(to: &writer)
            }
            writer.raw("}")
        }
    }
}
