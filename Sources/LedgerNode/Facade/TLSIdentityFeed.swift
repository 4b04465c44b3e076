import Synchronization

/// Hands the newest TLS identity to any number of listeners.
final class TLSIdentityFeed: Sendable {
    private struct State {
        var current: TLSIdentity?
        var listeners: [AsyncStream<TLSIdentity>.Continuation] = []
        var isFinished = false
    }

    private let state = Mutex(State())

    var current: TLSIdentity? { state.withLock { $0.current } }

    func publish(_ identity: TLSIdentity) {
        let listeners = state.withLock { state in
            state.current = identity
            return state.listeners
        }
        for listener in listeners { listener.yield(identity) }
    }

    func updates() -> AsyncStream<TLSIdentity> {
        let (stream, continuation) = AsyncStream.makeStream(of: TLSIdentity.self, bufferingPolicy: .bufferingNewest(1))
        let (current, finished) = state.withLock { state in
            if !state.isFinished { state.listeners.append(continuation) }
            return (state.current, state.isFinished)
        }
        if let current { continuation.yield(current) }
        if finished { continuation.finish() }
        return stream
    }

    func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener.finish() }
    }
}
