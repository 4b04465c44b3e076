#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Reads one file in order. The only place of the module, with `DirectoryListing`, that touches the disk.
final class DirectoryFile {
    struct Failure: Error {
        let reason: String
    }

    private let descriptor: Int32
    let byteCount: UInt64

    init(path: String) throws(Failure) {
        // Without O_NONBLOCK a pipe of that name would hold us for ever.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(reason: DirectoryFile.errorText()) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            let reason = DirectoryFile.errorText()
            close(descriptor)
            throw Failure(reason: reason)
        }
        guard info.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Failure(reason: "is not a regular file")
        }
        byteCount = UInt64(max(0, info.st_size))
    }

    deinit { close(descriptor) }

    /// Fills `buffer` from `offset`. Returns fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Failure) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(reason: DirectoryFile.errorText())
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Exactly `count` bytes.
    func read(count: Int, at offset: UInt64) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result: Result<Int, Failure> = bytes.withUnsafeMutableBytes { raw in
            do throws(Failure) { return .success(try read(into: raw, at: offset)) } catch { return .failure(error) }
        }
        guard try result.get() == count else { throw Failure(reason: "the file became shorter while it was read") }
        return bytes
    }

    static func errorText() -> String { String(cString: strerror(errno)) }
}
