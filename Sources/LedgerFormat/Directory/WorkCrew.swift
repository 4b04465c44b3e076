import Dispatch
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Does pure work on all cores, oldest first. The thread that waits for a result works too, so everything is done
/// even with no helpers at all.
final class WorkCrew: Sendable {
    private let queue = WorkQueue()
    private let helperCount: Int
    private let hasStarted = Atomic(false)

    /// As many helpers as there are cores beside the caller's, or `helpers`. They start with the first work.
    init(helpers: Int? = nil) {
        helperCount = helpers ?? ProcessInfo.processInfo.activeProcessorCount - 1
    }

    deinit { queue.close(waking: helperCount) }

    /// Queues `body`.
    func item<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> WorkItem<Value> {
        let item = WorkItem(body)
        guard helperCount > 0 else { return item }
        if !hasStarted.exchange(true, ordering: .relaxed) {
            for _ in 0..<helperCount {
                DispatchQueue.global().async { [queue] in
                    while let work = queue.next() { _ = work.runIfWaiting() }
                }
            }
        }
        queue.add(item)
        return item
    }

    /// The result of `item`. Does its work, or other work while somebody else does it.
    func value<Value>(of item: WorkItem<Value>) -> Value {
        while true {
            if let value = item.value { return value }
            if item.runIfWaiting() { continue }
            if let other = queue.first() { _ = other.runIfWaiting() } else { item.wait() }
        }
    }
}
