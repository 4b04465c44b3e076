import LedgerProofs

/// Turns leaves in any order into sorted runs. Neighbouring leaves that arrive in order are folded into subtrees of up
/// to a chunk at once, so that a bulk load of millions of rows takes next to no memory.
struct RunBuilder: ~Copyable {
    private let collection: RunCollection
    private let buffer: UnsafeMutableBufferPointer<LeafRecord>
    private var count = 0
    private var isSorted = true
    private var failure: (any Error)?
    /// The run that grows as long as everything arrives in order.
    private var run: LeafRun?

    init(collection: RunCollection, bufferCount: Int) {
        self.collection = collection
        buffer = .allocate(capacity: max(bufferCount, 256))
    }

    deinit { buffer.deallocate() }

    @inline(__always)
    mutating func append(_ new: LeafRecord) {
        var record = new
        if count > 0 {
            // Fold buddies: the left one at an even multiple of its size, the right one directly after it.
            while count > 0 {
                let last = buffer[count - 1]
                guard last.transaction == record.transaction, last.level == record.level,
                    record.level < UInt64(LeafChunk.level)
                else { break }
                let size: UInt64 = 1 << record.level
                guard last.sequence + size == record.sequence, last.sequence & (2 * size - 1) == 0 else { break }
                record = LeafRecord(
                    transaction: last.transaction, sequence: last.sequence, level: last.level + 1,
                    hash: MerkleRule.prefixed.parent(last.hash, record.hash))
                count -= 1
            }
            if count > 0, isSorted, LeafRecord.precedes(record, buffer[count - 1]) { isSorted = false }
        }
        if count == buffer.count { spill() }
        buffer.initializeElement(at: count, to: record)
        count += 1
    }

    /// Ends the leaves of `table`, which the runs are filed under.
    mutating func finish(_ table: TableID) throws {
        spill()
        if let run { collection.add(run, to: table) }
        run = nil
        for finished in finishedRuns { collection.add(finished, to: table) }
        finishedRuns = []
        if let failure { throw failure }
    }

    private var finishedRuns: [LeafRun] = []

    @inline(never)
    private mutating func spill() {
        guard count > 0, failure == nil else {
            count = 0
            return
        }
        var records = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
        if !isSorted { records.sort { LeafRecord.precedes($0, $1) } }
        do {
            if var growing = run, let last = growing.last, !LeafRecord.precedes(records[0], last) {
                run = nil
                try collection.store.append(UnsafeBufferPointer(records), to: &growing)
                run = growing
            } else {
                if let run { finishedRuns.append(run) }
                var new = LeafRun()
                try collection.store.append(UnsafeBufferPointer(records), to: &new)
                run = new
            }
        } catch {
            failure = error
        }
        count = 0
        isSorted = true
    }
}
