import LedgerProofs

/// A verified snapshot: the state at a signature transaction, and the tree up to and including it.
struct SnapshotStart {
    var seqno: SequenceNumber
    var state: LedgerState
    /// All leaves up to and including `seqno`.
    var frontier: MerkleFrontier
    /// The frontier below the signature at `seqno`.
    var flushed: MerkleFrontier
    var leaf: Digest32
}
