import Foundation

/// Small files that must be there whole or not at all: keys, settings, snapshots.
enum DurableFile {
    /// Writes to a temporary name in `scratch` (the file's own directory when `nil`), syncs, renames, syncs the
    /// directory. Durable once this returns; a crash leaves the old contents or the new.
    static func write(
        _ bytes: [UInt8], to path: String, scratch: String? = nil, mode: mode_t = 0o600, disk: any Disk
    ) throws {
        let url = URL(fileURLWithPath: path)
        let directory = url.deletingLastPathComponent().path
        let temporary = (scratch ?? directory) + "/.\(url.lastPathComponent).\(getpid()).tmp"
        unlink(temporary)
        let descriptor = try disk.open(temporary, create: true)
        do {
            defer { disk.close(descriptor) }
            _ = fchmod(descriptor, mode)
            try disk.write(descriptor, bytes, at: 0)
            try disk.sync(descriptor)
        } catch {
            unlink(temporary)
            throw error
        }
        try disk.rename(temporary, to: path)
        try disk.syncDirectory(directory)
    }

    /// The whole file; `nil` when it does not exist. Refuses files over `limit` bytes.
    static func read(_ path: String, limit: Int) throws -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw DiskError(operation: "open", path: path, code: errno)
        }
        defer { close(descriptor) }
        let byteCount = try SystemCalls.byteCount(of: descriptor, path: path)
        guard byteCount <= UInt64(limit) else {
            throw LedgerError(.invalidInput, "\(path) is \(byteCount) bytes long; at most \(limit) are expected")
        }
        return try PositionedReader.read(descriptor, at: 0, count: Int(byteCount), path: path)
    }
}
