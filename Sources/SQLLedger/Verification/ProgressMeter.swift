import Synchronization

/// Counts rows from all threads and calls the progress callback a few times a second.
final class ProgressMeter: Sendable {
    private let rows = Atomic<UInt64>(0)
    private let nextReport = Atomic<Int64>(0)
    private let total = Mutex<(stage: String, total: UInt64?)>(("", nil))
    private let callback: (@Sendable (VerificationProgress) -> Void)?

    private static let interval: Int64 = 250_000

    init(_ callback: (@Sendable (VerificationProgress) -> Void)?) {
        self.callback = callback
    }

    func begin(_ stage: String, total: UInt64?) {
        self.total.withLock { $0 = (stage, total) }
        rows.store(0, ordering: .relaxed)
        callback?(VerificationProgress(stage: stage, rows: 0, total: total))
    }

    func add(_ count: UInt64) {
        let rows = rows.add(count, ordering: .relaxed).newValue
        guard let callback else { return }
        let now = CommitTime.now().microseconds
        let next = nextReport.load(ordering: .relaxed)
        guard now >= next,
            nextReport.compareExchange(expected: next, desired: now + Self.interval, ordering: .relaxed).exchanged
        else { return }
        let (stage, total) = total.withLock { $0 }
        callback(VerificationProgress(stage: stage, rows: rows, total: total))
    }
}
