import LedgerProofs

/// A range of one collection's entries. Bounds are inclusive; `nil` means unbounded.
public struct EntryFilter: Hashable, Sendable {
    /// `nil`: the default collection.
    public var collectionID: String?
    public var from: TransactionID?
    public var to: TransactionID?
    public var tag: String?
    public var author: String?
    /// RFC 3339.
    public var fromTime: String?
    public var toTime: String?
    /// Entries in one page; `nil`: the server's choice.
    public var pageSize: Int?

    public init(collectionID: String? = nil, from: TransactionID? = nil, to: TransactionID? = nil) {
        self.collectionID = collectionID
        self.from = from
        self.to = to
    }

    var queryItems: [(String, String)] {
        var items: [(String, String)] = []
        if let collectionID { items.append(("collectionId", collectionID)) }
        if let from { items.append(("fromTransactionId", from.description)) }
        if let to { items.append(("toTransactionId", to.description)) }
        if let tag { items.append(("tag", tag)) }
        if let author { items.append(("author", author)) }
        if let fromTime { items.append(("fromTime", fromTime)) }
        if let toTime { items.append(("toTime", toTime)) }
        if let pageSize { items.append(("limit", String(pageSize))) }
        return items
    }
}
