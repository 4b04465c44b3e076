import LedgerProofs

/// Compares the stored leaves of transactions with the table roots that their entries claim: every leaf is there, and
/// together they give the root. Column checks are no part of a root and are not compared.
package struct LeafChunkCheck {
    /// The stored leaves of a transaction and table do not give the root.
    package struct Damage: Sendable {
        package var transaction: TransactionNumber
        package var table: TableID
        /// In the entry, not in chunks of their own.
        package var isInEntry: Bool
        package var isMissing: Bool
    }

    /// The first ones.
    package private(set) var damages: [Damage] = []
    /// How many there are beside `damages`.
    package private(set) var moreDamages: UInt64 = 0

    private let next: () throws -> StoredLeafChunk?
    private var current: StoredLeafChunk?
    private let limit: Int
    /// The nodes of the chunk that is being folded.
    private var nodes: [Digest32] = []

    /// `chunks`: in the order of transaction, table and chunk. At most `limit` damages are kept, the others counted.
    package init(_ chunks: @escaping () throws -> StoredLeafChunk?, limit: Int = 10_000) throws {
        next = chunks
        self.limit = limit
        current = try chunks()
    }

    /// Checks the leaves of the next transaction; transactions come in the order of their numbers.
    /// - Parameter kept: what the entry keeps of them.
    package mutating func check(
        _ hashes: TableHashes, kept: [UInt8]?, of transaction: TransactionNumber, tables: Set<TableID>? = nil
    ) throws {
        while let chunk = current, chunk.transaction < transaction { current = try next() }
        var rootChunks: [Int64: [Int64: [UInt8]]] = [:]
        while let chunk = current, chunk.transaction == transaction, chunk.table < 0 {
            rootChunks[chunk.table, default: [:]][chunk.chunk] = chunk.leaves ?? []
            current = try next()
        }
        var offset = 0
        let isKeptReadable = kept.map { Self.isReadable($0, hashes) } ?? true
        for hash in hashes.tables {
            let id = Int64(bitPattern: hash.table.rawValue)
            while let chunk = current, chunk.transaction == transaction, chunk.table < id { current = try next() }
            let rest = hash.leafCount % Self.chunkSize
            guard tables?.contains(hash.table) ?? true else {
                if let kept, isKeptReadable { for _ in 0..<rest { _ = Self.leaf(kept, &offset) } }
                continue
            }
            var nodes = MerkleFrontier(rule: .prefixed)
            let roots = rootChunks[LeafChunk.rootsKey(of: hash.table)] ?? [:]
            let isWhole = try readChunks(hash, hasRest: kept == nil, roots, transaction, &nodes)
            var isRestReadable = true
            if rest > 0, let kept {
                isRestReadable = isKeptReadable
                if isKeptReadable {
                    var leaves = MerkleFrontier(rule: .prefixed)
                    for _ in 0..<rest { if let leaf = Self.leaf(kept, &offset) { leaves.append(leaf) } }
                    if let root = leaves.root() { nodes.append(root) }
                }
            }
            guard let isWhole else {
                add(Damage(transaction: transaction, table: hash.table, isInEntry: false, isMissing: true))
                continue
            }
            if isWhole, isRestReadable, nodes.root() == hash.root { continue }
            add(
                Damage(
                    transaction: transaction, table: hash.table,
                    isInEntry: kept != nil && hash.leafCount < Self.chunkSize || isWhole && !isRestReadable,
                    isMissing: false))
        }
    }

    private static let chunkSize = UInt64(LeafChunk.leafCount)

    private mutating func add(_ damage: Damage) {
        if damages.count < limit { damages.append(damage) } else { moreDamages += 1 }
    }

    /// Reads the chunks of a table that lie in the chunk table. Returns whether they are readable and their root chunks
    /// agree; `nil`: one is missing.
    private mutating func readChunks(
        _ hash: TableHash, hasRest: Bool, _ rootChunks: [Int64: [UInt8]], _ transaction: TransactionNumber,
        _ nodes: inout MerkleFrontier
    ) throws -> Bool? {
        let whole = hash.leafCount / Self.chunkSize
        let rest = hash.leafCount % Self.chunkSize
        let count = whole + (hasRest && rest > 0 ? 1 : 0)
        guard count > 0 else { return true }
        let id = Int64(bitPattern: hash.table.rawValue)
        var expected: UInt64 = 0
        var isReadable = true
        var isMissing = false
        while let chunk = current, chunk.transaction == transaction, chunk.table == id {
            // What lies behind is of no use, and does no harm.
            if chunk.chunk >= 0, UInt64(chunk.chunk) < count {
                if UInt64(chunk.chunk) != expected { isMissing = true }
                expected = UInt64(chunk.chunk) + 1
                let leafCount = UInt64(chunk.chunk) < whole ? Self.chunkSize : rest
                if let root = root(of: chunk.leaves ?? [], count: leafCount) {
                    nodes.append(root)
                    let place = UInt64(chunk.chunk) % Self.chunkSize
                    if UInt64(chunk.chunk) < whole,
                        let stored = rootChunks[chunk.chunk / Int64(Self.chunkSize)],
                        Self.rootChunkLeaf(stored, Int(place)) != root
                    {
                        isReadable = false
                    }
                } else {
                    isReadable = false
                }
            }
            current = try next()
        }
        return isMissing || expected < count ? nil : isReadable
    }

    // MARK: Reading

    /// The root over exactly `count` leaves, `1...256`, or `nil`.
    ///
    /// Every leaf of the ledger passes here, so the tree is folded in place, level by level: a last node without a
    /// neighbour goes up as it is, which is the tree of RFC 6962.
    private mutating func root(of bytes: [UInt8], count: UInt64) -> Digest32? {
        guard Self.read(bytes, Int(clamping: count), into: &nodes) else { return nil }
        return nodes.withUnsafeMutableBufferPointer { nodes in
            var width = nodes.count
            while width > 1 {
                for place in 0..<width / 2 {
                    nodes[place] = MerkleRule.prefixed.parent(nodes[2 * place], nodes[2 * place + 1])
                }
                if width & 1 == 1 { nodes[width / 2] = nodes[width - 1] }
                width = (width + 1) / 2
            }
            return nodes.first
        }
    }

    /// Replaces `leaves` by the hashes of the leaves in `bytes`. `false` when they are not exactly `count`.
    private static func read(_ bytes: [UInt8], _ count: Int, into leaves: inout [Digest32]) -> Bool {
        leaves.removeAll(keepingCapacity: true)
        return bytes.withUnsafeBytes { raw in
            var offset = 0
            for _ in 0..<count {
                guard let leaf = leaf(raw, &offset) else { return false }
                leaves.append(leaf)
            }
            return offset == raw.count
        }
    }

    private static func leaf(_ bytes: [UInt8], _ offset: inout Int) -> Digest32? {
        bytes.withUnsafeBytes { leaf($0, &offset) }
    }

    /// The hash of the leaf at `offset`, which moves behind its column checks; `nil` where there is no whole one.
    private static func leaf(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Digest32? {
        let header = Digest32.byteCount + 2
        guard bytes.count - offset >= header else { return nil }
        let checks = Int(bytes[offset + header - 2]) << 8 | Int(bytes[offset + header - 1])
        guard bytes.count - offset >= header + 2 * checks else { return nil }
        defer { offset += header + 2 * checks }
        return Digest32(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Digest32.byteCount]))
    }

    private static func rootChunkLeaf(_ bytes: [UInt8], _ place: Int) -> Digest32? {
        var offset = place * (Digest32.byteCount + 2)
        return leaf(bytes, &offset)
    }

    /// Whether what an entry keeps has all leaves that it must have, and no more.
    private static func isReadable(_ kept: [UInt8], _ hashes: TableHashes) -> Bool {
        var offset = 0
        for hash in hashes.tables {
            for _ in 0..<hash.leafCount % chunkSize { guard leaf(kept, &offset) != nil else { return false } }
        }
        return offset == kept.count && !kept.isEmpty
    }
}
