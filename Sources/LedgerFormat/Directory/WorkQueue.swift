import Dispatch
import Synchronization

/// The work of a crew that nobody has taken yet.
final class WorkQueue: Sendable {
    private struct State: Sendable {
        var works: [any Work] = []
        var taken = 0
        var isClosed = false

        mutating func first() -> (any Work)? {
            guard taken < works.count else { return nil }
            let work = works[taken]
            taken += 1
            if taken >= 1024 || taken == works.count {
                works.removeFirst(taken)
                taken = 0
            }
            return work
        }
    }

    private let state = Mutex(State())
    private let added = DispatchSemaphore(value: 0)

    func add(_ work: any Work) {
        state.withLock { $0.works.append(work) }
        added.signal()
    }

    /// The oldest work, or `nil` when there is none.
    func first() -> (any Work)? { state.withLock { $0.first() } }

    /// As `first`, but waits for work. `nil` when the queue was closed and is empty.
    func next() -> (any Work)? {
        while true {
            added.wait()
            let (work, isClosed) = state.withLock { ($0.first(), $0.isClosed) }
            if let work { return work }
            // The waiting thread took the work that was added.
            if isClosed { return nil }
        }
    }

    /// Lets `count` waiting threads go.
    func close(waking count: Int) {
        state.withLock { $0.isClosed = true }
        for _ in 0..<max(0, count) { added.signal() }
    }
}
