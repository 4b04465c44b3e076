import ArgumentParser
import Foundation
import LedgerClient

/// Which ledger a client command talks to, and as whom.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The ledger. (env INDELIBLE_URL, default https://127.0.0.1:8443)", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "The service certificate to pin; nothing else is trusted. (env INDELIBLE_SERVICE_CERTIFICATE)",
            valueName: "file"))
    var serviceCertificate: String?

    @Option(
        help: ArgumentHelp(
            "Client certificate and private key in one PEM file. (env INDELIBLE_CERTIFICATE)", valueName: "file"))
    var certificate: String?

    @Option(
        help: ArgumentHelp(
            "A file with a bearer token, instead of a certificate. (env INDELIBLE_TOKEN_FILE)",
            valueName: "file"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "A local data directory: short for its service_cert.pem and admin.pem. (env INDELIBLE_DATA)",
            valueName: "dir"))
    var data: String?

    @Flag(name: .customLong("http1"), help: "Do not offer HTTP/2.")
    var http1 = false

    /// Runs `body` with a connected client. `connections`: how many calls run at the same time.
    func withClient<R: Sendable>(connections: Int = 16, _ body: (LedgerClient) async throws -> R) async throws -> R {
        try await LedgerClient.withClient(try clientConfiguration(connections: connections), body)
    }

    func clientConfiguration(connections: Int) throws -> LedgerClientConfiguration {
        let environment = ProcessInfo.processInfo.environment
        func value(_ flag: String?, file: String?, _ variable: String) -> String? {
            if let flag { return flag }
            if let data, let file { return "\(data)/\(file)" }
            if let set = environment[variable], !set.isEmpty { return set }
            if let data = environment["INDELIBLE_DATA"], !data.isEmpty, let file { return "\(data)/\(file)" }
            return nil
        }
        let endpoint = value(url, file: nil, "INDELIBLE_URL") ?? "https://127.0.0.1:8443"
        guard let pin = value(serviceCertificate, file: "service_cert.pem", "INDELIBLE_SERVICE_CERTIFICATE") else {
            throw Failure(
                "no service certificate: give --service-certificate FILE, or --data DIR for a ledger on this machine")
        }
        let credential: LedgerClientConfiguration.Credential
        if certificate == nil, let path = value(tokenFile, file: nil, "INDELIBLE_TOKEN_FILE") {
            _ = try Self.token(path)
            credential = .token { try Self.token(path) }
        } else if let path = value(certificate, file: "admin.pem", "INDELIBLE_CERTIFICATE") {
            credential = .certificate(pem: try InputFile.smallText(path))
        } else {
            throw Failure("no credential: give --certificate FILE, --token-file FILE or --data DIR")
        }
        if certificate != nil, tokenFile != nil {
            throw Failure("--certificate and --token-file: give one of them")
        }
        var configuration = LedgerClientConfiguration(
            endpoint: endpoint, serviceCertificatePEM: try InputFile.smallText(pin), credential: credential)
        configuration.connectionCount = connections
        if http1 { configuration.httpVersions = .http1Only }
        return configuration
    }

    private static func token(_ path: String) throws -> String {
        let token = try InputFile.smallText(path).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Failure("\(path): holds no bearer token")
        }
        return token
    }
}
