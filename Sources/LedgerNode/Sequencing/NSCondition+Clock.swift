import Foundation

extension NSCondition {
    /// Sleeps with the lock let go of, until it is woken or at most until `deadline`; `false` once that has passed. The
    /// system's wait goes by the wall clock: when that is set back, `lookAtClock` ends it.
    func sleep(until deadline: ContinuousClock.Instant) -> Bool {
        let rest = deadline - .now
        guard rest > .zero else { return false }
        _ = wait(until: Date(timeIntervalSinceNow: rest / .seconds(1)))
        return true
    }

    /// Wakes all who sleep, so that they see how much time has passed. The lock must not be held.
    func lookAtClock() {
        lock()
        defer { unlock() }
        broadcast()
    }
}
