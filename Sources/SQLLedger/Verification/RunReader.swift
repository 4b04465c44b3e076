import LedgerProofs

/// Reads one run from a transaction on.
final class RunReader {
    private let run: LeafRun
    private let store: RecordStore
    private var piece: Int
    private var records: UnsafeBufferPointer<LeafRecord>
    private var index = 0
    private var buffer: UnsafeMutableBufferPointer<LeafRecord>?

    /// The next record, `nil` at the end.
    private(set) var current: LeafRecord?

    init(_ run: LeafRun, store: RecordStore, from transaction: UInt64) throws {
        self.run = run
        self.store = store
        records = UnsafeBufferPointer(start: nil, count: 0)
        // The first piece that can hold it, then the first record.
        var low = 0
        var high = run.pieces.count
        while low < high {
            let middle = (low + high) / 2
            if run.pieces[middle].last < transaction { low = middle + 1 } else { high = middle }
        }
        piece = low
        try open()
        while let record = current, record.transaction < transaction { try advance() }
    }

    deinit { buffer?.deallocate() }

    private func open() throws {
        guard piece < run.pieces.count else {
            current = nil
            return
        }
        let next = run.pieces[piece]
        switch next.place {
        case .memory(let block): records = block.records
        case .file(let offset):
            let buffer = self.buffer ?? .allocate(capacity: RecordStore.pieceCount)
            self.buffer = buffer
            try store.read(next, at: offset, into: buffer)
            records = UnsafeBufferPointer(rebasing: buffer[..<next.count])
        }
        index = 0
        current = records[0]
    }

    func advance() throws {
        index += 1
        if index < records.count {
            current = records[index]
        } else {
            piece += 1
            try open()
        }
    }
}
