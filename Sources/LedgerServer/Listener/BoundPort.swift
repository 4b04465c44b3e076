import Synchronization

/// A port number that becomes known once, with any number of waiters.
final class BoundPort: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Int?, Never>])
        case known(Int?)
    }

    // Guarded by the lock: every continuation is resumed once, outside it.
    private let state = Mutex(State.waiting([]))

    /// Only the first call counts.
    func set(_ port: Int?) {
        let waiters = state.withLock { state -> [CheckedContinuation<Int?, Never>] in
            guard case .waiting(let list) = state else { return [] }
            state = .known(port)
            return list
        }
        for waiter in waiters { waiter.resume(returning: port) }
    }

    var value: Int? {
        get async {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Int?? in
                    switch state {
                    case .known(let port): return .some(port)
                    case .waiting(let list):
                        state = .waiting(list + [continuation])
                        return nil
                    }
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }
}
