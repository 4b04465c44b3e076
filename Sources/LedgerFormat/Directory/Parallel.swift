import Dispatch

/// Runs pure work on all cores and returns the results in order.
enum Parallel {
    static func map<T: Sendable, R: Sendable>(_ items: [T], _ body: @Sendable (T) -> R) -> [R] {
        if items.count < 2 { return items.map(body) }
        return [R](unsafeUninitializedCapacity: items.count) { out, count in
            // Each iteration initialises its own element, and nothing reads before all are done.
            nonisolated(unsafe) let out = out
            DispatchQueue.concurrentPerform(iterations: items.count) { i in
                out.initializeElement(at: i, to: body(items[i]))
            }
            count = items.count
        }
    }
}
