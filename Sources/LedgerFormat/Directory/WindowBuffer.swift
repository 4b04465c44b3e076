/// The bytes of one window, read once and then shared by those who scan them.
final class WindowBuffer: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    /// How many bytes are filled.
    private(set) var count = 0

    var capacity: Int { memory.count }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 16) }

    deinit { memory.deallocate() }

    /// Reads exactly `count` bytes, at most the capacity. Nobody else may hold the buffer: this is the only place
    /// that writes to it.
    func fill(count: Int, from file: DirectoryFile, at offset: UInt64) throws(DirectoryFile.Failure) {
        self.count = 0
        guard try file.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]), at: offset) == count else {
            throw DirectoryFile.Failure(reason: "the file became shorter while it was read")
        }
        self.count = count
    }
}
