/// What a server answers when asked for a receipt: the receipt, and with it the claims and the transaction id
/// as the server states them.
///
/// Documentation/spec/receipt-json.md, "The response around it"
public struct UnverifiedReceiptDocument: Hashable, Sendable {
    public var receipt: UnverifiedReceipt
    /// Empty when the document holds no claims.
    public var applicationClaims: [ApplicationClaim]
    /// `nil` when the document does not name the transaction.
    public var transactionID: TransactionID?

    public init(
        receipt: UnverifiedReceipt, applicationClaims: [ApplicationClaim] = [], transactionID: TransactionID? = nil
    ) {
        self.receipt = receipt
        self.applicationClaims = applicationClaims
        self.transactionID = transactionID
    }

    /// Claims carry the contents of entries, so a response may be larger than a receipt: 32 MiB.
    public static let defaultLimits = DecodingLimits(maximumByteCount: 32 << 20)

    /// Reads a whole response (an object with the member `receipt`) or a bare receipt.
    ///
    /// - Throws: `ProofError` of any decoding code; `.missingMember` for a response whose receipt is not ready yet.
    public init(json: [UInt8], limits: DecodingLimits = defaultLimits) throws(ProofError) {
        let value = try JSONValue(json: json, limits: limits)
        let members = try JSONMembers(value, "the document")
        guard members["receipt"] != nil else {
            self.init(receipt: try UnverifiedReceipt(value))
            return
        }
        if members["state"] != nil {
            // "Ready" in the answer to a receipt request, "Committed" in that to a create that waited for its commit.
            guard ["Ready", "Committed"].contains(try members.string("state")) else {
                throw .missing("the receipt is not ready")
            }
        }
        var transactionID: TransactionID?
        if members["transactionId"] != nil {
            transactionID = TransactionID(try members.string("transactionId"))
            guard transactionID != nil else { throw .invalid("transactionId is not a transaction id") }
        }
        var claims: [ApplicationClaim] = []
        if let value = members["applicationClaims"], value != .null {
            guard let items = value.array else { throw .invalid("applicationClaims is not an array") }
            for item in items { claims.append(try ApplicationClaim(item)) }
        }
        self.init(
            receipt: try UnverifiedReceipt(try members.value("receipt")), applicationClaims: claims,
            transactionID: transactionID)
    }
}
