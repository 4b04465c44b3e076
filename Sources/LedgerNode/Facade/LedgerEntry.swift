import LedgerProofs

/// One entry of a collection, as read back from the ledger.
public struct LedgerEntry: Hashable, Sendable {
    public var transactionID: TransactionID
    public var collectionID: String
    public var contents: String
    public var tags: [String]
    /// The user id that wrote it.
    public var author: String
    /// Microseconds since 1970-01-01 UTC by the node's clock, never earlier than the entry before it.
    public var timeMicroseconds: Int64

    public init(
        transactionID: TransactionID, collectionID: String, contents: String, tags: [String], author: String,
        timeMicroseconds: Int64
    ) {
        self.transactionID = transactionID
        self.collectionID = collectionID
        self.contents = contents
        self.tags = tags
        self.author = author
        self.timeMicroseconds = timeMicroseconds
    }
}
