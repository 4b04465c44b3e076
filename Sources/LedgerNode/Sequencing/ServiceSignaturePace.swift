import LedgerProofs

/// Decides which signature transactions carry the service's signature beside the node's. A signature of the service
/// costs as much processor time as thirty of the node, and one covers everything before it (decision 0013).
struct ServiceSignaturePace {
    /// How long transactions may lack a signature of the service while others follow, and how many signature
    /// transactions in a row.
    static let interval: Duration = .milliseconds(250)
    static let signatureLimit = 64
    /// How long when somebody waits for it: asking for COSE receipts without end must not slow down the writers.
    static let wantedInterval: Duration = .milliseconds(20)
    /// How long when nothing follows.
    static let closingInterval: Duration = .milliseconds(50)

    /// When the service signed last, and when anybody did.
    private var last: ContinuousClock.Instant?
    private var newest: ContinuousClock.Instant?
    private var without = 0
    private var triedFor: SequenceNumber?

    /// Whether the signature transaction being built carries it. A lone writer's always does: nothing else would keep
    /// the processor busy, and everything about its write is complete when it is answered.
    /// - Parameters:
    ///   - writers: how many writes are on their way, those of this batch included.
    ///   - isWanted: somebody waits for a signature of the service.
    func isDue(writers: Int, isWanted: Bool = false, at now: ContinuousClock.Instant) -> Bool {
        guard writers > 1, let last else { return true }
        return without + 1 >= Self.signatureLimit
            || now - last >= (isWanted ? Self.wantedInterval : Self.interval)
    }

    mutating func signed(byService: Bool, at now: ContinuousClock.Instant) {
        newest = now
        if byService {
            last = now
            without = 0
        } else {
            without += 1
        }
    }

    /// When a signature transaction of its own is to be written if no other comes first; `nil` when there is no need,
    /// or when that was tried already: a disk that refused it is not asked again before there is a write.
    func closingTime(after state: SequencerState) -> ContinuousClock.Instant? {
        guard !state.isSignedByService, triedFor != state.next.seqno else { return nil }
        return newest.map { $0 + Self.closingInterval } ?? .now
    }

    mutating func triedClosing(after state: SequencerState) { triedFor = state.next.seqno }
}
