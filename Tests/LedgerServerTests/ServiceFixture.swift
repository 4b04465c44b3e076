import AsyncHTTPClient
import Crypto
import Foundation
import LedgerAPI
import LedgerNode
import LedgerProofs
import Logging
import NIOSSL
import X509

@testable import LedgerServer

/// A whole service on loopback: a new ledger in a directory of its own, the server, and an administrator's client.
struct ServiceFixture: Sendable {
    let ledger: Ledger
    let listener: ListenerFixture
    let routes: [Route]
    /// Shows the administrator's certificate, speaks HTTP/2.
    let administrator: HTTPClient
    /// Shows nothing.
    let stranger: HTTPClient
    let service: NIOSSLCertificate

    static func with(
        type: NodeConfiguration.LedgerType = .private, issuer: TestIssuer? = nil,
        change: (inout LedgerServerConfiguration) -> Void = { _ in },
        node: (inout NodeConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (ServiceFixture) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/indelible-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let admin = try TestCertificates.make(.init(P384.Signing.PrivateKey()), name: "administrator")
        var nodeConfiguration = NodeConfiguration(directory: directory + "/data")
        nodeConfiguration.ledgerType = type
        nodeConfiguration.name = "testledger"
        nodeConfiguration.administratorCertificates = [admin.certificatePEM]
        node(&nodeConfiguration)
        let ledger = try await Ledger.open(nodeConfiguration, logger: ListenerFixture.quiet)
        var configuration = LedgerServerConfiguration(port: 0)
        if let issuer { configuration.issuers = [TokenIssuer(issuer: issuer.name)] }
        change(&configuration)
        let fetch: DocumentFetch = if let issuer { issuer.fetch } else { { _ in [] } }
        let server = try LedgerServer(
            ledger: ledger, configuration: configuration, fetch: fetch,
            logger: ListenerFixture.quiet)
        let certificate = try NIOSSLCertificate(
            bytes: Array(ledger.information.serviceCertificatePEM.utf8), format: .pem)
        let pinned = TestCertificates.Pair(
            certificate: certificate, key: admin.key, der: [], certificatePEM: "", keyPEM: "")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            guard let port = await server.boundPort else { return try await group.waitForAll() }
            let listener = ListenerFixture(
                port: port, updates: AsyncStream.makeStream(of: TLSIdentity.self).continuation, gauge: ConnectionGauge()
            )
            let fixture = ServiceFixture(
                ledger: ledger, listener: listener, routes: server.routes,
                administrator: listener.client(trusting: pinned, showing: admin),
                stranger: listener.client(trusting: pinned), service: certificate)
            let result = await Result { try await body(fixture) }
            try await fixture.administrator.shutdown()
            try await fixture.stranger.shutdown()
            group.cancelAll()
            await ledger.close()
            try result.get()
        }
    }

    /// As the administrator, unless `as` says otherwise. A body is declared as JSON.
    func send(
        _ method: String, _ path: String, _ body: String? = nil, as client: HTTPClient? = nil,
        headers: [(String, String)] = []
    ) async throws -> ListenerFixture.Answer {
        var headers = headers
        if body != nil, !headers.contains(where: { $0.0 == "content-type" }) {
            headers.append(("content-type", "application/json"))
        }
        return try await listener.send(
            client ?? administrator, method, path, headers: headers, body: body.map { Array($0.utf8) })
    }

    func json(_ path: String, as client: HTTPClient? = nil) async throws -> JSONValue {
        let answer = try await send("GET", path, as: client)
        return try JSONValue(json: Array(answer.body.utf8))
    }

    /// Appends and returns the transaction id.
    func append(_ contents: String, query: String = "") async throws -> String {
        var out = JSONWriter(capacity: 64)
        out.raw("{\"contents\":")
        out.string(contents)
        out.raw("}")
        let answer = try await send("POST", "/app/transactions\(query)", String(decoding: out.bytes, as: UTF8.self))
        guard answer.status == 200, let id = answer[HeaderNames.transactionID] else { throw Unexpected(answer: answer) }
        return id
    }

    struct Unexpected: Error { var answer: ListenerFixture.Answer }
}
