import Foundation

/// Runs a block once; later callers wait until it has finished.
final class OnceFlag: @unchecked Sendable {
    private let lock = NSLock()
    private var isDone = false  // guarded by `lock`

    func once(_ body: () -> Void) {
        lock.lock()
        defer { lock.unlock() }
        if isDone { return }
        isDone = true
        body()
    }
}
