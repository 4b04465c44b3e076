import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The super-journal that a rollback journal names: its last bytes are the name, its length, a checksum and a magic
/// number, big-endian (SQLite, pager.c, `readSuperJournal`).
struct SuperJournal {
    private var path: String

    /// As long as SQLite's names are; a longer one is none.
    private static let longestName = 512
    private static let magic: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]

    /// `nil` when the journal names none.
    static func named(in journal: String) throws(VerificationError) -> SuperJournal? {
        let descriptor = open(journal, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(journal) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw failure(journal) }
        let size = Int64(info.st_size)
        guard size >= 16 else { return nil }
        let end = try read(descriptor, at: size - 16, count: 16, journal)
        guard Array(end[8...]) == magic else { return nil }
        let length = Int64(number(end[0..<4]))
        guard length > 0, length <= longestName, length <= size - 16 else { return nil }
        let name = try read(descriptor, at: size - 16 - length, count: Int(length), journal)
        // SQLite adds characters up, which are signed on some processors: either sum counts.
        let sum = number(end[4..<8])
        let unsigned = name.reduce(0 as UInt32) { $0 &+ UInt32($1) }
        let signed = name.reduce(0 as UInt32) { $0 &+ UInt32(bitPattern: Int32(Int8(bitPattern: $1))) }
        guard sum == unsigned || sum == signed else { return nil }
        guard unsigned == signed else {
            throw VerificationError(object: journal, reason: "the name of a super-journal in it is not ASCII")
        }
        let path = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        return path.isEmpty ? nil : SuperJournal(path: path)
    }

    /// As SQLite asks: an empty file is none.
    var exists: Bool {
        var info = stat()
        return stat(path, &info) == 0 && (info.st_mode & S_IFMT != S_IFREG || info.st_size > 0)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func read(
        _ descriptor: Int32, at offset: Int64, count: Int, _ journal: String
    ) throws(VerificationError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(descriptor, &bytes, count, off_t(offset)) == count else { throw failure(journal) }
        return bytes
    }

    private static func failure(_ journal: String) -> VerificationError {
        VerificationError(object: journal, reason: "it cannot be read: \(String(cString: strerror(errno)))")
    }
}
