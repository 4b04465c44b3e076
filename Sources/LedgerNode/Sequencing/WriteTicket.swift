import LedgerProofs
import Synchronization

/// One write on its way. Several callers may wait on it: a repeated request joins the first.
final class WriteTicket: Sendable {
    /// What happened. `nothingToWrite` is a success that needed no transaction.
    enum Result: Sendable {
        case outcome(WriteOutcome)
        case nothingToWrite
        case failure(LedgerError)
    }

    private struct State {
        // Each is resumed once: whoever takes the list out of the state, under the lock, resumes all of it.
        var waiters: [UnsafeContinuation<Result, Never>] = []
        var result: Result?
        var id: TransactionID?
        var deadline: ContinuousClock.Instant
    }

    private let state: Mutex<State>

    init(deadline: ContinuousClock.Instant) {
        state = Mutex(State(deadline: deadline))
    }

    /// A write whose outcome is known already (found in the ledger at start).
    init(committed id: TransactionID) {
        state = Mutex(
            State(
                result: .outcome(WriteOutcome(transactionID: id, isCommitted: true)), id: id, deadline: .now))
    }

    /// Waits until the write is finished or its deadline passes.
    func wait(until deadline: ContinuousClock.Instant) async -> Result {
        await withUnsafeContinuation { continuation in
            let known = state.withLock { state -> Result? in
                if let result = state.result { return result }
                state.deadline = max(state.deadline, deadline)
                state.waiters.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// The write has its place in the ledger; not durable yet.
    func sequenced(as id: TransactionID) {
        state.withLock { $0.id = id }
    }

    /// The write certainly did not take place.
    var hasFailed: Bool {
        state.withLock { state in
            guard case .failure(let error) = state.result else { return false }
            return error.code != .outcomeUnknown
        }
    }

    func finish(_ result: Result) {
        let waiters = state.withLock { state in
            state.result = result
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: result) }
    }

    /// Answers the waiters of a sequenced write that is overdue with what is known so far: pending.
    /// Returns `true` when it is overdue but not sequenced, so that the caller can take it out of the queue.
    func expire(at now: ContinuousClock.Instant) -> Bool {
        let (waiters, id, overdue) = state.withLock { state in
            guard case nil = state.result, now >= state.deadline, !state.waiters.isEmpty else {
                return ([UnsafeContinuation<Result, Never>](), TransactionID?.none, false)
            }
            guard let id = state.id else { return ([], nil, true) }
            let waiters = state.waiters
            state.waiters = []
            return (waiters, id, false)
        }
        if let id {
            for waiter in waiters {
                waiter.resume(returning: .outcome(WriteOutcome(transactionID: id, isCommitted: false)))
            }
        }
        return overdue
    }
}
