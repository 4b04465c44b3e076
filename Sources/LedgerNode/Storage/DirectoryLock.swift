import Foundation

/// Keeps a second process out of a data directory. The kernel releases it when the process ends, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32
    private let released = OnceFlag()

    /// Error: `directoryInUse` with the pid of the holder, when it is known.
    init(path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LedgerError(
                .inputOutput, "\(DiskError(operation: "open", path: path, code: errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? PositionedReader.read(descriptor, at: 0, count: 32, path: path))
                .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) }
            close(descriptor)
            throw LedgerError(
                .directoryInUse,
                "the data directory is in use by another process (\(path), pid \(holder ?? "unknown")); "
                    + "one process serves one directory")
        }
        ftruncate(descriptor, 0)
        let pid = Array("\(getpid())\n".utf8)
        _ = pid.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        self.descriptor = descriptor
    }

    deinit { release() }

    /// Lets another process in. Idempotent.
    func release() { released.once { close(descriptor) } }
}
