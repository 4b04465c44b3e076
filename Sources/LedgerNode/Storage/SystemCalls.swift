#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Thin, checked forms of the system calls that need the C library's own types.
enum SystemCalls {
    /// The size of an open file.
    static func byteCount(of descriptor: Int32, path: String) throws(DiskError) -> UInt64 {
        // The file offset is free for this: everything here reads and writes by position.
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { throw DiskError(operation: "seek", path: path, code: errno) }
        return UInt64(end)
    }

    /// Fills `buffer` with cryptographically secure random bytes. Traps if the system has none to give.
    static func fillRandomly(_ buffer: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < buffer.count {
            // getentropy takes at most 256 bytes a call.
            let count = min(256, buffer.count - done)
            let failed = getentropy(buffer.baseAddress.map { $0 + done }, count) != 0
            precondition(!failed, "the system's random source failed")
            done += count
        }
    }
}
