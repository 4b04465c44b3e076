import Foundation
import LedgerFormat
import LedgerProofs
import Synchronization

/// Where every durable entry is. Holds one small record for each chunk and the positions of the open chunk;
/// positions of closed chunks are read from their tables. Grows by about 100 bytes a chunk.
final class ChunkCatalog: Sendable {
    struct ClosedChunk: Sendable {
        var first: SequenceNumber
        var last: SequenceNumber
        var fileName: String
        /// Offset of the positions table: the end of the last entry.
        var tableOffset: UInt64
        var byteCount: UInt64
    }

    struct OpenChunk: Sendable {
        var first: SequenceNumber
        var fileName: String
        /// Offsets of the entries' first bytes.
        var positions: [UInt32]
        /// The end of the last durable entry.
        var byteCount: UInt64
    }

    private struct State {
        var closed: [ClosedChunk] = []
        var open: OpenChunk?
        /// Recently used files by name, oldest first.
        var handles: [(name: String, handle: ChunkHandle)] = []
    }

    static let handlesKept = 64

    let directory: String
    private let state = Mutex(State())

    init(directory: String) {
        self.directory = directory
    }

    // MARK: Changes (recovery and the log's owner)

    func addClosed(_ chunk: ClosedChunk) {
        state.withLock { $0.closed.append(chunk) }
    }

    func setOpen(_ chunk: OpenChunk?) {
        state.withLock { $0.open = chunk }
    }

    /// Entries became durable at the end of the open chunk.
    func appended(positions: [UInt32], byteCount: UInt64) {
        state.withLock {
            $0.open?.positions.append(contentsOf: positions)
            $0.open?.byteCount = byteCount
        }
    }

    /// The open chunk was completed and renamed.
    func closedOpenChunk(as chunk: ClosedChunk) {
        state.withLock {
            $0.closed.append(chunk)
            let old = $0.open?.fileName
            $0.handles.removeAll { $0.name == old }
            $0.open = nil
        }
    }

    // MARK: Reads

    var open: OpenChunk? { state.withLock { $0.open } }
    var closed: [ClosedChunk] { state.withLock { $0.closed } }

    /// The newest durable entry; zero for an empty ledger.
    var last: SequenceNumber {
        state.withLock { state in
            if let open = state.open, !open.positions.isEmpty {
                return SequenceNumber(open.first.rawValue + UInt64(open.positions.count) - 1)
            }
            return state.closed.last?.last ?? .zero
        }
    }

    /// The name of the chunk that holds the entry.
    func fileName(of seqno: SequenceNumber) -> String? {
        state.withLock { state in
            if let open = state.open, seqno >= open.first { return open.fileName }
            return state.closed.last { $0.first <= seqno }?.fileName
        }
    }

    /// The complete bytes of one entry. Error: `corrupt` if the files contradict themselves.
    func entryBytes(_ seqno: SequenceNumber) throws -> [UInt8] {
        let (handle, closed, span) = try locate(seqno)
        if let closed {
            let index = seqno.rawValue - closed.first.rawValue
            let isLast = seqno == closed.last
            let table = try handle.read(at: closed.tableOffset + index * 4, count: isLast ? 4 : 8)
            let start = Self.word(table, 0)
            let end = isLast ? closed.tableOffset : Self.word(table, 4)
            guard start >= 8, start < end, end <= closed.tableOffset else {
                throw LedgerError(.corrupt, "\(handle.path): the positions table is wrong for seqno \(seqno)")
            }
            return try handle.read(at: start, count: Int(end - start))
        }
        return try handle.read(at: span.lowerBound, count: Int(span.upperBound - span.lowerBound))
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> UInt64 {
        (0..<4).reduce(0) { $0 | UInt64(bytes[at + $1]) << (8 * UInt64($1)) }
    }

    private func locate(_ seqno: SequenceNumber) throws -> (ChunkHandle, ClosedChunk?, Range<UInt64>) {
        try state.withLock { state in
            if let open = state.open, seqno >= open.first {
                // A number from a damaged index may be any.
                let place = seqno.rawValue - open.first.rawValue
                guard place < UInt64(open.positions.count) else {
                    throw LedgerError(.transactionNotFound, "no transaction has seqno \(seqno)")
                }
                let index = Int(place)
                let start = UInt64(open.positions[index])
                let end = index + 1 < open.positions.count ? UInt64(open.positions[index + 1]) : open.byteCount
                return (try openHandle(open, &state), nil, start..<end)
            }
            var low = 0
            var high = state.closed.count
            while low < high {
                let middle = (low + high) / 2
                if state.closed[middle].last < seqno { low = middle + 1 } else { high = middle }
            }
            guard low < state.closed.count, state.closed[low].first <= seqno else {
                throw LedgerError(.transactionNotFound, "no transaction has seqno \(seqno)")
            }
            return (try handle(state.closed[low].fileName, &state), state.closed[low], 0..<0)
        }
    }

    /// The open chunk's file, which the log's owner may have renamed already: its entries stay where they are.
    private func openHandle(_ open: OpenChunk, _ state: inout State) throws -> ChunkHandle {
        do {
            return try handle(open.fileName, &state)
        } catch let error as DiskError where error.code == ENOENT {
            let last = SequenceNumber(open.first.rawValue + UInt64(open.positions.count) - 1)
            return try handle(ChunkName(first: open.first, last: last, isCommitted: true).fileName, &state)
        }
    }

    private func handle(_ name: String, _ state: inout State) throws -> ChunkHandle {
        if let index = state.handles.lastIndex(where: { $0.name == name }) {
            return state.handles[index].handle
        }
        let handle = try ChunkHandle(path: directory + "/" + name)
        if state.handles.count >= Self.handlesKept { state.handles.removeFirst() }
        state.handles.append((name, handle))
        return handle
    }
}
