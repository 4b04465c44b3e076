import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A copy of a database and its journal and WAL in a directory of its own, which is removed with this value.
final class PrivateCopy: Sendable {
    let path: String
    private let directory: String

    /// Copies the file `source` and those whose names end with `endings`.
    init(of source: String, with endings: [String]) throws(VerificationError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/indelible-verify-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw VerificationError(object: base, reason: "no directory for a private copy can be made in it")
        }
        directory = String(cString: made)
        path = directory + "/copy.db"
        let names = [""] + endings
        let before = names.map { FileState(source + $0) }
        for name in names { try Self.copy(source + name, to: path + name) }
        guard before == names.map({ FileState(source + $0) }) else {
            throw VerificationError(object: source, reason: "it was written while a private copy was made; try again")
        }
        if endings.contains("-journal") { try settleSuperJournal(source) }
    }

    /// Once SQLite has played a journal back it deletes the super-journal that the journal names, wherever that is. A
    /// journal whose super-journal is gone is not played back: its transaction was committed.
    private func settleSuperJournal(_ source: String) throws(VerificationError) {
        let journal = path + "-journal"
        switch try SuperJournal.named(in: journal) {
        case nil: return
        case let name? where name.exists:
            throw VerificationError(
                object: source,
                reason:
                    "its hot journal belongs to a transaction over several databases that was not ended, and names a file "
                    + "that reading the journal would delete; let an application open the database, or remove \(source)-journal "
                    + "if you do not trust it")
        case _?:
            guard unlink(journal) == 0 else { throw Self.failure(journal, "it cannot be removed") }
        }
    }

    deinit {
        for ending in ["", "-journal", "-wal", "-shm"] { unlink(path + ending) }
        rmdir(directory)
    }

    private static func copy(_ source: String, to target: String) throws(VerificationError) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw failure(source, "it cannot be opened") }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw failure(target, "the private copy cannot be made") }
        defer { close(output) }
        let size = 1 << 20
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = read(input, buffer, size)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(source, "it cannot be read") }
            guard count > 0 else { return }
            var done = 0
            while done < count {
                let written = write(output, buffer + done, count - done)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw failure(target, "the private copy cannot be written") }
                done += written
            }
        }
    }

    private static func failure(_ path: String, _ what: String) -> VerificationError {
        VerificationError(object: path, reason: "\(what): \(String(cString: strerror(errno)))")
    }
}
