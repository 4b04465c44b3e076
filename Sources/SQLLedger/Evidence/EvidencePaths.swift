import LedgerProofs

/// Builds the paths of bundles from what a ledger stores, and checks that they lead where they must.
public enum EvidencePaths {
    /// The path of a leaf in the table root of its transaction. Reads O(log n) chunks, and the root chunks of
    /// transactions with more than 16,384 leaves.
    ///
    /// - Parameters:
    ///   - chunk: Returns the stored chunk with that number.
    ///   - rootChunk: Returns the stored root chunk with that number, or `nil` when there is none.
    /// - Throws: `ProofError.invalidMember` when the stored chunks do not fold to the table root, and what the closures
    ///   throw.
    public static func rowPath(
        of leaf: Digest32, at sequence: LeafNumber, in table: TableHash, chunk: (UInt64) throws -> LeafChunk,
        rootChunk: (UInt64) throws -> LeafChunk?
    ) throws -> InclusionProof {
        try path(
            of: leaf, at: LeafIndex(sequence.rawValue), in: TreeSize(table.leafCount), root: table.root, chunk: chunk,
            rootChunk: rootChunk)
    }

    /// The path of a transaction in its block, from the stored transaction chunks.
    /// - Throws: `ProofError.invalidMember` when the chunks do not fold to the block's root, and what `chunk` throws.
    public static func transactionPath(
        of entry: TransactionEntry, in block: Block, chunk: (UInt64) throws -> LeafChunk
    ) throws -> InclusionProof {
        try path(
            of: entry.leaf, at: try index(of: entry.id, in: block), in: TreeSize(block.size),
            root: block.transactionsRoot, chunk: chunk, rootChunk: { _ in nil })
    }

    /// The path of a transaction in its block, from the leaves of all its transactions.
    /// - Throws: `ProofError.invalidMember` when the leaves do not fold to the block's root.
    public static func transactionPath(
        of entry: TransactionEntry, in block: Block, leaves: [Digest32]
    ) throws(ProofError) -> InclusionProof {
        guard UInt64(leaves.count) == block.size else { throw .invalid("the block has another number of transactions") }
        let index = try index(of: entry.id, in: block)
        let path = InclusionProof.build(leaf: index, in: TreeSize(block.size), rule: .prefixed) { level, position in
            let start = Int(position) << level
            return MerkleFrontier.root(of: leaves[start..<start + 1 << level], rule: .prefixed) ?? .zero
        }
        return try checked(path, entry.leaf, at: index, in: TreeSize(block.size), root: block.transactionsRoot)
    }

    /// The path of a block in the history of the block whose digest covers it, from the stored nodes of the block tree.
    /// Empty when both are the same.
    /// - Throws: `ProofError.invalidMember` when the nodes do not fold to the history root, and what `node` throws.
    public static func blockPath(
        of block: Block, inHistoryOf digestBlock: Block, node: (_ level: Int, _ position: UInt64) throws -> Digest32
    ) throws -> InclusionProof {
        guard block.id != digestBlock.id else { return InclusionProof(steps: []) }
        let path = try BlockTree.path(of: block.id, inHistoryOf: digestBlock.id, node: node)
        return try checked(
            path, BlockTree.leaf(blockHash: block.hash), at: LeafIndex(block.id.rawValue),
            in: TreeSize(digestBlock.id.rawValue), root: digestBlock.historyRoot)
    }

    private static func index(of transaction: TransactionNumber, in block: Block) throws(ProofError) -> LeafIndex {
        guard let transactions = block.transactions, transactions.contains(transaction) else {
            throw .invalid("the transaction is not in the block")
        }
        return LeafIndex(transaction.rawValue - block.firstTransaction.rawValue)
    }

    private static func path(
        of leaf: Digest32, at index: LeafIndex, in size: TreeSize, root: Digest32,
        chunk: (UInt64) throws -> LeafChunk, rootChunk: (UInt64) throws -> LeafChunk?
    ) throws -> InclusionProof {
        var nodes = ChunkNodes()
        let path = try InclusionProof.build(leaf: index, in: size, rule: .prefixed) { level, position in
            try nodes.node(level: level, position: position, chunk: chunk, rootChunk: rootChunk)
        }
        return try checked(path, leaf, at: index, in: size, root: root)
    }

    private static func checked(
        _ path: InclusionProof?, _ leaf: Digest32, at index: LeafIndex, in size: TreeSize, root: Digest32
    ) throws(ProofError) -> InclusionProof {
        guard let path, path.root(of: leaf, at: index, in: size, rule: .prefixed) == root else {
            throw .invalid("what is stored does not lead to the recorded root")
        }
        return path
    }
}
