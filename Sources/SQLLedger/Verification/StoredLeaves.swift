import LedgerProofs

/// Compares leaves that were computed from rows with the stored ones. Equal leaves need no hashing: where rows give the
/// table root, so do leaves that equal theirs. Used by one thread.
final class StoredLeaves {
    /// What the stored chunk is beside the computed leaves.
    enum Outcome {
        case same
        /// There is none.
        case missing
        /// It holds something else, or cannot be read.
        case other
    }

    private let reader: any LedgerEvidenceReader
    /// The leaves of the chunk that is being compared.
    private var leaves: [Digest32] = []

    /// The first error of the reader. Nothing is compared after it.
    private(set) var failure: (any Error)?

    init(_ reader: any LedgerEvidenceReader) {
        self.reader = reader
    }

    /// Whether the stored chunk consists of exactly these leaves; `false` if it cannot be read.
    func holds(
        _ leaves: UnsafeBufferPointer<Digest32>, of table: TableID, transaction: UInt64, chunk: UInt64
    ) -> Bool {
        guard let bytes = read({ try $0.leafChunk(TransactionNumber(transaction), table, chunk: chunk) }) else {
            return false
        }
        return bytes.withUnsafeBytes { raw in
            var offset = 0
            for leaf in leaves {
                guard StoredLeafBytes.next(raw, &offset) == leaf else { return false }
            }
            return offset == raw.count
        }
    }

    /// Compares a stored chunk of `count` leaves with what was found of it: leaves and roots of subtrees, which together
    /// are all of the chunk.
    func compare(
        _ pieces: [LeafRecord], count: Int, of table: TableID, transaction: UInt64, chunk: UInt64
    ) -> Outcome {
        guard let bytes = read({ try $0.leafChunk(TransactionNumber(transaction), table, chunk: chunk) }) else {
            return .missing
        }
        guard StoredLeafBytes.read(bytes, count, into: &leaves) else { return .other }
        let isSame = leaves.withUnsafeMutableBufferPointer { leaves in
            pieces.allSatisfy { piece in
                let start = Int(piece.sequence % UInt64(LeafChunk.leafCount))
                let end = start + 1 << Int(piece.level)
                guard end <= leaves.count else { return false }
                return StoredLeafBytes.fold(UnsafeMutableBufferPointer(rebasing: leaves[start..<end])) == piece.hash
            }
        }
        return isSame ? .same : .other
    }

    /// Compares the root chunks of a table, as far as there are any, with the roots of its first `count` chunks.
    func compareRoots(_ roots: [Digest32?], count: Int, of table: TableID, transaction: UInt64) -> Outcome {
        for (number, start) in stride(from: 0, to: count, by: LeafChunk.leafCount).enumerated() {
            let stored = read { try $0.rootChunk(TransactionNumber(transaction), table, chunk: UInt64(number)) }
            guard let stored else { continue }
            let isSame = stored.withUnsafeBytes { raw in
                var offset = 0
                return roots[start..<min(start + LeafChunk.leafCount, count)].allSatisfy {
                    $0 != nil && StoredLeafBytes.next(raw, &offset) == $0
                }
            }
            guard isSame else { return .other }
        }
        return .same
    }

    private func read(_ body: (any LedgerEvidenceReader) throws -> [UInt8]?) -> [UInt8]? {
        guard failure == nil else { return nil }
        do { return try body(reader) } catch {
            failure = error
            return nil
        }
    }
}
