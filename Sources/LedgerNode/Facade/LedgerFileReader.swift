import Foundation

/// An open immutable file. Closed when released.
public final class LedgerFileReader: Sendable {
    public let byteCount: UInt64
    private let descriptor: Int32

    init(descriptor: Int32, byteCount: UInt64) {
        self.descriptor = descriptor
        self.byteCount = byteCount
    }

    deinit { close(descriptor) }

    /// Up to `count` bytes from `offset`; fewer only at the end of the file. Blocks on the disk.
    public func read(at offset: UInt64, count: Int) throws -> [UInt8] {
        try PositionedReader.read(descriptor, at: offset, count: count, path: "download")
    }
}
