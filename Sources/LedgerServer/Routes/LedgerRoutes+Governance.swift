import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs

/// API spec A.7 and E.
extension LedgerRoutes {
    var governanceRoutes: [Route] {
        [
            Route(.get, "/app/governance/constitution", .governance(.readGovernance), handler: constitution),
            Route(.get, "/app/governance/members", .governance(.readGovernance), handler: members),
            Route(.get, "/app/enclaveQuotes", .governance(.readQuotes), handler: enclaveQuotes),
        ]
    }

    private func constitution(_ context: RequestContext) async throws -> Response {
        let script = ledger.information.constitution
        return .json(
            ["digest": .string(SHA256Hashing.digest(utf8: script).hex), "script": .string(script)], context.readAt)
    }

    private func members(_ context: RequestContext) async throws -> Response {
        let members = ledger.information.members.map { member in
            JSONValue.object([("certificate", .string(member.certificatePEM)), ("id", .string(member.id))])
        }
        return .json(["members": .array(members)], context.readAt)
    }

    /// `virtual-1`: the raw evidence is a plain statement, and no measurement is claimed for hardware that is not
    /// there.
    private func enclaveQuotes(_ context: RequestContext) async throws -> Response {
        let node = ledger.information
        let quote: JSONValue = [
            "nodeId": .string(node.nodeID), "quoteVersion": "virtual-1", "raw": .string(Hex.encode(node.quote.raw)),
        ]
        return .json(
            [
                "currentNodeId": .string(node.nodeID),
                "enclaveQuotes": .object([(node.nodeID, quote)]),
            ], context.readAt)
    }
}
