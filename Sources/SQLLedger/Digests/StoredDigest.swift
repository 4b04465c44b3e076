/// A digest as a store holds it, and how far the store vouches for it.
public struct StoredDigest: Hashable, Sendable {
    public var digest: LedgerDigest
    /// Where it is, for people: the path of a file, or the URL of a ledger and the transaction id.
    public var origin: String
    /// The entry of the confidential ledger that holds the digest, `nil` for other stores.
    public var entry: DigestEntry?
    /// What is known about the entry's receipt.
    public var receipt: DigestReceipt

    /// Whether nothing that a store of its kind proves a digest with is missing or wrong.
    public var isUsable: Bool {
        switch receipt {
        case .none, .verified: true
        case .pending, .invalid: false
        }
    }

    public init(digest: LedgerDigest, origin: String, entry: DigestEntry? = nil, receipt: DigestReceipt = .none) {
        self.digest = digest
        self.origin = origin
        self.entry = entry
        self.receipt = receipt
    }
}
