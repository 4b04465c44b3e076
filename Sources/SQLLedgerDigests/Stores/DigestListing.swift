import SQLLedger

/// What a store holds for one ledger.
public struct DigestListing: Hashable, Sendable {
    /// In ascending order of blocks; several of one block in the order in which they were stored.
    public var digests: [StoredDigest]
    /// What was found beside them, in the order of the store.
    public var problems: [DigestProblem]

    public init(digests: [StoredDigest] = [], problems: [DigestProblem] = []) {
        self.digests = digests
        self.problems = problems
    }
}
