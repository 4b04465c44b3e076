/// One entry as the interface tells it. `contents`, `collectionId` and `transactionId` are the protocol's own
/// (API spec A.3); the others are additions that older clients pass over.
public struct EntryWord: Hashable, Sendable, Codable {
    public var contents: String
    public var collectionId: String
    public var transactionId: String
    public var tags: [String]?
    /// The user id of the writer.
    public var author: String?
    /// RFC 3339, UTC, microseconds.
    public var time: String?

    public init(
        contents: String, collectionId: String, transactionId: String, tags: [String]? = nil, author: String? = nil,
        time: String? = nil
    ) {
        self.contents = contents
        self.collectionId = collectionId
        self.transactionId = transactionId
        self.tags = tags
        self.author = author
        self.time = time
    }

    public func write(to out: inout JSONWriter) {
        out.raw("{\"contents\":")
        out.string(contents)
        out.raw(",\"collectionId\":")
        out.string(collectionId)
        out.raw(",\"transactionId\":")
        out.string(transactionId)
        if let tags, !tags.isEmpty {
            out.raw(",\"tags\":")
            out.value(.strings(tags))
        }
        if let author {
            out.raw(",\"author\":")
            out.string(author)
        }
        if let time {
            out.raw(",\"time\":")
            out.string(time)
        }
        out.raw("}")
    }
}
