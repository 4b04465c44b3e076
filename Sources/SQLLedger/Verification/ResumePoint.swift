import LedgerProofs

/// Where an incremental verification starts: behind a block that an earlier verification proved.
struct ResumePoint {
    var block: BlockID
    var hash: Digest32
    var tree: BlockTree
    var nextTransaction: UInt64
    var lastCommitTime: CommitTime?

    /// The block of `digest` as the database holds it, if it is still the one that was verified; otherwise the reason.
    static func find(
        _ digest: LedgerDigest, _ ledger: LedgerID, _ reader: any LedgerEvidenceReader
    ) throws -> (ResumePoint?, reason: String) {
        guard digest.ledger == ledger else { return (nil, "it is of another ledger, \(digest.ledger)") }
        let blocks = try reader.blocks(from: digest.block)
        var next = try blocks()
        // Ids below 0 come before those from 0 on.
        while let stored = next, stored.id > digest.block { next = try blocks() }
        guard let stored = next, stored.id == digest.block else {
            return (nil, "the database has no block \(digest.block) any more")
        }
        guard let block = stored.block(of: ledger), block.hash == digest.hash, let range = block.transactions else {
            return (nil, "block \(digest.block) does not hash to it")
        }
        guard var tree = try tree(of: block, reader) else {
            return (nil, "the blocks before block \(digest.block) do not hash to its history root")
        }
        tree.append(blockHash: block.hash)
        return (
            ResumePoint(
                block: block.id, hash: block.hash, tree: tree, nextTransaction: range.upperBound.rawValue + 1,
                lastCommitTime: digest.lastTransactionCommitTime), ""
        )
    }

    /// The tree over the blocks before `block`, from the stored nodes or else from all blocks; its root is the block's.
    private static func tree(of block: Block, _ reader: any LedgerEvidenceReader) throws -> BlockTree? {
        let quick = try BlockTree(blockCount: block.id.rawValue) { level, position in
            try reader.blockNode(level: level, position: position) ?? .zero
        }
        if quick.root == block.historyRoot { return quick }
        var slow = BlockTree()
        let next = try reader.blocks(from: BlockID(0))
        while slow.blockCount < block.id.rawValue, let stored = try next() {
            if stored.hasImpossibleID { continue }
            guard let hash = stored.block(of: block.ledger)?.hash, stored.id.rawValue == slow.blockCount else { break }
            slow.append(blockHash: hash)
        }
        return slow.blockCount == block.id.rawValue && slow.root == block.historyRoot ? slow : nil
    }
}
