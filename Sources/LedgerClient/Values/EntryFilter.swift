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

    /// The collection that is meant where none is named.
    public static let defaultCollectionID = "subledger:0"

    /// Compares what a server told with what was asked for: the collection, the range of ids by sequence number, and the
    /// tag where tags were told. Times and authors are not compared: no receipt proves them.
    /// Error: `proofFailed`, naming both.
    public func check(_ entry: EntryRecord) throws(LedgerClientError) {
        func refuse(_ reason: String) throws(LedgerClientError) {
            throw LedgerClientError(.proofFailed, "the server answered with entry \(entry.transactionID) \(reason)")
        }
        let asked = collectionID ?? Self.defaultCollectionID
        if !ExactText.same(asked, entry.collectionID) {
            try refuse("of collection '\(entry.collectionID)', asked for '\(asked)'")
        }
        if let from, entry.transactionID.seqno < from.seqno { try refuse("before \(from), where the range begins") }
        if let to, entry.transactionID.seqno > to.seqno { try refuse("after \(to), where the range ends") }
        if let tag, let tags = entry.tags, !tags.contains(where: { ExactText.same($0, tag) }) {
            try refuse("without the tag '\(tag)'")
        }
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
