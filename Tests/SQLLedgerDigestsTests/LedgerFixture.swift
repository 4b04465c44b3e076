import Crypto
import Foundation
import LedgerClient
import LedgerNode
import LedgerServer
import Logging
import SQLLedgerDigests
import ServiceLifecycle
import SwiftASN1
import Testing
import X509

/// A real ledger service on loopback with a directory of its own, and its administrator.
struct LedgerFixture: Sendable {
    let endpoint: String
    let serviceCertificatePEM: String
    let administratorPEM: String

    /// What a store needs to write to it. Gives up quickly.
    var options: DigestStoreOptions {
        var options = DigestStoreOptions()
        options.serviceCertificatePEM = serviceCertificatePEM
        options.credential = .certificate(pem: administratorPEM)
        options.retries = .init(attempts: 2, firstDelay: .milliseconds(50))
        return options
    }

    func configuration() -> LedgerClientConfiguration {
        LedgerClientConfiguration(
            endpoint: endpoint, serviceCertificatePEM: serviceCertificatePEM,
            credential: .certificate(pem: administratorPEM))
    }

    static func with(_ body: @Sendable @escaping (LedgerFixture) async throws -> Void) async throws {
        try await TemporaryDirectory.with { directory in
            try await run(directory: directory, administratorPEM: try clientCertificate(), body)
        }
    }

    /// Runs a service on `directory` while `body` runs. The same directory may be used again, on the same port.
    static func run(
        directory: String, administratorPEM: String, port: Int = 0,
        _ body: @Sendable @escaping (LedgerFixture) async throws -> Void
    ) async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var node = NodeConfiguration(directory: directory + "/data")
        node.name = "testledger"
        node.administratorCertificates = [try certificate(of: administratorPEM)]
        let ledger = try await Ledger.open(node, logger: quiet)
        let server = try LedgerServer(
            ledger: ledger, configuration: LedgerServerConfiguration(port: port), fetch: { _ in [] }, logger: quiet)
        let services = ServiceGroup(services: [server], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            guard let bound = await server.boundPort else { return try await group.waitForAll() }
            let fixture = LedgerFixture(
                endpoint: "https://127.0.0.1:\(bound)",
                serviceCertificatePEM: ledger.information.serviceCertificatePEM, administratorPEM: administratorPEM)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(fixture))
            } catch { result = .failure(error) }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            await ledger.close()
            try result.get()
        }
    }

    /// The certificate without the key.
    static func certificate(of pem: String) throws -> String {
        let end = try #require(pem.range(of: "-----END CERTIFICATE-----\n")).upperBound
        return String(pem[..<end])
    }

    /// A self-signed client certificate and its key in one PEM text.
    static func clientCertificate(name: String = "administrator") throws -> String {
        let key = P384.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let subject = try DistinguishedName { CommonName(name) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: signer.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -3_600), notValidAfter: Date(timeIntervalSinceNow: 86_400),
            issuer: subject, subject: subject, extensions: try Certificate.Extensions {}, issuerPrivateKey: signer)
        return try certificate.serializeAsPEM().pemString + "\n" + key.pemRepresentation + "\n"
    }
}
