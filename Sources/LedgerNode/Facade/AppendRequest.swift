/// A new entry. Limits (API spec A.4): at most 5 tags of 1 to 64 characters, without commas; collection ids of 1 to 1,024
/// UTF-8 bytes. Breaking one is `invalidInput`.
public struct AppendRequest: Sendable {
    /// The collection used when the caller names none.
    public static let defaultCollectionID = "subledger:0"

    public var contents: String
    public var collectionID: String
    public var tags: [String]
    public var author: Identity
    /// The client's request id; a repeat by the same author with the same body returns the first result.
    public var requestID: String?

    public init(
        contents: String, collectionID: String = AppendRequest.defaultCollectionID, tags: [String] = [],
        author: Identity, requestID: String? = nil
    ) {
        self.contents = contents
        self.collectionID = collectionID
        self.tags = tags
        self.author = author
        self.requestID = requestID
    }
}
