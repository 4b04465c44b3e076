import LedgerProofs

/// Tells whether the stored leaves of a transaction give the table roots that its entry claims: every leaf is there, and
/// together they give the root. Column checks are no part of a root and are not compared.
///
/// For what makes them again; verification compares them with the leaves of the rows (`StoredLeaves`).
package struct LeafChunkCheck {
    private let reader: any LedgerEvidenceReader
    private var leaves: [Digest32] = []

    package init(_ reader: any LedgerEvidenceReader) {
        self.reader = reader
    }

    /// - Parameter kept: what the entry keeps of the leaves.
    package mutating func isDamaged(
        _ hashes: TableHashes, kept: [UInt8]?, of transaction: TransactionNumber
    ) throws -> Bool {
        var inEntry = EntryLeafCheck()
        var inChunks: [TableHash] = []
        inEntry.check(hashes, kept: kept, of: transaction, tables: nil) { hash, place in
            if place != .entry { inChunks.append(hash) }
        }
        guard inEntry.damages.first.isEmpty else { return true }
        for hash in inChunks where try !isWhole(hash, transaction) { return true }
        return false
    }

    private mutating func isWhole(_ hash: TableHash, _ transaction: TransactionNumber) throws -> Bool {
        let size = UInt64(LeafChunk.leafCount)
        var roots: [Digest32?] = []
        var nodes = MerkleFrontier(rule: .prefixed)
        for number in 0..<hash.leafCount / size + (hash.leafCount.isMultiple(of: size) ? 0 : 1) {
            let count = Int(min(hash.leafCount - number * size, size))
            guard let bytes = try reader.leafChunk(transaction, hash.table, chunk: number),
                StoredLeafBytes.read(bytes, count, into: &leaves)
            else { return false }
            let root = leaves.withUnsafeMutableBufferPointer { StoredLeafBytes.fold($0) }
            nodes.append(root)
            roots.append(root)
        }
        guard nodes.root() == hash.root else { return false }
        let stored = StoredLeaves(reader)
        let outcome = stored.compareRoots(
            roots, count: Int(hash.leafCount / size), of: hash.table, transaction: transaction.rawValue)
        if let failure = stored.failure { throw failure }
        return outcome == .same
    }
}
