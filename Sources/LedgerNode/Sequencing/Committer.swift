import Foundation
import LedgerProofs
import Logging
import Metrics
import Synchronization

/// Makes sealed batches durable one after the other, answers their callers and hands the batches on, on a thread of
/// its own, while the sequencer builds and signs the next one.
///
/// The sequencer runs ahead on state that is not durable. When a batch fails, its generation ends: the batches behind
/// it, which build on it, are refused without being written, and the sequencer goes on from the last durable state in
/// a new view. So no caller is ever told about a write, or about a refusal, that rests on something that was lost.
final class Committer: @unchecked Sendable {
    /// Signed batches that may wait while one is being written. More would only make smaller batches.
    static let queueLimit = 1
    /// A batch that is not durable after so long is trouble to be told.
    static let patience: Duration = .seconds(10)
    /// So many failures in a row are each followed by another attempt as soon as there is a write.
    static let promptAttempts = 8
    /// Then writes are refused unseen for a second, and after each further failure twice as long, up to so long.
    static let longestPause: Duration = .seconds(16)

    private let inbox: Inbox
    private let replicator: any Replicator
    private let indexer: Indexer
    private let published: PublishedState
    private let viewFile: ViewFile
    private let logger: Logger
    /// Called on the thread after a batch whose signature ends a chunk for a snapshot.
    private let snapshotDue: @Sendable (LedgerState, Digest32) -> Void

    // Guarded by `condition`'s lock, as in `Inbox`.
    private let condition = NSCondition()
    private var queue: [SealedBatch] = []
    private var current: SealedBatch?
    private var isClosed = false
    private var isDone = false
    /// The state after the last durable batch, in the view that the next generation writes in.
    private var durable: SequencerState
    /// Why the last generation ended.
    private var lastFailure = ""
    private var stopReason: String?
    /// Batches that were not written since the last one that was.
    private var failures = 0
    /// Each attempt uses up a view and a line of the log, so callers that try again at once must not set the pace.
    private var pausedUntil: ContinuousClock.Instant?

    private let generation = Atomic<Int>(0)
    private let outstandingWrites = Atomic<Int>(0)

    private let batchSizes = Metrics.Recorder(label: "indelible_batch_entries", aggregate: true)
    private let appended = Metrics.Counter(label: "indelible_appended_transactions_total")

    init(
        state: SequencerState, inbox: Inbox, replicator: any Replicator, indexer: Indexer, published: PublishedState,
        viewFile: ViewFile, logger: Logger, snapshotDue: @escaping @Sendable (LedgerState, Digest32) -> Void
    ) {
        self.durable = state
        self.inbox = inbox
        self.replicator = replicator
        self.indexer = indexer
        self.published = published
        self.viewFile = viewFile
        self.logger = logger
        self.snapshotDue = snapshotDue
    }

    func start() {
        let thread = Thread { [self] in loop() }
        thread.name = "indelible-commit"
        thread.stackSize = 1 << 20
        thread.start()
    }

    // MARK: The sequencer's side

    /// The number of the present generation. Changes when a batch fails.
    var currentGeneration: Int { generation.load(ordering: .acquiring) }

    /// Where a new generation starts. Everything before it is durable.
    func tip() -> (generation: Int, state: SequencerState) {
        condition.lock()
        defer { condition.unlock() }
        return (currentGeneration, durable)
    }

    /// Why writes are refused before they get a place: for good, or between two attempts after failed ones; `nil` while
    /// writes are possible. Who finds room on the disk meanwhile ends the pause by taking back the inbox's trouble.
    var refusal: String? {
        let isTroubled = inbox.writeTrouble != nil
        condition.lock()
        defer { condition.unlock() }
        if let stopReason { return stopReason }
        guard isTroubled, let pausedUntil, .now < pausedUntil else { return nil }
        return lastFailure
    }

    /// Nothing waits and nothing is being written: the durable state is the newest one.
    var isIdle: Bool {
        condition.lock()
        defer { condition.unlock() }
        return current == nil && queue.isEmpty
    }

    /// How many batches are being written or wait for it.
    var batchCount: Int {
        condition.lock()
        defer { condition.unlock() }
        return queue.count + (current == nil ? 0 : 1)
    }

    /// How many writes were on their way when the last batch was answered: its own, and those that had arrived
    /// meanwhile. Their callers tend to come back together.
    var outstanding: Int { outstandingWrites.load(ordering: .relaxed) }

    /// Blocks while as many batches wait as may.
    func waitForRoom() {
        condition.lock()
        defer { condition.unlock() }
        while queue.count >= Committer.queueLimit { condition.wait() }
    }

    /// Takes over the batch: from here on its callers are answered by this thread.
    func put(_ batch: SealedBatch) {
        condition.lock()
        defer { condition.unlock() }
        queue.append(batch)
        condition.broadcast()
    }

    /// Finishes what is queued, then ends the thread. Blocks until it has.
    func close() {
        condition.lock()
        defer { condition.unlock() }
        isClosed = true
        condition.broadcast()
        while !isDone { condition.wait() }
    }

    /// Answers the overdue writes of the batches that are being made durable.
    func expire(at now: ContinuousClock.Instant) {
        condition.lock()
        let tickets = (current?.tickets ?? []) + queue.flatMap(\.tickets)
        condition.unlock()
        for ticket in tickets { expire(ticket, at: now) }
    }

    /// Answers those who have waited too long for a write of a batch. An id is pending before anybody is told.
    func expire(_ ticket: WriteTicket, at now: ContinuousClock.Instant) {
        ticket.expireUnderWay(at: now) { published.tell($0) }
    }

    /// Why writes are not answered although none has failed: the oldest batch is on its way for too long.
    func delay(at now: ContinuousClock.Instant) -> String? {
        condition.lock()
        defer { condition.unlock() }
        guard let oldest = (current ?? queue.first)?.sealedAt, now - oldest >= Self.patience else { return nil }
        return "the disk has not taken the oldest write for \((now - oldest).components.seconds) seconds"
    }

    // MARK: The thread

    private func loop() {
        while let batch = next() {
            commit(batch)
            condition.lock()
            current = nil
            condition.broadcast()
            condition.unlock()
        }
        condition.lock()
        isDone = true
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> SealedBatch? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        let batch = queue.removeFirst()
        current = batch
        condition.broadcast()
        return batch
    }

    private func commit(_ batch: SealedBatch) {
        guard batch.generation == currentGeneration else { return refuse(batch) }
        if let reason = batch.signingFailure {
            return failed(ReplicationError(.notWritten, reason: reason), batch)
        }
        guard let output = batch.output else { return answer(batch) }
        do {
            try replicator.append(output.batch)
        } catch {
            return failed(error, batch)
        }
        inbox.writeTrouble = nil
        condition.lock()
        durable = output.state
        failures = 0
        pausedUntil = nil
        let queued = queue.reduce(0) { $0 + $1.taken }
        condition.unlock()
        published.publish(output.state.ledger)
        indexer.enqueue(
            Indexer.Addition(leaves: output.leaves, rows: output.rows, signature: output.signature))
        // Counted before anyone is answered, so that nobody is counted twice.
        outstandingWrites.store(batch.taken + queued + inbox.outstanding, ordering: .relaxed)
        answer(batch)
        batchSizes.record(batch.written.count)
        appended.increment(by: output.leaves.count)
        do {
            try replicator.settle()
        } catch {
            logger.warning("a ledger chunk cannot be completed yet", metadata: ["reason": "\(error.reason)"])
        }
        if output.state.lastSnapshot == output.signature, let leaf = output.leaves.last {
            snapshotDue(output.state.ledger, leaf)
        }
    }

    private func answer(_ batch: SealedBatch) {
        for (ticket, id) in batch.written {
            ticket.finish(.outcome(WriteOutcome(transactionID: id, isCommitted: true)))
        }
        for (ticket, result) in batch.answers { ticket.finish(result) }
    }

    private func failed(_ error: ReplicationError, _ batch: SealedBatch) {
        let result: LedgerError
        switch error.outcome {
        case .notWritten:
            logger.error("a batch was not written", metadata: ["reason": "\(error.reason)"])
            result = LedgerError(
                .notWritable,
                error.isDiskFull
                    ? "the disk is full (\(error.told)); nothing was written"
                    : "the ledger cannot be written (\(error.told)); nothing was written")
            inbox.writeTrouble = WriteTrouble(reason: result.reason, isDiskFull: error.isDiskFull)
            do {
                let view = View(durable.view.rawValue + 1)
                try viewFile.write(view)
                endGeneration(result.reason, view: view)
            } catch {
                logger.critical("the node stops accepting writes", metadata: ["reason": "\(error)"])
                stop("no new view can be recorded after a failed write (\(DiskError.told(error))); restart the node")
            }
        case .unknown:
            logger.critical("the node stops accepting writes", metadata: ["reason": "\(error.reason)"])
            result = LedgerError(
                .outcomeUnknown,
                "the disk failed while a batch was being made durable (\(error.told)); "
                    + "the node takes no more writes until it is restarted")
            stop(result.reason)
        }
        // The next generation is in force before anybody can try again.
        for ticket in batch.tickets { ticket.finish(.failure(result)) }
    }

    private func endGeneration(_ reason: String, view: View) {
        condition.lock()
        defer { condition.unlock() }
        durable.view = view
        lastFailure = reason
        failures += 1
        pausedUntil = Self.pause(afterFailures: failures).map { .now + $0 }
        generation.add(1, ordering: .releasing)
        published.enter(view)
    }

    /// `nil`: none.
    static func pause(afterFailures count: Int) -> Duration? {
        guard count > promptAttempts else { return nil }
        return min(.seconds(1 << min(count - promptAttempts - 1, 10)), longestPause)
    }

    private func stop(_ reason: String) {
        condition.lock()
        stopReason = reason
        lastFailure = reason
        generation.add(1, ordering: .releasing)
        condition.unlock()
        published.enter(nil)
        for write in inbox.refuse(reason) { write.ticket.finish(.failure(LedgerError(.notWritable, reason))) }
    }

    /// A batch that builds on a failed one. It has not been near the disk.
    private func refuse(_ batch: SealedBatch) {
        condition.lock()
        let reason = lastFailure
        condition.unlock()
        let error = LedgerError(.notWritable, "an earlier write failed, so this one was not written: \(reason)")
        for ticket in batch.tickets { ticket.finish(.failure(error)) }
    }
}
