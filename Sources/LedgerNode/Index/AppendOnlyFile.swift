import Foundation
import Synchronization

/// A derived file of fixed-size records that only grows. Buffered by its one writer, read by position by anyone
/// after a flush. Not durable before `sync`; after a crash it is cut back to what the ledger confirms.
final class AppendOnlyFile: Sendable {
    let path: String
    private let descriptor: Int32

    private struct Writer {
        var flushed: UInt64
        var buffer: [UInt8] = []
    }

    private let writer: Mutex<Writer>

    init(path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskError(operation: "open", path: path, code: errno) }
        self.path = path
        self.descriptor = descriptor
        do {
            self.writer = Mutex(Writer(flushed: try SystemCalls.byteCount(of: descriptor, path: path)))
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Bytes that a reader can see.
    var byteCount: UInt64 { writer.withLock { $0.flushed } }

    func append(_ bytes: UnsafeRawBufferPointer) {
        writer.withLock { $0.buffer.append(contentsOf: bytes) }
    }

    func flush() throws {
        try writer.withLock { writer in
            guard !writer.buffer.isEmpty else { return }
            try writer.buffer.withUnsafeBytes { raw in
                try PosixDisk().write(descriptor, raw, at: writer.flushed)
            }
            writer.flushed += UInt64(writer.buffer.count)
            writer.buffer.removeAll(keepingCapacity: true)
        }
    }

    func truncate(to byteCount: UInt64) throws {
        try writer.withLock { writer in
            writer.buffer.removeAll()
            try PosixDisk().truncate(descriptor, to: byteCount)
            writer.flushed = byteCount
        }
    }

    func sync() throws { try PosixDisk().sync(descriptor) }

    /// `nil` past the end.
    func read(at offset: UInt64, count: Int) throws -> [UInt8]? {
        let bytes = try PositionedReader.read(descriptor, at: offset, count: count, path: path)
        return bytes.count == count ? bytes : nil
    }
}
