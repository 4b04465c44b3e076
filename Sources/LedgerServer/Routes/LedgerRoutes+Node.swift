import Foundation
import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs

/// ccf-formats 6.4, as far as it makes sense on one node.
extension LedgerRoutes {
    var nodeRoutes: [Route] {
        [
            Route(.get, "/node/state", .open, handler: state),
            Route(.get, "/node/version", .open, handler: version),
            Route(.get, "/node/network", .open, handler: network),
            Route(.get, "/node/network/nodes", .open, handler: nodes),
            Route(.get, "/node/network/nodes/self", .open) { _ in .json(node(ledger.information)) },
            Route(.get, "/node/network/nodes/primary", .open) { _ in .json(node(ledger.information)) },
            Route(.get, "/node/network/nodes/{nodeId}", .open, handler: nodeByID),
            Route(.get, "/node/primary", .open) { _ in Response(status: .ok) },
            Route(.head, "/node/primary", .open) { _ in Response(status: .ok) },
            Route(.get, "/node/config", .open, handler: config),
            Route(.get, "/node/consensus", .open, handler: consensus),
            Route(.get, "/node/quotes", .open) { _ in .json(["quotes": [quote(ledger.information)]]) },
            Route(.get, "/node/quotes/self", .open) { _ in .json(quote(ledger.information)) },
            Route(.get, "/node/attestations", .open) { _ in .json(["attestations": [quote(ledger.information)]]) },
            Route(.get, "/node/attestations/self", .open) { _ in .json(quote(ledger.information)) },
            Route(.get, "/node/metrics", .open, handler: sessions),
            Route(.get, "/node/service/configuration", .open, handler: serviceConfiguration),
            Route(.get, "/node/self_signed_certificate", .open) { _ in
                .json(["self_signed_certificate": .string(ledger.information.selfSignedNodeCertificatePEM)])
            },
            Route(.get, "/node/ready/app", .open, handler: readyApp),
            Route(.get, "/node/ready/gov", .open, handler: readyGovernance),
        ]
    }

    private func state(_ context: RequestContext) async throws -> Response {
        let node = ledger.information
        return .json([
            "node_id": .string(node.nodeID), "state": "PartOfNetwork",
            "last_signed_seqno": .number(node.lastSigned.rawValue),
            "startup_seqno": .number(node.startup.rawValue), "stop_notice": .bool(node.writeRefusal != nil),
        ])
    }

    private func version(_ context: RequestContext) async throws -> Response {
        .json(["ccf_version": .string(ServerVersion.text), "quickjs_version": "none", "unsafe": false])
    }

    private func network(_ context: RequestContext) async throws -> Response {
        let node = ledger.information
        return .json([
            "service_status": .string(node.serviceStatus), "service_certificate": .string(node.serviceCertificatePEM),
            "current_view": .number(node.view.rawValue), "primary_id": .string(node.nodeID),
            "recovery_count": .number(node.recoveryCount), "service_data": nil,
            "current_service_create_txid": .string(node.serviceCreateID.description),
        ])
    }

    private func node(_ node: NodeInformation) -> JSONValue {
        [
            "node_id": .string(node.nodeID), "status": "Trusted", "primary": true,
            "rpc_interfaces": [
                "primary_rpc_interface": [
                    "bind_address": .string(node.publishedAddress),
                    "published_address": .string(node.publishedAddress), "protocol": "tcp",
                ]
            ],
            "node_data": nil, "last_written": .number(node.nodeLastWritten.rawValue),
        ]
    }

    private func nodes(_ context: RequestContext) async throws -> Response {
        let information = ledger.information
        var isWanted = true
        if let status = context.query["status"] {
            guard ["Pending", "Trusted", "Retired"].contains(status) else {
                throw APIError(
                    .invalidQueryParameterValue,
                    "The query parameter 'status' must be Pending, Trusted or Retired.")
            }
            isWanted = status == "Trusted"
        }
        let (host, port) = Self.split(information.publishedAddress)
        if let wanted = context.query["host"], wanted != host { isWanted = false }
        if let wanted = context.query["port"], wanted != port { isWanted = false }
        return .json(["nodes": isWanted ? [node(information)] : []])
    }

    private func nodeByID(_ context: RequestContext) async throws -> Response {
        let information = ledger.information
        guard context.parameters[0] == information.nodeID else {
            throw APIError(.resourceNotFound, "Node not found.")
        }
        return .json(node(information))
    }

    /// `host:port`, the host possibly in brackets.
    static func split(_ address: String) -> (host: String, port: String) {
        guard let colon = address.lastIndex(of: ":") else { return (address, "") }
        return (
            address[..<colon].trimming { $0 == "[" || $0 == "]" }, String(address[address.index(after: colon)...])
        )
    }

    private func config(_ context: RequestContext) async throws -> Response {
        let node = ledger.information
        return .json(.object([(node.nodeID, ["address": .string(node.publishedAddress)] as JSONValue)]))
    }

    private func consensus(_ context: RequestContext) async throws -> Response {
        let node = ledger.information
        return .json([
            "details": [
                "configs": [
                    [
                        "idx": .number(node.nodeLastWritten.rawValue),
                        "nodes": .object([(node.nodeID, ["address": .string(node.publishedAddress)] as JSONValue)]),
                        "rid": 0,
                    ]
                ],
                "acks": .object([]), "membership_state": "Active", "leadership_state": "Leader",
                "primary_id": .string(node.nodeID), "current_view": .number(node.view.rawValue), "ticking": true,
                "reconfiguration_type": "OneTransaction",
            ]
        ])
    }

    private func quote(_ node: NodeInformation) -> JSONValue {
        [
            "node_id": .string(node.nodeID), "raw": .string(Data(node.quote.raw).base64EncodedString()),
            "endorsements": .string(Data(node.quote.endorsements).base64EncodedString()),
            "format": .string(node.quote.format), "measurement": .string(node.quote.measurement),
        ]
    }

    private func sessions(_ context: RequestContext) async throws -> Response {
        let limit = JSONValue.number(configuration.limits.connectionCount)
        return .json([
            "sessions": [
                "active": .number(gauge.active), "peak": .number(gauge.peak),
                "interfaces": [
                    "primary_rpc_interface": [
                        "active": .number(gauge.active), "peak": .number(gauge.peak), "soft_cap": limit,
                        "hard_cap": limit,
                        "errors": [
                            "parsing": .number(gauge.malformedRequests),
                            "request_payload_too_large": .number(gauge.bodiesTooLarge),
                            "request_header_too_large": .number(gauge.headersTooLarge),
                        ],
                    ]
                ],
            ]
        ])
    }

    private func serviceConfiguration(_ context: RequestContext) async throws -> Response {
        .json(try JSONValue(json: Array(ledger.information.serviceConfigurationJSON.utf8)))
    }

    private func readyApp(_ context: RequestContext) async throws -> Response {
        Response(status: ledger.information.acceptsWrites ? .noContent : .serviceUnavailable)
    }

    private func readyGovernance(_ context: RequestContext) async throws -> Response {
        Response(status: .noContent)
    }
}
