import Foundation
import LedgerProofs

/// An open chunk file for positioned reads. Closed when the last user lets go of it.
final class ChunkHandle: Sendable {
    let path: String
    let descriptor: Int32

    init(path: String) throws {
        // Without O_NONBLOCK a pipe of that name would hold us for ever; it cannot be read at an offset.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw DiskError(operation: "open", path: path, code: errno) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func read(at offset: UInt64, count: Int) throws -> [UInt8] {
        let bytes = try PositionedReader.read(descriptor, at: offset, count: count, path: path)
        guard bytes.count == count else {
            throw LedgerError(
                .corrupt, "\(path): \(count) bytes expected at offset \(offset), the file ends after \(bytes.count)")
        }
        return bytes
    }
}
