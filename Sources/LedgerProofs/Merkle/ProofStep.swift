/// One step from a leaf towards the root: the sibling, named for the side on which it stands.
public enum ProofStep: Hashable, Sendable {
    case left(Digest32)
    case right(Digest32)

    /// The sibling, whichever side it is on.
    public var sibling: Digest32 {
        switch self {
        case .left(let digest), .right(let digest): digest
        }
    }

    /// Whether the sibling stands on the left.
    public var isLeft: Bool {
        switch self {
        case .left: true
        case .right: false
        }
    }

    /// The parent of `node` and the sibling under `rule`.
    public func parent(of node: Digest32, rule: MerkleRule = .plain) -> Digest32 {
        switch self {
        case .left(let sibling): rule.parent(sibling, node)
        case .right(let sibling): rule.parent(node, sibling)
        }
    }
}
