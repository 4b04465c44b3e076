import LedgerProofs
import SQLLedger

/// Digests that no database made.
enum TestDigests {
    static func make(
        _ ledger: LedgerID, block: UInt64, hash: UInt8? = nil, seconds: Int64 = 0, database: String = "shop"
    ) throws -> LedgerDigest {
        let time = try required(CommitTime(microseconds: 1_700_000_000_000_000 + seconds * 1_000_000))
        return LedgerDigest(
            block: BlockID(block), databaseName: database, digestTime: time,
            hash: SHA256Hashing.digest([hash ?? UInt8(truncatingIfNeeded: block)]), lastTransactionCommitTime: time,
            ledger: ledger)
    }

    struct Missing: Error {}

    private static func required<T>(_ value: T?) throws -> T {
        guard let value else { throw Missing() }
        return value
    }
}
