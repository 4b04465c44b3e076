import Foundation

/// The queue in front of the sequencer. Bounded; the sequencer's thread sleeps on it.
final class Inbox: @unchecked Sendable {
    // Everything below is guarded by `condition`'s lock, which is why the class may say it is Sendable.
    private let condition = NSCondition()
    private var pending: [PendingWrite] = []
    private var isClosed = false
    private var refusal: String?
    /// Why the last batch was not written, while the next one is still tried.
    private var trouble: WriteTrouble?
    /// How many writes the sequencer waits for: waking it for each one would cost more than encoding it.
    private var wanted = 1
    /// Writes taken out and not yet handed on.
    private var takenCount = 0
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        pending.reserveCapacity(min(limit, 1024))
    }

    /// Errors: `notWritable` after closing or a refusal, `overloaded` when full.
    func put(_ write: PendingWrite) throws {
        // The sequencer is woken without the lock: otherwise it would wake up only to wait for it.
        if try enqueue(write) { condition.signal() }
    }

    /// Returns `true` when the sequencer waits for no more than this.
    private func enqueue(_ write: PendingWrite) throws -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if let refusal { throw LedgerError(.notWritable, refusal) }
        if isClosed { throw LedgerError(.notWritable, "the node is shutting down and takes no more writes") }
        guard pending.count < limit else {
            throw LedgerError(.overloaded, "\(limit) writes are waiting already; try again")
        }
        pending.append(write)
        return pending.count == wanted
    }

    /// Waits for work until `deadline` (`nil`: for ever), then takes all that is there. Returns `nil` when closed and
    /// empty.
    func take(until deadline: ContinuousClock.Instant?) -> [PendingWrite]? {
        condition.lock()
        defer { condition.unlock() }
        wanted = 1
        while pending.isEmpty {
            if isClosed { return nil }
            if let deadline {
                if !condition.sleep(until: deadline) { break }
            } else {
                condition.wait()
            }
        }
        return takeAll()
    }

    /// Has whoever waits for writes see how much time has passed. Called several times a second.
    func lookAtClock() { condition.lookAtClock() }

    /// How many writes wait here, or were taken and not handed on yet.
    var outstanding: Int {
        condition.lock()
        defer { condition.unlock() }
        return pending.count + takenCount
    }

    /// So many of the writes taken were handed on or answered.
    func finished(_ count: Int) {
        condition.lock()
        defer { condition.unlock() }
        takenCount -= count
    }

    /// Takes what is there as soon as there are `count` writes, or at `deadline`; empty when nothing arrived.
    func take(atLeast count: Int, until deadline: ContinuousClock.Instant) -> [PendingWrite] {
        condition.lock()
        defer { condition.unlock() }
        wanted = max(1, count)
        while pending.count < wanted, !isClosed {
            if !condition.sleep(until: deadline) { break }
        }
        return takeAll()
    }

    /// Takes back what did not fit a batch, in front of what has come since, so that its time is watched here.
    func putBack(_ writes: ArraySlice<PendingWrite>) {
        guard !writes.isEmpty else { return }
        condition.lock()
        defer { condition.unlock() }
        pending.insert(contentsOf: writes, at: 0)
        takenCount -= writes.count
    }

    private func takeAll() -> [PendingWrite] {
        let taken = pending
        pending.removeAll(keepingCapacity: true)
        takenCount += taken.count
        return taken
    }

    /// Refuses new writes from now on; what waits is still taken.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }

    /// Refuses all writes, for the reason given, and hands back those that wait.
    func refuse(_ reason: String) -> [PendingWrite] {
        condition.lock()
        defer { condition.unlock() }
        refusal = reason
        let waiting = pending
        pending.removeAll()
        return waiting
    }

    var writeRefusal: String? {
        condition.lock()
        defer { condition.unlock() }
        return refusal ?? (isClosed ? "the node is shutting down" : nil)
    }

    /// Why the last batch was not written; `nil` once one was, or when that is likely again.
    var writeTrouble: WriteTrouble? {
        get {
            condition.lock()
            defer { condition.unlock() }
            return trouble
        }
        set {
            condition.lock()
            defer { condition.unlock() }
            trouble = newValue
        }
    }

    /// Takes out the writes that are overdue by `now` and not yet sequenced.
    func removeExpired(at now: ContinuousClock.Instant) -> [PendingWrite] {
        condition.lock()
        defer { condition.unlock() }
        let expired = pending.filter { $0.ticket.expireQueued(at: now) }
        if !expired.isEmpty {
            let gone = Set(expired.map { ObjectIdentifier($0.ticket) })
            pending.removeAll { gone.contains(ObjectIdentifier($0.ticket)) }
        }
        return expired
    }
}
