/// The right edge of a Merkle tree: the roots of its complete subtrees, one for each set bit of the size.
/// Enough to append leaves and to compute roots, in memory that grows with the logarithm of the size.
///
/// Documentation/spec/merkle-tree.md
public struct MerkleFrontier: Sendable, Equatable {
    public private(set) var size: TreeSize

    /// The roots of the complete subtrees, largest (leftmost) first. Count = number of set bits of `size`.
    public private(set) var subtrees: [Digest32]

    /// How interior nodes are hashed.
    public let rule: MerkleRule

    /// The empty tree.
    public init(rule: MerkleRule = .plain) {
        size = TreeSize(0)
        subtrees = []
        self.rule = rule
    }

    /// Continues a tree whose complete subtrees are known. Returns `nil` unless there is exactly one subtree
    /// for each set bit of `size`.
    public init?(size: TreeSize, subtrees: [Digest32], rule: MerkleRule = .plain) {
        guard subtrees.count == size.rawValue.nonzeroBitCount else { return nil }
        self.size = size
        self.subtrees = subtrees
        self.rule = rule
    }

    /// Continues a tree whose complete nodes can be read. `node(level, index)` must return the root of the complete
    /// subtree over the 2^level leaves from `index << level` on; it is called once for each set bit of `size`.
    /// Rethrows what `node` throws.
    public init(size: TreeSize, rule: MerkleRule, node: (_ level: Int, _ index: UInt64) throws -> Digest32) rethrows {
        self.size = size
        self.rule = rule
        self.subtrees = try (0..<64).reversed().compactMap { level in
            guard size.rawValue >> UInt64(level) & 1 == 1 else { return nil }
            // The subtree starts where the higher bits of the size end.
            return try node(level, (size.rawValue >> UInt64(level)) ^ 1)
        }
    }

    /// Appends a leaf and reports every node that is now final: the leaf itself (level 0), then each interior
    /// node that the leaf completes, upwards. Traps at 2⁶⁴ - 1 leaves.
    @inlinable
    public mutating func append(
        _ leaf: Digest32, onNode: (_ level: Int, _ index: UInt64, _ node: Digest32) -> Void
    ) {
        append(subtree: leaf, level: 0, onNode: onNode)
    }

    /// Appends a leaf.
    public mutating func append(_ leaf: Digest32) {
        append(leaf) { _, _, _ in }
    }

    /// Appends a complete subtree of 2^`level` leaves by its root, and reports it and each interior node that it
    /// completes. Traps unless the size is a multiple of 2^`level`, and at 2⁶⁴ - 1 leaves.
    @inlinable
    public mutating func append(
        subtree root: Digest32, level: Int,
        onNode: (_ level: Int, _ index: UInt64, _ node: Digest32) -> Void = { _, _, _ in }
    ) {
        let bit: UInt64 = 1 << UInt64(level)
        precondition(size.rawValue & (bit - 1) == 0, "a complete subtree starts at a multiple of its size")
        let first = size.rawValue
        var level = level
        var node = root
        onNode(level, first >> UInt64(level), node)
        while first >> UInt64(level) & 1 == 1 {
            node = rule.parent(removeLastSubtree(), node)
            level += 1
            onNode(level, first >> UInt64(level), node)
        }
        appendSubtree(node, leafCount: bit)
    }

    @usableFromInline
    mutating func removeLastSubtree() -> Digest32 { subtrees.removeLast() }

    @usableFromInline
    mutating func appendSubtree(_ node: Digest32, leafCount: UInt64) {
        subtrees.append(node)
        size.rawValue += leafCount
    }

    /// The root over all leaves, or `nil` for the empty tree.
    public func root() -> Digest32? {
        guard var node = subtrees.last else { return nil }
        for left in subtrees.dropLast().reversed() {
            node = rule.parent(left, node)
        }
        return node
    }

    /// The root over `leaves`, or `nil` when there are none.
    public static func root(of leaves: some Sequence<Digest32>, rule: MerkleRule) -> Digest32? {
        var frontier = MerkleFrontier(rule: rule)
        for leaf in leaves { frontier.append(leaf) }
        return frontier.root()
    }
}
