import LedgerProofs
import Testing

@testable import SQLLedger

/// The trees of the SQL ledger: RFC 6962; Vectors/sql/merkle.json.
@Suite struct PrefixedMerkleTests {
    struct Path: Decodable {
        var index: UInt64
        var size: UInt64
        var path: [String]
    }

    struct File: Decodable {
        var leaves: [String]
        var roots: [String]
        var paths: [Path]
    }

    static let all = ReferenceTree.leaves(131)

    @Test func rootsOfEverySize() throws {
        let file = try VectorFile.decode(File.self, "merkle.json")
        #expect(file.roots.count == 131)
        #expect(Self.all.prefix(4).map(\.hex) == file.leaves)
        #expect(MerkleRule.prefixedEmptyRoot.hex == file.roots[0])
        var frontier = MerkleFrontier(rule: .prefixed)
        for size in 1...130 {
            frontier.append(Self.all[size - 1])
            #expect(frontier.root()?.hex == file.roots[size])
            #expect(frontier.root() == ReferenceTree.root(Self.all.prefix(size)))
            #expect(MerkleFrontier.root(of: Self.all.prefix(size), rule: .prefixed) == frontier.root())
        }
    }

    @Test func pathsOfEveryLeaf() throws {
        for size in 1...130 {
            let leaves = Self.all.prefix(size)
            let root = ReferenceTree.root(leaves)
            for index in 0..<size {
                let proof = try #require(Self.build(index, size))
                #expect(proof.steps == ReferenceTree.path(index, leaves))
                #expect(
                    proof.root(
                        of: leaves[index], at: LeafIndex(UInt64(index)), in: TreeSize(UInt64(size)), rule: .prefixed)
                        == root)
            }
        }
    }

    @Test func pathVectors() throws {
        for path in try VectorFile.decode(File.self, "merkle.json").paths {
            let proof = try #require(Self.build(Int(path.index), Int(path.size)))
            #expect(proof.steps.map { ($0.isLeft ? "L" : "R") + $0.sibling.hex } == path.path)
        }
    }

    /// A path holds for its own index and size only.
    @Test func pathOfAnotherPlace() throws {
        let proof = try #require(Self.build(5, 13))
        let leaf = Self.all[5]
        let root = ReferenceTree.root(Self.all.prefix(13))
        for size in 0...40 as ClosedRange<UInt64> {
            for index in 0...size {
                let found = proof.root(of: leaf, at: LeafIndex(index), in: TreeSize(size), rule: .prefixed)
                let hasShape = (try? Self.sides(Int(index), Int(size))) == proof.steps.map(\.isLeft)
                #expect((found == root) == hasShape, "\(index) of \(size)")
                if index < 13, index != 5, size == 13 { #expect(found == nil) }
            }
        }
        #expect(proof.root(of: leaf, at: LeafIndex(13), in: TreeSize(13), rule: .prefixed) == nil)
        #expect(proof.root(of: leaf, at: LeafIndex(5), in: TreeSize(13), rule: .plain) != root)
    }

    /// A node is not a leaf: hashing the children of a node as a leaf gives something else.
    @Test func nodesAreNotLeaves() {
        let (a, b) = (Self.all[0], Self.all[1])
        #expect(MerkleRule.prefixed.parent(a, b) != MerkleRule.plain.parent(a, b))
        #expect(MerkleRule.prefixed.parent(a, b) != MerkleRule.prefixedLeaf(a.bytes + b.bytes))
        #expect(MerkleRule.prefixedLeaf(a) == MerkleRule.prefixedLeaf(a.bytes))
    }

    /// Complete subtrees of any level can be appended instead of their leaves.
    @Test(arguments: 0...7)
    func subtrees(level: Int) {
        let width = 1 << level
        var leaves = MerkleFrontier(rule: .prefixed)
        var subtrees = MerkleFrontier(rule: .prefixed)
        let all = ReferenceTree.leaves(300)
        for start in stride(from: 0, to: 300 - width, by: width) {
            let part = all[start..<start + width]
            for leaf in part { leaves.append(leaf) }
            subtrees.append(subtree: ReferenceTree.root(part), level: level)
            #expect(leaves == subtrees)
        }
        #expect(subtrees.root() == ReferenceTree.root(all.prefix(Int(subtrees.size.rawValue))))
    }

    /// A frontier continues from the nodes that appending handed out.
    @Test func continuedFromNodes() {
        var nodes: [[UInt64]: Digest32] = [:]
        var frontier = MerkleFrontier(rule: .prefixed)
        for size in 0...130 as ClosedRange<UInt64> {
            let again = MerkleFrontier(size: TreeSize(size), rule: .prefixed) { level, index in
                nodes[[UInt64(level), index]]!
            }
            #expect(again == frontier)
            frontier.append(Self.all[Int(size)]) { level, index, node in nodes[[UInt64(level), index]] = node }
        }
    }

    @Test func aSubtreeStartsAtAMultipleOfItsSize() async {
        await #expect(processExitsWith: .failure) {
            var frontier = MerkleFrontier(rule: .prefixed)
            frontier.append(.zero)
            frontier.append(subtree: .zero, level: 1)
        }
    }

    static func build(_ index: Int, _ size: Int) -> InclusionProof? {
        InclusionProof.build(leaf: LeafIndex(UInt64(index)), in: TreeSize(UInt64(size)), rule: .prefixed) {
            level, position in
            let start = Int(position) << level
            return ReferenceTree.root(all[start..<start + 1 << level])
        }
    }

    static func sides(_ index: Int, _ size: Int) throws -> [Bool]? {
        guard index < size else { return nil }
        return ReferenceTree.path(index, ReferenceTree.leaves(size)[...]).map(\.isLeft)
    }
}
