import Foundation
import HTTPTypes
import LedgerAPI
import LedgerNode
import LedgerProofs
import Logging
import ServiceLifecycle

/// Serves one ledger over TLS 1.3: the data plane, the framework's endpoints, the identity endpoint and metrics, all
/// on one port. See `Documentation/API.md` and `Documentation/Authentication.md`.
public final class LedgerServer: Service {
    private let listener: SecureListener
    /// What is served, for the test that compares it with the OpenAPI document.
    let routes: [Route]

    /// Does not bind yet. `fetch` is used for the documents of token issuers only. Throws when the ledger's TLS
    /// identity is unusable.
    public init(
        ledger: Ledger, configuration: LedgerServerConfiguration, fetch: @escaping DocumentFetch, logger: Logger
    ) throws {
        let gauge = ConnectionGauge()
        let tokens = TokenVerifier(
            issuers: configuration.issuers, audiences: configuration.audiences, clockSkew: configuration.clockSkew,
            fetch: fetch, logger: logger)
        var routes = LedgerRoutes(ledger: ledger, configuration: configuration, gauge: gauge).routes
        if configuration.benchmarkRoute { routes.append(LedgerRoutes.benchmarkRoute) }
        let metrics = ServerMetrics(routeCount: routes.count + 1)
        let names = routes.map { "\($0.method.rawValue) \($0.pattern)" } + ["GET /metrics", "none"]
        routes.append(
            LedgerRoutes.metricsRoute {
                MetricsReport(metrics: metrics, names: names, gauge: gauge, information: ledger.information).text
            })
        self.routes = routes
        let dispatcher = Dispatcher(
            router: Router(routes), configuration: configuration, authenticator: Authenticator(tokens: tokens),
            authorize: { ledger.authorize($0, $1) }, committed: { ledger.committed }, metrics: metrics, gauge: gauge,
            logger: logger)
        self.listener = try SecureListener(
            host: configuration.host, port: configuration.port, limits: configuration.limits,
            identity: ledger.tlsIdentity, updates: ledger.tlsIdentityUpdates(), gauge: gauge, logger: logger
        ) { request, writer, connection in
            try await dispatcher.respond(request, writer, connection)
        }
    }

    /// Waits until the port is bound. `nil` when the server ended without binding.
    public var boundPort: Int? { get async { await listener.port } }

    /// Binds and serves until graceful shutdown: requests in progress are answered, then connections close.
    public func run() async throws { try await listener.run() }
}
