import HTTPTypes
import HummingbirdCore
import LedgerAPI

/// Parts of the interface that this service does not have, each answered with a clear 404 (API spec A.8, A.9, A.11).
extension LedgerRoutes {
    var absentRoutes: [Route] {
        let endpoints = "User-defined endpoints are not offered by this service."
        let functions = "User-defined functions are not offered by this service."
        let gateway = "The public-CA gateway and its operations are not offered by this service."
        let single = "This service runs on one node; that endpoint is not offered."
        let list: [(String, [HTTPRequest.Method], String)] = [
            ("/app/userDefinedEndpoints", [.get, .put], endpoints),
            ("/app/userDefinedEndpoints/modules", [.get], endpoints),
            ("/app/userDefinedEndpoints/runtimeOptions", [.get, .patch], endpoints),
            ("/app/userDefinedEndpoints/runTimeOptions", [.get, .patch], endpoints),
            ("/app/userDefinedFunctions", [.get], functions),
            ("/app/userDefinedFunctions/{functionId}", [.get, .put, .post, .delete], functions),
            ("/app/operations/{operationId}", [.get], gateway),
            ("/app/queue/status", [.get], gateway),
            ("/node/backup", [.get, .head], "This node is the primary."),
            ("/node/network/removable_nodes", [.get], single),
            ("/node/network/nodes/{nodeId}", [.delete], single),
            ("/node/join", [.post], single),
            ("/node/create", [.post], single),
            ("/node/memory", [.get], "There is no enclave heap to report; see /metrics."),
            ("/node/js_metrics", [.get], "This service runs no JavaScript."),
            ("/node/jwt_keys/refresh/metrics", [.get], "Token issuers are configuration here, not ledger state."),
            ("/node/index/strategies", [.get], single),
            ("/node/service/previous_identity", [.get], "This service has no previous identity."),
        ]
        return list.flatMap { path, methods, reason in
            methods.map { method in
                Route(method, path, .open, hidden: true) { _ in throw APIError(.notOffered, reason) }
            }
        }
    }
}
