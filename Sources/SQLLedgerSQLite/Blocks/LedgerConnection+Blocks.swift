import CSQLiteLedger
import LedgerProofs
import SQLLedger

// Closing blocks. All of it happens inside a transaction that `write` opened.
extension LedgerConnection {
    /// Closes every block that has transactions. Returns the digest of the newest block, or `nil` when there is none.
    func closeBlocks() throws(SQLiteLedgerError) -> LedgerDigest? {
        try load()
        guard let ledger else { throw .refused("the database has no ledger; make one with SELECT ledger_init()") }
        // New tables of an all-tables ledger and schema changes are noticed before blocks close, and their transaction
        // is in the next block.
        if cookie != -1 { try lookForChanges() }
        closedBlock = nil
        var previous = try newestBlock(ledger)
        var tree = try blockTree(previous)
        while let next = try closeNext(ledger, previous: previous, tree: &tree) { previous = next }
        return try digest(of: previous)
    }

    private func lookForChanges() throws(SQLiteLedgerError) {
        guard try hasSchemaChanged() else { return }
        isStale = true
        try prepareTransaction()
    }

    /// Whether some definition differs from what is ledgered.
    private func hasSchemaChanged() throws(SQLiteLedgerError) -> Bool {
        let objects = try SchemaObjects(db)
        for table in liveTables {
            let known = table.description
            guard
                var now = try SchemaReader.describe(
                    known.table, kind: known.kind, view: known.view, after: known.after, in: objects, on: db)
            else { return true }
            now.previous = known.previous
            if now != known { return true }
        }
        guard allTables else { return false }
        return try !joiningTables(objects).isEmpty
    }

    private func closeNext(
        _ ledger: LedgerID, previous: Block?, tree: inout BlockTree
    ) throws(SQLiteLedgerError) -> Block? {
        var builder: BlockBuilder
        do throws(ProofError) {
            builder = try BlockBuilder(ledger: ledger, previous: previous, tree: tree)
        } catch {
            throw damaged(error.reason)
        }
        let entries = try db.prepare(
            """
            SELECT transaction_id, commit_time, principal_name, login_name, application_name, table_hashes
            FROM \(db.schema).database_ledger_transactions WHERE transaction_id >= ? AND block_id = ? ORDER BY transaction_id
            """)
        try entries.bind([
            .integer(Int64(bitPattern: builder.nextTransaction.rawValue)),
            .integer(Int64(bitPattern: builder.id.rawValue)),
        ])
        // No earlier than what it holds: a clock may have been put back since.
        var latest = previous?.closeTime
        while try entries.step(), !builder.isFull {
            guard let time = CommitTime(utf8: entries.bytes(1)) else { throw damaged("a commit time is malformed") }
            do throws(ProofError) {
                try builder.append(
                    TransactionEntry(
                        ledger: ledger, id: TransactionNumber(UInt64(bitPattern: entries.integer(0))),
                        commitTime: time, principal: entries.text(2), login: entries.text(3),
                        application: entries.text(4), tableHashes: try TableHashes(decoding: entries.bytes(5))))
            } catch {
                throw damaged(error.reason)
            }
            latest = latest.map { max($0, time) } ?? time
        }
        guard let block = builder.close(at: CommitTime.now(notBefore: latest)) else { return nil }
        try store(block)
        for (chunk, leaves) in builder.transactionChunks.enumerated() {
            try db.run(
                "INSERT INTO \(db.schema).ledger_transaction_chunks(block_id, chunk, leaves) VALUES(?, ?, ?)",
                [.integer(Int64(bitPattern: block.id.rawValue)), .integer(Int64(chunk)), .blob(leaves)])
        }
        var nodes: [(level: Int, position: UInt64, hash: Digest32)] = []
        tree.append(blockHash: block.hash) { nodes.append(($0, $1, $2)) }
        for node in nodes {
            try store(node)
        }
        return block
    }

    func store(_ node: (level: Int, position: UInt64, hash: Digest32)) throws(SQLiteLedgerError) {
        try db.run(
            "INSERT OR IGNORE INTO \(db.schema).ledger_block_nodes VALUES(?, ?, ?)",
            [.integer(Int64(node.level)), .integer(Int64(bitPattern: node.position)), .blob(node.hash.bytes)])
    }

    private func store(_ block: Block) throws(SQLiteLedgerError) {
        try db.run(
            "INSERT INTO \(db.schema).database_ledger_blocks VALUES(?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(Int64(bitPattern: block.id.rawValue)), .blob(block.transactionsRoot.bytes),
                .integer(Int64(bitPattern: block.size)), .integer(Int64(bitPattern: block.firstTransaction.rawValue)),
                block.previous.map { .blob($0.bytes) } ?? .null, .blob(block.historyRoot.bytes),
                .text(block.closeTime.utf8),
            ])
    }

    /// The newest closed block.
    private func newestBlock(_ ledger: LedgerID) throws(SQLiteLedgerError) -> Block? {
        try nextBlock(blockRows("DESC LIMIT 1"), ledger)
    }

    /// Closed blocks in the order of their ids.
    func blockRows(_ order: String = "") throws(SQLiteLedgerError) -> SQLiteStatement {
        try db.prepare(
            """
            SELECT block_id, transactions_root_hash, block_size, first_transaction_id, previous_block_hash,
              history_root_hash, close_time FROM \(db.schema).database_ledger_blocks ORDER BY block_id \(order)
            """)
    }

    /// The next one of `blockRows`.
    func nextBlock(_ row: SQLiteStatement, _ ledger: LedgerID) throws(SQLiteLedgerError) -> Block? {
        guard try row.step() else { return nil }
        guard let root = Digest32(row.bytes(1)), let history = Digest32(row.bytes(5)),
            let time = CommitTime(utf8: row.bytes(6)), row.integer(0) >= 0, row.integer(2) > 0, row.integer(3) > 0
        else { throw damaged("a block is malformed") }
        return Block(
            ledger: ledger, id: BlockID(UInt64(bitPattern: row.integer(0))), transactionsRoot: root,
            size: UInt64(bitPattern: row.integer(2)),
            firstTransaction: TransactionNumber(UInt64(bitPattern: row.integer(3))),
            previous: row.isNull(4) ? nil : Digest32(row.bytes(4)), historyRoot: history, closeTime: time)
    }

    /// The tree over all blocks. What stored nodes say is compared with the newest block, so that damaged ones never get
    /// into the next block.
    private func blockTree(_ newest: Block?) throws(SQLiteLedgerError) -> BlockTree {
        guard let newest else { return BlockTree() }
        var tree = try storedTree(newest.id.rawValue)
        guard tree.root == newest.historyRoot else {
            throw damaged(
                "nodes of the block tree were changed; SELECT ledger_restore_derived() computes them again")
        }
        tree.append(blockHash: newest.hash)
        return tree
    }

    private func storedTree(_ blockCount: UInt64) throws(SQLiteLedgerError) -> BlockTree {
        guard blockCount > 0 else { return BlockTree() }
        let statement = try db.prepare(
            "SELECT hash FROM \(db.schema).ledger_block_nodes WHERE level = ? AND position = ?")
        do {
            return try BlockTree(blockCount: blockCount) { level, position in
                statement.reset()
                try statement.bind([.integer(Int64(level)), .integer(Int64(bitPattern: position))])
                guard try statement.step(), let node = Digest32(statement.bytes(0)) else {
                    throw damaged(
                        "a node of the block tree is missing; SELECT ledger_restore_derived() computes it again")
                }
                return node
            }
        } catch let error as SQLiteLedgerError {
            throw error
        } catch {
            throw damaged("\(error)")
        }
    }

    /// The digest of the newest closed block.
    func newestDigest() throws(SQLiteLedgerError) -> LedgerDigest? {
        try load()
        guard let ledger else { throw .refused("the database has no ledger; make one with SELECT ledger_init()") }
        return try digest(of: newestBlock(ledger))
    }

    private func digest(of block: Block?) throws(SQLiteLedgerError) -> LedgerDigest? {
        guard let block, let last = block.transactions?.upperBound else { return nil }
        let time = try db.prepare(
            "SELECT commit_time FROM \(db.schema).database_ledger_transactions WHERE transaction_id = ?")
        try time.bind([.integer(Int64(bitPattern: last.rawValue))])
        let name = try db.prepare("SELECT database_name FROM \(db.schema).ledger_identity WHERE id = 1")
        guard try time.step(), let commitTime = CommitTime(utf8: time.bytes(0)), try name.step() else {
            throw damaged("the last transaction of the newest block is missing")
        }
        return LedgerDigest(of: block, databaseName: name.text(0), lastTransactionCommitTime: commitTime)
    }

    @inline(never)
    private func damaged(_ reason: String) -> SQLiteLedgerError {
        .refused("the ledger is damaged (\(reason)); verify the database")
    }
}
