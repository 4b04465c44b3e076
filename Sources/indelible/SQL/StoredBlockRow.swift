import LedgerProofs
import SQLLedger

/// A row of `database_ledger_blocks`.
enum StoredBlockRow {
    static let columns = """
        block_id, transactions_root_hash, block_size, first_transaction_id, previous_block_hash, history_root_hash, \
        close_time
        """

    /// `nil` when the values are not those of a block.
    static func block(_ row: [SQLValue], of ledger: LedgerID) -> Block? {
        func digest(_ value: SQLValue) -> Digest32? {
            if case .blob(let bytes) = value { Digest32(bytes) } else { nil }
        }
        guard let id = row[0].integer, id >= 0, let root = digest(row[1]), let size = row[2].integer, size > 0,
            let first = row[3].integer, first > 0, let history = digest(row[5]),
            let time = CommitTime(row[6].shown), row[4] == .null || digest(row[4]) != nil
        else { return nil }
        return Block(
            ledger: ledger, id: BlockID(UInt64(id)), transactionsRoot: root, size: UInt64(size),
            firstTransaction: TransactionNumber(UInt64(first)), previous: digest(row[4]), historyRoot: history,
            closeTime: time)
    }
}
