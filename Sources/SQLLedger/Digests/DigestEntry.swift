import LedgerProofs

/// The entry of a confidential ledger that holds a digest.
public struct DigestEntry: Hashable, Sendable {
    public var collectionID: String
    /// The entry's contents, byte for byte: the digest's JSON text.
    public var contents: String
    public var transactionID: TransactionID

    public init(collectionID: String, contents: String, transactionID: TransactionID) {
        self.collectionID = collectionID
        self.contents = contents
        self.transactionID = transactionID
    }

    /// As bundles of evidence have it.
    var jsonValue: JSONValue {
        .object([
            "collection_id": .string(collectionID), "contents": .string(contents),
            "transaction_id": .string(transactionID.description),
        ])
    }
}
