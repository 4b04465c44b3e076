import LedgerProofs
import SQLLedger

/// What an engine's tests implement so that the suite can drive the engine: one new, empty ledger database, removed
/// with the object. Everything but `tamper` goes the way that an application goes.
///
/// Documentation/EngineContract.md
public protocol ConformanceDatabase: AnyObject {
    /// Creates a ledger table.
    func create(_ table: ConformanceTable) throws

    /// Makes `changes` in this order in one transaction on behalf of `principal`, and commits it or rolls it back.
    /// - Throws: when a change is refused; then nothing of the transaction is left.
    func transaction(principal: String, commits: Bool, _ changes: [RowChange]) throws

    /// Changes a schema in a transaction of its own.
    func change(_ change: SchemaChange) throws

    /// Closes the open block. Returns the digest of the newest closed block, `nil` when there is none.
    func closeBlock() throws -> LedgerDigest?

    /// Does what the attacker does.
    func tamper(_ tampering: Tampering) throws

    /// Opens what is stored, for verification.
    func openEvidence() throws -> any LedgerEvidence

    /// A bundle with all versions of the row that has this key, created and ended, covered by `digests`.
    func exportRow(table: String, key: [NamedValue], digests: [LedgerDigest]) throws -> EvidenceBundle

    /// What findings call the object that holds the ended versions of a table.
    func historyObject(of table: String) throws -> String

    /// The value that the engine's leaves hold for `value` in a column of this kind. `value` itself unless implemented.
    func stored(_ value: SQLValue, _ kind: ConformanceTable.Kind) -> SQLValue
}

extension ConformanceDatabase {
    public func stored(_ value: SQLValue, _ kind: ConformanceTable.Kind) -> SQLValue { value }
}
