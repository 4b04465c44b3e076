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
