import LedgerProofs

/// RFC 6962 section 2.1, written as plainly as possible.
enum ReferenceTree {
    static func root(_ leaves: ArraySlice<Digest32>) -> Digest32 {
        guard leaves.count > 1 else { return leaves.first ?? SHA256Hashing.digest([UInt8]()) }
        let (left, right) = split(leaves)
        return SHA256Hashing.digest([1] + root(left).bytes + root(right).bytes)
    }

    static func path(_ index: Int, _ leaves: ArraySlice<Digest32>) -> [ProofStep] {
        guard leaves.count > 1 else { return [] }
        let (left, right) = split(leaves)
        if index < left.count {
            return path(index, left) + [.right(root(right))]
        } else {
            return path(index - left.count, right) + [.left(root(left))]
        }
    }

    private static func split(_ leaves: ArraySlice<Digest32>) -> (ArraySlice<Digest32>, ArraySlice<Digest32>) {
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        return (leaves.prefix(half), leaves.dropFirst(half))
    }

    static func leaves(_ count: Int) -> [Digest32] {
        (0..<count).map { MerkleRule.prefixedLeaf(Array(String($0).utf8)) }
    }
}
