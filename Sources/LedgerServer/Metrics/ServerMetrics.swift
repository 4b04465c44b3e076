import Synchronization

/// Counts and times of requests, one slot for each route.
final class ServerMetrics: Sendable {
    /// Upper bounds of the latency buckets in seconds.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    struct Slot: Sendable {
        var statuses: [(code: Int, count: Int)] = []
        var buckets = [Int](repeating: 0, count: ServerMetrics.bounds.count + 1)
        var seconds: Double = 0
        var count = 0
    }

    private final class Cell: Sendable {
        // Guarded by the lock; one lock for each route, so that routes do not wait for each other.
        let slot = Mutex(Slot())
    }

    private let cells: [Cell]

    /// The last slot counts requests without a route.
    init(routeCount: Int) {
        self.cells = (0...routeCount).map { _ in Cell() }
    }

    func record(route: Int?, status: Int, duration: Duration) {
        let parts = duration.components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        cells[route ?? cells.count - 1].slot.withLock { slot in
            if let i = slot.statuses.firstIndex(where: { $0.code == status }) {
                slot.statuses[i].count += 1
            } else {
                slot.statuses.append((status, 1))
            }
            let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
            slot.buckets[bucket] += 1
            slot.seconds += seconds
            slot.count += 1
        }
    }

    /// In the order of the routes; the last one is "no route".
    var slots: [Slot] { cells.map { $0.slot.withLock { $0 } } }
}
