import Foundation
import LedgerFormat
import LedgerProofs

/// Reads one chunk's entries in order through a bounded buffer.
struct ChunkStream {
    static let windowByteCount = 1 << 20

    struct Item {
        var offset: UInt64
        var bytes: [UInt8]
    }

    private let handle: ChunkHandle
    private let end: UInt64
    private var offset: UInt64
    private var window: [UInt8] = []
    private var windowStart: UInt64

    /// - Parameter end: where the entries end (the positions table, or the end of the file).
    init(handle: ChunkHandle, from offset: UInt64 = 8, end: UInt64) {
        self.handle = handle
        self.offset = offset
        self.end = end
        self.windowStart = offset
    }

    /// The next entry's bytes; `nil` at the end. Throws when the frame does not fit what is left.
    mutating func next() throws -> Item? {
        guard offset < end else { return nil }
        let header = try EntryHeader(decoding: try bytes(at: offset, count: min(8, end - offset)))
        let count = header.size + UInt64(EntryHeader.byteCount)
        guard count <= end - offset else {
            throw LedgerError(
                .corrupt,
                "\(handle.path): the entry at offset \(offset) claims \(count) bytes, \(end - offset) are left")
        }
        let item = Item(offset: offset, bytes: try bytes(at: offset, count: count))
        offset += count
        return item
    }

    private mutating func bytes(at position: UInt64, count: UInt64) throws -> [UInt8] {
        if position < windowStart || position + count > windowStart + UInt64(window.count) {
            let wanted = min(max(count, UInt64(Self.windowByteCount)), end - position)
            window = try handle.read(at: position, count: Int(wanted))
            windowStart = position
        }
        let start = Int(position - windowStart)
        return Array(window[start..<start + Int(count)])
    }
}
