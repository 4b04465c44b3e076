import Foundation

/// The disk as the operating system offers it.
struct PosixDisk: Disk {
    func open(_ path: String, create: Bool) throws(DiskError) -> Int32 {
        let flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0)
        let descriptor = Foundation.open(path, flags, 0o600)
        guard descriptor >= 0 else { throw DiskError(operation: "open", path: path, code: errno) }
        return descriptor
    }

    func close(_ descriptor: Int32) {
        _ = Foundation.close(descriptor)
    }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskError(operation: "write", path: Self.path(of: descriptor), code: errno)
            }
            done += count
        }
    }

    func sync(_ descriptor: Int32) throws(DiskError) {
        guard fdatasync(descriptor) == 0 else {
            throw DiskError(operation: "fdatasync", path: Self.path(of: descriptor), code: errno)
        }
    }

    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(DiskError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
            throw DiskError(operation: "truncate", path: Self.path(of: descriptor), code: errno)
        }
    }

    func rename(_ from: String, to: String) throws(DiskError) {
        guard Foundation.rename(from, to) == 0 else {
            throw DiskError(operation: "rename", path: from, code: errno)
        }
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        let descriptor = Foundation.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(operation: "open directory", path: path, code: errno) }
        defer { _ = Foundation.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DiskError(operation: "fsync", path: path, code: errno) }
    }

    /// For messages only.
    private static func path(of descriptor: Int32) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)"))
            ?? "descriptor \(descriptor)"
    }
}
