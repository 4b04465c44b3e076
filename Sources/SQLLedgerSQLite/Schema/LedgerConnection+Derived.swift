import LedgerProofs
import SQLLedger

// Derived tables can be made again from what verification trusts.
extension LedgerConnection {
    /// Puts back rows of derived tables that are missing, and takes away those that are too many. What is there in the
    /// tree over the blocks stays, because it may witness what a block was.
    func restoreDerived() throws(SQLiteLedgerError) {
        try db.execute(
            """
            DELETE FROM main.ledger_tables WHERE table_id NOT IN
              (SELECT table_id FROM main.ledger_schema_events WHERE event_type <> 8);
            INSERT OR REPLACE INTO main.ledger_tables
              SELECT table_id, json_extract(body, '$.table'), json_extract(body, '$.view'),
                json_extract(body, '$.kind'), event_type = 1
              FROM main.ledger_schema_events WHERE event_id IN
                (SELECT max(event_id) FROM main.ledger_schema_events WHERE event_type <> 8 GROUP BY table_id)
              EXCEPT SELECT table_id, name, view, kind, is_dropped FROM main.ledger_tables;
            DELETE FROM main.ledger_pending
            """)
        try restoreBlockNodes()
    }

    private func restoreBlockNodes() throws(SQLiteLedgerError) {
        guard let ledger else { return }
        let counts = try db.query(
            "SELECT (SELECT count(*) FROM main.database_ledger_blocks), (SELECT count(*) FROM main.ledger_block_nodes)")
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
