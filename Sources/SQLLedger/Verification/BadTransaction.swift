import LedgerProofs

/// A transaction and table whose rows do not fold to what the transaction's entry says.
struct BadTransaction: Sendable {
    var transaction: TransactionNumber
    /// What the entry says; `nil` when it does not name the table, or there is no entry.
    var expected: TableHash?
    var foundRoot: Digest32?
    var foundCount: UInt64
    /// See `TransactionFolder.chunks`.
    var chunks: [Digest32?]
}
