import CSQLiteLedger
import LedgerProofs
import SQLLedger

/// One ledger table as the connection knows it: its schema versions, the leaves of the running transaction, and the
/// statements that capture uses. Owned by one `LedgerConnection`.
final class TableState {
    /// A schema version, and the first row version that it holds for.
    struct Version {
        var from: RowStart
        var digest: Digest32
        /// The number of stored columns. Those of an older version are the first ones of a newer one.
        var storedCount: Int
    }

    let id: TableID
    var description: TableDescription
    /// Ascending. Never empty once loaded.
    var versions: [Version] = []
    /// The columns that the history table must have after its first four, in its order: all stored columns that the
    /// table ever had.
    private(set) var historyColumns: [String] = []
    /// The columns that it has. While a statement is writing its table cannot be altered, see `alterHistories`; then the
    /// last ones may be missing, and others have older names.
    var physicalHistory: [String] = []
    /// The names of the key columns in the stamps, for tables without row ids.
    var stampKeys: [String] = []
    /// The place of each stored column in `historyColumns`.
    private(set) var historyPlaces: [Int] = []
    /// See `defaults`; `nil` until it is asked for.
    var knownDefaults: SavedValues?
    /// Why the table cannot be written, or `nil`.
    var drift: String?

    /// The newest of `versions`, taken out for the hot path.
    private(set) var current: Version
    /// The place of each key column among the stored ones, in key order; empty for tables with row ids.
    private(set) var keyIndices: [Int] = []

    /// The leaves of the running transaction. Exclusive access is not checked while the program runs, here and for the
    /// marks: they are changed for every row, and nothing is called meanwhile.
    @exclusivity(unchecked) var leaves = TableLeaves()
    /// What `leaves` held before the first leaf of each savepoint level, ascending by level.
    @exclusivity(unchecked) private var marks: [(level: Int, count: UInt64)] = []
    /// Copies from before a chunk was completed that some mark points into: (number of the chunk, copy).
    private var copies: [(chunk: UInt64, leaves: TableLeaves)] = []

    @exclusivity(unchecked) var statements = TableStatements()
    /// The running transaction changed the triggers, so the running statement may still use the ones before.
    var hasStaleTriggers = false
    /// It gave the row id another name in them.
    var hasStaleRowID = false
    /// How often SQLite compiled the stamp statements again: a change means that some schema changed.
    var reprepares: Int32 = 0
    /// Of changes from within triggers since the last one from outside: the greatest depth, and the row ids concerned (0
    /// where there are none).
    @exclusivity(unchecked) private(set) var nestedDepth: Int32 = 0
    private var nestedRows: ClosedRange<Int64> = 0...0
    /// The values of short records must not be taken for what they are: see `LedgerConnection+Events`.
    var hasVirtualColumns = false

    init(id: TableID, description: TableDescription) {
        self.id = id
        self.description = description
        current = Version(
            from: RowStart(transaction: TransactionNumber(0), sequence: LeafNumber(0)), digest: .zero, storedCount: 0)
        settle()
    }

    var sql: TableSQL { TableSQL(id: id, description: description) }
    var hasRowID: Bool { description.rowIDColumn != nil }
    var storedCount: Int { current.storedCount }

    /// Before the first event.
    func forgetEvents() {
        versions = []
        historyColumns = []
        historyPlaces = []
    }

    /// Notes the state after a schema event.
    func apply(_ type: SchemaEventType, _ event: TableDescription, in transaction: TransactionNumber) {
        applyToHistory(type, event, in: transaction)
        description = event
        let schema = event.schema(of: id)
        let digest = schema.digest
        if versions.last?.digest != digest {
            versions.append(
                Version(
                    from: RowStart(transaction: transaction, sequence: event.after), digest: digest,
                    storedCount: schema.storedColumns.count))
        }
        settle()
    }

    private func applyToHistory(
        _ type: SchemaEventType, _ event: TableDescription, in transaction: TransactionNumber
    ) {
        let stored = event.columns.filter { $0.generation != .virtual }.map(\.name)
        let before = description.columns.filter { $0.generation != .virtual }.map(\.name)
        switch type {
        case .renameColumn:
            for (place, name) in zip(historyPlaces, stored) { historyColumns[place] = name }
        case .dropColumn:
            guard let dropped = event.previous, let index = before.firstIndex(where: { $0.exact == dropped.exact }),
                historyPlaces.indices.contains(index)
            else { return }
            historyColumns[historyPlaces.remove(at: index)] = TableSQL.droppedName(dropped, in: transaction)
        default:
            for name in stored.dropFirst(historyPlaces.count) {
                historyPlaces.append(historyColumns.count)
                historyColumns.append(name)
            }
        }
    }

    /// Whether the history table has a column for each of the first `count` stored ones.
    @inline(__always)
    func hasHistory(of count: Int) -> Bool {
        count == 0 || historyPlaces[count - 1] < physicalHistory.count
    }

    private func settle() {
        if let last = versions.last { current = last }
        knownDefaults = nil
        let stored = description.columns.filter { $0.generation != .virtual }
        hasVirtualColumns = stored.count != description.columns.count
        keyIndices =
            hasRowID
            ? []
            : stored.indices.filter { stored[$0].primaryKeyPosition > 0 }
                .sorted { stored[$0].primaryKeyPosition < stored[$1].primaryKeyPosition }
    }

    /// The schema version that a row version was created under.
    @inline(__always)
    func version(at start: RowStart) -> Version {
        if current.from <= start { return current }
        return versions.last { $0.from <= start } ?? current
    }

    // MARK: Triggers

    /// Notes an announced change, `depth` triggers deep. Returns whether the row may have been changed from within a
    /// BEFORE trigger of this very change: then what the triggers after it are told of the old row is out of date.
    func follows(_ operation: Int32, depth: Int32, oldRow: Int64, newRow: Int64) -> Bool {
        let old = hasRowID ? oldRow : 0
        let new = hasRowID ? newRow : 0
        let follows = operation != SQLITE_INSERT && nestedDepth > depth && nestedRows.contains(old)
        if depth == 0 {
            // What a REPLACE deletes is announced before the row that replaces it.
            if operation != SQLITE_DELETE { nestedDepth = 0 }
        } else if operation != SQLITE_DELETE {
            let both = min(old, new)...max(old, new)
            let rows = operation == SQLITE_INSERT ? new...new : both
            nestedRows =
                nestedDepth == 0
                ? rows : min(rows.lowerBound, nestedRows.lowerBound)...max(rows.upperBound, nestedRows.upperBound)
            nestedDepth = max(depth, nestedDepth)
        }
        return follows
    }

    // MARK: Leaves and savepoints

    /// Appends a leaf, with it as a chunk stores it, at savepoint level `level` (-1 outside of all). Returns the chunk that
    /// it completes.
    @inline(__always)
    func append(_ leaf: Digest32, stored: UnsafeRawBufferPointer, level: Int) -> (chunk: UInt64, bytes: [UInt8])? {
        if level >= 0 { mark(level) }
        let chunk = leaves.chunkIndex
        guard let bytes = leaves.append(leaf, stored: stored) else { return nil }
        return (chunk, bytes)
    }

    /// Whether some savepoint must be remembered.
    var hasMarks: Bool { !marks.isEmpty }

    private func mark(_ level: Int) {
        let count = leaves.leafCount
        if let last = marks.last, last.level >= level {
            guard !marks.isEmpty else { return }
        } else {
            marks.append((level, count))
        }
        let last = UInt64(LeafChunk.leafCount - 1)
        // The next leaf completes a chunk: a copy is needed if a savepoint points into it.
        guard count & last == last else { return }
        let chunk = count / UInt64(LeafChunk.leafCount)
        if marks.contains(where: { $0.count / UInt64(LeafChunk.leafCount) == chunk }) {
            copies.append((chunk, leaves))
        }
    }

    /// Goes back to the state at the beginning of savepoint `level`.
    func rollBack(to level: Int) {
        // The savepoint that began the transaction.
        guard level >= 0 else { return clear() }
        guard let first = marks.firstIndex(where: { $0.level >= level }) else { return }
        let count = marks[first].count
        marks.removeSubrange(first...)
        if !leaves.truncate(to: count) {
            let chunk = count / UInt64(LeafChunk.leafCount)
            if let copy = copies.last(where: { $0.chunk == chunk }) {
                leaves = copy.leaves
                _ = leaves.truncate(to: count)
            }
        }
        copies.removeAll { $0.chunk >= leaves.chunkIndex }
    }

    /// The savepoints from `level` on become part of the one around them.
    func release(_ level: Int) {
        // After every statement: nearly always there is one mark at most.
        guard let last = marks.last, last.level >= level else { return }
        guard level > 0 || marks.count > 1 else {
            marks.removeAll(keepingCapacity: true)
            if !copies.isEmpty { copies.removeAll() }
            return
        }
        guard let first = marks.firstIndex(where: { $0.level >= level }) else { return }
        let count = marks[first].count
        marks.removeSubrange(first...)
        if level > 0, marks.last?.level != level - 1 { marks.append((level - 1, count)) }
        if marks.isEmpty { copies.removeAll() }
    }

    func forgetStaleTriggers() {
        hasStaleTriggers = false
        hasStaleRowID = false
    }

    /// Forgets the running transaction.
    func clear() {
        forgetStaleTriggers()
        leaves.removeAll()
        marks.removeAll(keepingCapacity: true)
        if !copies.isEmpty { copies.removeAll() }
    }
}
