/// What to verify, against what, and with how much of the machine.
public struct VerificationOptions: Sendable {
    /// Names of ledger tables, or `nil` for the whole database.
    public var tables: [String]?

    /// The digests that came from outside of the database. Empty: nothing anchors the result.
    public var digests: [StatedDigest]

    /// URLs of the stores that were asked for all their digests of this ledger, and answered.
    public var stores: [String]

    /// A digest that an earlier verification ended with: only transactions after its block are recomputed.
    public var since: LedgerDigest?

    /// A digest that an earlier verification ended with, for whole verifications: the database must still lead to it. It
    /// anchors nothing by itself, so that whoever names no digests is told so.
    public var verifiedBefore: StatedDigest?

    /// How many threads read and hash. At least 1.
    public var jobs: Int

    /// The ledger that is expected, if the caller knows it. Another one is `READ_UNTRUSTED`.
    public var expectedLedger: LedgerID?

    /// What the caller demands of digests.
    public var policy: DigestPolicy

    /// The time of the verification, against which times in the future are found.
    public var now: CommitTime

    /// Bytes of records that are kept in memory before they go to an unlinked temporary file.
    public var memoryBudget: Int

    /// Where temporary files go. `nil`: the system's directory.
    public var temporaryDirectory: String?

    /// More findings of one code about one table than this are put together.
    public var findingLimit: Int

    /// Called from any thread, at most some times a second.
    public var progress: (@Sendable (VerificationProgress) -> Void)?

    public init(
        tables: [String]? = nil, digests: [StatedDigest] = [], stores: [String] = [], since: LedgerDigest? = nil,
        jobs: Int = 1, expectedLedger: LedgerID? = nil, policy: DigestPolicy = DigestPolicy(), now: CommitTime = .now(),
        memoryBudget: Int = 64 << 20, temporaryDirectory: String? = nil, findingLimit: Int = 200,
        progress: (@Sendable (VerificationProgress) -> Void)? = nil
    ) {
        self.tables = tables
        self.digests = digests
        self.stores = stores
        self.since = since
        self.jobs = max(jobs, 1)
        self.expectedLedger = expectedLedger
        self.policy = policy
        self.now = now
        self.memoryBudget = memoryBudget
        self.temporaryDirectory = temporaryDirectory
        self.findingLimit = max(findingLimit, 1)
        self.progress = progress
    }
}
