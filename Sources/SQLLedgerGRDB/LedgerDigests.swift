import GRDB
import SQLLedger
import SQLLedgerSQLite

/// The digests of a database of GRDB's, for the uploader (`DigestService` of SQLLedgerDigests). The database was opened with
/// `Configuration.useLedger` and has a ledger.
public struct LedgerDigests: DigestSource {
    private let database: any DatabaseWriter

    public init(_ database: any DatabaseWriter) { self.database = database }

    public func ledgerID() async throws -> LedgerID { try await status().ledger }

    /// Takes the write lock only where something waits for a block.
    public func closeBlocks() async throws {
        guard try await status().openTransactionCount > 0 else { return }
        _ = try await database.write { try $0.ledger().closeBlock() }
    }

    public func newestBlock() async throws -> BlockID? {
        let count = try await status().blockCount
        return count > 0 ? BlockID(count - 1) : nil
    }

    public func digest(of block: BlockID) async throws -> LedgerDigest {
        try await database.read { try $0.ledger().digest(of: block) }
    }

    public func digestLocations() async throws -> [DigestLocation] { try await status().digestLocations }

    public func record(_ location: DigestLocation) async throws {
        try await database.write { database in
            try database.ledger().recordUpload(
                of: location.lastBlock, to: location.path, isCurrent: location.isCurrent)
        }
    }

    private func status() async throws -> SQLiteLedger.Status {
        try await database.read { try $0.ledger().status() }
    }
}
