import LedgerProofs
import Testing

@Suite struct MerkleTests {
    struct NodeID: Hashable {
        var level: Int
        var index: UInt64
    }
    struct NotComplete: Error {}

    /// All complete nodes, as the frontier reports them.
    static func nodes(_ leaves: some Collection<Digest32>) -> (MerkleFrontier, [NodeID: Digest32]) {
        var frontier = MerkleFrontier()
        var nodes: [NodeID: Digest32] = [:]
        for leaf in leaves {
            frontier.append(leaf) { level, index, node in
                #expect(nodes.updateValue(node, forKey: NodeID(level: level, index: index)) == nil)
            }
        }
        return (frontier, nodes)
    }

    static func lookUp(_ nodes: [NodeID: Digest32], _ level: Int, _ index: UInt64) throws -> Digest32 {
        guard let node = nodes[NodeID(level: level, index: index)] else { throw NotComplete() }
        return node
    }

    @Test func emptyTreeHasNoRoot() {
        #expect(MerkleFrontier().root() == nil)
        #expect(MerkleFrontier(size: TreeSize(3), subtrees: [.zero]) == nil)
    }

    @Test func everySizeTo130AgreesWithTheDefinition() throws {
        let leaves = ReferenceTree.leaves(130)
        for size in 1...130 {
            let part = leaves.prefix(size)
            let (frontier, nodes) = Self.nodes(part)
            let root = ReferenceTree.root(part)
            #expect(frontier.root() == root)
            #expect(MerkleFrontier(size: frontier.size, subtrees: frontier.subtrees) == frontier)
            for index in 0..<size {
                let proof = try #require(
                    try InclusionProof.build(leaf: LeafIndex(UInt64(index)), in: TreeSize(UInt64(size))) {
                        try Self.lookUp(nodes, $0, $1)
                    })
                #expect(proof.steps == ReferenceTree.path(index, part))
                #expect(proof.root(of: leaves[index]) == root)
                #expect(index + 1 == size || proof.root(of: leaves[size - 1]) != root)
            }
            let whole = TreeSize(UInt64(size))
            let beyond = InclusionProof.build(leaf: LeafIndex(whole.rawValue), in: whole) { _, _ in .zero }
            #expect(beyond == nil)
        }
    }

    @Test func proofsInOlderTreesUseOnlyNodesThatWereCompleteThen() throws {
        let leaves = ReferenceTree.leaves(300)
        let (_, nodes) = Self.nodes(leaves)
        for size in [2, 31, 32, 33, 255, 256, 257, 299] {
            for index in stride(from: 0, to: size, by: 7) {
                let proof = try InclusionProof.build(leaf: LeafIndex(UInt64(index)), in: TreeSize(UInt64(size))) {
                    #expect(($1 + 1) << UInt64($0) <= UInt64(size))
                    return try Self.lookUp(nodes, $0, $1)
                }
                #expect(proof?.steps == ReferenceTree.path(index, leaves.prefix(size)))
            }
        }
    }

    @Test func randomSizesBeyond() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<8 {
            let size = Int.random(in: 131...5000, using: &generator)
            let leaves = ReferenceTree.leaves(size)
            let (frontier, nodes) = Self.nodes(leaves)
            let root = ReferenceTree.root(leaves[...])
            #expect(frontier.root() == root, "size \(size)")
            for _ in 0..<20 {
                let index = Int.random(in: 0..<size, using: &generator)
                var readCount = 0
                let proof = try InclusionProof.build(leaf: LeafIndex(UInt64(index)), in: TreeSize(UInt64(size))) {
                    readCount += 1
                    return try Self.lookUp(nodes, $0, $1)
                }
                #expect(proof?.root(of: leaves[index]) == root, "leaf \(index) of \(size)")
                #expect(readCount <= 2 * 13)
            }
        }
    }

    @Test func hugeTreesDoNotOverflow() {
        for size: UInt64 in [.max, .max - 1, 1 << 63, 1 << 63 + 1] {
            for index: UInt64 in [0, 1, size / 2, size - 1] {
                let proof = InclusionProof.build(leaf: LeafIndex(index), in: TreeSize(size)) { level, position in
                    #expect(level < 64)
                    #expect(position <= (size >> UInt64(level)))
                    return .zero
                }
                #expect((proof?.steps.count ?? 999) <= InclusionProof.maximumStepCount)
            }
        }
    }

    // MARK: Vectors

    struct Vectors: Decodable {
        struct Signature: Decodable {
            var root: String
            var seqno: Int
            var treeHex: String
        }
        struct Step: Decodable {
            var left: String?
            var right: String?
        }
        struct Path: Decodable {
            var index: UInt64
            var size: Int
            var path: [Step]
        }
        struct Root: Decodable {
            var leaves: Int
            var root: String
        }
        struct Serialised: Decodable {
            var flushed: UInt64
            var size: Int
            var hex: String
        }
        var leaves: [String]
        var signatures: [Signature]
        var syntheticPaths: [Path]
        var syntheticRoots: [Root]
        var syntheticSerialised: [Serialised]
    }

    static func vectors() throws -> Vectors { try VectorFile.decode(Vectors.self, "ccf/merkle.json") }
    static let synthetic: [Digest32] = (0..<40).map { $0 == 0 ? .zero : SHA256Hashing.digest([UInt8($0)]) }

    @Test func rootsAndTreesOfARealLedger() throws {
        let vectors = try Self.vectors()
        let leaves = try vectors.leaves.map { try #require(Digest32(hex: $0)) }
        #expect(vectors.signatures.count == 7)
        for signature in vectors.signatures {
            let (frontier, _) = Self.nodes(leaves.prefix(signature.seqno))
            #expect(frontier.root()?.hex == signature.root)
            let bytes = try #require(Hex.decode(signature.treeHex))
            let tree = try SerialisedTree(decoding: bytes)
            #expect(tree.size.rawValue == UInt64(signature.seqno))
            #expect(tree.frontier() == frontier)
            #expect(tree.encoded() == bytes)
            #expect(tree.leaves == Array(leaves[Int(tree.flushed)..<signature.seqno]))
        }
    }

    @Test func syntheticRootsPathsAndTrees() throws {
        let vectors = try Self.vectors()
        for vector in vectors.syntheticRoots {
            #expect(Self.nodes(Self.synthetic.prefix(vector.leaves)).0.root()?.hex == vector.root)
        }
        for vector in vectors.syntheticPaths {
            let (_, nodes) = Self.nodes(Self.synthetic.prefix(vector.size))
            let proof = try InclusionProof.build(leaf: LeafIndex(vector.index), in: TreeSize(UInt64(vector.size))) {
                try Self.lookUp(nodes, $0, $1)
            }
            let expected = vector.path.map { step in
                step.left.map { ProofStep.left(Digest32(hex: $0)!) } ?? .right(Digest32(hex: step.right!)!)
            }
            #expect(proof?.steps == expected)
        }
        for vector in vectors.syntheticSerialised {
            let flushed = Self.nodes(Self.synthetic.prefix(Int(vector.flushed))).0
            let tree = try #require(
                SerialisedTree(flushed: flushed, leaves: Array(Self.synthetic[Int(vector.flushed)..<vector.size])))
            #expect(Hex.encode(tree.encoded()) == vector.hex)
            #expect(try SerialisedTree(decoding: tree.encoded()) == tree)
            #expect(tree.frontier() == Self.nodes(Self.synthetic.prefix(vector.size)).0)
        }
        #expect(vectors.syntheticRoots.count == 34 && vectors.syntheticPaths.count == 18)
    }

    @Test func damagedSerialisedTreesAreRefused() throws {
        let bytes = try #require(SerialisedTree(flushed: MerkleFrontier(), leaves: ReferenceTree.leaves(3))).encoded()
        for count in 0..<bytes.count {
            #expect(throws: ProofError.self) { try SerialisedTree(decoding: Array(bytes.prefix(count))) }
        }
        #expect(throws: ProofError.self) { try SerialisedTree(decoding: bytes + [0]) }
        #expect(throws: ProofError.self) { try SerialisedTree(decoding: bytes + [UInt8](repeating: 0, count: 32)) }
        // Counts near 2⁶⁴ must neither trap nor allocate.
        #expect(throws: ProofError.self) { try SerialisedTree(decoding: [UInt8](repeating: 0xFF, count: 16)) }
        #expect(throws: ProofError.self) {
            try SerialisedTree(decoding: [UInt8](repeating: 0xFF, count: 8) + [UInt8](repeating: 0, count: 8))
        }
        #expect(SerialisedTree(flushed: 3, leaves: [], flushedSubtrees: [.zero]) == nil)
    }
}
