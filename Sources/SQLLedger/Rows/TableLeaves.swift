import LedgerProofs

/// The leaves of one table in the transaction that is being written: folds them into the table root and cuts them into
/// chunks. A copy is a savepoint: it shares memory until one of both goes on.
public struct TableLeaves: Sendable {
    /// The whole chunks.
    private var chunks = MerkleFrontier(rule: .prefixed)

    /// The leaves after the last whole chunk, and the same as they are stored.
    private var tail: [Digest32] = []
    private var tailBytes: [UInt8] = []

    /// The roots of the whole chunks after the last root chunk that was taken or is due, as they are stored.
    private var rootBytes: [UInt8] = []

    public init() {}

    /// Takes back all leaves. Keeps memory for the next ones.
    public mutating func removeAll() {
        if chunks.size.rawValue > 0 { chunks = MerkleFrontier(rule: .prefixed) }
        tail.removeAll(keepingCapacity: true)
        tailBytes.removeAll(keepingCapacity: true)
        if !rootBytes.isEmpty { rootBytes = [] }
    }

    /// The number of leaves, which is the sequence number of the next one.
    public var leafCount: UInt64 { chunks.size.rawValue + UInt64(tail.count) }

    /// The number of the chunk that the next leaf goes into.
    public var chunkIndex: UInt64 { chunks.size.rawValue / UInt64(LeafChunk.leafCount) }

    /// The encoding of the last chunk, which is not full; empty when there is no leaf after the last full chunk.
    public var partialChunk: [UInt8] { tailBytes }

    /// Appends a leaf. Returns the encoding of the chunk that it completes, if it completes one: that chunk has the
    /// number which `chunkIndex` had before.
    public mutating func append(_ leaf: Digest32, columnChecks: [UInt16]) -> [UInt8]? {
        if tail.isEmpty { reserve(leafByteCount: Digest32.byteCount + 2 + 2 * columnChecks.count) }
        tail.append(leaf)
        LeafChunk.append(leaf, columnChecks, to: &tailBytes)
        return tail.count == LeafChunk.leafCount ? completeChunk() : nil
    }

    /// Appends a leaf as `append(_:columnChecks:)` does. `stored` is the leaf with its checks as a chunk stores it
    /// (`RowLeafEncoder.storedLeaf`).
    public mutating func append(_ leaf: Digest32, stored: UnsafeRawBufferPointer) -> [UInt8]? {
        if tail.isEmpty { reserve(leafByteCount: stored.count) }
        tail.append(leaf)
        tailBytes.append(contentsOf: stored)
        return tail.count == LeafChunk.leafCount ? completeChunk() : nil
    }

    private mutating func reserve(leafByteCount: Int) {
        tail.reserveCapacity(LeafChunk.leafCount)
        tailBytes.reserveCapacity(LeafChunk.leafCount * leafByteCount)
    }

    @inline(never)
    private mutating func completeChunk() -> [UInt8] {
        let root = foldTail()
        chunks.append(subtree: root, level: LeafChunk.level)
        LeafChunk.append(root, [], to: &rootBytes)
        tail.removeAll(keepingCapacity: true)
        defer { tailBytes = [] }
        return tailBytes
    }

    /// The root of a whole chunk, folded in place: what is in `tail` afterwards is of no use.
    private mutating func foldTail() -> Digest32 {
        tail.withUnsafeMutableBufferPointer { nodes in
            var count = nodes.count
            while count > 1 {
                count /= 2
                for index in 0..<count {
                    nodes[index] = MerkleRule.prefixed.parent(nodes[2 * index], nodes[2 * index + 1])
                }
            }
            return nodes[0]
        }
    }

    /// Hands out the root chunk that the chunk just completed has completed, if any; to be asked after each `append`
    /// that returned a chunk. It is stored under `LeafChunk.rootsKey(of:)` and its number.
    public mutating func takeRootChunk() -> (number: UInt64, bytes: [UInt8])? {
        guard rootBytes.count == LeafChunk.leafCount * (Digest32.byteCount + 2) else { return nil }
        defer { rootBytes = [] }
        return (chunkIndex / UInt64(LeafChunk.leafCount) - 1, rootBytes)
    }

    /// Takes the newest leaves back until `leafCount` are left. Returns `false`, and changes nothing, when that many
    /// are not there or the chunk that holds them is already complete; then only an older copy can help.
    public mutating func truncate(to leafCount: UInt64) -> Bool {
        guard leafCount >= chunks.size.rawValue, leafCount <= self.leafCount else { return false }
        let kept = Int(leafCount - chunks.size.rawValue)
        guard kept < tail.count else { return true }
        var offset = 0
        for _ in 0..<kept {
            offset += 34 + 2 * (Int(tailBytes[offset + 32]) << 8 | Int(tailBytes[offset + 33]))
        }
        tail.removeSubrange(kept...)
        tailBytes.removeSubrange(offset...)
        return true
    }

    /// The table root over all leaves, or `nil` when there are none.
    public var root: Digest32? {
        if tail.count == 1, chunks.size.rawValue == 0 { return tail[0] }
        var whole = chunks
        for leaf in tail { whole.append(leaf) }
        return whole.root()
    }

    /// Adds the table's part of the transaction entry, unless there are no leaves. (Changes nothing here; a method that
    /// could not would be given a copy.)
    public mutating func encode(as table: TableID, into entry: inout EntryEncoder) {
        guard let hash = tableHash(of: table) else { return }
        tailBytes.withUnsafeBytes { entry.append(hash, partialChunk: $0) }
    }

    /// The table's part of the transaction entry, or `nil` when there are no leaves.
    public func tableHash(of table: TableID) -> TableHash? {
        root.map { TableHash(table: table, root: $0, leafCount: leafCount) }
    }
}
