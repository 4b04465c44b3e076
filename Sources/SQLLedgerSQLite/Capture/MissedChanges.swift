/// Announced changes of a ledger table that no trigger brought to the ledger. Most of them were undone by SQLite; the
/// commit looks whether they were.
struct MissedChanges {
    /// Holds the ids of the rows that they would have made or changed; 0 for tables without row ids.
    private(set) var rows: ClosedRange<Int64>
    /// The outermost savepoint that one happened in which SQLite would have told had it been undone; `nil`: in none.
    private(set) var level: Int?

    init(_ event: RowEvent, hasRowID: Bool) {
        rows = hasRowID ? event.newRow...event.newRow : 0...0
        level = event.isCertain ? event.level : nil
    }

    mutating func add(_ other: MissedChanges) {
        rows = min(rows.lowerBound, other.rows.lowerBound)...max(rows.upperBound, other.rows.upperBound)
        level = level.map { min($0, other.level ?? $0) } ?? other.level
    }

    mutating func release(_ ended: Int) {
        if let level, level >= ended { self.level = ended - 1 }
    }

    mutating func rollBack(to ended: Int) {
        if let level, level >= ended { self.level = nil }
    }
}
