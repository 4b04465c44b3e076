import Foundation
import LedgerFormat
import LedgerProofs
import Synchronization

/// The one writer: takes what waits, builds and signs batches, and hands them to the committer. While one batch is
/// being made durable, the next is built and signed on the state that follows it. Runs on a thread of its own because
/// every step of it blocks.
final class Sequencer: @unchecked Sendable {
    /// A batch ends when it has this many bytes or entries, so that its latency and memory stay bounded.
    static let batchByteCountLimit = 8 << 20
    static let batchEntryLimit = 2_048
    /// For how long a batch waits for callers of earlier ones to return: this long, and again each time that so many
    /// have come. At that pace the processors are busy with requests, and signing twice would only hold them up.
    static let patience: Duration = .milliseconds(2)
    static let busyArrivals = 16
    /// But never longer than this.
    static let longestWait: Duration = .milliseconds(10)
    /// The share of the writers last seen that a batch waits for. A larger batch shares one pair of signatures and one
    /// sync; those left over keep the processors busy meanwhile.
    static let share = 0.9

    /// A batch is encoded in about so many portions while it gathers.
    static let portions = 4

    let committer: Committer
    private let inbox: Inbox
    private let signer: RootSigner
    private let secret: LedgerSecret
    private let configuration: NodeConfiguration
    /// Of the batch that is sealed but not handed over yet.
    private let sealing = Mutex<[WriteTicket]>([])
    private let done = DispatchSemaphore(value: 0)
    private let isServiceWanted = Atomic<Bool>(false)

    // Owned by the thread.
    /// What the next batch follows; durable or not.
    private var state: SequencerState
    private var generation: Int
    private var pace = ServiceSignaturePace()

    init(
        committer: Committer, inbox: Inbox, signer: RootSigner, secret: LedgerSecret,
        configuration: NodeConfiguration
    ) {
        self.committer = committer
        self.inbox = inbox
        self.signer = signer
        self.secret = secret
        self.configuration = configuration
        (generation, state) = committer.tip()
    }

    func start() {
        committer.start()
        let thread = Thread { [self] in
            loop()
            committer.close()
            done.signal()
        }
        thread.name = "indelible-sequencer"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Blocks until everything that waited is answered and the threads have ended; close the inbox first.
    func join() { done.wait() }

    /// Answers the overdue writes of the batches that are being made durable.
    func expireInFlight(at now: ContinuousClock.Instant) {
        for ticket in sealing.withLock({ $0 }) { committer.expire(ticket, at: now) }
        committer.expire(at: now)
    }

    /// Somebody waits for the service's signature: one of the next batches carries it, though it need not yet.
    func wantServiceSignature() { isServiceWanted.store(true, ordering: .relaxed) }

    private func loop() {
        while true {
            let taken = inbox.take(until: pace.closingTime(after: state))
            let isClosed = taken == nil
            var waiting = (taken ?? [])[...]
            if generation != committer.currentGeneration { (generation, state) = committer.tip() }
            if waiting.isEmpty {
                if isClosed || pace.closingTime(after: state).map({ $0 <= .now }) == true { signByService() }
                if isClosed { return }
                continue
            }
            if let reason = committer.refusal {
                inbox.finished(waiting.count)
                for write in waiting { write.ticket.finish(.failure(LedgerError(.notWritable, reason))) }
                continue
            }
            var batch = OpenBatch(builder: newBuilder(), sealed: SealedBatch(generation: generation))
            gather(&waiting, into: &batch)
            inbox.putBack(waiting)
            seal(&batch)
        }
    }

    /// A signature transaction of its own, so that what a burst of writes left is signed by the service as well.
    private func signByService() {
        // Also when writing has ended for good: otherwise the closing time would stay in the past and the thread would spin.
        pace.triedClosing(after: state)
        guard !state.isSignedByService, committer.refusal == nil else { return }
        var batch = OpenBatch(builder: newBuilder(), sealed: SealedBatch(generation: generation))
        seal(&batch, forService: true)
    }

    /// A batch that is being filled.
    private struct OpenBatch {
        var builder: BatchBuilder
        var sealed: SealedBatch
    }

    private func newBuilder() -> BatchBuilder {
        BatchBuilder(
            after: state, secret: secret, ledgerType: configuration.ledgerType ?? .private,
            chunkByteCountTarget: configuration.chunkByteCount, snapshotInterval: configuration.snapshotInterval)
    }

    /// Fills the batch until it is worth its signatures. Arrivals are encoded while others are still on their way.
    private func gather(_ waiting: inout ArraySlice<PendingWrite>, into batch: inout OpenBatch) {
        let wanted = min(Int(Double(committer.outstanding) * Self.share + 0.5), Self.batchEntryLimit)
        let limit = ContinuousClock.now + Self.longestWait
        var end = ContinuousClock.now + Self.patience
        var arrived = 0
        sequence(&waiting, into: &batch)
        while waiting.isEmpty, batch.sealed.taken < wanted {
            let missing = wanted - batch.sealed.taken
            let portion = min(max(1, wanted / Self.portions), Self.busyArrivals)
            let more = inbox.take(atLeast: min(missing, portion), until: end)
            if more.isEmpty { break }
            waiting = more[...]
            arrived += more.count
            if arrived >= Self.busyArrivals {
                arrived = 0
                end = min(.now + Self.patience, limit)
            }
            // What arrives after a failure belongs to the next generation.
            if generation != committer.currentGeneration { break }
            sequence(&waiting, into: &batch)
        }
    }

    /// Moves as many writes into the batch as fit.
    private func sequence(_ writes: inout ArraySlice<PendingWrite>, into batch: inout OpenBatch) {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        while batch.sealed.taken < Self.batchEntryLimit, batch.builder.byteCount < Self.batchByteCountLimit,
            let write = writes.popFirst()
        {
            batch.sealed.taken += 1
            do {
                let id: TransactionID
                switch write.work {
                case .entry(let entry, let rights):
                    try rights?.check(batch.builder.state.ledger)
                    id = try batch.builder.appendEntry(entry, now: now)
                case .change(let decide):
                    guard let change = try decide(batch.builder.state.ledger) else {
                        answer(write.ticket, .nothingToWrite, in: &batch)
                        continue
                    }
                    id = try batch.builder.append(change)
                }
                write.ticket.sequenced(as: id)
                batch.sealed.written.append((write.ticket, id))
            } catch let error as LedgerError {
                answer(write.ticket, .failure(error), in: &batch)
            } catch {
                answer(
                    write.ticket, .failure(LedgerError(.invalidInput, "the write cannot be encoded", cause: error)),
                    in: &batch)
            }
        }
    }

    /// Answers a write that needs no transaction: at once when all that the answer rests on is durable, otherwise with
    /// the batch.
    private func answer(_ ticket: WriteTicket, _ result: WriteTicket.Result, in batch: inout OpenBatch) {
        if batch.builder.isEmpty, committer.isIdle, generation == committer.currentGeneration {
            ticket.finish(result)
        } else {
            batch.sealed.answers.append((ticket, result))
        }
    }

    /// Signs the batch and hands it over. One whose generation has ended is handed over without contents, and refused
    /// in its turn.
    /// - Parameter forService: sign even if there is nothing in it, and by the service.
    private func seal(_ batch: inout OpenBatch, forService: Bool = false) {
        guard forService || !batch.sealed.written.isEmpty || !batch.sealed.answers.isEmpty else {
            inbox.finished(batch.sealed.taken)
            return
        }
        batch.sealed.sealedAt = .now
        sealing.withLock { $0 = batch.sealed.tickets }
        if forService || !batch.builder.isEmpty, generation == committer.currentGeneration {
            do {
                let now = ContinuousClock.now
                let byService =
                    forService
                    || pace.isDue(
                        writers: max(batch.sealed.taken, committer.outstanding),
                        isWanted: isServiceWanted.load(ordering: .relaxed), at: now)
                if byService { isServiceWanted.store(false, ordering: .relaxed) }
                let output = try finish(&batch.builder, byService: byService)
                pace.signed(byService: byService, at: now)
                batch.sealed.output = output
                state = output.state
            } catch {
                batch.sealed.signingFailure = "the batch cannot be signed: \(error)"
            }
        }
        committer.waitForRoom()
        inbox.finished(batch.sealed.taken)
        committer.put(batch.sealed)
        sealing.withLock { $0 = [] }
    }

    private func finish(_ builder: inout BatchBuilder, byService: Bool) throws -> BatchBuilder.Output {
        let certificate = builder.state.ledger.store
            .value(.nodesEndorsedCertificates, Array(signer.nodeID.utf8))
            .map { String(decoding: $0, as: UTF8.self) }
        let issuedAt = byService ? Int64(Date().timeIntervalSince1970) : nil
        return try builder.finish { root, id in
            (try signer.sign(root: root, id: id, issuedAt: issuedAt), signer.nodeID, certificate ?? "")
        }
    }
}
