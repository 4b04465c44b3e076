import AsyncHTTPClient
import Foundation
import HTTPTypes
import HummingbirdCore
import LedgerAPI
import LedgerNode
import LedgerProofs
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

@testable import LedgerServer

/// A listener on loopback whose handler says who it saw, for as long as `body` runs.
struct ListenerFixture {
    let port: Int
    let updates: AsyncStream<TLSIdentity>.Continuation
    let gauge: ConnectionGauge

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func with(
        port: Int = 0, limits: ServerLimits = ServerLimits(), identity: TLSIdentity,
        _ body: @Sendable @escaping (ListenerFixture) async throws -> Void
    ) async throws {
        let (updates, continuation) = AsyncStream.makeStream(of: TLSIdentity.self)
        let gauge = ConnectionGauge()
        let routes = [
            Route(.get, "/app/who", .requires(.readTransactions)) { context in
                .json(["user": .string(context.identity?.userID ?? "")])
            },
            LedgerRoutes.benchmarkRoute,
            Route(.get, "/app/fails", .open) { _ in throw LedgerError(.corrupt, "secret detail") },
            Route(.get, "/app/busy", .open) { _ in throw LedgerError(.overloaded, "too many") },
        ]
        var configuration = LedgerServerConfiguration()
        configuration.limits = limits
        let dispatcher = Dispatcher(
            router: Router(routes), configuration: configuration,
            authenticator: Authenticator(
                tokens: TokenVerifier(
                    issuers: [], audiences: [], clockSkew: .seconds(0), fetch: { _ in [] }, logger: quiet)),
            authorize: { identity, _ in identity.userID.hasPrefix("0") ? .missingAction(roles: ["Odd"]) : .allowed },
            committed: { TransactionID(view: View(2), seqno: SequenceNumber(15)) },
            metrics: ServerMetrics(routeCount: routes.count),
            gauge: gauge, logger: quiet)
        let listener = try SecureListener(
            host: "127.0.0.1", port: port, limits: limits, identity: identity, updates: updates, gauge: gauge,
            logger: quiet
        ) { request, writer, connection in
            try await dispatcher.respond(request, writer, connection)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            guard let port = await listener.port else { return try await group.waitForAll() }
            let result = await Result {
                try await body(ListenerFixture(port: port, updates: continuation, gauge: gauge))
            }
            group.cancelAll()
            try result.get()
        }
    }

    /// A client that trusts `server` and, when given, shows `client`.
    func client(
        trusting server: TestCertificates.Pair, showing client: TestCertificates.Pair? = nil,
        http1Only: Bool = false
    ) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates([server.certificate])
        if let client {
            tls.certificateChain = [.certificate(client.certificate)]
            tls.privateKey = .privateKey(client.key)
            tls.signingSignatureAlgorithms = [
                .ecdsaSecp256R1Sha256, .ecdsaSecp384R1Sha384, .ecdsaSecp521R1Sha512, .ed25519, .rsaPssRsaeSha256,
            ]
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = http1Only ? .http1Only : .automatic
        return HTTPClient(configuration: configuration)
    }

    struct Answer: Sendable {
        var status: Int
        var version: String
        var headers: [(String, String)]
        var body: String

        subscript(name: String) -> String? { headers.first { $0.0.lowercased() == name }?.1 }
    }

    func send(
        _ client: HTTPClient, _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "https://localhost:\(port)\(path)")
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 1 << 24)
        return Answer(
            status: Int(response.status.code), version: "\(response.version)",
            headers: response.headers.map { ($0.name, $0.value) }, body: String(buffer: bytes))
    }
}

extension Result where Failure == any Error {
    init(catching body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
