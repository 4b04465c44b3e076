import LedgerClient
import LedgerProofs

/// An entry as `--json` writes it.
struct EntryOutput: Encodable {
    var transactionId: String
    var collectionId: String
    var contents: String
    var tags: [String]?
    var author: String?
    var time: String?
    /// Whether a receipt proved it.
    var verified: Bool

    init(_ entry: EntryRecord, verified: Bool) {
        transactionId = entry.transactionID.description
        collectionId = entry.collectionID
        contents = entry.contents
        tags = entry.tags
        author = entry.author
        time = entry.time
        self.verified = verified
    }
}
