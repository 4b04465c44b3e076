import LedgerProofs

/// What is known after an append.
public struct AppendedEntry: Sendable {
    public var transactionID: TransactionID
    public var collectionID: String
    /// The proof of this write, if it was asked for: contents, collection and id were all compared.
    public var verified: VerifiedReceipt?
    /// The receipt response as it came, for keeping; `nil` when none was asked for.
    public var receiptJSON: [UInt8]?
}
