import LedgerProofs

/// A block with its path to the block whose digest covers it.
///
/// Documentation/spec/evidence-bundle.md, "Block"
public struct EvidenceBlock: Hashable, Sendable {
    public var block: Block
    /// `block.id` or later.
    public var digestBlock: BlockID
    /// In the history root of `digestBlock`; empty when that is this block.
    public var path: InclusionProof

    public init(block: Block, digestBlock: BlockID, path: InclusionProof) {
        self.block = block
        self.digestBlock = digestBlock
        self.path = path
    }

    private static let members: Set<String> = [
        "block_id", "block_path", "block_size", "close_time", "digest_block", "first_transaction_id",
        "history_root_hash", "ledger_id", "previous_block_hash", "transactions_root_hash",
    ]

    init(_ value: JSONValue) throws(ProofError) {
        let object = try StrictObject(value, "a block", members: Self.members)
        let id = BlockID(try object.integer("block_id"))
        let size = try object.integer("block_size")
        let first = TransactionNumber(try object.integer("first_transaction_id"))
        guard (1...Block.maximumSize).contains(size), first.rawValue > 0 else {
            throw .invalid("a block has no transactions, or more than a block can have")
        }
        let previous = object.isNull("previous_block_hash") ? nil : try object.digest("previous_block_hash")
        guard (id.rawValue == 0) == (previous == nil) else {
            throw .invalid("only block 0 has no previous block hash")
        }
        block = Block(
            ledger: try object.ledgerID("ledger_id"), id: id,
            transactionsRoot: try object.digest("transactions_root_hash"), size: size, firstTransaction: first,
            previous: previous, historyRoot: try object.digest("history_root_hash"),
            closeTime: try object.time("close_time"))
        digestBlock = BlockID(try object.integer("digest_block"))
        path = try InclusionProof(evidence: object.array("block_path"))
    }

    var jsonValue: JSONValue {
        .object([
            "block_id": .integer(block.id.rawValue), "block_path": path.evidenceJSON,
            "block_size": .integer(block.size), "close_time": .string(block.closeTime.description),
            "digest_block": .integer(digestBlock.rawValue),
            "first_transaction_id": .integer(block.firstTransaction.rawValue),
            "history_root_hash": .string(block.historyRoot.hex), "ledger_id": .string(block.ledger.hex),
            "previous_block_hash": .optional(block.previous?.hex),
            "transactions_root_hash": .string(block.transactionsRoot.hex),
        ])
    }
}
