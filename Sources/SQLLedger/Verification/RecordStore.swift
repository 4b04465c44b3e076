import Synchronization

/// Keeps records in memory up to a budget, the others in an unlinked temporary file.
final class RecordStore: Sendable {
    private struct State {
        var memory: Int
        var file: SpillFile?
    }

    private let state: Mutex<State>
    private let directory: String?

    /// Pieces are at most this long, so that a reader can skip to a transaction.
    static let pieceCount = 8192

    /// - Parameter budget: bytes.
    init(budget: Int, directory: String?) {
        state = Mutex(State(memory: budget, file: nil))
        self.directory = directory
    }

    /// Appends sorted records, which must not precede the last one of `run`.
    func append(_ records: UnsafeBufferPointer<LeafRecord>, to run: inout LeafRun) throws {
        var start = 0
        while start < records.count {
            let end = min(start + Self.pieceCount, records.count)
            let slice = UnsafeBufferPointer(rebasing: records[start..<end])
            let piece = LeafRun.Piece(
                first: slice[0].transaction, last: slice[slice.count - 1].transaction, count: slice.count,
                place: try place(slice))
            run.append(piece, last: slice[slice.count - 1])
            start = end
        }
    }

    private func place(_ records: UnsafeBufferPointer<LeafRecord>) throws -> LeafRun.Place {
        let byteCount = records.count * MemoryLayout<LeafRecord>.stride
        let fits = state.withLock { state in
            guard state.memory >= byteCount else { return false }
            state.memory -= byteCount
            return true
        }
        if fits { return .memory(RecordBlock(records)) }
        let file = try state.withLock { state in
            if let file = state.file { return file }
            let file = try SpillFile(directory: directory)
            state.file = file
            return file
        }
        return .file(offset: try file.write(UnsafeRawBufferPointer(records)))
    }

    /// Reads a piece from the file into `buffer`, which has room for it.
    func read(_ piece: LeafRun.Piece, at offset: Int64, into buffer: UnsafeMutableBufferPointer<LeafRecord>) throws {
        guard let file = state.withLock({ $0.file }) else { return }
        let target = UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(buffer.baseAddress), count: piece.count * MemoryLayout<LeafRecord>.stride)
        try file.read(at: offset, into: target)
    }
}
