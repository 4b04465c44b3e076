import LedgerProofs

/// A snapshot as it stands in a file: the entry and the receipt of its evidence transaction.
public struct SnapshotFile: Hashable, Sendable {
    public enum Receipt: Hashable, Sendable {
        /// JSON text, as CCF 6 writes it.
        case json([UInt8])
        /// COSE, which only CCF 7 reads. Its first byte is 0xD2.
        case cose([UInt8])

        public var bytes: [UInt8] {
            switch self {
            case .json(let bytes), .cose(let bytes): bytes
            }
        }
    }

    public var entry: [UInt8]
    /// `nil` until the evidence transaction is committed.
    public var receipt: Receipt?

    public init(entry: [UInt8], receipt: Receipt?) {
        self.entry = entry
        self.receipt = receipt
    }

    /// Splits a file. Throws for a bad entry header or a receipt that starts as neither form does.
    public init(decoding bytes: [UInt8], limits: FormatLimits = .standard) throws(LedgerFormatError) {
        let header = try EntryHeader(decoding: bytes, limits: limits)
        let count = EntryHeader.byteCount + Int(header.size)
        guard count <= bytes.count else {
            throw LedgerFormatError(.truncated, at: bytes.count, "the snapshot has \(count) bytes")
        }
        entry = Array(bytes[..<count])
        let rest = Array(bytes[count...])
        switch rest.first {
        case nil: receipt = nil
        case 0xD2: receipt = .cose(rest)
        case UInt8(ascii: "{"): receipt = .json(rest)
        default: throw LedgerFormatError(.receipt, at: count, "a receipt starts with 0xD2 or an opening brace")
        }
    }

    public func encoded() -> [UInt8] { entry + (receipt?.bytes ?? []) }

    /// SHA-256 of the entry: the evidence hash and the claims digest of the evidence transaction.
    public var digest: Digest32 { SHA256Hashing.digest(entry) }
}
