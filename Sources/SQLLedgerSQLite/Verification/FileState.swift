#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the file system says about a file: enough to notice that it was written or replaced.
struct FileState: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var byteCount: Int64
    var modified: Int64
    var changed: Int64
    var isRegular: Bool

    /// `nil` when there is no such file.
    init?(_ path: String) {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        self.init(info)
    }

    private init(_ info: stat) {
        device = UInt64(truncatingIfNeeded: info.st_dev)
        inode = UInt64(truncatingIfNeeded: info.st_ino)
        byteCount = Int64(info.st_size)
        isRegular = info.st_mode & S_IFMT == S_IFREG
        #if canImport(Darwin)
            let (modified, changed) = (info.st_mtimespec, info.st_ctimespec)
        #else
            let (modified, changed) = (info.st_mtim, info.st_ctim)
        #endif
        self.modified = Int64(modified.tv_sec) &* 1_000_000_000 &+ Int64(modified.tv_nsec)
        self.changed = Int64(changed.tv_sec) &* 1_000_000_000 &+ Int64(changed.tv_nsec)
    }

    /// Whether this process has the file open. If it has, opening and closing it once more would drop the locks that
    /// SQLite holds on it.
    var isOpenInThisProcess: Bool {
        for descriptor in 0..<Int32(4096) {
            var info = stat()
            guard fstat(descriptor, &info) == 0 else { continue }
            let other = FileState(info)
            if other.device == device, other.inode == inode { return true }
        }
        return false
    }
}
