/// The path from a leaf to a root. Empty when the leaf is the root.
///
/// Documentation/spec/merkle-tree.md
public struct InclusionProof: Hashable, Sendable {
    /// No tree below 2⁶⁴ leaves needs more steps; decoders refuse longer proofs.
    public static let maximumStepCount = 64

    /// From the leaf to the root.
    public var steps: [ProofStep]

    public init(steps: [ProofStep]) {
        self.steps = steps
    }

    /// The root to which the path leads. Says nothing about whether anyone signed it.
    public func root(of leaf: Digest32, rule: MerkleRule = .plain) -> Digest32 {
        steps.reduce(leaf) { node, step in step.parent(of: node, rule: rule) }
    }

    /// The root to which the path leads, or `nil` unless the path has exactly the shape of the path of `leaf` in a
    /// tree of `size` leaves: as many steps, each with its sibling on the side where it must stand.
    public func root(of digest: Digest32, at leaf: LeafIndex, in size: TreeSize, rule: MerkleRule) -> Digest32? {
        guard let sides = Self.sides(leaf: leaf, in: size), sides == steps.map(\.isLeft) else { return nil }
        return root(of: digest, rule: rule)
    }

    /// Builds the path of `leaf` in the tree of the first `size` leaves. Returns `nil` unless `leaf < size`.
    ///
    /// Reads O(log size) nodes. `node(level, index)` must return the root of the complete subtree over the
    /// 2^level leaves from `index << level` on (level 0: the leaf itself); no other node is asked for.
    /// Rethrows what `node` throws.
    public static func build(
        leaf: LeafIndex, in size: TreeSize, rule: MerkleRule = .plain, node: (Int, UInt64) throws -> Digest32
    ) rethrows -> InclusionProof? {
        let index = leaf.rawValue
        let count = size.rawValue
        guard index < count else { return nil }

        // The complete subtree that holds the leaf is the one for the highest bit where index and size differ.
        let height = 63 - (index ^ count).leadingZeroBitCount
        var steps: [ProofStep] = []
        steps.reserveCapacity(height + 1 + (count >> UInt64(height)).nonzeroBitCount)
        for level in 0..<height {
            let position = index >> UInt64(level)
            let sibling = try node(level, position ^ 1)
            steps.append(position & 1 == 1 ? .left(sibling) : .right(sibling))
        }

        // A subtree of the size's decomposition starts where the higher bits of the size end, so its index at
        // its own level is the shifted size without the lowest bit.
        let bit: UInt64 = 1 << UInt64(height)

        // Everything to the right of it is one node: the smaller subtrees, folded from the right.
        var rest: Digest32?
        var smaller = count & (bit - 1)
        while smaller != 0 {
            let level = smaller.trailingZeroBitCount
            smaller &= smaller - 1
            let subtree = try node(level, (count >> UInt64(level)) ^ 1)
            rest = rest.map { rule.parent(subtree, $0) } ?? subtree
        }
        if let rest { steps.append(.right(rest)) }

        // To the left of it stand the larger subtrees, each a step, the nearest first.
        var larger = count & ~(bit | (bit - 1))
        while larger != 0 {
            let level = larger.trailingZeroBitCount
            larger &= larger - 1
            steps.append(.left(try node(level, (count >> UInt64(level)) ^ 1)))
        }
        return InclusionProof(steps: steps)
    }

    /// For each step from `leaf` upwards in a tree of `size` leaves: whether the sibling stands on the left.
    /// Returns `nil` unless `leaf < size`.
    package static func sides(leaf: LeafIndex, in size: TreeSize) -> [Bool]? {
        build(leaf: leaf, in: size) { _, _ in .zero }?.steps.map(\.isLeft)
    }
}
