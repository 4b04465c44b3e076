import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import NIOCore

/// ccf-formats 6.3: the endpoints that `/app` and `/node` share.
extension LedgerRoutes {
    func commonRoutes(prefix: String) -> [Route] {
        [
            Route(.get, "\(prefix)/commit", .open, handler: commit),
            Route(.get, "\(prefix)/tx", .open, handler: transactionStatus),
            Route(.get, "\(prefix)/receipt", .open, forms: Route.receiptForms, handler: frameworkReceipt),
            Route(.get, "\(prefix)/api", .open) { _ in .json(OpenAPIDocument.json) },
        ]
    }

    private func commit(_ context: RequestContext) async throws -> Response {
        let wholeHistory = try context.query.flag("view_history")
        let information = ledger.information
        var members: [(name: String, value: JSONValue)] = [("transaction_id", .string(ledger.committed.description))]
        let since = try context.query.integer("view_history_since", in: 1...max(1, Int(information.view.rawValue)))
        if wholeHistory || since != nil {
            let first = UInt32(since ?? 1)
            let history = information.viewHistory.filter { $0.view.rawValue >= first }
            members.append(("view_history", .strings(history.map(\.description))))
        }
        return .json(.object(members))
    }

    private func requiredID(_ context: RequestContext) throws -> TransactionID {
        guard let id = try context.transactionID(query: "transaction_id") else {
            throw APIError(.invalidQueryParameterValue, "The query parameter 'transaction_id' is missing.")
        }
        return id
    }

    private func transactionStatus(_ context: RequestContext) async throws -> Response {
        let id = try requiredID(context)
        let status = try await ledger.status(of: id)
        return .json(["transaction_id": .string(id.description), "status": .string(status.rawValue)])
    }

    private func frameworkReceipt(_ context: RequestContext) async throws -> Response {
        let id = try requiredID(context)
        if context.wantsCOSE {
            let bytes = try await ledger.coseReceipt(for: id)
            return Response(
                status: .ok, headers: [.contentType: "application/cose"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        return .json(try await ledger.receipt(for: id).receipt.nodeJSON())
    }
}
