import LedgerProofs

/// Encodes what a transaction entry says about time and tables, in memory that is used again for the next one: the hot
/// path of small transactions.
///
/// `begin`, `TableLeaves.encode(as:into:)` for each table in ascending order; then `tableHashes`, `leaves` and `text(of:)`.
/// The same bytes as `TableHashes` and `EntryLeaves` encode, which a test holds it to.
///
/// Documentation/spec/sql-transaction.md, Documentation/spec/sql-leaf-chunk.md, "In the entry"
public struct EntryEncoder: ~Copyable, @unchecked Sendable {
    // Owned by the value, which cannot be copied: the time, the leaves, and `hashCapacity` bytes of table hashes.
    private var base: UnsafeMutablePointer<UInt8>
    private var hashCapacity = 256
    private static let leavesOffset = 32
    private static let hashesOffset = leavesOffset + EntryLeaves.maximumByteCount
    private static let hashByteCount = 16 + Digest32.byteCount

    /// The number of tables with leaves.
    public private(set) var tableCount = 0
    private var leafByteCount = 0

    /// All last chunks fit into the entry. Otherwise they must be stored by themselves.
    public private(set) var holdsLeaves = true

    public init() {
        base = .allocate(capacity: Self.hashesOffset + hashCapacity)
    }

    deinit { base.deallocate() }

    /// Starts an entry.
    public mutating func begin() {
        tableCount = 0
        leafByteCount = 0
        holdsLeaves = true
    }

    /// What the transaction did to a table; nothing when there are no leaves.
    mutating func append(_ hash: TableHash, partialChunk: UnsafeRawBufferPointer) {
        if hashByteCount + Self.hashByteCount > hashCapacity { makeRoom() }
        let place = UnsafeMutableRawPointer(base + Self.hashesOffset + hashByteCount)
        place.storeBytes(of: hash.table.rawValue.bigEndian, as: UInt64.self)
        hash.root.withUnsafeBytes { root in
            if let from = root.baseAddress { (place + 8).copyMemory(from: from, byteCount: Digest32.byteCount) }
        }
        place.storeBytes(of: hash.leafCount.bigEndian, toByteOffset: 8 + Digest32.byteCount, as: UInt64.self)
        tableCount += 1
        guard leafByteCount + partialChunk.count <= EntryLeaves.maximumByteCount else {
            holdsLeaves = false
            return
        }
        guard let from = partialChunk.baseAddress else { return }
        UnsafeMutableRawPointer(base + Self.leavesOffset + leafByteCount).copyMemory(
            from: from, byteCount: partialChunk.count)
        leafByteCount += partialChunk.count
    }

    private var hashByteCount: Int { 5 + Self.hashByteCount * tableCount }

    @inline(never)
    private mutating func makeRoom() {
        let new = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.hashesOffset + 2 * hashCapacity)
        new.update(from: base, count: Self.hashesOffset + hashByteCount)
        base.deallocate()
        base = new
        hashCapacity *= 2
    }

    /// The entry's `table_hashes`, as `TableHashes` encodes them. Valid until the next `begin`.
    public mutating func tableHashes() -> UnsafeRawBufferPointer {
        let start = UnsafeMutableRawPointer(base + Self.hashesOffset)
        start.storeBytes(of: TableHashes.version, as: UInt8.self)
        start.storeBytes(of: UInt32(truncatingIfNeeded: tableCount).bigEndian, toByteOffset: 1, as: UInt32.self)
        return UnsafeRawBufferPointer(start: start, count: hashByteCount)
    }

    /// The entry's `leaves`, as `EntryLeaves` encodes them, or `nil` when the entry keeps none. Valid until the next
    /// `begin`.
    public var leaves: UnsafeRawBufferPointer? {
        guard holdsLeaves, leafByteCount > 0 else { return nil }
        return UnsafeRawBufferPointer(start: base + Self.leavesOffset, count: leafByteCount)
    }

    /// The text form of `time`. Valid until the next `begin`.
    public mutating func text(of time: CommitTime) -> UnsafeRawBufferPointer {
        time.write(to: base)
        return UnsafeRawBufferPointer(start: base, count: CommitTime.textLength)
    }
}
