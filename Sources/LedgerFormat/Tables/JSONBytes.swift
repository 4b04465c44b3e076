import LedgerProofs

/// A row whose value is one JSON string with base64: `internal.cose_signatures`, `cose_history`,
/// `encrypted_submitted_shares`.
public struct JSONBytes: TableRow {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public init(decoding encoded: [UInt8]) throws(LedgerFormatError) {
        guard let bytes = Base64.decode(try JSONText(decoding: encoded).text) else {
            throw LedgerFormatError(.table, "the row must be a JSON string with base64")
        }
        self.bytes = bytes
    }

    public func encoded() -> [UInt8] { JSONText(Base64.encode(bytes)).encoded() }
}
