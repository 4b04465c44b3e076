import LedgerProofs

/// A digest with what vouches for it.
///
/// Documentation/spec/evidence-bundle.md, "Digest"
public struct EvidenceDigest: Hashable, Sendable {
    public var digest: LedgerDigest
    /// Where it was found, for people.
    public var source: String?
    /// The entry of the confidential ledger that holds it, with its receipt.
    public var anchor: EvidenceReceipt?

    public init(digest: LedgerDigest, source: String?, anchor: EvidenceReceipt?) {
        self.digest = digest
        self.source = source
        self.anchor = anchor
    }

    /// A digest as a store returned it.
    public init(_ stored: StoredDigest) {
        var document: String?
        if case .verified(let text, _) = stored.receipt { document = text }
        self.init(
            digest: stored.digest, source: stored.origin,
            anchor: stored.entry.map { EvidenceReceipt(entry: $0, document: document) })
    }

    init(_ value: JSONValue) throws(ProofError) {
        let object = try StrictObject(value, "a digest", members: ["digest", "entry", "receipt", "source"])
        digest = try LedgerDigest(object["digest"])
        source = try object.optionalString("source")
        guard !object.isNull("entry") else {
            guard object.isNull("receipt") else { throw .missing("a digest has a receipt and no entry") }
            return
        }
        let entry = try StrictObject(
            object["entry"], "an entry", members: ["collection_id", "contents", "transaction_id"])
        anchor = try EvidenceReceipt(
            collectionID: entry.string("collection_id"), contents: entry.string("contents"),
            transactionID: entry.string("transaction_id"), document: object["receipt"])
    }

    func jsonValue() throws(ProofError) -> JSONValue {
        .object([
            "digest": digest.jsonValue, "entry": anchor?.entry.jsonValue ?? .null,
            "receipt": try anchor?.documentJSON() ?? .null,
            "source": .optional(source),
        ])
    }
}
