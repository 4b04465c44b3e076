import LedgerProofs

/// One inconsistency: what is wrong, where, how sure that is, and what would put it right.
///
/// Documentation/spec/sql-verification.md, "Findings"
public struct Finding: Sendable, Hashable {
    public var code: Code

    /// The table, index, view, trigger or file that the finding is about.
    public var object: String

    /// The key of the row, where there is one and it is known.
    public var key: [NamedValue]

    /// The columns (or the fields of a transaction or block), as far as they are known.
    public var columns: [String]

    /// The transaction that the finding belongs to.
    public var transaction: TransactionNumber?

    /// The place of the row operation in its transaction and table.
    public var sequence: LeafNumber?

    /// Who made that transaction, as its entry says.
    public var principal: String?

    /// When that transaction was committed, as its entry says.
    public var time: CommitTime?

    /// What the ledger proves or demands.
    public var expected: String?

    /// What is there instead.
    public var found: String?

    /// The block of the transaction, or the block itself.
    public var block: BlockID?

    /// The newest digest that still proves a state before the damage.
    public var lastGoodDigest: BlockID?

    public var certainty: Certainty

    /// One sentence for people.
    public var reason: String

    /// How many rows or entries the finding stands for. More than 1 only where single findings were put together.
    public var count: UInt64

    public var repair: RepairProposal?

    public init(
        _ code: Code, object: String, key: [NamedValue] = [], columns: [String] = [],
        transaction: TransactionNumber? = nil, sequence: LeafNumber? = nil, principal: String? = nil,
        time: CommitTime? = nil, expected: String? = nil, found: String? = nil, block: BlockID? = nil,
        lastGoodDigest: BlockID? = nil, certainty: Certainty = .proven, reason: String, count: UInt64 = 1,
        repair: RepairProposal? = nil
    ) {
        self.code = code
        self.object = object
        self.key = key
        self.columns = columns
        self.transaction = transaction
        self.sequence = sequence
        self.principal = principal
        self.time = time
        self.expected = expected
        self.found = found
        self.block = block
        self.lastGoodDigest = lastGoodDigest
        self.certainty = certainty
        self.reason = reason
        self.count = count
        self.repair = repair
    }
}
