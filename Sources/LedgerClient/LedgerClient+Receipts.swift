import Foundation
import LedgerProofs
import NIOHTTP1

extension LedgerClient {
    /// The receipt of a committed transaction: the whole answer and what it says. Not verified.
    /// Errors: `notFound`, `unexpectedResponse`.
    public func receipt(for id: TransactionID) async throws -> ReceiptAnswer {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while true {
            let answer = try await get("/app/transactions/\(id)/receipt")
            let state = try decode(Wire.HasReceipt.self, from: answer, of: "receipt of \(id)")
            if state.receipt != nil {
                return ReceiptAnswer(json: answer.body, document: try document(answer.body, of: id))
            }
            guard state.state == "Loading", ContinuousClock.now < deadline else {
                throw LedgerClientError(.unexpectedResponse, "receipt of \(id): the answer holds no receipt")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// The same receipt in COSE form (`application/cose`). Not verified.
    public func coseReceipt(for id: TransactionID) async throws -> [UInt8] {
        let answer = try await get("/app/transactions/\(id)/receipt", accept: "application/cose")
        if let type = answer.headers.first(name: "content-type"), !type.hasPrefix("application/cose") {
            throw LedgerClientError(
                .unexpectedResponse, "receipt of \(id): the answer is \(type), not application/cose")
        }
        return answer.body
    }

    /// Fetches a receipt and proves that this service committed exactly these contents in this collection under
    /// this id. `contents` `nil`: those told by the receipt itself.
    /// Errors: `proofFailed`, and those of `receipt(for:)`.
    public func verifiedReceipt(
        for id: TransactionID, collectionID: String? = nil, contents: String? = nil
    ) async throws -> (receipt: VerifiedReceipt, answer: ReceiptAnswer) {
        let answer = try await receipt(for: id)
        let verified = try verify(
            receipt: answer.json, transactionID: id, collectionID: collectionID, contents: contents)
        return (verified, answer)
    }

    /// Proves a JSON receipt offline against the pinned certificate. Every value that is not `nil` is compared.
    /// Errors: `proofFailed` naming what does not fit.
    public func verify(
        receipt json: [UInt8], transactionID: TransactionID?, collectionID: String? = nil, contents: String? = nil
    ) throws -> VerifiedReceipt {
        try ReceiptCheck(transactionID: transactionID, collectionID: collectionID, contents: contents)
            .verify(json: json, with: verifier)
    }

    private func document(_ json: [UInt8], of id: TransactionID) throws -> UnverifiedReceiptDocument {
        do {
            return try UnverifiedReceiptDocument(json: json)
        } catch {
            throw LedgerClientError(.unexpectedResponse, "receipt of \(id): \(error)", cause: error)
        }
    }
}
