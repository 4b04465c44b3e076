import LedgerProofs

/// What the index keeps of one entry.
struct IndexRow: Sendable {
    var seqno: SequenceNumber
    var collectionID: String
    var author: String
    var tags: [String]
    var timeMicroseconds: Int64
}
