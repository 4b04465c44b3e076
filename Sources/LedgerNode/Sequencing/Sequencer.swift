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
        var answered = 0
        while let waiting = inbox.take(answered: answered, limit: Self.batchEntryLimit, patience: Self.patience) {
            answered = waiting.count
            var rest = waiting[...]
            while !rest.isEmpty { rest = process(rest) }
        }
    }

    /// Sequences as many writes as fit into one batch and returns the others.
    private func process(_ writes: ArraySlice<PendingWrite>) -> ArraySlice<PendingWrite> {
        var builder = BatchBuilder(
            after: state, secret: secret, ledgerType: configuration.ledgerType ?? .private,
            chunkByteCountTarget: configuration.chunkByteCount, snapshotInterval: configuration.snapshotInterval)
        var sequenced: [(ticket: WriteTicket, id: TransactionID)] = []
        sequenced.reserveCapacity(min(writes.count, Self.batchEntryLimit))
        var rest = writes
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        var keys = RandomKeys(count: min(writes.count, Self.batchEntryLimit))
        while let write = rest.first, sequenced.count < Self.batchEntryLimit,
            builder.byteCount < Self.batchByteCountLimit
        {
            rest = rest.dropFirst()
            do {
                let id: TransactionID
                switch write.work {
                case .entry(let request):
                    id = try builder.appendEntry(request, now: now, secretKey: keys.next())
                case .change(let decide):
                    guard let change = try decide(builder.state.ledger) else {
                        write.ticket.finish(.nothingToWrite)
                        continue
                    }
                    id = try builder.append(change)
                }
                write.ticket.sequenced(as: id)
                sequenced.append((write.ticket, id))
            } catch let error as LedgerError {
                write.ticket.finish(.failure(error))
            } catch {
                write.ticket.finish(
                    .failure(LedgerError(.invalidInput, "the write cannot be encoded", cause: error)))
            }
        }
        guard !builder.isEmpty else { return rest }
        inFlight.withLock { $0 = sequenced.map(\.ticket) }
        defer { inFlight.withLock { $0 = [] } }
        do {
            let output = try finish(&builder)
            try replicator.append(output.batch)
            committed(output, sequenced)
        } catch let error as ReplicationError {
            failed(error, sequenced.map(\.ticket))
        } catch {
            // Nothing reached the disk.
            failed(
                ReplicationError(outcome: .notWritten, reason: "\(error)", isDiskFull: false),
                sequenced.map(\.ticket))
        }
        return rest
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
