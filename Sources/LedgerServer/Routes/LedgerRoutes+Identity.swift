import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode

/// API spec D.1 and D.2.
extension LedgerRoutes {
    var identityRoutes: [Route] {
        [
            Route(.get, "/ledgerIdentity/{ledgerId}", .open, handler: identity),
            Route(.get, "/failover/{ledgerId}", .open, handler: failover),
        ]
    }

    /// The ledger's name, and what clients make of our own addresses: a host name up to its first dot, `127`,
    /// `localhost:8443`, whole host names with or without port.
    private func isThisLedger(_ id: String, _ context: RequestContext) -> Bool {
        let information = ledger.information
        var hosts = ["localhost", "127.0.0.1", "[::1]", "::1", configuration.host] + configuration.identityNames
        hosts.append(Self.split(information.publishedAddress).host)
        if let authority = context.request.head.authority {
            // Only what the client itself used to reach us; it learns nothing new from it.
            hosts.append(Self.withoutPort(authority))
        }
        let asked = id.lowercased()
        if asked == information.name.lowercased() { return true }
        let bare = Self.withoutPort(asked)
        return hosts.contains { host in
            let host = host.lowercased()
            return !host.isEmpty && (bare == host || bare == host.split(separator: ".").first.map(String.init))
        }
    }

    /// Cuts `:8443` off, but leaves a bare IPv6 address whole.
    static func withoutPort(_ authority: String) -> String {
        guard let colon = authority.lastIndex(of: ":") else { return authority }
        let host = authority[..<colon]
        let port = authority[authority.index(after: colon)...]
        guard !port.isEmpty, port.allSatisfy(\.isNumber), !host.contains(":") || host.hasSuffix("]") else {
            return authority
        }
        return String(host)
    }

    private func known(_ context: RequestContext) throws -> String {
        let id = context.parameters[0]
        guard isThisLedger(id, context) else {
            throw APIError(.resourceNotFound, "There is no ledger '\(id.prefix(100))' here.")
        }
        return id
    }

    private func identity(_ context: RequestContext) async throws -> Response {
        _ = try known(context)
        let information = ledger.information
        return .json(
            IdentityWord(ledgerTlsCertificate: information.serviceCertificatePEM, ledgerId: information.name).json,
            context.readAt)
    }

    private func failover(_ context: RequestContext) async throws -> Response {
        _ = try known(context)
        return .json(["ledgerId": .string(ledger.information.name), "failoverLedgers": []], context.readAt)
    }
}
