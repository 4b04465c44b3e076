import LedgerProofs

/// An entry of a confidential ledger and its receipt, as a bundle has them.
public struct EvidenceReceipt: Hashable, Sendable {
    public var entry: DigestEntry
    /// The JSON text of the whole receipt response, application claims included; `nil` when there is none yet.
    public var document: String?

    public init(entry: DigestEntry, document: String?) {
        self.entry = entry
        self.document = document
    }

    init(
        collectionID: String, contents: String, transactionID text: String, document value: JSONValue
    ) throws(ProofError) {
        guard let transactionID = TransactionID(text) else {
            throw .invalid("transaction_id of an entry is not a transaction id")
        }
        entry = DigestEntry(collectionID: collectionID, contents: contents, transactionID: transactionID)
        guard value != .null else { return }
        let bytes = value.canonicalBytes()
        _ = try UnverifiedReceiptDocument(json: bytes)
        document = String(decoding: bytes, as: UTF8.self)
    }

    /// The receipt as a JSON value.
    /// - Throws: `ProofError` when the text is not a receipt.
    func documentJSON() throws(ProofError) -> JSONValue {
        guard let document else { return .null }
        let bytes = Array(document.utf8)
        _ = try UnverifiedReceiptDocument(json: bytes)
        return try JSONValue(json: bytes, limits: UnverifiedReceiptDocument.defaultLimits)
    }

    /// The steps of a receipt: which entry it is about, and who signed it. `service` is the pinned service.
    func steps(service: ReceiptVerifier?) -> [EvidenceStep] {
        guard let document, let unverified = try? UnverifiedReceiptDocument(json: Array(document.utf8)) else {
            return [EvidenceStep(.receiptSignature, .open("there is no receipt"))]
        }
        return [claimsStep(unverified), Self.signatureStep(unverified, service: service)]
    }

    private func claimsStep(_ document: UnverifiedReceiptDocument) -> EvidenceStep {
        let name = EvidenceStep.Name.receiptClaims
        // An entry has exactly one claim; more would leave open which one is meant.
        guard document.applicationClaims.count == 1,
            case .ledgerEntry(let collectionID, let contents, _) = document.applicationClaims[0]
        else { return EvidenceStep(name, .failed("the receipt does not come with the one claim that an entry has")) }
        // Bytes, not characters: two spellings of the same character are different contents.
        guard collectionID.utf8.elementsEqual(entry.collectionID.utf8) else {
            return EvidenceStep(name, .failed("the receipt is about another collection"))
        }
        guard contents.utf8.elementsEqual(entry.contents.utf8) else {
            return EvidenceStep(name, .failed("the receipt is about other contents"))
        }
        guard case .components(let components) = document.receipt.leaf,
            components.claimsDigest == ApplicationClaim.claimsDigest(document.applicationClaims)
        else { return EvidenceStep(name, .failed("the receipt's leaf has another claims digest")) }
        guard components.transactionID == entry.transactionID,
            document.transactionID ?? entry.transactionID == entry.transactionID
        else { return EvidenceStep(name, .failed("the receipt is for another transaction")) }
        return EvidenceStep(
            name, .passed("transaction \(entry.transactionID) holds the entry in collection \(entry.collectionID)"))
    }

    private static func signatureStep(
        _ document: UnverifiedReceiptDocument, service: ReceiptVerifier?
    ) -> EvidenceStep {
        guard let service else {
            return EvidenceStep(.receiptSignature, .open("no service certificate was given"))
        }
        switch service.verify(document.receipt) {
        case .verified(let receipt):
            return EvidenceStep(
                .receiptSignature, .passed("node \(receipt.nodeID ?? "") of the pinned service signed the root"))
        case .failed(let findings):
            return EvidenceStep(.receiptSignature, .failed(findings.map(\.reason).joined(separator: "; ")))
        }
    }
}
