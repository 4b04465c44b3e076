import ArgumentParser
import Foundation
import LedgerClient

/// Which ledger a client command talks to, and as whom.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The ledger. (env INDELIBLE_URL, default https://127.0.0.1:8443)", valueName: "url"))
    var url: String?

    @OptionGroup var credentials: CredentialOptions

    @Flag(name: .customLong("http1"), help: "Do not offer HTTP/2.")
    var http1 = false

    /// Runs `body` with a connected client. `connections`: how many calls run at the same time.
    func withClient<R: Sendable>(connections: Int = 16, _ body: (LedgerClient) async throws -> R) async throws -> R {
        let configuration = try clientConfiguration(connections: connections)
        do {
            return try await LedgerClient.withClient(configuration, body)
        } catch {
            throw credentials.files.naming(error)
        }
    }

    func clientConfiguration(connections: Int) throws -> LedgerClientConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let endpoint = url ?? environment["INDELIBLE_URL"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://127.0.0.1:8443"
        let files = credentials.files
        guard let pin = try files.serviceCertificatePEM() else {
            throw Failure(
                "no service certificate: give --service-certificate FILE, or --data DIR for a ledger on this machine")
        }
        guard let credential = try files.credential() else {
            throw Failure("no credential: give --certificate FILE, --token-file FILE or --data DIR")
        }
        var configuration = LedgerClientConfiguration(
            endpoint: endpoint, serviceCertificatePEM: pin, credential: credential)
        configuration.connectionCount = connections
        if http1 { configuration.httpVersions = .http1Only }
        return configuration
    }
}
