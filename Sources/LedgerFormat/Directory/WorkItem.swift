import Dispatch
import Synchronization

/// One piece of pure work and its result. Whoever comes first does it: a helper of the crew, or the thread that
/// needs the result.
final class WorkItem<Value: Sendable>: Sendable {
    private enum State: Sendable {
        case waiting(@Sendable () -> Value)
        case running
        case done(Value)
    }

    private let state: Mutex<State>
    private let finished = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Value) { state = Mutex(.waiting(body)) }

    /// The result, or `nil` while it is not there. Never waits.
    var value: Value? {
        state.withLock { if case .done(let value) = $0 { value } else { nil } }
    }

    /// Waits until somebody else has done the work. Only when it has begun.
    func wait() {
        finished.wait()
        finished.signal()
    }
}

extension WorkItem: Work {
    func runIfWaiting() -> Bool {
        let body: (@Sendable () -> Value)? = state.withLock {
            guard case .waiting(let body) = $0 else { return nil }
            $0 = .running
            return body
        }
        guard let body else { return false }
        let value = body()
        state.withLock { $0 = .done(value) }
        finished.signal()
        return true
    }
}
