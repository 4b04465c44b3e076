import LedgerProofs

/// The name of a snapshot file: `snapshot_<seqno>_<evidence seqno>`, with `.committed` once the evidence is.
public struct SnapshotName: Hashable, Sendable {
    public var seqno: SequenceNumber
    public var evidence: SequenceNumber
    public var isCommitted: Bool

    /// Requires `evidence > seqno >= 1`.
    public init(seqno: SequenceNumber, evidence: SequenceNumber, isCommitted: Bool) {
        self.seqno = seqno
        self.evidence = evidence
        self.isCommitted = isCommitted
    }

    /// `nil` for anything that is not exactly a snapshot name.
    public init?(fileName: String) {
        var rest = Substring(fileName)
        guard ChunkName.removePrefix("snapshot_", of: &rest) else { return nil }
        isCommitted = ChunkName.removeSuffix(".committed", of: &rest)
        let parts = rest.utf8.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        guard parts.count == 2, let seqno = ChunkName.decimal(parts[0]), let evidence = ChunkName.decimal(parts[1]),
            evidence > seqno
        else { return nil }
        self.seqno = SequenceNumber(seqno)
        self.evidence = SequenceNumber(evidence)
    }

    public var fileName: String { "snapshot_\(seqno)_\(evidence)\(isCommitted ? ".committed" : "")" }
}
