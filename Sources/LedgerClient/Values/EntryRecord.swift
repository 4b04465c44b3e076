import LedgerProofs

/// One entry as the server tells it. Not proved: fetch its receipt and verify that.
public struct EntryRecord: Hashable, Sendable {
    public var transactionID: TransactionID
    public var collectionID: String
    public var contents: String
    /// `nil` when the server does not say.
    public var tags: [String]?
    /// The user id that wrote it; `nil` when the server does not say.
    public var author: String?
    /// RFC 3339; `nil` when the server does not say.
    public var time: String?

    public init(
        transactionID: TransactionID, collectionID: String, contents: String, tags: [String]? = nil,
        author: String? = nil, time: String? = nil
    ) {
        self.transactionID = transactionID
        self.collectionID = collectionID
        self.contents = contents
        self.tags = tags
        self.author = author
        self.time = time
    }
}
