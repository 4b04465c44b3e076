import LedgerProofs

/// Takes the leaves of a scan. One for each thread; a call costs no allocation.
public final class LeafSink {
    /// Leaves of created versions, and of ended ones, apart: each is mostly in order by itself.
    // One thread calls a sink, a few times for each row: what it changes is not guarded against itself.
    @exclusivity(unchecked) private var created: RunBuilder
    @exclusivity(unchecked) private var ended: RunBuilder

    /// Where to report what shows while rows are read.
    public let findings: FindingCollector

    /// The table whose leaves come next.
    public private(set) var table: TableID = .schemaEvents

    @exclusivity(unchecked) package private(set) var rowVersions: UInt64 = 0
    @exclusivity(unchecked) package private(set) var leaves: UInt64 = 0
    private let meter: ProgressMeter
    private let strays: StrayCollection

    /// No honest number comes near; beyond it, records have no room.
    private static let sequenceLimit: UInt64 = 1 << 55

    init(
        runs: RunCollection, stored: StoredLeaves?, findings: FindingCollector, meter: ProgressMeter,
        strays: StrayCollection, bufferCount: Int
    ) {
        created = RunBuilder(collection: runs, stored: stored, bufferCount: bufferCount)
        ended = RunBuilder(collection: runs, stored: stored, bufferCount: bufferCount)
        self.findings = findings
        self.meter = meter
        self.strays = strays
    }

    /// A sink outside of a verification, for checking what scans of `table` hand over.
    package convenience init(counting table: TableID, findings: FindingCollector) {
        self.init(
            runs: RunCollection(store: RecordStore(budget: 16 << 20, directory: nil)), stored: nil,
            findings: findings, meter: ProgressMeter(nil), strays: StrayCollection(), bufferCount: 1024)
        self.table = table
        created.begin(table)
        ended.begin(table)
    }

    /// Counts a row version. Call once for each row that is read.
    public func row() {
        rowVersions += 1
        if rowVersions & 0x1FFF == 0 { meter.add(0x2000) }
    }

    /// The leaf of the version that was created as operation `sequence` of `transaction`.
    public func created(transaction: UInt64, sequence: UInt64, leaf: Digest32) {
        leaves += 1
        created.append(LeafRecord(transaction: transaction, sequence: min(sequence, Self.sequenceLimit), hash: leaf))
    }

    /// The leaf of the version that was ended as operation `sequence` of `transaction`.
    public func ended(transaction: UInt64, sequence: UInt64, leaf: Digest32) {
        leaves += 1
        ended.append(LeafRecord(transaction: transaction, sequence: min(sequence, Self.sequenceLimit), hash: leaf))
    }

    /// There is a stamp for a row that is not there.
    public func strayStamp(transaction: UInt64, sequence: UInt64, key: [NamedValue]) {
        strays.add(
            table, RowStart(transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence)), key: key)
    }

    /// There is a row that no stamp belongs to.
    public func unstamped(_ row: UnstampedRow) { strays.add(table, row) }

    /// Starts the leaves of another table.
    func begin(_ table: TableID) throws {
        guard table != self.table else { return }
        try finish()
        self.table = table
        created.begin(table)
        ended.begin(table)
    }

    /// Hands over what is buffered.
    func finish() throws {
        try created.finish()
        try ended.finish()
    }
}
