import LedgerProofs

/// What is known about a write when the caller is answered.
public struct WriteOutcome: Hashable, Sendable {
    public var transactionID: TransactionID
    /// `true`: durable and signed. `false`: the bounded wait ended first; ask for the status.
    public var isCommitted: Bool

    public init(transactionID: TransactionID, isCommitted: Bool) {
        self.transactionID = transactionID
        self.isCommitted = isCommitted
    }
}
