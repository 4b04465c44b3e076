/// A row whose value is one JSON string: `constitution`, `previous_service_identity`, `last_recovery_type`, and the
/// measurement tables.
public struct JSONText: TableRow {
    public var text: String

    public init(_ text: String) { self.text = text }

    public init(decoding bytes: [UInt8]) throws(LedgerFormatError) {
        guard case .string(let text) = try JSONValue(decoding: bytes) else {
            throw LedgerFormatError(.table, "the row must be a JSON string")
        }
        self.text = text
    }

    public func encoded() -> [UInt8] { JSONValue.string(text).encoded() }
}
