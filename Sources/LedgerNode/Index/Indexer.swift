import Foundation
import GRDB
import LedgerProofs
import Logging

/// Feeds the derived files from committed batches, on a thread of its own, and lets readers wait for it.
final class Indexer: @unchecked Sendable {
    /// What a committed batch adds.
    struct Addition: Sendable {
        var leaves: [Digest32]
        var rows: [IndexRow]
        var signature: SequenceNumber
    }

    /// Leaves that may wait before `enqueue` blocks the sequencer.
    static let backlogLimit = 100_000
    /// How long an undisturbed indexer gathers batches into one transaction.
    static let gathering: Duration = .milliseconds(50)
    /// How long a write that failed waits for its next try, unless a reader asks before.
    static let retryInterval: Duration = .seconds(1)

    let entries: EntryIndex
    let merkle: MerkleStore
    let signatures: SignatureIndex
    private let logger: Logger

    // Guarded by `condition`'s lock, as in `Inbox`.
    private let condition = NSCondition()
    private var queue: [Addition] = []
    private var backlog = 0
    private var isClosed = false
    private var isDone = false
    private var demand = false
    /// The disk refuses the index. Writes of the ledger go on meanwhile, and what they add is kept in memory.
    private var isRetrying = false
    private var reached: SequenceNumber
    private var waiters: [(seqno: SequenceNumber, continuation: CheckedContinuation<Void, any Error>)] = []
    private var failure: (any Error)?
    private var writeError: (any Error)?

    // Owned by the thread.
    private var frontier: MerkleFrontier

    /// - Parameter frontier: all leaves that are in the files already.
    init(
        entries: EntryIndex, merkle: MerkleStore, signatures: SignatureIndex, frontier: MerkleFrontier, logger: Logger
    ) {
        self.entries = entries
        self.merkle = merkle
        self.signatures = signatures
        self.frontier = frontier
        self.reached = SequenceNumber(frontier.size.rawValue &- 1)
        self.logger = logger
    }

    func start() {
        let thread = Thread { [self] in loop() }
        thread.name = "indelible-index"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Hands over a committed batch. Blocks only while the backlog is over its limit.
    func enqueue(_ addition: Addition) {
        condition.lock()
        defer { condition.unlock() }
        while backlog > Indexer.backlogLimit, failure == nil, !isRetrying { condition.wait() }
        queue.append(addition)
        backlog += addition.leaves.count
        if queue.count == 1 { condition.broadcast() }
    }

    /// Why the index cannot be written; `nil` while it can.
    var trouble: String? {
        condition.lock()
        defer { condition.unlock() }
        return (failure ?? writeError).map { unavailable($0).reason }
    }

    /// The condition's lock is held.
    private func unavailable(_ error: any Error) -> LedgerError {
        LedgerError(
            .indexUnavailable,
            "the index ends at seqno \(reached) because it cannot be written (\(DatabaseError.text(error)))",
            cause: error)
    }

    /// Returns when everything up to `seqno` can be found. Error: `indexUnavailable` while the index cannot be written;
    /// with a full disk each call tries again.
    func wait(for seqno: SequenceNumber) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            condition.lock()
            defer { condition.unlock() }
            if reached >= seqno {
                continuation.resume()
            } else if let failure {
                continuation.resume(throwing: unavailable(failure))
            } else {
                waiters.append((seqno, continuation))
                demand = true
                condition.broadcast()
            }
        }
    }

    /// Finishes what is queued, then ends the thread. Blocks until it has.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while !isDone { condition.wait() }
        condition.unlock()
    }

    private func loop() {
        while let additions = next() {
            do {
                try buffer(additions)
            } catch {
                logger.error("the index cannot be written; reads stop", metadata: ["error": "\(error)"])
                stop(with: error)
                break
            }
            guard write(additions) else { break }
            finished(additions)
        }
        condition.lock()
        isDone = true
        for waiter in waiters {
            waiter.continuation.resume(
                throwing: failure.map(unavailable) ?? LedgerError(.indexUnavailable, "the node is shutting down"))
        }
        waiters = []
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> [Addition]? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        let end = ContinuousClock.now + Indexer.gathering
        while !demand, !isClosed, backlog < Indexer.backlogLimit / 2 {
            if !condition.sleep(until: end) { break }
        }
        demand = false
        let taken = queue
        queue = []
        return taken
    }

    /// Has the indexer see how much time has passed. Called several times a second.
    func lookAtClock() { condition.lookAtClock() }

    private func buffer(_ additions: [Addition]) throws {
        for addition in additions {
            for leaf in addition.leaves { try merkle.append(leaf, to: &frontier) }
            signatures.append(addition.signature)
        }
    }

    /// Writes what is buffered, again and again until the disk takes it; every step may be repeated. Returns `false` when
    /// the index was closed meanwhile: the next start completes it from the ledger.
    private func write(_ additions: [Addition]) -> Bool {
        let rows = additions.flatMap(\.rows)
        var isFirst = true
        while true {
            do {
                try merkle.flush()
                try signatures.flush()
                if let last = additions.last { try entries.add(rows, upTo: last.signature) }
                if !isFirst { logger.notice("the index can be written again") }
                return true
            } catch {
                if isFirst {
                    logger.error("the index cannot be written; it is tried again", metadata: ["error": "\(error)"])
                }
                isFirst = false
                guard waitToRetry(after: error) else { return false }
            }
        }
    }

    /// Tells those who wait, then sleeps until somebody asks again.
    private func waitToRetry(after error: any Error) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        for waiter in waiters { waiter.continuation.resume(throwing: unavailable(error)) }
        waiters = []
        writeError = error
        demand = false
        isRetrying = true
        condition.broadcast()
        let end = ContinuousClock.now + Self.retryInterval
        while !demand, !isClosed {
            if !condition.sleep(until: end) { break }
        }
        return !isClosed
    }

    private func finished(_ additions: [Addition]) {
        condition.lock()
        defer { condition.unlock() }
        isRetrying = false
        writeError = nil
        backlog -= additions.reduce(0) { $0 + $1.leaves.count }
        if let last = additions.last { reached = last.signature }
        for waiter in waiters where waiter.seqno <= reached { waiter.continuation.resume() }
        waiters.removeAll { $0.seqno <= reached }
        if !waiters.isEmpty { demand = true }
        condition.broadcast()
    }

    private func stop(with error: any Error) {
        condition.lock()
        defer { condition.unlock() }
        failure = error
        for waiter in waiters { waiter.continuation.resume(throwing: unavailable(error)) }
        waiters = []
        condition.broadcast()
    }
}
