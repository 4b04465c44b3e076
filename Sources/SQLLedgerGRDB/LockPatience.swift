import Foundation
import GRDBSQLite

/// How long the statements of one connection wait for the locks of others: five seconds each, and none beyond a time
/// that may be set while one waits.
final class LockPatience: @unchecked Sendable {
    static let usualMilliseconds: Int32 = 5_000
    private static let longestPause: useconds_t = 50_000

    private let lock = NSLock()
    // Guarded by the lock.
    private var end: ContinuousClock.Instant?
    private var start = ContinuousClock.now

    func end(at time: ContinuousClock.Instant) {
        lock.withLock { end = min(end ?? time, time) }
    }

    /// Pauses, or says that it is enough. `attempt` is 0 where a lock is found.
    fileprivate func pause(_ attempt: Int32) -> Bool {
        let now = ContinuousClock.now
        let limit = lock.withLock {
            if attempt == 0 { start = now }
            let usual = start.advanced(by: .milliseconds(Self.usualMilliseconds))
            return end.map { min($0, usual) } ?? usual
        }
        guard now < limit else { return false }
        usleep(min(Self.longestPause, 1_000 << useconds_t(min(attempt, 6))))
        return true
    }

    /// Lives as long as the connection, by its owner.
    func install(on connection: OpaquePointer) {
        sqlite3_busy_handler(
            connection,
            { context, attempt in
                guard let context else { return 0 }
                return Unmanaged<LockPatience>.fromOpaque(context).takeUnretainedValue().pause(attempt) ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
