/// How one entry is appended.
public struct AppendOptions: Sendable {
    /// `nil`: the default collection `subledger:0`.
    public var collectionID: String?
    /// At most 5, each of 1 to 64 characters without commas (API spec A.4).
    public var tags: [String] = []
    /// Repeating an append with the same id and contents is the same write. `nil`: a new random one.
    public var requestID: String?
    /// Fetch the receipt and check that it proves this write. Without it the server's word is taken.
    public var verifiesReceipt = true
    /// How long to wait for the commit before `outcomeUnknown`.
    public var commitTimeout: Duration = .seconds(60)

    public init() {}

    /// Errors: `invalidInput` for a collection or tags that no entry can have.
    public func check() throws(LedgerClientError) {
        // The server takes an empty one for the default collection: the entry would be elsewhere than asked for.
        if collectionID == "" { throw LedgerClientError(.invalidInput, "the collection id is empty") }
        guard tags.count <= 5 else {
            throw LedgerClientError(.invalidInput, "\(tags.count) tags, at most 5 are allowed")
        }
        for tag in tags {
            guard (1...64).contains(tag.count), !tag.contains(",") else {
                throw LedgerClientError(
                    .invalidInput, "the tag '\(tag.prefix(80))' does not have 1 to 64 characters without commas")
            }
        }
    }
}
