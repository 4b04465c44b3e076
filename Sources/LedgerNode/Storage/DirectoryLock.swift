import Foundation

/// Keeps a second process out of a data directory. The kernel releases it when the process ends, however it ends. The folder
/// itself is locked too: a file can be removed by somebody who takes it for a leftover.
final class DirectoryLock: Sendable {
    private let descriptor: Int32
    private let folder: Int32
    private let released = OnceFlag()

    /// Error: `directoryInUse` with the pid of the holder, when it is known.
    init(path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw LedgerError(
                .inputOutput, "\(DiskError(operation: "open", path: path, code: errno))")
        }
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        // Some file systems lock no folders.
        let isFolderHeld = folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
        guard !isFolderHeld, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let text = (try? PositionedReader.read(descriptor, at: 0, count: 32, path: path)) ?? []
            let holder = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            close(descriptor)
            close(folder)
            throw LedgerError(
                .directoryInUse,
                "the data directory is in use by another process (\(path), pid \(holder.isEmpty ? "unknown" : holder)); "
                    + "one process serves one directory")
        }
        ftruncate(descriptor, 0)
        let pid = Array("\(getpid())\n".utf8)
        _ = pid.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        self.descriptor = descriptor
        self.folder = folder
    }

    deinit { release() }

    /// Lets another process in. Idempotent.
    func release() {
        released.once {
            close(descriptor)
            close(folder)
        }
    }
}
