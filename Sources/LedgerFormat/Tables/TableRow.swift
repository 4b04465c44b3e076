/// A table value with a JSON form.
public protocol TableRow: Hashable, Sendable {
    /// Reads the value of a row. Any key order is accepted; unknown fields are ignored. Throws `table`.
    init(decoding bytes: [UInt8]) throws(LedgerFormatError)
    /// Compact JSON, keys sorted, fields without a value left out.
    func encoded() -> [UInt8]
}
