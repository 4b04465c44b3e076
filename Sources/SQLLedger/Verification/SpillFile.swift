import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A temporary file without a name: it is gone when it is closed, whatever happens to the process.
final class SpillFile: Sendable {
    private let descriptor: Int32
    private let end = Atomic<Int64>(0)

    init(directory: String?) throws(VerificationError) {
        let directory = directory ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/indelible-verify-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw VerificationError(object: "temporary file", reason: Self.message("cannot be created in \(directory)"))
        }
        unlink(template)
    }

    deinit { close(descriptor) }

    /// Appends `bytes`. Returns where they are.
    func write(_ bytes: UnsafeRawBufferPointer) throws(VerificationError) -> Int64 {
        let offset = end.add(Int64(bytes.count), ordering: .relaxed).oldValue
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + Int64(done)))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw VerificationError(object: "temporary file", reason: Self.message("cannot be written"))
            }
            done += count
        }
        return offset
    }

    /// Fills `bytes`.
    func read(at offset: Int64, into bytes: UnsafeMutableRawBufferPointer) throws(VerificationError) {
        var done = 0
        while done < bytes.count {
            let count = pread(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + Int64(done)))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw VerificationError(object: "temporary file", reason: Self.message("cannot be read"))
            }
            done += count
        }
    }

    private static func message(_ what: String) -> String { "\(what): \(String(cString: strerror(errno)))" }
}
