import LedgerProofs

/// What a bundle discloses.
public enum EvidenceItem: Hashable, Sendable {
    case row(EvidenceRow)
    /// An entry of the confidential ledger by itself; its receipt is present.
    case entry(EvidenceReceipt)

    init(_ value: JSONValue, ledger: LedgerID?) throws(ProofError) {
        guard let kind = value.object?.first(where: { $0.name == "kind" })?.value.string else {
            throw .missing("an item has no kind")
        }
        switch kind {
        case "row":
            guard let ledger else { throw .missing("a row without ledger_id") }
            self = .row(try EvidenceRow(value, ledger: ledger))
        case "entry":
            let entry = try StrictObject(
                value, "an entry", members: ["collection_id", "contents", "kind", "receipt", "transaction_id"])
            guard !entry.isNull("receipt") else { throw .missing("an entry without receipt") }
            self = .entry(
                try EvidenceReceipt(
                    collectionID: entry.string("collection_id"), contents: entry.string("contents"),
                    transactionID: entry.string("transaction_id"), document: entry["receipt"]))
        default:
            throw .unsupported("an item of an unknown kind")
        }
    }

    func jsonValue() throws(ProofError) -> JSONValue {
        switch self {
        case .row(let row):
            return row.jsonValue
        case .entry(let item):
            guard item.document != nil else { throw .missing("an entry without receipt") }
            return .object([
                "collection_id": .string(item.entry.collectionID), "contents": .string(item.entry.contents),
                "kind": .string("entry"), "receipt": try item.documentJSON(),
                "transaction_id": .string(item.entry.transactionID.description),
            ])
        }
    }
}
