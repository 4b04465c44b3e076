import LedgerProofs

/// The signatures that are being checked while the audit goes on. Those of one key are checked many at a time.
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

    /// Signatures of one key that one thread checks in one go.
    private struct Batch: Sendable {
        /// Until they are handed to the crew.
        var jobs: [SignatureJob] = []
        var item: WorkItem<[LedgerFinding?]>?
        /// Signatures whose results nobody has taken.
        var waitingCount = 0
    }

    /// Where the result of a signature will be.
    private struct Ticket: Sendable {
        var batch: Int
        var index: Int
    }

    /// Signature transactions whose findings stand at one place of the report.
    private struct Group: Sendable {
        var pending: [(pending: Pending, tickets: [Ticket])] = []
        var place: UInt64 = 0
    }

    /// More share the costs of a batch among more, and take more memory: half a megabyte with P-384.
    private static let batchCount = 64

    private var open = Group()
    private var closed: [Group] = []
    private var batches: [Int: Batch] = [:]
    /// The batch that takes more signatures of a key, which it keeps alive.
    private var openBatches: [ObjectIdentifier: Int] = [:]
    private var nextBatch = 0
    /// Signatures since the last `close`.
    private(set) var jobCount = 0

    /// Queues the signatures of one transaction.
    mutating func add(_ pending: Pending, _ jobs: [SignatureJob], crew: WorkCrew) {
        open.pending.append((pending, jobs.map { add($0, crew) }))
        jobCount += jobs.count
    }

    private mutating func add(_ job: SignatureJob, _ crew: WorkCrew) -> Ticket {
        let key = ObjectIdentifier(job.key)
        let number = openBatches[key] ?? nextBatch
        if number == nextBatch {
            openBatches[key] = number
            nextBatch += 1
        }
        let index = batches[number, default: Batch()].jobs.count
        batches[number, default: Batch()].jobs.append(job)
        batches[number, default: Batch()].waitingCount += 1
        if index + 1 == Self.batchCount { submit(number, crew) }
        return Ticket(batch: number, index: index)
    }

    private mutating func submit(_ number: Int, _ crew: WorkCrew) {
        guard let jobs = batches[number]?.jobs, let first = jobs.first else { return }
        openBatches[ObjectIdentifier(first.key)] = nil
        batches[number]?.item = crew.item { SignatureJob.findings(of: jobs) }
        batches[number]?.jobs = []
    }

    /// What the signatures since the last call find belongs at `place` of the report.
    mutating func close(at place: UInt64) {
        guard !open.pending.isEmpty else { return }
        open.place = place
        closed.append(open)
        open = Group()
        jobCount = 0
    }

    /// Hands over the closed signature transactions in order, with the place and the findings of each. Stops at the
    /// first that is not checked yet, but waits for all beyond the newest `waitingCount` places.
    mutating func drain(
        waitingCount: Int, crew: WorkCrew, _ body: (_ pending: Pending, _ place: UInt64, [LedgerFinding]) -> Void
    ) {
        if waitingCount == 0 {
            // All at once, so that there is work for everybody.
            for number in openBatches.values.sorted() { submit(number, crew) }
        }
        while let group = closed.first {
            if closed.count <= waitingCount, !isChecked(group) { return }
            for (pending, tickets) in group.pending {
                body(pending, group.place, tickets.compactMap { take($0, crew) })
            }
            closed.removeFirst()
        }
    }

    private func isChecked(_ group: Group) -> Bool {
        group.pending.allSatisfy { $0.tickets.allSatisfy { batches[$0.batch]?.item?.value != nil } }
    }

    private mutating func take(_ ticket: Ticket, _ crew: WorkCrew) -> LedgerFinding? {
        if batches[ticket.batch]?.item == nil { submit(ticket.batch, crew) }
        guard let item = batches[ticket.batch]?.item else { return nil }
        batches[ticket.batch]?.waitingCount -= 1
        if batches[ticket.batch]?.waitingCount == 0 { batches[ticket.batch] = nil }
        return crew.value(of: item)[ticket.index]
    }
}
