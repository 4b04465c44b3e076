import LedgerProofs

/// The tree over all block hashes, whose roots are the history roots of later blocks.
///
/// Documentation/spec/sql-block.md, "History"
public struct BlockTree: Sendable, Equatable {
    private var frontier: MerkleFrontier

    /// The tree without blocks.
    public init() {
        frontier = MerkleFrontier(rule: .prefixed)
    }

    /// Continues the tree over the first `blockCount` blocks. `node(level, position)` must return the complete node at
    /// that place, as once handed out by `append`; it is called for O(log n) nodes. Rethrows what `node` throws.
    public init(blockCount: UInt64, node: (_ level: Int, _ position: UInt64) throws -> Digest32) rethrows {
        frontier = try MerkleFrontier(size: TreeSize(blockCount), rule: .prefixed, node: node)
    }

    /// The number of blocks, which is the id of the next one.
    public var blockCount: UInt64 { frontier.size.rawValue }

    /// The history root of the next block: SHA-256 of nothing for block 0.
    public var root: Digest32 { frontier.root() ?? MerkleRule.prefixedEmptyRoot }

    /// Appends the hash of the next block, and hands out every node that is now complete: its leaf (level 0) and the
    /// interior nodes that it completes.
    public mutating func append(
        blockHash: Digest32, onNode: (_ level: Int, _ position: UInt64, _ node: Digest32) -> Void = { _, _, _ in }
    ) {
        frontier.append(Self.leaf(blockHash: blockHash), onNode: onNode)
    }

    /// The leaf of a block: SHA-256 of 0x00 and its hash.
    public static func leaf(blockHash: Digest32) -> Digest32 { MerkleRule.prefixedLeaf(blockHash) }

    /// The path of block `block` in the history root of block `digestBlock`, from complete nodes. Returns `nil` unless
    /// `block < digestBlock`. Rethrows what `node` throws.
    public static func path(
        of block: BlockID, inHistoryOf digestBlock: BlockID,
        node: (_ level: Int, _ position: UInt64) throws -> Digest32
    ) rethrows -> InclusionProof? {
        try InclusionProof.build(
            leaf: LeafIndex(block.rawValue), in: TreeSize(digestBlock.rawValue), rule: .prefixed, node: node)
    }
}
