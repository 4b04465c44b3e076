import Crypto
import LedgerProofs
import Synchronization

/// Remembers recent writes by caller, request id and body, so that a retry of a write whose answer was lost joins
/// the first one. Bounded in number and time.
final class IdempotencyCache: Sendable {
    static let capacity = 65_536

    private struct Slot {
        var key: Digest32
        var since: ContinuousClock.Instant
    }

    private struct State {
        var tickets: [Digest32: WriteTicket] = [:]
        /// Oldest first, from `head`.
        var order: [Slot] = []
        var head = 0

        mutating func remove(_ key: Digest32) {
            tickets[key] = nil
            if let index = order[head...].lastIndex(where: { $0.key == key }) { order.remove(at: index) }
        }
    }

    private let window: Duration
    private let state = Mutex(State())

    init(window: Duration) { self.window = window }

    /// `nil` for a request without an id.
    static func key(_ request: AppendRequest) -> Digest32? {
        guard let requestID = request.requestID else { return nil }
        var hasher = SHA256()
        func add(_ text: String) {
            var count = UInt64(text.utf8.count).littleEndian
            withUnsafeBytes(of: &count) { hasher.update(bufferPointer: $0) }
            var text = text
            text.withUTF8 { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        }
        add(request.author.userID)
        add(requestID)
        add(request.collectionID)
        add(request.contents)
        for tag in request.tags { add(tag) }
        return Digest32(finishing: hasher)
    }

    /// The ticket of the same earlier request; or registers `ticket` and returns `nil`, also in place of an earlier one
    /// that failed: whoever sent that may have been answered "pending" and be gone.
    func existing(for key: Digest32, orInsert ticket: WriteTicket, now: ContinuousClock.Instant) -> WriteTicket? {
        state.withLock { state in
            while state.head < state.order.count,
                state.order.count - state.head >= Self.capacity || now - state.order[state.head].since > window
            {
                state.tickets[state.order[state.head].key] = nil
                state.head += 1
            }
            if state.head > 4_096, state.head * 2 > state.order.count {
                state.order.removeFirst(state.head)
                state.head = 0
            }
            if let known = state.tickets[key] {
                guard known.hasFailed else { return known }
                state.remove(key)
            }
            state.tickets[key] = ticket
            state.order.append(Slot(key: key, since: now))
            return nil
        }
    }

    /// Forgets a request that certainly was not written, so that a retry tries again. Nothing happens when a retry has
    /// taken its place already.
    func forget(_ key: Digest32, _ ticket: WriteTicket) {
        state.withLock { state in
            if state.tickets[key] === ticket { state.remove(key) }
        }
    }
}
