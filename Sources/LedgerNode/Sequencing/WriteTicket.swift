import LedgerProofs
import Synchronization

/// One write on its way. Several callers may wait on it, each for a time of its own: a repeated request joins the first.
final class WriteTicket: Sendable {
    /// What happened. `nothingToWrite` is a success that needed no transaction.
    enum Result: Sendable {
        case outcome(WriteOutcome)
        case nothingToWrite
        case failure(LedgerError)
    }

    private struct Waiter {
        var continuation: UnsafeContinuation<Result, Never>
        var deadline: ContinuousClock.Instant
    }

    private struct State {
        // Each is resumed once: whoever takes it out of the state, under the lock, resumes it.
        var waiters: [Waiter] = []
        var result: Result?
        var id: TransactionID?
    }

    private let state: Mutex<State>

    init() { state = Mutex(State()) }

    /// A write whose outcome is known already (found in the ledger at start).
    init(committed id: TransactionID) {
        state = Mutex(State(result: .outcome(WriteOutcome(transactionID: id, isCommitted: true)), id: id))
    }

    /// Waits until the write is finished or `deadline` passes.
    func wait(until deadline: ContinuousClock.Instant) async -> Result {
        await withUnsafeContinuation { continuation in
            let known = state.withLock { state -> Result? in
                if let result = state.result { return result }
                state.waiters.append(Waiter(continuation: continuation, deadline: deadline))
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
        for waiter in waiters { waiter.continuation.resume(returning: result) }
    }

    /// Of a write in the queue: answers the waiters whose time is over while others wait on. Returns `true` and answers
    /// nobody when it is over for all of them, so that the caller can take the write out of the queue.
    func expireQueued(at now: ContinuousClock.Instant) -> Bool {
        let (overdue, isOver) = state.withLock { state in
            let overdue = Self.overdue(state, at: now)
            guard overdue.count < state.waiters.count else { return ([Waiter](), !overdue.isEmpty) }
            state.waiters.removeAll { now >= $0.deadline }
            return (overdue, false)
        }
        let result = Result.failure(
            LedgerError(
                .outcomeUnknown,
                "the write was not sequenced in time, but may still be, since a repeat of it waits longer"))
        for waiter in overdue { waiter.continuation.resume(returning: result) }
        return isOver
    }

    /// Of a write in a batch that is not durable yet: answers the waiters whose time is over with what is known so far.
    /// With its place that is its id, which `tell` learns first; without one it writes nothing, whatever becomes of the
    /// writes before it, on which its answer rests.
    func expireUnderWay(at now: ContinuousClock.Instant, tell: (TransactionID) -> Void) {
        let (overdue, id) = state.withLock { state in
            let overdue = Self.overdue(state, at: now)
            if !overdue.isEmpty { state.waiters.removeAll { now >= $0.deadline } }
            return (overdue, state.id)
        }
        guard !overdue.isEmpty else { return }
        let result: Result
        if let id {
            tell(id)
            result = .outcome(WriteOutcome(transactionID: id, isCommitted: false))
        } else {
            result = .failure(
                LedgerError(
                    .overloaded, "the writes before this one did not become durable in time; nothing was written")
            )
        }
        for waiter in overdue { waiter.continuation.resume(returning: result) }
    }

    private static func overdue(_ state: State, at now: ContinuousClock.Instant) -> [Waiter] {
        guard case nil = state.result else { return [] }
        return state.waiters.filter { now >= $0.deadline }
    }
}
