import Foundation
import LedgerClient
import LedgerNode
import LedgerServer
import Logging
import ServiceLifecycle
import UnixSignals

/// Opens the ledger, starts the server and stops both in order.
struct ServeRun {
    var settings: ServeSettings

    func run() async throws {
        guard Date().timeIntervalSince1970 >= 0 else {
            throw Failure("the clock of this machine is before 1970; set it, then start again")
        }
        let openFiles = OpenFileLimit.raise()
        let logger = makeLogger()
        let directory = settings.node.directory
        let administrator = "\(directory)/admin.pem"
        let hadAdministrator = InputFile.exists(administrator)
        try await LedgerServer.checkAddress(host: settings.host, port: settings.port)
        try RegularFiles.check(dataDirectory: directory)
        // Before the ledger, which a first start creates: what cannot be served must leave nothing behind.
        let fetcher = try webFetcher()
        let ledger: Ledger
        do {
            ledger = try await Ledger.open(settings.node, logger: logger)
        } catch {
            await fetcher.shutdown()
            throw error
        }
        let information = ledger.information
        if information.quote.format == "Insecure_Virtual" {
            logger.notice("platform is virtual: nothing is protected from the administrator of this machine")
        }
        if !hadAdministrator, InputFile.exists(administrator) {
            let message = "made an administrator: certificate and private key are in \(administrator)"
            if settings.logsJSON {
                // Told whatever the level, as it is in the other format.
                logger.log(level: max(.notice, logger.logLevel), "\(message)")
            } else {
                Output.diagnostic(message)
            }
        }
        let server = try LedgerServer(
            ledger: ledger, configuration: serverConfiguration(openFiles), fetch: { try await fetcher.fetch($0) },
            logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: ledger), .init(service: server)],
                gracefulShutdownSignals: [.sigterm, .sigint, .sighup], logger: logger))
        let announcement = Task {
            guard let port = await server.boundPort else { return }
            ledger.publish(address: "\(reachableHost):\(port)")
            Output.line("ready: https://\(reachableHost):\(port) certificate=\(directory)/service_cert.pem")
        }
        do {
            try await group.run()
        } catch {
            announcement.cancel()
            await fetcher.shutdown()
            throw error
        }
        await fetcher.shutdown()
        logger.notice("stopped", metadata: ["committed": "\(ledger.committed)"])
    }

    private func webFetcher() throws -> WebFetcher {
        do {
            return try WebFetcher(additionalRootsPEM: settings.oidcAuthority?.pem)
        } catch {
            throw Failure(
                "--oidc-certificate-authority: \(settings.oidcAuthority?.path ?? ""): holds no readable PEM certificate"
            )
        }
    }

    private func serverConfiguration(_ openFiles: Int) -> LedgerServerConfiguration {
        var configuration = LedgerServerConfiguration(host: settings.host, port: settings.port)
        configuration.limits.connectionCount = OpenFileLimit.connections(
            of: openFiles, atMost: configuration.limits.connectionCount)
        configuration.limits.bodyByteCount = settings.maxBodySize
        configuration.issuers = settings.oidcIssuers.map { issuer in
            guard let claim = settings.oidcUserClaim else { return TokenIssuer(issuer: issuer) }
            return TokenIssuer(issuer: issuer, userIDClaims: [claim])
        }
        if let tenant = settings.entraTenant { configuration.issuers += TokenIssuer.entra(tenant: tenant) }
        if !settings.oidcAudiences.isEmpty { configuration.audiences = settings.oidcAudiences }
        configuration.anonymousGovernance = settings.anonymousGovernance
        configuration.identityNames = settings.node.subjectAlternativeNames
        configuration.benchmarkRoute = settings.benchmarkRoute
        return configuration
    }

    private func makeLogger() -> Logger {
        var logger = Logger(label: "indelible") { label in
            if settings.logsJSON { return JSONLogHandler(label: label) }
            return StreamLogHandler.standardError(label: label)
        }
        logger.logLevel = settings.logLevel
        return logger
    }

    /// An address that a client on this machine can use.
    private var reachableHost: String {
        switch settings.host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "[::1]"
        case let host where host.contains(":"): "[\(host)]"
        default: settings.host
        }
    }
}
