import LedgerProofs

/// What a receipt is expected to prove. `nil` members are not compared.
public struct ReceiptCheck: Sendable {
    public var transactionID: TransactionID?
    public var collectionID: String?
    public var contents: String?

    public init(transactionID: TransactionID? = nil, collectionID: String? = nil, contents: String? = nil) {
        self.transactionID = transactionID
        self.collectionID = collectionID
        self.contents = contents
    }

    /// Verifies signature, path and claims of a JSON receipt and compares them with what is expected.
    /// Errors: `proofFailed`, naming every reason; `unexpectedResponse` when it is too long to be read, which says nothing
    /// about what it proves.
    public func verify(json: [UInt8], with verifier: ReceiptVerifier) throws(LedgerClientError) -> VerifiedReceipt {
        let document: UnverifiedReceiptDocument
        try Self.checkLength(json, UnverifiedReceiptDocument.defaultLimits)
        do {
            document = try UnverifiedReceiptDocument(json: json)
        } catch {
            throw LedgerClientError(.proofFailed, "the receipt cannot be read: \(error)", cause: error)
        }
        return try verify(document, claims: document.applicationClaims, with: verifier)
    }

    /// The same for a receipt that is decoded already. `claims` may come from elsewhere when the document has none;
    /// they are compared with the digest that is signed.
    /// Errors: `proofFailed`, naming every reason.
    public func verify(
        _ document: UnverifiedReceiptDocument, claims: [ApplicationClaim], with verifier: ReceiptVerifier
    ) throws(LedgerClientError) -> VerifiedReceipt {
        try compare(claims)
        switch verifier.verify(document.receipt, claims: claims.isEmpty ? nil : claims) {
        case .verified(let receipt):
            try compare(receipt, named: document.transactionID)
            return receipt
        case .failed(let findings):
            throw Self.failure(findings)
        }
    }

    /// The same for a COSE receipt. It carries no claims: pass them, to have them compared with its digest.
    /// Errors: as for JSON.
    public func verify(
        cose: [UInt8], claims: [ApplicationClaim]?, with verifier: ReceiptVerifier
    ) throws(LedgerClientError) -> VerifiedReceipt {
        let receipt: UnverifiedCOSEReceipt
        try Self.checkLength(cose, DecodingLimits())
        do {
            receipt = try UnverifiedCOSEReceipt(cose: cose)
        } catch {
            throw LedgerClientError(.proofFailed, "the COSE receipt cannot be read: \(error)", cause: error)
        }
        if let claims { try compare(claims) }
        switch verifier.verify(receipt, claims: claims) {
        case .verified(let receipt):
            try compare(receipt, named: nil)
            return receipt
        case .failed(let findings):
            throw Self.failure(findings)
        }
    }

    private static func checkLength(_ receipt: [UInt8], _ limits: DecodingLimits) throws(LedgerClientError) {
        guard receipt.count > limits.maximumByteCount else { return }
        throw LedgerClientError(
            .unexpectedResponse,
            "the receipt has \(receipt.count) bytes, and at most \(limits.maximumByteCount) can be verified")
    }

    private func compare(_ claims: [ApplicationClaim]) throws(LedgerClientError) {
        guard contents != nil || collectionID != nil else { return }
        // An entry has exactly one claim; more would leave open which one is meant.
        guard claims.count == 1, case .ledgerEntry(let collection, let text, _) = claims[0] else {
            throw LedgerClientError(.proofFailed, "the receipt does not come with the one claim that an entry has")
        }
        if let collectionID, !ExactText.same(collectionID, collection) {
            throw LedgerClientError(
                .proofFailed, "the receipt is about collection '\(collection)', expected '\(collectionID)'")
        }
        // Bytes, not characters: two spellings of the same character are different contents.
        if let contents, !ExactText.same(contents, text) {
            throw LedgerClientError(.proofFailed, "the receipt is about other contents")
        }
    }

    private func compare(_ receipt: VerifiedReceipt, named: TransactionID?) throws(LedgerClientError) {
        // The receipt of a signature transaction proves a root and names no id: what the answer says beside it stays
        // unproved, but contradicts nothing.
        if let named, let proved = receipt.transactionID, proved != named {
            throw LedgerClientError(
                .proofFailed, "the answer names transaction \(named), the receipt proves \(proved)")
        }
        if let transactionID, receipt.transactionID != transactionID {
            throw LedgerClientError(
                .proofFailed, "expected transaction \(transactionID), the receipt proves \(Self.text(receipt))")
        }
    }

    private static func text(_ receipt: VerifiedReceipt) -> String {
        receipt.transactionID.map { "\($0)" } ?? "none"
    }

    private static func failure(_ findings: [VerificationFinding]) -> LedgerClientError {
        LedgerClientError(.proofFailed, findings.map { "\($0.reason)" }.joined(separator: "; "))
    }
}
