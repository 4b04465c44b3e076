import LedgerProofs

/// The last chunks of a small transaction, as its entry keeps them: one for each table whose leaf count is no multiple of
/// 128, in the order of `table_hashes`. Proven by nothing, like every chunk.
///
/// Documentation/spec/sql-leaf-chunk.md, "In the entry"
public struct EntryLeaves: Hashable, Sendable {
    /// An entry keeps no more bytes than these; otherwise all last chunks lie where the whole ones do.
    public static let maximumByteCount = 1024

    private let chunks: [TableID: LeafChunk]

    /// Reads exactly the leaves that `hashes` leave over.
    /// - Throws: `ProofError.truncated` for leaves that are missing or end early, `.trailingBytes`.
    public init(decoding bytes: [UInt8], of hashes: TableHashes) throws(ProofError) {
        guard !bytes.isEmpty else { throw .truncated("an entry has an empty value for its leaves") }
        var reader = ByteReader(bytes)
        var chunks: [TableID: LeafChunk] = [:]
        for table in hashes.tables {
            let count = Int(table.leafCount % UInt64(LeafChunk.leafCount))
            var leaves: [LeafChunk.Leaf] = []
            for _ in 0..<count { leaves.append(try LeafChunk.leaf(&reader)) }
            chunks[table.table] = LeafChunk(leaves: leaves)
        }
        try reader.requireEnd("the leaves of an entry")
        self.chunks = chunks
    }

    /// The last chunk of `table`, or `nil` when its chunks are whole.
    public subscript(table: TableID) -> LeafChunk? { chunks[table] }

    /// What an entry keeps: the encodings of the last chunks, one after the other. `nil` when there are none or they are
    /// too long for it.
    /// - Parameter chunks: those that are not whole, ascending by table.
    public static func encoded(_ chunks: [[UInt8]]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for chunk in chunks {
            guard bytes.count + chunk.count <= maximumByteCount else { return nil }
            bytes += chunk
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// The number of the chunk that an entry keeps of a table, or `nil` when the table's chunks are whole.
    public static func chunkNumber(of hash: TableHash) -> UInt64? {
        let count = UInt64(LeafChunk.leafCount)
        return hash.leafCount.isMultiple(of: count) ? nil : hash.leafCount / count
    }
}
