import LedgerProofs

/// Reads the hashes of stored leaves where they are, without their column checks.
enum StoredLeafBytes {
    /// The hash of the leaf at `offset`, which moves behind its column checks; `nil` where there is no whole one.
    static func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Digest32? {
        let header = Digest32.byteCount + 2
        guard bytes.count - offset >= header else { return nil }
        let checks = Int(bytes[offset + header - 2]) << 8 | Int(bytes[offset + header - 1])
        guard bytes.count - offset >= header + 2 * checks else { return nil }
        defer { offset += header + 2 * checks }
        return Digest32(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Digest32.byteCount]))
    }

    static func next(_ bytes: [UInt8], _ offset: inout Int) -> Digest32? {
        bytes.withUnsafeBytes { next($0, &offset) }
    }

    /// Replaces `leaves` by the hashes of the leaves in `bytes`. `false` when they are not exactly `count`.
    static func read(_ bytes: [UInt8], _ count: Int, into leaves: inout [Digest32]) -> Bool {
        leaves.removeAll(keepingCapacity: true)
        return bytes.withUnsafeBytes { raw in
            var offset = 0
            for _ in 0..<count {
                guard let leaf = next(raw, &offset) else { return false }
                leaves.append(leaf)
            }
            return offset == raw.count
        }
    }

    /// The root over `nodes`, of which there is at least one, in whose place it is computed, level by level: a last node
    /// without a neighbour goes up as it is, which is the tree of RFC 6962.
    static func fold(_ nodes: UnsafeMutableBufferPointer<Digest32>) -> Digest32 {
        var width = nodes.count
        while width > 1 {
            for place in 0..<width / 2 {
                nodes[place] = MerkleRule.prefixed.parent(nodes[2 * place], nodes[2 * place + 1])
            }
            if width & 1 == 1 { nodes[width / 2] = nodes[width - 1] }
            width = (width + 1) / 2
        }
        return nodes[0]
    }

    /// Whether what an entry keeps has all leaves that it must have, and no more.
    static func isReadable(_ kept: [UInt8], _ hashes: TableHashes) -> Bool {
        var offset = 0
        for hash in hashes.tables {
            for _ in 0..<hash.leafCount % UInt64(LeafChunk.leafCount) {
                guard next(kept, &offset) != nil else { return false }
            }
        }
        return offset == kept.count && !kept.isEmpty
    }
}
