import LedgerProofs

/// The leaves since the newest signature and the tree before them: what a node writes as its serialised tree. Knowing
/// them, the recorded tree is compared without hashing its leaves again.
struct TreeTail: Sendable {
    /// Beyond this many leaves the tree is compared by its hashes, so that memory does not grow.
    private static let maximumLeafCount = 1 << 16

    /// `nil` when there is nothing to compare with.
    private var below: MerkleFrontier?
    private var leaves: [Digest32] = []

    mutating func append(_ leaf: Digest32) {
        guard below != nil else { return }
        if leaves.count < Self.maximumLeafCount { leaves.append(leaf) } else { forget() }
    }

    /// A signature transaction stands behind the tree `frontier`.
    mutating func restart(at frontier: MerkleFrontier) {
        below = frontier
        leaves.removeAll(keepingCapacity: true)
    }

    private mutating func forget() {
        below = nil
        leaves = []
    }

    /// Whether `tree` is made of exactly these parts. False says nothing.
    func isSame(as tree: SerialisedTree) -> Bool {
        guard let below, tree.flushed == below.size.rawValue, tree.leaves == leaves else { return false }
        return tree.flushedSubtrees.elementsEqual(below.subtrees.reversed())
    }
}
