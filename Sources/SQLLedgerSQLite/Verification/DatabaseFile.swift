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
        /// Read a private copy of it and of the file with this ending: SQLite would have to write.
        case copy(String)
    }

    let path: String
    let access: Access

    /// Where SQLite's locks are: `PENDING_BYTE` + 1, and the "dead man's switch" of the WAL index.
    private static let reservedByte: Int64 = 0x4000_0001
    private static let walIndexByte: Int64 = 128

    init(_ path: String) throws(VerificationError) {
        self.path = path
        guard let state = FileState(path) else {
            throw VerificationError(object: path, reason: "there is no such file")
        }
        // Opening a pipe, here or by SQLite, waits for a writer that may never come.
        for name in ["", "-wal", "-shm", "-journal"].map({ path + $0 }) {
            guard let state = FileState(name), !state.isRegular else { continue }
            throw VerificationError(object: path, reason: "\(name) is not a regular file")
        }
        // If this process writes to it, its own connections keep everything in order.
        guard !state.isOpenInThisProcess else {
            access = .shared
            return
        }
        let header = try Self.head(of: path, count: 100)
        guard header.count == 100, Array(header.prefix(15)) == Array("SQLite format 3".utf8), header[15] == 0 else {
            throw VerificationError(object: path, reason: "it is not an SQLite database")
        }
        access = header[18] == 2 || header[19] == 2 ? Self.accessOfWAL(path) : Self.accessOfJournal(path)
    }

    private static func accessOfWAL(_ path: String) -> Access {
        if FileState(path + "-shm") != nil, isLocked(path + "-shm", at: walIndexByte) { return .shared }
        guard let wal = FileState(path + "-wal"), wal.byteCount > 0 else { return .immutable }
        return .copy("-wal")
    }

    private static func accessOfJournal(_ path: String) -> Access {
        let name = path + "-journal"
        guard let state = FileState(name), state.byteCount >= 28, let head = try? head(of: name, count: 8),
            head.contains(where: { $0 != 0 })
        else { return .shared }
        // A journal whose writer lives is not hot.
        return isLocked(path, at: reservedByte) ? .shared : .copy("-journal")
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

    /// The file's name for SQLite.
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
