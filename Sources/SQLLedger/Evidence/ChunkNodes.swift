import LedgerProofs

/// The complete nodes of a table's tree, from stored chunks and root chunks. Keeps what was read, because a path asks for
/// several nodes of one chunk.
struct ChunkNodes {
    private var chunks: [UInt64: LeafChunk] = [:]
    private var rootChunks: [UInt64: LeafChunk?] = [:]

    /// The root of the complete subtree over 2^`level` leaves from `position << level` on.
    mutating func node(
        level: Int, position: UInt64, chunk: (UInt64) throws -> LeafChunk, rootChunk: (UInt64) throws -> LeafChunk?
    ) throws -> Digest32 {
        if level < LeafChunk.level {
            return try Self.root(of: read(position << UInt64(level) / 128, chunk), level: level, position: position)
        }
        let above = level - LeafChunk.level
        if above <= LeafChunk.level, let roots = try readRoots(position << UInt64(above) / 128, rootChunk) {
            return try Self.root(of: roots, level: above, position: position)
        }
        if above == 0 { return try Self.root(of: read(position, chunk), level: level, position: 0) }
        let left = try node(level: level - 1, position: position * 2, chunk: chunk, rootChunk: rootChunk)
        let right = try node(level: level - 1, position: position * 2 + 1, chunk: chunk, rootChunk: rootChunk)
        return MerkleRule.prefixed.parent(left, right)
    }

    private mutating func read(_ number: UInt64, _ chunk: (UInt64) throws -> LeafChunk) throws -> LeafChunk {
        if let known = chunks[number] { return known }
        let value = try chunk(number)
        chunks[number] = value
        return value
    }

    private mutating func readRoots(
        _ number: UInt64, _ rootChunk: (UInt64) throws -> LeafChunk?
    ) throws -> LeafChunk? {
        if let known = rootChunks[number] { return known }
        let value = try rootChunk(number)
        rootChunks[number] = .some(value)
        return value
    }

    /// The root over 2^`level` of the chunk's leaves, from the place in the chunk that `position` has at that level.
    private static func root(of chunk: LeafChunk, level: Int, position: UInt64) throws -> Digest32 {
        let width = 1 << level
        let start = Int(position << UInt64(level) % 128)
        guard start + width <= chunk.leaves.count,
            let root = MerkleFrontier.root(of: chunk.leaves[start..<start + width].map(\.hash), rule: .prefixed)
        else { throw ProofError.invalid("a stored chunk has fewer leaves than it must") }
        return root
    }
}
