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

    /// What leaves that arrive in order are compared with, while they are all there.
    private let stored: StoredLeaves?
    private var table: TableID = .schemaEvents
    /// The newest leaves, at their places in their chunk.
    private let arrived: UnsafeMutableBufferPointer<Digest32>
    private var arrivedTransaction: UInt64 = 0
    /// The sequence numbers, in one chunk, of the leaves that arrived one directly after the other.
    private var arrivedFirst: UInt64 = 0
    private var arrivedEnd: UInt64 = 0

    /// Comparing fewer leaves while they are here would cost more than it saves. Entries keep no more than 30.
    private static let comparedCount: UInt64 = 32

    init(collection: RunCollection, stored: StoredLeaves?, bufferCount: Int) {
        self.collection = collection
        self.stored = stored
        buffer = .allocate(capacity: max(bufferCount, 256))
        arrived = .allocate(capacity: LeafChunk.leafCount)
    }

    deinit {
        buffer.deallocate()
        arrived.deallocate()
    }

    /// Starts the leaves of `table`.
    mutating func begin(_ table: TableID) { self.table = table }

    @inline(__always)
    mutating func append(_ new: LeafRecord) {
        if new.transaction != arrivedTransaction || new.sequence != arrivedEnd {
            compareArrived()
            arrivedTransaction = new.transaction
            arrivedFirst = new.sequence
        }
        arrived.initializeElement(at: Int(truncatingIfNeeded: new.sequence) & (LeafChunk.leafCount - 1), to: new.hash)
        arrivedEnd = new.sequence + 1
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
        if arrivedEnd & UInt64(LeafChunk.leafCount - 1) == 0 { compareArrived() }
    }

    /// Compares the leaves of a chunk that have arrived with the stored ones, and notes in their records that they are the
    /// same. What was spilled in between keeps no note and is compared later.
    private mutating func compareArrived() {
        let (first, end) = (arrivedFirst, arrivedEnd)
        arrivedFirst = end
        guard let stored, end >= first + Self.comparedCount, first.isMultiple(of: UInt64(LeafChunk.leafCount)) else {
            return
        }
        guard
            stored.holds(
                UnsafeBufferPointer(rebasing: arrived[..<Int(end - first)]), of: table, transaction: arrivedTransaction,
                chunk: first / UInt64(LeafChunk.leafCount))
        else { return }
        var index = count
        var next = end
        while index > 0, next > first {
            let piece = buffer[index - 1]
            guard piece.transaction == arrivedTransaction, piece.sequence + 1 << piece.level == next else { return }
            index -= 1
            next = piece.sequence
            buffer[index].setStored()
        }
    }

    /// Ends the leaves of the table.
    mutating func finish() throws {
        compareArrived()
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
