/// The value of the `internal.tree` table: the leaves since the last flush and the roots of what was flushed.
/// The only big-endian structure of the ledger.
///
/// Documentation/spec/merkle-tree.md, "Serialised tree"
public struct SerialisedTree: Sendable, Equatable {
    /// The number of leaves that are represented only by `flushedSubtrees`.
    public let flushed: UInt64

    /// The leaves with index `flushed` and up.
    public let leaves: [Digest32]

    /// The roots of the complete subtrees over leaves `0 ..< flushed`, one for each set bit of `flushed`, lowest
    /// bit (smallest, rightmost subtree) first, as stored.
    public let flushedSubtrees: [Digest32]

    /// Returns `nil` unless there is one subtree for each set bit of `flushed`.
    public init?(flushed: UInt64, leaves: [Digest32], flushedSubtrees: [Digest32]) {
        guard flushedSubtrees.count == flushed.nonzeroBitCount,
            !flushed.addingReportingOverflow(UInt64(leaves.count)).overflow
        else { return nil }
        self.flushed = flushed
        self.leaves = leaves
        self.flushedSubtrees = flushedSubtrees
    }

    /// The tree that `flushed` describes, followed by `leaves`.
    public init?(flushed: MerkleFrontier, leaves: [Digest32]) {
        self.init(
            flushed: flushed.size.rawValue, leaves: leaves, flushedSubtrees: flushed.subtrees.reversed())
    }

    /// The number of all leaves: the sequence number of the signature transaction that holds this value.
    public var size: TreeSize { TreeSize(flushed + UInt64(leaves.count)) }

    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + 32 * (leaves.count + flushedSubtrees.count))
        withUnsafeBytes(of: UInt64(leaves.count).bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: flushed.bigEndian) { bytes.append(contentsOf: $0) }
        for digest in leaves { digest.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        for digest in flushedSubtrees { digest.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return bytes
    }

    /// Reads exactly one value.
    /// - Throws: `ProofError.truncated` or `.trailingBytes` when the counts do not fit the bytes,
    ///   `.outOfRange` when the counts are too large for any tree.
    public init(decoding bytes: [UInt8]) throws(ProofError) {
        guard bytes.count >= 16 else { throw .truncated("a serialised tree is at least 16 bytes") }
        let leafCount = bytes.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) }
        let flushed = bytes.withUnsafeBytes {
            UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        let available = UInt64((bytes.count - 16) / 32)
        guard !flushed.addingReportingOverflow(leafCount).overflow else {
            throw .outOfRange("more leaves than a tree can have")
        }
        let subtreeCount = UInt64(flushed.nonzeroBitCount)
        guard leafCount <= available, subtreeCount <= available - leafCount else {
            throw .truncated("fewer digests than the counts of the serialised tree say")
        }
        guard bytes.count == 16 + 32 * Int(leafCount + subtreeCount) else {
            throw .trailingBytes("bytes after the serialised tree")
        }
        let leafEnd = 16 + 32 * Int(leafCount)
        self.flushed = flushed
        self.leaves = Self.digests(bytes[16..<leafEnd])
        self.flushedSubtrees = Self.digests(bytes[leafEnd...])
    }

    private static func digests(_ bytes: ArraySlice<UInt8>) -> [Digest32] {
        bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count, by: 32).compactMap {
                Digest32(UnsafeRawBufferPointer(rebasing: raw[$0..<$0 + 32]))
            }
        }
    }

    /// The right edge of the whole tree: flushed and listed leaves.
    public func frontier() -> MerkleFrontier {
        // The initialisers checked the count, so the value is never missing.
        var frontier = MerkleFrontier(size: TreeSize(flushed), subtrees: flushedSubtrees.reversed()) ?? MerkleFrontier()
        for leaf in leaves { frontier.append(leaf) }
        return frontier
    }
}
