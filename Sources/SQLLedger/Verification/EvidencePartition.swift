/// A part of the row versions of one table.
public struct EvidencePartition: Sendable, Hashable {
    public var table: EvidenceTable

    /// What the part is made of; meaningful to the engine only, apart from the order.
    public var kind: Kind

    /// Bounds of the engine's own row ids, both included. `nil`: all rows.
    public var rows: ClosedRange<Int64>?

    /// About how many rows, for progress.
    public var estimate: UInt64

    public init(table: EvidenceTable, kind: Kind, rows: ClosedRange<Int64>?, estimate: UInt64) {
        self.table = table
        self.kind = kind
        self.rows = rows
        self.estimate = estimate
    }

    public enum Kind: UInt8, Sendable, Hashable {
        case live
        case history
    }
}
