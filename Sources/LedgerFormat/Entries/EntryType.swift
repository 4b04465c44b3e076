/// The first byte of a public domain (CCF ledger format 2.2).
public enum EntryType: UInt8, Hashable, Sendable {
    /// Deprecated. No claims, no commit evidence.
    case writeSet = 0
    /// Only in snapshot files.
    case snapshot = 1
    /// Deprecated. Claims without commit evidence: it has no Merkle leaf, so no reader accepts it.
    case writeSetWithClaims = 2
    /// Deprecated. Commit evidence without claims.
    case writeSetWithCommitEvidence = 3
    /// The only type that is written.
    case writeSetWithCommitEvidenceAndClaims = 4
}
