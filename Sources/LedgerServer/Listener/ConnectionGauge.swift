import Synchronization

/// How many connections are open, and the most there ever were. Lock-free.
final class ConnectionGauge: Sendable {
    private let count = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    var active: Int { count.load(ordering: .relaxed) }
    var peak: Int { highest.load(ordering: .relaxed) }

    func opened() {
        let now = count.add(1, ordering: .relaxed).newValue
        highest.max(now, ordering: .relaxed)
    }

    func closed() { count.subtract(1, ordering: .relaxed) }
}
