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
    /// How long to wait for the commit before `notCommitted`.
    public var commitTimeout: Duration = .seconds(60)

    public init() {}
}
