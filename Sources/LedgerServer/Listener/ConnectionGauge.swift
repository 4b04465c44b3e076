import Synchronization

/// How many connections are open, the most there ever were, and what arrived on them that could not be taken.
/// Lock-free.
final class ConnectionGauge: Sendable {
    private let count = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    var active: Int { count.load(ordering: .relaxed) }
    var peak: Int { highest.load(ordering: .relaxed) }

    func opened() {
        let now = count.add(1, ordering: .relaxed).newValue
        highest.max(now, ordering: .relaxed)
    }

    /// Requests refused before they reached a route: not HTTP, headers above the limit, bodies above the limit.
    private let malformed = Atomic<Int>(0)
    private let largeHeaders = Atomic<Int>(0)
    private let largeBodies = Atomic<Int>(0)

    var malformedRequests: Int { malformed.load(ordering: .relaxed) }
    var headersTooLarge: Int { largeHeaders.load(ordering: .relaxed) }
    var bodiesTooLarge: Int { largeBodies.load(ordering: .relaxed) }

    func requestMalformed() { malformed.add(1, ordering: .relaxed) }
    func headerTooLarge() { largeHeaders.add(1, ordering: .relaxed) }
    func bodyTooLarge() { largeBodies.add(1, ordering: .relaxed) }

    func closed() { count.subtract(1, ordering: .relaxed) }
}
