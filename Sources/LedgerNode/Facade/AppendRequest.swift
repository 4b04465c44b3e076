/// A new entry. Limits (API spec A.4): at most 5 tags of 1 to 64 characters, without commas; collection ids of 1 to 1,024
/// UTF-8 bytes. A tag has at most 256 UTF-8 bytes; neither has a NUL. Tags and collections are the same when their bytes are. Breaking one is `invalidInput`.
public struct AppendRequest: Sendable {
    /// The collection used when the caller names none.
    public static let defaultCollectionID = "subledger:0"

    public static let tagCharacterLimit = 64
    /// A character may be made of any number of code points.
    public static let tagByteCountLimit = 256

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

    /// By bytes: a comma with an accent after it is one character, and a comma still.
    public static func isAcceptable(tag: String) -> Bool {
        !tag.isEmpty && tag.utf8.count <= tagByteCountLimit && tag.count <= tagCharacterLimit
            && !tag.utf8.contains { $0 == 0 || $0 == UInt8(ascii: ",") }
    }
}
