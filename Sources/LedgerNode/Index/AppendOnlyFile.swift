import Foundation
import Synchronization

/// A derived file of fixed-size records that only grows. Buffered by its one writer, read by position by anyone
/// after a flush. Not durable before `sync`; after a crash it is cut back to what the ledger confirms.
final class AppendOnlyFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// A file that is not longer is kept in memory as well, so that reading it needs no system call.
    private let residentByteCountLimit: Int

    private struct Writer {
        var flushed: UInt64
        var buffer: [UInt8] = []
        /// All that is flushed; `nil` when that is too much.
        var resident: [UInt8]?
    }

    private let writer: Mutex<Writer>

    init(path: String, residentByteCountLimit: Int) throws {
        self.residentByteCountLimit = residentByteCountLimit
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskError(operation: "open", path: path, code: errno) }
        self.path = path
        self.descriptor = descriptor
        do {
            let byteCount = try SystemCalls.byteCount(of: descriptor, path: path)
            let resident =
                byteCount <= residentByteCountLimit
                ? try PositionedReader.read(descriptor, at: 0, count: Int(byteCount), path: path) : nil
            self.writer = Mutex(Writer(flushed: byteCount, resident: resident))
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
            if writer.flushed > UInt64(residentByteCountLimit) {
                writer.resident = nil
            } else {
                writer.resident?.append(contentsOf: writer.buffer)
            }
            writer.buffer.removeAll(keepingCapacity: true)
        }
    }

    /// Puts right a record that readers can see already. Does nothing past the end.
    func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
        try writer.withLock { writer in
            guard offset + UInt64(bytes.count) <= writer.flushed else { return }
            if let count = writer.resident?.count, offset + UInt64(bytes.count) <= UInt64(count) {
                writer.resident?.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
            }
            try PosixDisk().write(descriptor, bytes, at: offset)
        }
    }

    func truncate(to byteCount: UInt64) throws {
        try writer.withLock { writer in
            writer.buffer.removeAll()
            try PosixDisk().truncate(descriptor, to: byteCount)
            writer.flushed = byteCount
            if let resident = writer.resident, UInt64(resident.count) > byteCount {
                writer.resident?.removeLast(resident.count - Int(byteCount))
            } else if writer.resident.map({ UInt64($0.count) < byteCount }) ?? false {
                writer.resident = nil
            }
        }
    }

    func sync() throws { try PosixDisk().sync(descriptor) }

    /// `nil` past the end.
    func read(at offset: UInt64, count: Int) throws -> [UInt8]? {
        let known = writer.withLock { writer -> [UInt8]?? in
            guard let resident = writer.resident else { return .none }
            guard offset <= UInt64(resident.count), count <= resident.count - Int(offset) else { return .some(nil) }
            return Array(resident[Int(offset)..<Int(offset) + count])
        }
        if let known { return known }
        let bytes = try PositionedReader.read(descriptor, at: offset, count: count, path: path)
        return bytes.count == count ? bytes : nil
    }
}
