import LedgerProofs

/// Up to 128 neighbouring leaf hashes of one transaction and table, each with the checks of its row's columns: stored
/// so that a changed row can be found and a row's path be built without hashing all rows. Not proven by itself; the
/// hashes must fold to the proven table root.
///
/// Documentation/spec/sql-leaf-chunk.md
public struct LeafChunk: Hashable, Sendable {
    /// The number of leaves of every chunk but the last.
    public static let leafCount = 128
    /// The level of a whole chunk's root: 2⁷ leaves.
    public static let level = 7

    /// One leaf.
    public struct Leaf: Hashable, Sendable {
        public var hash: Digest32
        /// One for each stored column.
        public var columnChecks: [UInt16]

        public init(hash: Digest32, columnChecks: [UInt16]) {
            self.hash = hash
            self.columnChecks = columnChecks
        }
    }

    /// 1 to 128 leaves in sequence order.
    public let leaves: [Leaf]

    /// Returns `nil` unless there are 1 to 128 leaves.
    public init?(leaves: [Leaf]) {
        guard (1...Self.leafCount).contains(leaves.count) else { return nil }
        self.leaves = leaves
    }

    /// Reads exactly one chunk.
    /// - Throws: `ProofError.truncated` for a leaf that ends early or no leaf at all, `.outOfRange` for more than 128.
    public init(decoding bytes: [UInt8]) throws(ProofError) {
        var reader = ByteReader(bytes)
        var leaves: [Leaf] = []
        while !reader.isAtEnd {
            guard leaves.count < Self.leafCount else { throw .outOfRange("a leaf chunk has more than 128 leaves") }
            leaves.append(try Self.leaf(&reader))
        }
        guard !leaves.isEmpty else { throw .truncated("a leaf chunk has no leaves") }
        self.leaves = leaves
    }

    static func leaf(_ reader: inout ByteReader) throws(ProofError) -> Leaf {
        let hash = try reader.digest("a leaf chunk")
        let count: UInt16 = try reader.integer("a leaf chunk")
        var checks: [UInt16] = []
        for _ in 0..<count { checks.append(try reader.integer("a leaf chunk")) }
        return Leaf(hash: hash, columnChecks: checks)
    }

    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for leaf in leaves { Self.append(leaf.hash, leaf.columnChecks, to: &bytes) }
        return bytes
    }

    static func append(_ hash: Digest32, _ checks: [UInt16], to bytes: inout [UInt8]) {
        let byteCount = Digest32.byteCount + 2 + 2 * checks.count
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { leaf in
            hash.withUnsafeBytes { leaf.copyMemory(from: $0) }
            leaf.storeBytes(of: UInt16(checks.count).bigEndian, toByteOffset: Digest32.byteCount, as: UInt16.self)
            var offset = Digest32.byteCount + 2
            checks.withUnsafeBufferPointer { checks in
                for check in checks {
                    leaf.storeBytes(of: check.bigEndian, toByteOffset: offset, as: UInt16.self)
                    offset += 2
                }
            }
            bytes.append(contentsOf: leaf)
        }
    }

    /// The `table_id` under which the root chunks of a table are stored: -2 for table 0, -3 for table 1 and so on.
    /// Root chunk j holds the roots of the table's chunks 128 j to 128 j + 127, as leaves without column checks.
    public static func rootsKey(of table: TableID) -> Int64 { -2 &- Int64(bitPattern: table.rawValue) }

    /// The root over the chunk's leaves.
    public var root: Digest32 {
        MerkleFrontier.root(of: leaves.lazy.map(\.hash), rule: .prefixed) ?? MerkleRule.prefixedEmptyRoot
    }
}
