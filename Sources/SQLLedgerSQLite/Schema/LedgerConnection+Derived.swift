import LedgerProofs
import SQLLedger

// Derived tables can be made again from what verification trusts.
extension LedgerConnection {
    /// Puts back rows of derived tables that are missing, and takes away those that are too many. What is there in the
    /// tree over the blocks stays, because it may witness what a block was.
    func restoreDerived() throws(SQLiteLedgerError) {
        try db.execute(
            """
            DELETE FROM \(db.schema).ledger_tables WHERE table_id NOT IN
              (SELECT table_id FROM \(db.schema).ledger_schema_events WHERE event_type <> 8);
            INSERT OR REPLACE INTO \(db.schema).ledger_tables
              SELECT table_id, json_extract(body, '$.table'), json_extract(body, '$.view'),
                json_extract(body, '$.kind'), event_type = 1
              FROM (SELECT table_id AS table_id, body AS body, event_type AS event_type, row_number() OVER (PARTITION BY table_id ORDER BY transaction_id DESC, sequence_number DESC) AS age
                FROM \(db.schema).ledger_schema_events WHERE event_type <> 8) WHERE age = 1
              EXCEPT SELECT table_id, name, view, kind, is_dropped FROM \(db.schema).ledger_tables
              WHERE typeof(is_dropped) = 'integer';
            DELETE FROM \(db.schema).ledger_pending
            """)
        try restoreBlockNodes()
    }

    private func restoreBlockNodes() throws(SQLiteLedgerError) {
        guard let ledger else { return }
        let counts = try db.query(
            "SELECT (SELECT count(*) FROM \(db.schema).database_ledger_blocks), (SELECT count(*) FROM \(db.schema).ledger_block_nodes)"
        )
        guard let row = counts.first, case .integer(let blocks) = row[0], case .integer(let nodes) = row[1] else {
            return
        }
        // A tree over n blocks has 2n - (ones in n) complete nodes.
        guard nodes < 2 * blocks - Int64(blocks.nonzeroBitCount) else { return }
        var tree = BlockTree()
        var found: [(level: Int, position: UInt64, hash: Digest32)] = []
        let rows = try blockRows()
        while let block = try nextBlock(rows, ledger) {
            // What follows a gap or a break is no guide.
            guard block.id.rawValue == tree.blockCount, block.historyRoot == tree.root else { break }
            tree.append(blockHash: block.hash) { found.append(($0, $1, $2)) }
            for node in found { try store(node) }
            found.removeAll(keepingCapacity: true)
        }
    }
}

// MARK: Computing everything again

extension LedgerConnection {
    /// Compares all derived hashes with the blocks, entries and rows that they are derived from, and computes again what
    /// does not agree. Reads every entry, and the rows of transactions whose stored leaves are damaged.
    /// - Returns: how many nodes, transactions and chunks were put right.
    func computeDerived() throws(SQLiteLedgerError) -> Int {
        guard ledger != nil else { throw .refused("the database has no ledger; make one with SELECT ledger_init()") }
        do {
            return try computeBlockNodes() + computeBlockChunks() + computeLeafChunks()
        } catch let error as SQLiteLedgerError {
            throw error
        } catch {
            throw .refused("the derived tables could not be computed: \(error)")
        }
    }

    /// The nodes that a block completes, once the block behind it confirms them. Of the newest block the node of its own
    /// stays as it is: it may be all that tells what the block was.
    private func computeBlockNodes() throws -> Int {
        guard let ledger else { return 0 }
        var tree = BlockTree()
        var pending: [(level: Int, position: UInt64, hash: Digest32)] = []
        var count = 0
        let known = try db.prepare("SELECT hash FROM \(db.schema).ledger_block_nodes WHERE level = ? AND position = ?")
        func put(_ nodes: [(level: Int, position: UInt64, hash: Digest32)]) throws {
            for node in nodes {
                let place: [SQLValue] = [.integer(Int64(node.level)), .integer(Int64(bitPattern: node.position))]
                known.reset()
                try known.bind(place)
                let isThere = try known.step()
                if isThere, known.value(0) == .blob(node.hash.bytes) { continue }
                known.reset()
                try db.run(
                    "INSERT OR REPLACE INTO \(db.schema).ledger_block_nodes VALUES(?, ?, ?)",
                    place + [.blob(node.hash.bytes)])
                count += 1
            }
            known.reset()
        }
        let rows = try blockRows()
        var isWhole = true
        while let block = try nextBlock(rows, ledger) {
            guard block.id.rawValue == tree.blockCount, block.historyRoot == tree.root else {
                isWhole = false
                break
            }
            try put(pending)
            pending.removeAll(keepingCapacity: true)
            tree.append(blockHash: block.hash) { pending.append(($0, $1, $2)) }
        }
        guard isWhole, let own = pending.first else { return count }
        try known.bind([.integer(0), .integer(Int64(bitPattern: own.position))])
        let isOther = try known.step() && known.value(0) != .blob(own.hash.bytes)
        if !isOther { try put(pending) }
        return count
    }

    /// The leaves of the transactions of closed blocks whose entries give the block's root.
    private func computeBlockChunks() throws -> Int {
        guard let ledger else { return 0 }
        let reader = SQLiteEvidenceReader(borrowing: db)
        let transactions = try reader.transactions(from: TransactionNumber(1))
        var current = try transactions()
        var count = 0
        let rows = try blockRows()
        while let block = try nextBlock(rows, ledger) {
            guard let range = block.transactions else { continue }
            var leaves = TableLeaves()
            var chunks: [[UInt8]] = []
            while let stored = current, stored.id <= Int64(bitPattern: range.upperBound.rawValue) {
                if stored.id >= Int64(bitPattern: range.lowerBound.rawValue), let entry = stored.entry(of: ledger).entry
                {
                    if let chunk = leaves.append(entry.leaf, columnChecks: entry.columnChecks) {
                        chunks.append(chunk)
                        _ = leaves.takeRootChunk()
                    }
                }
                current = try transactions()
            }
            guard leaves.root == block.transactionsRoot else { continue }
            if !leaves.partialChunk.isEmpty { chunks.append(leaves.partialChunk) }
            for (index, chunk) in chunks.enumerated() {
                guard try reader.transactionChunk(block.id, chunk: UInt64(index)) != chunk else { continue }
                try db.run(
                    """
                    INSERT INTO \(db.schema).ledger_transaction_chunks(block_id, chunk, leaves) VALUES(?, ?, ?)
                    ON CONFLICT(block_id, chunk) DO UPDATE SET leaves = excluded.leaves
                    """,
                    [.integer(Int64(bitPattern: block.id.rawValue)), .integer(Int64(index)), .blob(chunk)])
                count += 1
            }
        }
        return count
    }

    // MARK: Leaves of rows

    /// So many leaves are collected at a time (of one transaction at least).
    private static let leafLimit: UInt64 = 1_000_000

    /// Leaves of transactions whose rows give the roots in the entry, where the stored ones do not.
    private func computeLeafChunks() throws -> Int {
        var count = 0
        var after: UInt64 = 0
        while true {
            let damaged = try damagedTransactions(after: after)
            guard let last = damaged.keys.max() else { return count }
            count += try restoreLeaves(of: damaged)
            after = last.rawValue
        }
    }

    private func damagedTransactions(after: UInt64) throws -> [TransactionNumber: TableHashes] {
        let reader = SQLiteEvidenceReader(borrowing: db)
        let first = TransactionNumber(after + 1)
        var check = LeafChunkCheck(reader)
        let transactions = try reader.transactions(from: first)
        var damaged: [TransactionNumber: TableHashes] = [:]
        var leafCount: UInt64 = 0
        while leafCount < Self.leafLimit, damaged.count < 1_000, let stored = try transactions() {
            guard stored.id > 0, let bytes = stored.tableHashes, let hashes = try? TableHashes(decoding: bytes) else {
                continue
            }
            let number = TransactionNumber(UInt64(stored.id))
            guard try check.isDamaged(hashes, kept: stored.leaves, of: number) else { continue }
            damaged[number] = hashes
            for hash in hashes.tables { leafCount &+= hash.leafCount }
        }
        return damaged
    }

    private struct FoundLeaf {
        var sequence: UInt64
        var hash: Digest32
        var checks: [UInt16]
    }

    private func restoreLeaves(of damaged: [TransactionNumber: TableHashes]) throws -> Int {
        let reader = SQLiteEvidenceReader(borrowing: db)
        let wanted = Set(damaged.values.flatMap { $0.tables.map(\.table) })
        var found: [TransactionNumber: [TableID: [FoundLeaf]]] = [:]
        let known = try reader.schemaHistory().tables
        for table in [EvidenceTable.schemaEvents] + known where wanted.contains(table.id) {
            func isWanted(_ place: RowStart) -> Bool { damaged[place.transaction]?[table.id] != nil }
            for partition in try reader.partitions(of: table, count: 1, after: nil) {
                try reader.versions(
                    partition, wanted: { isWanted($0.start) || ($0.end.map { isWanted($0) } ?? false) }
                ) { version in
                    var encoder = RowLeafEncoder(collectsChecks: true)
                    for value in version.values { encoder.append(value) }
                    let checks = encoder.columnChecks
                    func add(_ operation: RowOperation, _ place: RowStart) {
                        let leaf = FoundLeaf(
                            sequence: place.sequence.rawValue, hash: version.leaf(operation, table: table.id).hash,
                            checks: checks)
                        found[place.transaction, default: [:]][table.id, default: []].append(leaf)
                    }
                    if isWanted(version.links.start) { add(.created, version.links.start) }
                    if let end = version.links.end, isWanted(end) { add(.ended, end) }
                }
            }
        }
        var count = 0
        for (transaction, hashes) in damaged {
            if try restoreLeaves(of: transaction, hashes, found[transaction] ?? [:]) { count += 1 }
        }
        return count
    }

    /// Returns `false`, and changes nothing, when the rows do not give the roots.
    private func restoreLeaves(
        of transaction: TransactionNumber, _ hashes: TableHashes, _ found: [TableID: [FoundLeaf]]
    ) throws -> Bool {
        var chunks: [(table: Int64, chunk: UInt64, bytes: [UInt8])] = []
        var partial: [(table: Int64, chunk: UInt64, bytes: [UInt8])] = []
        for hash in hashes.tables {
            let id = Int64(bitPattern: hash.table.rawValue)
            let rows = (found[hash.table] ?? []).sorted { $0.sequence < $1.sequence }
            var leaves = TableLeaves()
            for leaf in rows {
                let number = leaves.chunkIndex
                guard let chunk = leaves.append(leaf.hash, columnChecks: leaf.checks) else { continue }
                chunks.append((id, number, chunk))
                if let roots = leaves.takeRootChunk() {
                    chunks.append((LeafChunk.rootsKey(of: hash.table), roots.number, roots.bytes))
                }
            }
            guard leaves.tableHash(of: hash.table) == hash else { return false }
            if !leaves.partialChunk.isEmpty { partial.append((id, leaves.chunkIndex, leaves.partialChunk)) }
        }
        let kept = EntryLeaves.encoded(partial.map(\.bytes))
        let number = SQLValue.integer(Int64(bitPattern: transaction.rawValue))
        try db.run("DELETE FROM \(db.schema).ledger_leaf_chunks WHERE transaction_id = ?", [number])
        try db.run(
            "UPDATE \(db.schema).database_ledger_transactions SET leaves = ? WHERE transaction_id = ?",
            [kept.map { .blob($0) } ?? .null, number])
        for chunk in chunks + (kept == nil ? partial : []) {
            try db.run(
                "INSERT INTO \(db.schema).ledger_leaf_chunks(transaction_id, table_id, chunk, leaves) VALUES(?, ?, ?, ?)",
                [number, .integer(chunk.table), .integer(Int64(bitPattern: chunk.chunk)), .blob(chunk.bytes)])
        }
        return true
    }

    // MARK: Uploads

    /// Remembers where digests go. Of several uploaders the slower one sets nothing back; only a block that the ledger does
    /// not have, of an older copy or an altered note, gives way to a smaller one.
    func recordUpload(_ path: SQLValue, block: SQLValue, isCurrent: SQLValue) throws(SQLiteLedgerError) {
        guard try db.value("SELECT 1 FROM \(db.schema).sqlite_schema WHERE name = 'ledger_identity'") != nil else {
            throw .refused("the database has no ledger; make one with SELECT ledger_init()")
        }
        try db.run(
            """
            INSERT INTO \(db.schema).database_ledger_digest_locations(path, last_digest_block_id, is_current) VALUES(?, ?, ?)
            ON CONFLICT(path) DO UPDATE SET last_digest_block_id = CASE
                WHEN last_digest_block_id > (SELECT max(block_id) FROM \(db.schema).database_ledger_blocks)
                  THEN excluded.last_digest_block_id
                ELSE coalesce(max(last_digest_block_id, excluded.last_digest_block_id), last_digest_block_id,
                  excluded.last_digest_block_id) END,
              is_current = excluded.is_current
            """, [path, block, isCurrent])
    }
}
