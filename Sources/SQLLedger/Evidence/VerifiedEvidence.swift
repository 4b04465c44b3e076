import LedgerProofs

/// What a bundle proves. Only `EvidenceVerifier` makes one.
public struct VerifiedEvidence: Hashable, Sendable {
    /// One row operation that the ledger held.
    public struct Row: Hashable, Sendable {
        public let row: EvidenceRow
        /// The transaction of the schema event that proves the name of the table as of then, if the bundle has one.
        public let tableNameProvenBy: TransactionNumber?
    }

    public let database: EvidenceBundle.Database?
    public let rows: [Row]
    public let entries: [DigestEntry]
    /// The digests on which the rows rest.
    public let digests: [LedgerDigest]

    init(database: EvidenceBundle.Database?, rows: [Row], entries: [DigestEntry], digests: [LedgerDigest]) {
        self.database = database
        self.rows = rows
        self.entries = entries
        self.digests = digests
    }
}
