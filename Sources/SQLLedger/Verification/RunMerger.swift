import LedgerProofs

/// The records of several runs in one order.
struct RunMerger {
    /// A heap by the readers' current records; readers at their end are taken out.
    private var heap: [RunReader] = []

    init(_ runs: [LeafRun], store: RecordStore, from transaction: UInt64) throws {
        for run in runs {
            let reader = try RunReader(run, store: store, from: transaction)
            if reader.current != nil { heap.append(reader) }
        }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    var current: LeafRecord? { heap.first?.current }

    mutating func advance() throws {
        guard let first = heap.first else { return }
        try first.advance()
        if first.current == nil {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
        }
        sink(0)
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if Self.precedes(heap[child], heap[least]) { least = child }
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }

    private static func precedes(_ a: RunReader, _ b: RunReader) -> Bool {
        guard let a = a.current, let b = b.current else { return false }
        return LeafRecord.precedes(a, b)
    }
}
