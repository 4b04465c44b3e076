/// How the interior nodes of a Merkle tree are hashed. The shape of the tree is the same under both rules: the left
/// subtree has the largest power of two of leaves that is smaller than the size.
///
/// Documentation/spec/merkle-tree.md
public enum MerkleRule: Hashable, Sendable {
    /// A node is SHA-256 of its children: the confidential ledger's tree. Whether a digest is a leaf follows from
    /// the fixed form of what is hashed.
    case plain
    /// RFC 6962: a node is SHA-256 of 0x01 and its children, a leaf SHA-256 of 0x00 and its preimage. The SQL
    /// ledger's trees.
    case prefixed

    /// The parent of two nodes.
    public func parent(_ left: Digest32, _ right: Digest32) -> Digest32 {
        switch self {
        case .plain: SHA256Hashing.digest(left, right)
        case .prefixed: SHA256Hashing.prefixedNode(left, right)
        }
    }

    /// The leaf hash of a preimage under `prefixed`: SHA-256 of 0x00 and the bytes.
    public static func prefixedLeaf(_ preimage: [UInt8]) -> Digest32 {
        withUnsafeTemporaryAllocation(byteCount: preimage.count + 1, alignment: 8) { scratch in
            scratch[0] = 0
            scratch[1...].copyBytes(from: preimage)
            return SHA256Hashing.digest(UnsafeRawBufferPointer(scratch))
        }
    }

    /// The leaf hash of a digest under `prefixed`: SHA-256 of 0x00 and its 32 bytes.
    public static func prefixedLeaf(_ digest: Digest32) -> Digest32 {
        withUnsafeTemporaryAllocation(byteCount: 33, alignment: 8) { scratch in
            scratch[0] = 0
            digest.withUnsafeBytes { scratch[1...].copyBytes(from: $0) }
            return SHA256Hashing.digest(UnsafeRawBufferPointer(scratch))
        }
    }

    /// The root of the tree without leaves under `prefixed`: SHA-256 of nothing.
    public static let prefixedEmptyRoot = SHA256Hashing.digest([UInt8]())
}
