import LedgerProofs
import SQLLedger

extension SQLiteConnection {
    /// A closed block as it is stored, which proves nothing.
    /// - Throws: `SQLiteLedgerError`, also where it is missing or is none.
    func closedBlock(_ id: BlockID, of ledger: LedgerID) throws(SQLiteLedgerError) -> Block {
        let rows = try query(
            """
            SELECT transactions_root_hash, block_size, first_transaction_id, previous_block_hash, history_root_hash,
            close_time FROM main.database_ledger_blocks WHERE block_id = ?
            """, [.integer(Int64(clamping: id.rawValue))])
        func digest(_ value: SQLValue) -> Digest32? {
            if case .blob(let bytes) = value { Digest32(bytes) } else { nil }
        }
        guard let row = rows.first, let root = digest(row[0]), case .integer(let size) = row[1], size > 0,
            case .integer(let first) = row[2], first > 0, let historyRoot = digest(row[4]),
            case .text(let text) = row[5], let time = CommitTime(utf8: text)
        else { throw .refused("block \(id) is missing or is no block") }
        return Block(
            ledger: ledger, id: id, transactionsRoot: root, size: UInt64(size),
            firstTransaction: TransactionNumber(UInt64(first)), previous: digest(row[3]), historyRoot: historyRoot,
            closeTime: time)
    }
}
