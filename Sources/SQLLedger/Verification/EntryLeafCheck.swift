import LedgerProofs

/// Compares the leaves that entries keep with the table roots in them.
struct EntryLeafCheck {
    private(set) var damages = LeafDamages()
    private var leaves: [Digest32] = []

    /// Checks what the entry of `transaction` keeps of one table after the other; `body` gets each table in scope (`nil`:
    /// all) and where its leaves are.
    mutating func check(
        _ hashes: TableHashes, kept: [UInt8]?, of transaction: TransactionNumber, tables: Set<TableID>?,
        _ body: (TableHash, LeafPlace) throws -> Void
    ) rethrows {
        guard let kept else {
            for hash in hashes.tables where tables?.contains(hash.table) ?? true { try body(hash, .chunks) }
            return
        }
        let isReadable = StoredLeafBytes.isReadable(kept, hashes)
        var offset = 0
        for hash in hashes.tables {
            let rest = hash.leafCount % UInt64(LeafChunk.leafCount)
            leaves.removeAll(keepingCapacity: true)
            if isReadable {
                for _ in 0..<rest { if let leaf = StoredLeafBytes.next(kept, &offset) { leaves.append(leaf) } }
            }
            guard tables?.contains(hash.table) ?? true else { continue }
            guard hash.leafCount < LeafChunk.leafCount, rest > 0 else {
                try body(hash, rest > 0 ? .chunksAndEntry : .chunks)
                continue
            }
            let root = leaves.withUnsafeMutableBufferPointer { $0.isEmpty ? nil : StoredLeafBytes.fold($0) }
            if root != hash.root {
                damages.add(
                    LeafDamage(transaction: transaction, table: hash.table, isInEntry: true, isMissing: false))
            }
            try body(hash, .entry)
        }
    }
}
