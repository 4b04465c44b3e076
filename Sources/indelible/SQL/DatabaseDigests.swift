import SQLLedger
import SQLLedgerDigests

/// What the uploader asks of a database.
struct DatabaseDigests: DigestSource {
    var session: SQLSession

    func ledgerID() async throws -> LedgerID { try currentLedger() }

    func closeBlocks() async throws { _ = try session.value("SELECT ledger_close_block()") }

    func newestBlock() async throws -> BlockID? {
        guard let id = try session.value("SELECT max(block_id) FROM database_ledger_blocks")?.integer else {
            return nil
        }
        guard let number = UInt64(exactly: id) else {
            throw Failure("block \(id): is no block; see: indelible sql verify", status: .proofFailed)
        }
        return BlockID(number)
    }

    func digest(of block: BlockID) async throws -> LedgerDigest {
        let row = try session.rows(
            "SELECT \(StoredBlockRow.columns) FROM database_ledger_blocks WHERE block_id = ?",
            [.integer(Int64(clamping: block.rawValue))]
        ).first
        guard let row, let block = StoredBlockRow.block(row, of: try currentLedger()), let last = block.transactions
        else {
            throw Failure("block \(block): is missing or is no block; see: indelible sql verify", status: .proofFailed)
        }
        let time = try session.value(
            "SELECT commit_time FROM database_ledger_transactions WHERE transaction_id = ?",
            [.integer(Int64(clamping: last.upperBound.rawValue))])
        guard let time = time.flatMap({ CommitTime($0.shown) }) else {
            throw Failure("transaction \(last.upperBound): is missing; see: indelible sql verify", status: .proofFailed)
        }
        let name = try session.value("SELECT database_name FROM ledger_identity WHERE id = 1")?.shown ?? ""
        return LedgerDigest(of: block, databaseName: name, lastTransactionCommitTime: time)
    }

    func digestLocations() async throws -> [DigestLocation] {
        try locations()
    }

    func locations() throws -> [DigestLocation] {
        try session.rows(
            "SELECT path, last_digest_block_id, is_current FROM database_ledger_digest_locations ORDER BY path"
        ).map { row in
            DigestLocation(
                path: row[0].shown, lastBlock: row[1].integer.flatMap { UInt64(exactly: $0) }.map { BlockID($0) },
                isCurrent: row[2].integer == 1)
        }
    }

    func record(_ location: DigestLocation) async throws {
        _ = try session.rows(
            "SELECT ledger_record_upload(?1, ?2, ?3)",
            [
                .text(location.path), location.lastBlock.map { .integer(Int64(clamping: $0.rawValue)) } ?? .null,
                .integer(location.isCurrent ? 1 : 0),
            ])
    }

    private func currentLedger() throws -> LedgerID {
        guard let text = try LedgerStatus.identity(session), let ledger = LedgerID(hex: text) else {
            throw Failure("the database has no ledger")
        }
        return ledger
    }
}
