/// The right edge of a Merkle tree: the roots of its complete subtrees, one for each set bit of the size.
/// Enough to append leaves and to compute roots, in memory that grows with the logarithm of the size.
///
/// Documentation/spec/merkle-tree.md
public struct MerkleFrontier: Sendable, Equatable {
    public private(set) var size: TreeSize

    /// The roots of the complete subtrees, largest (leftmost) first. Count = number of set bits of `size`.
    public private(set) var subtrees: [Digest32]

    /// The empty tree.
    public init() {
        size = TreeSize(0)
        subtrees = []
    }

    /// Continues a tree whose complete subtrees are known. Returns `nil` unless there is exactly one subtree
    /// for each set bit of `size`.
    public init?(size: TreeSize, subtrees: [Digest32]) {
        guard subtrees.count == size.rawValue.nonzeroBitCount else { return nil }
        self.size = size
        self.subtrees = subtrees
    }

    /// Appends a leaf and reports every node that is now final: the leaf itself (level 0), then each interior
    /// node that the leaf completes, upwards. Traps at 2⁶⁴ - 1 leaves.
    @inlinable
    public mutating func append(
        _ leaf: Digest32, onNode: (_ level: Int, _ index: UInt64, _ node: Digest32) -> Void
    ) {
        let index = size.rawValue
        onNode(0, index, leaf)
        var node = leaf
        var level = 0
        while index >> UInt64(level) & 1 == 1 {
            node = SHA256Hashing.digest(removeLastSubtree(), node)
            level += 1
            onNode(level, index >> UInt64(level), node)
        }
        appendSubtree(node)
    }

    /// Appends a leaf.
    public mutating func append(_ leaf: Digest32) {
        append(leaf) { _, _, _ in }
    }

    @usableFromInline
    mutating func removeLastSubtree() -> Digest32 { subtrees.removeLast() }

    @usableFromInline
    mutating func appendSubtree(_ node: Digest32) {
        subtrees.append(node)
        size.rawValue += 1
    }

    /// The root over all leaves, or `nil` for the empty tree.
    public func root() -> Digest32? {
        guard var node = subtrees.last else { return nil }
        for left in subtrees.dropLast().reversed() {
            node = SHA256Hashing.digest(left, node)
        }
        return node
    }
}
