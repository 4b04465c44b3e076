import CSQLiteLedger
import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Decides how a database file can be read without changing it or its neighbours.
struct DatabaseFile {
    enum Access: Equatable {
        /// Read it where it is, with SQLite's locks.
        case shared
        /// Read it where it is, without locks: nobody has it open, and SQLite would make files beside it.
        case immutable
        /// Read a private copy of it and of its neighbours with these endings: SQLite would have to write.
        case copy([String])
    }

    /// Without symbolic links: SQLite keeps journal and log beside the file that a link leads to.
    let path: String
    let access: Access

    /// Where SQLite's locks are: `PENDING_BYTE` + 1, and the "dead man's switch" of the WAL index.
    private static let reservedByte: Int64 = 0x4000_0001
    private static let walIndexByte: Int64 = 128

    /// `name` may be a symbolic link.
    init(_ name: String) throws(VerificationError) {
        guard let resolved = realpath(name, nil) else {
            throw VerificationError(
                object: name,
                reason: errno == ENOENT
                    ? "there is no such file" : "it cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        let path = String(cString: resolved)
        self.path = path
        guard let state = FileState(path) else {
            throw VerificationError(object: name, reason: "there is no such file")
        }
        // Opening a pipe, here or by SQLite, waits for a writer that may never come.
        for neighbour in ["", "-wal", "-shm", "-journal"].map({ path + $0 }) {
            guard let state = FileState(neighbour), !state.isRegular else { continue }
            throw VerificationError(object: name, reason: "\(neighbour) is not a regular file")
        }
        // If this process writes to it, its own connections keep everything in order.
        guard !state.isOpenInThisProcess else {
            access = .shared
            return
        }
        let header = try Self.head(of: path, count: 100)
        guard header.count == 100, Array(header.prefix(15)) == Array("SQLite format 3".utf8), header[15] == 0 else {
            throw VerificationError(object: name, reason: "it is not an SQLite database")
        }
        access = Self.access(path, isWAL: header[18] == 2 || header[19] == 2)
    }

    /// SQLite plays a hot journal back and reads a log whatever the header says.
    private static func access(_ path: String, isWAL: Bool) -> Access {
        if FileState(path + "-shm") != nil, isLocked(path + "-shm", at: walIndexByte) { return .shared }
        let log = FileState(path + "-wal")
        var endings: [String] = []
        if let log, log.byteCount > 0 { endings.append("-wal") }
        if isHot(path) { endings.append("-journal") }
        guard endings.isEmpty else { return .copy(endings) }
        // SQLite would make a WAL index beside an empty log, too.
        return isWAL || log != nil ? .immutable : .shared
    }

    /// Whether there is a journal to play back.
    private static func isHot(_ path: String) -> Bool {
        let name = path + "-journal"
        guard let state = FileState(name), state.byteCount >= 28, let head = try? head(of: name, count: 8),
            head.contains(where: { $0 != 0 })
        else { return false }
        // A journal whose writer lives is not hot.
        return !isLocked(path, at: reservedByte)
    }

    private static func head(of path: String, count: Int) throws(VerificationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw VerificationError(object: path, reason: "it cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let done = pread(descriptor, &bytes, count, 0)
        return Array(bytes.prefix(max(done, 0)))
    }

    /// Whether another process holds a lock on the byte.
    private static func isLocked(_ path: String, at offset: Int64) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = off_t(offset)
        lock.l_len = 1
        guard fcntl(descriptor, F_GETLK, &lock) == 0 else { return true }
        return lock.l_type != Int16(F_UNLCK)
    }

    /// How SQLite is asked to open it, or the copy of it: a URI's parameters and flags.
    var opening: (parameters: String, flags: Int32) {
        switch access {
        case .shared: ("mode=ro", SQLITE_OPEN_READONLY)
        case .immutable: ("mode=ro&immutable=1", SQLITE_OPEN_READONLY)
        case .copy: ("mode=rw", SQLITE_OPEN_READWRITE)
        }
    }

    /// A file's name for SQLite.
    func uri(_ path: String, parameters: String) -> String {
        var text = "file:"
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text + "?" + parameters
    }
}
