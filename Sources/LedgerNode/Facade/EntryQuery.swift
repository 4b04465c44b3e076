import LedgerProofs

/// A range read of one collection, ascending. All bounds are inclusive.
public struct EntryQuery: Sendable {
    public var collectionID: String = AppendRequest.defaultCollectionID
    public var from: SequenceNumber?
    public var to: SequenceNumber?
    public var tag: String?
    public var author: String?
    /// Microseconds since 1970 (see `LedgerEntry.timeMicroseconds`).
    public var fromTime: Int64?
    public var toTime: Int64?
    /// 1 to 1,000.
    public var limit: Int = 100

    public init() {}
}

/// One page of a range read.
public struct EntryPage: Sendable {
    public var entries: [LedgerEntry]
    /// Where the next page starts; `nil` on the last page.
    public var next: SequenceNumber?
    /// The upper bound fixed by the first page; pass it as `to` for the following ones.
    public var upperBound: SequenceNumber
    /// The state that was read.
    public var readAt: TransactionID

    public init(entries: [LedgerEntry], next: SequenceNumber?, upperBound: SequenceNumber, readAt: TransactionID) {
        self.entries = entries
        self.next = next
        self.upperBound = upperBound
        self.readAt = readAt
    }
}
