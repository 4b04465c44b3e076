import LedgerProofs

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
