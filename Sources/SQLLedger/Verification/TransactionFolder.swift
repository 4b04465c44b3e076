import LedgerProofs

/// Folds the leaves found of one transaction and table, in order, and remembers the root of every chunk, so that a
/// wrong table root can be narrowed down to chunks without reading the rows again.
struct TransactionFolder {
    /// The root of each chunk; `nil` where leaves are missing or occur twice.
    private(set) var chunks: [Digest32?] = []
    /// How many leaves were found, duplicates included.
    private(set) var foundCount: UInt64 = 0

    private var next: UInt64 = 0
    private var chunk = MerkleFrontier(rule: .prefixed)
    private var isChunkBroken = false
    private var isBroken = false
    private let chunkLimit: Int
    private let comparison: Comparison?
    /// What was found of the chunk, for comparing it with the stored one.
    private var pieces: [LeafRecord] = []

    /// The stored chunks that are not those of the leaves found; of no meaning unless the leaves give the root.
    private(set) var otherChunks: (isMissing: Bool, first: Int, last: Int)?

    /// Which stored leaves to compare with.
    struct Comparison {
        var stored: StoredLeaves
        var table: TableID
        var transaction: UInt64
        var leafCount: UInt64
    }

    private static let chunkSize = UInt64(LeafChunk.leafCount)

    /// - Parameters:
    ///   - expectedCount: leaves far behind are only counted.
    ///   - comparison: `nil`: leaves are not compared with stored ones.
    init(expectedCount: UInt64, comparison: Comparison? = nil) {
        self.comparison = comparison
        chunkLimit = Int(min(expectedCount / Self.chunkSize + 2, 1 << 21))
    }

    mutating func add(_ record: LeafRecord) {
        let size: UInt64 = 1 << record.level
        foundCount += size
        if record.sequence == next {
            append(record, size)
        } else if record.sequence > next {
            skip(to: record.sequence)
            if next == record.sequence { append(record, size) }
        } else {
            markDuplicate(record)
        }
    }

    private mutating func append(_ record: LeafRecord, _ size: UInt64) {
        if !isChunkBroken { chunk.append(subtree: record.hash, level: Int(record.level)) }
        if comparison != nil { pieces.append(record) }
        next += size
        if next.isMultiple(of: Self.chunkSize) { closeChunk() }
    }

    private mutating func skip(to sequence: UInt64) {
        isBroken = true
        guard sequence / Self.chunkSize <= UInt64(chunkLimit) else { return }
        while chunks.count < Int(sequence / Self.chunkSize) {
            isChunkBroken = true
            closeChunk()
        }
        if !sequence.isMultiple(of: Self.chunkSize) { isChunkBroken = true }
        next = sequence
    }

    private mutating func markDuplicate(_ record: LeafRecord) {
        isBroken = true
        let index = Int(record.sequence / Self.chunkSize)
        if index < chunks.count { chunks[index] = nil } else { isChunkBroken = true }
        // A subtree may reach behind what was there before.
        let end = record.sequence + (1 << record.level)
        if end > next, index == chunks.count {
            next = end
            if next.isMultiple(of: Self.chunkSize) { closeChunk() }
        }
    }

    private mutating func closeChunk() {
        if let comparison { compare(comparison) }
        chunks.append(isChunkBroken ? nil : chunk.root())
        chunk = MerkleFrontier(rule: .prefixed)
        isChunkBroken = false
    }

    /// Compares the chunk, which is about to be closed, with the stored one, unless that was done while rows were read.
    private mutating func compare(_ comparison: Comparison) {
        defer { pieces.removeAll(keepingCapacity: true) }
        let start = UInt64(chunks.count) * Self.chunkSize
        guard !isBroken, !isChunkBroken, start < comparison.leafCount, !pieces.allSatisfy(\.isStored) else { return }
        let outcome = comparison.stored.compare(
            pieces, count: Int(min(comparison.leafCount - start, Self.chunkSize)), of: comparison.table,
            transaction: comparison.transaction, chunk: UInt64(chunks.count))
        guard outcome != .same else { return }
        let isMissing = otherChunks?.isMissing ?? false || outcome == .missing
        otherChunks = (isMissing, otherChunks?.first ?? chunks.count, chunks.count)
    }

    /// The table root, if every leaf from 0 on was found exactly once.
    mutating func finish() -> Digest32? {
        if isChunkBroken || chunk.size.rawValue > 0 { closeChunk() }
        guard !isBroken else { return nil }
        if chunks.count == 1 { return chunks[0] }
        // All chunks but the last are whole, so the tree over them has the shape of the tree over the leaves.
        return MerkleFrontier.root(of: chunks.lazy.compactMap { $0 }, rule: .prefixed)
    }
}
