/// Bytes that break a rule of the ledger format, or values that cannot be written in it.
///
/// Two errors are equal when their codes are. The text never holds keys or values of the ledger.
public struct LedgerFormatError: Error, Sendable {
    /// The rule that was broken.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        private init(_ description: String) { self.description = description }

        /// Fewer bytes than a fixed field or a length needs.
        public static let truncated = Code("truncated")
        /// Bytes remain after the last field.
        public static let trailingBytes = Code("trailingBytes")
        /// The version of the entry is not 1.
        public static let version = Code("version")
        /// A flag bit without a meaning is set.
        public static let flags = Code("flags")
        /// The size of the entry is below 36 bytes or above the limit.
        public static let size = Code("size")
        /// The entry type is unknown, deprecated or not allowed here.
        public static let entryType = Code("entryType")
        /// The IV of the entry and its public domain name different transactions.
        public static let initialisationVector = Code("initialisationVector")
        /// A field that must be zero is not.
        public static let notZero = Code("notZero")
        /// A count or a length does not fit into the bytes that remain, or is above the limit.
        public static let count = Code("count")
        /// A map name is empty, not UTF-8, in the wrong domain or repeated.
        public static let mapName = Code("mapName")
        /// A key occurs twice in one map of one transaction.
        public static let duplicateKey = Code("duplicateKey")
        /// Digests are missing: the entry type has no Merkle leaf.
        public static let leaf = Code("leaf")
        /// The GCM tag does not fit the ledger secret.
        public static let authentication = Code("authentication")
        /// A table value is not JSON or has a wrong field.
        public static let table = Code("table")
        /// The header word or the positions table of a chunk is wrong.
        public static let positions = Code("positions")
        /// The value cannot be written: too large, or out of range.
        public static let range = Code("range")
        /// The receipt behind a snapshot is missing or wrong.
        public static let receipt = Code("receipt")
    }

    public var code: Code
    /// Where the rule was broken, counted from the start of the bytes that were handed in.
    public var offset: UInt64?
    /// One sentence about the rule.
    public var rule: String

    @inline(never)
    init(_ code: Code, at offset: Int? = nil, _ rule: String) {
        self.code = code
        self.offset = offset.map { UInt64(max(0, $0)) }
        self.rule = rule
    }
}

extension LedgerFormatError: Equatable {
    public static func == (a: LedgerFormatError, b: LedgerFormatError) -> Bool { a.code == b.code }
}

extension LedgerFormatError: CustomStringConvertible {
    public var description: String {
        if let offset { "\(code) at byte \(offset): \(rule)" } else { "\(code): \(rule)" }
    }
}
