import Foundation

/// `pread` until satisfied.
enum PositionedReader {
    /// Exactly `count` bytes at `offset`, or fewer only when the file ends there.
    static func read(_ descriptor: Int32, at offset: UInt64, count: Int, path: @autoclosure () -> String) throws
        -> [UInt8]
    {
        guard count > 0 else { return [] }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let n = pread(
                    descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset) + off_t(filled))
                if n < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                if n == 0 { return }
                filled += n
            }
        }
        guard failure == 0 else { throw DiskError(operation: "read", path: path(), code: failure) }
        return bytes
    }
}
