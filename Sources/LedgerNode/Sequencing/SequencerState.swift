import LedgerProofs

/// Everything the next batch depends on. A value: a batch is built on a copy, which replaces the original only
/// when the batch is durable.
struct SequencerState: Sendable {
    var ledger = LedgerState()
    /// The view new transactions are written in.
    var view: View
    /// All leaves so far; its size is the next seqno (leaf 0 is the zero leaf).
    var frontier: MerkleFrontier
    /// The frontier below the newest committed signature, whose seqno is its size.
    var flushed: MerkleFrontier
    /// Leaves from that signature's own to the newest.
    var leavesSinceFlush: [Digest32]
    /// Microseconds since 1970 of the newest entry; times never go back.
    var lastTime: Int64 = 0
    /// Bytes in the open chunk, header word included.
    var chunkByteCount: UInt64 = 8
    /// The seqno of the newest snapshot, or of the last one asked for.
    var lastSnapshot: SequenceNumber = .zero

    /// An empty ledger: only the zero leaf.
    init(view: View) {
        self.view = view
        var frontier = MerkleFrontier()
        frontier.append(.zero)
        self.frontier = frontier
        self.flushed = MerkleFrontier()
        self.leavesSinceFlush = [.zero]
    }

    /// Whether the newest transaction carries a signature of the service, which covers all before it.
    var isSignedByService: Bool { ledger.lastServiceSignature == ledger.last.seqno }

    var next: TransactionID { TransactionID(view: view, seqno: SequenceNumber(frontier.size.rawValue)) }
}
