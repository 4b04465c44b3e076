import Foundation
import LedgerFormat
import LedgerProofs
import Logging
import Metrics
import Synchronization

/// The one writer: takes what waits, builds a signed batch, makes it durable, answers, and hands the batch on.
/// Runs on a thread of its own because every step of it blocks.
final class Sequencer: @unchecked Sendable {
    /// A batch ends when it has this many bytes or entries, so that its latency and memory stay bounded.
    static let batchByteCountLimit = 8 << 20
    static let batchEntryLimit = 2_048
    /// For how long a batch waits for callers of the previous one to return (see `Inbox.take`).
    static let patience: TimeInterval = 0.002

    private let inbox: Inbox
    private let replicator: any Replicator
    private let signer: RootSigner
    private let secret: LedgerSecret
    private let configuration: NodeConfiguration
    private let indexer: Indexer
    private let published: PublishedState
    private let viewFile: ViewFile
    private let logger: Logger
    /// Called on the thread after a batch whose signature ends a chunk for a snapshot.
    private let snapshotDue: @Sendable (LedgerState, Digest32) -> Void
    private let inFlight = Mutex<[WriteTicket]>([])
    private let done = DispatchSemaphore(value: 0)

    // Owned by the thread.
    private var state: SequencerState
    /// How many writers the next batch may expect: those the last one answered tend to come back together, on top of
    /// those that arrived meanwhile. A larger batch shares one pair of signatures and one sync.
    private var returning = 0

    private let batchSizes = Metrics.Recorder(label: "indelible_batch_entries", aggregate: true)
    private let appended = Metrics.Counter(label: "indelible_appended_transactions_total")

    init(
        state: SequencerState, inbox: Inbox, replicator: any Replicator, signer: RootSigner, secret: LedgerSecret,
        configuration: NodeConfiguration, indexer: Indexer, published: PublishedState, viewFile: ViewFile,
        logger: Logger, snapshotDue: @escaping @Sendable (LedgerState, Digest32) -> Void
    ) {
        self.state = state
        self.inbox = inbox
        self.replicator = replicator
        self.signer = signer
        self.secret = secret
        self.configuration = configuration
        self.indexer = indexer
        self.published = published
        self.viewFile = viewFile
        self.logger = logger
        self.snapshotDue = snapshotDue
    }

    func start() {
        let thread = Thread { [self] in
            loop()
            done.signal()
        }
        thread.name = "indelible-sequencer"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Blocks until the thread has ended; close the inbox first.
    func join() { done.wait() }

    /// Answers the overdue writes of the batch that is being made durable.
    func expireInFlight(at now: ContinuousClock.Instant) {
        for ticket in inFlight.withLock({ $0 }) { _ = ticket.expire(at: now) }
    }

    private func loop() {
        var waiting: ArraySlice<PendingWrite> = []
        while true {
            if waiting.isEmpty {
                guard let taken = inbox.take() else { return }
                waiting = taken[...]
            }
            var batch = OpenBatch(builder: newBuilder())
            let expected = min(returning, Self.batchEntryLimit)
            let end = Date(timeIntervalSinceNow: Self.patience)
            sequence(&waiting, into: &batch)
            // Arrivals are encoded while the others are still on their way.
            while waiting.isEmpty, batch.taken < expected {
                let more = inbox.take(until: end)
                if more.isEmpty { break }
                waiting = more[...]
                sequence(&waiting, into: &batch)
            }
            complete(&batch)
        }
    }

    /// A batch that is being filled.
    private struct OpenBatch {
        var builder: BatchBuilder
        var sequenced: [(ticket: WriteTicket, id: TransactionID)] = []
        /// Writes looked at, the refused ones included.
        var taken = 0
        var keys = RandomKeys(count: 64)
    }

    private func newBuilder() -> BatchBuilder {
        BatchBuilder(
            after: state, secret: secret, ledgerType: configuration.ledgerType ?? .private,
            chunkByteCountTarget: configuration.chunkByteCount, snapshotInterval: configuration.snapshotInterval)
    }

    /// Moves as many writes into the batch as fit.
    private func sequence(_ writes: inout ArraySlice<PendingWrite>, into batch: inout OpenBatch) {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        while batch.taken < Self.batchEntryLimit, batch.builder.byteCount < Self.batchByteCountLimit,
            let write = writes.popFirst()
        {
            batch.taken += 1
            do {
                let id: TransactionID
                switch write.work {
                case .entry(let request):
                    id = try batch.builder.appendEntry(request, now: now, secretKey: batch.keys.next())
                case .change(let decide):
                    guard let change = try decide(batch.builder.state.ledger) else {
                        write.ticket.finish(.nothingToWrite)
                        continue
                    }
                    id = try batch.builder.append(change)
                }
                write.ticket.sequenced(as: id)
                batch.sequenced.append((write.ticket, id))
            } catch let error as LedgerError {
                write.ticket.finish(.failure(error))
            } catch {
                write.ticket.finish(
                    .failure(LedgerError(.invalidInput, "the write cannot be encoded", cause: error)))
            }
        }
    }

    /// Signs the batch, makes it durable and answers.
    private func complete(_ batch: inout OpenBatch) {
        guard !batch.builder.isEmpty else { return }
        inFlight.withLock { $0 = batch.sequenced.map(\.ticket) }
        defer { inFlight.withLock { $0 = [] } }
        do {
            let output = try finish(&batch.builder)
            try replicator.append(output.batch)
            // Counted before anyone is answered, so that nobody is counted twice.
            returning = batch.taken + inbox.count
            committed(output, batch.sequenced)
        } catch let error as ReplicationError {
            failed(error, batch.sequenced.map(\.ticket))
        } catch {
            // Nothing reached the disk.
            failed(
                ReplicationError(outcome: .notWritten, reason: "\(error)", isDiskFull: false),
                batch.sequenced.map(\.ticket))
        }
    }

    private func finish(_ builder: inout BatchBuilder) throws -> BatchBuilder.Output {
        let certificate = builder.state.ledger.store
            .value(.nodesEndorsedCertificates, Array(signer.nodeID.utf8))
            .map { String(decoding: $0, as: UTF8.self) }
        let issuedAt = Int64(Date().timeIntervalSince1970)
        return try builder.finish(issuedAt: issuedAt) { root, id in
            (try signer.sign(root: root, id: id, issuedAt: issuedAt), signer.nodeID, certificate ?? "")
        }
    }

    private func committed(
        _ output: BatchBuilder.Output, _ sequenced: [(ticket: WriteTicket, id: TransactionID)]
    ) {
        state = output.state
        published.publish(output.state.ledger)
        indexer.enqueue(
            Indexer.Addition(leaves: output.leaves, rows: output.rows, signature: output.signature))
        for (ticket, id) in sequenced {
            ticket.finish(.outcome(WriteOutcome(transactionID: id, isCommitted: true)))
        }
        batchSizes.record(sequenced.count)
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

    private func failed(_ error: ReplicationError, _ tickets: [WriteTicket]) {
        switch error.outcome {
        case .notWritten:
            logger.error("a batch was not written", metadata: ["reason": "\(error.reason)"])
            let reason =
                error.isDiskFull
                ? "the disk is full (\(error.reason)); nothing was written"
                : "the ledger cannot be written (\(error.reason)); nothing was written"
            for ticket in tickets { ticket.finish(.failure(LedgerError(.notWritable, reason))) }
            do {
                let view = View(state.view.rawValue + 1)
                try viewFile.write(view)
                state.view = view
            } catch {
                refuse("no new view can be recorded after a failed write (\(error)); restart the node")
            }
        case .unknown:
            let reason =
                "the disk failed while a batch was being made durable (\(error.reason)); "
                + "the node takes no more writes until it is restarted"
            logger.critical("the node stops accepting writes", metadata: ["reason": "\(error.reason)"])
            for ticket in tickets { ticket.finish(.failure(LedgerError(.outcomeUnknown, reason))) }
            refuse(reason)
        }
    }

    private func refuse(_ reason: String) {
        for write in inbox.refuse(reason) { write.ticket.finish(.failure(LedgerError(.notWritable, reason))) }
    }
}
