import LedgerProofs

/// The signatures that are being checked while the audit goes on.
struct SignatureQueue: Sendable {
    /// One signature transaction.
    struct Pending: Sendable {
        var id: TransactionID
        /// Whether nothing was found in it before its signatures were checked.
        var isFine: Bool
        /// Whether nothing was found before it.
        var isFirst: Bool
        var jobCount: Int
    }

    /// Signature transactions whose findings stand at one place of the report.
    private struct Batch: Sendable {
        var pending: [Pending] = []
        var items: [WorkItem<[LedgerFinding?]>] = []
        var place: UInt64 = 0
    }

    /// Signatures that one thread checks in one go.
    private static let itemCount = 4

    private var open = Batch()
    private var openJobs: [SignatureJob] = []
    private var closed: [Batch] = []
    /// Signatures since the last `close`.
    private(set) var jobCount = 0

    /// Queues the signatures of one transaction.
    mutating func add(_ pending: Pending, _ jobs: [SignatureJob], crew: WorkCrew) {
        open.pending.append(pending)
        openJobs += jobs
        jobCount += jobs.count
        if openJobs.count >= Self.itemCount { submit(crew) }
    }

    private mutating func submit(_ crew: WorkCrew) {
        guard !openJobs.isEmpty else { return }
        open.items.append(crew.item { [openJobs] in openJobs.map { $0.finding() } })
        openJobs.removeAll(keepingCapacity: true)
    }

    /// What the signatures since the last call find belongs at `place` of the report.
    mutating func close(at place: UInt64, crew: WorkCrew) {
        submit(crew)
        guard !open.pending.isEmpty else { return }
        open.place = place
        closed.append(open)
        open = Batch()
        jobCount = 0
    }

    /// Hands over the closed signature transactions in order, with the place and the findings of each. Stops at the
    /// first that is not checked yet, but waits for all beyond the newest `waitingCount` places.
    mutating func drain(
        waitingCount: Int, crew: WorkCrew, _ body: (_ pending: Pending, _ place: UInt64, [LedgerFinding]) -> Void
    ) {
        while let batch = closed.first {
            if closed.count <= waitingCount, batch.items.contains(where: { $0.value == nil }) { return }
            var results = batch.items.map { crew.value(of: $0) }.joined().makeIterator()
            for pending in batch.pending {
                var findings: [LedgerFinding] = []
                for _ in 0..<pending.jobCount {
                    if case .some(.some(let finding)) = results.next() { findings.append(finding) }
                }
                body(pending, batch.place, findings)
            }
            closed.removeFirst()
        }
    }
}
