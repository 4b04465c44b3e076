import SQLLedger

/// A ledger table that the suite asks an engine for.
public struct ConformanceTable: Sendable, Hashable {
    public var name: String
    public var columns: [Column]
    /// The columns of the primary key, in order. At least one.
    public var key: [String]
    public var kind: TableKind

    /// A column. All but those of the key take NULL; none has a default.
    public struct Column: Sendable, Hashable {
        public var name: String
        public var kind: Kind

        public init(_ name: String, _ kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// What a column holds: 64-bit integers, 64-bit floats, text of any length, bytes of any length.
    public enum Kind: Sendable, Hashable {
        case integer
        case real
        case text
        case bytes
    }

    public init(_ name: String, _ columns: [Column], key: [String], kind: TableKind = .updatable) {
        self.name = name
        self.columns = columns
        self.key = key
        self.kind = kind
    }
}
