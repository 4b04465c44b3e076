import ArgumentParser
import Foundation
import Logging
import SQLLedger
import SQLLedgerDigests
import ServiceLifecycle
import UnixSignals

/// `indelible sql watch`
struct SQLWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Close blocks while there is work, and upload their digests.",
        discussion: """
            Every 30 seconds: new tables join (if every table is a ledger table), the open block is closed if it holds \
            anything, and the newest digest goes to every store that has not got it. A store that cannot be reached \
            is tried again in the next round and named in `sql status`. Stores given here are remembered by the \
            database; without --store those are used. SIGTERM and SIGINT do a last round and end.

            EXAMPLES
              indelible sql watch app.db --store file:///mnt/worm/digests
              indelible sql watch app.db --store 'https://127.0.0.1:8443?collection=app' --data ./data
              indelible sql watch app.db --once
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Option(help: ArgumentHelp("How often, in seconds.", valueName: "seconds"))
    var interval: Double = 30

    @Flag(help: "One round only.")
    var once = false

    @OptionGroup var stores: StoreOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        guard interval >= 0.1, interval <= 86_400 else {
            throw ValidationError("--interval: \(interval) is not 0.1 to 86400 seconds")
        }
    }

    func run() async throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: .readWrite)
        try LedgerStatus.requireIdentity(session, database)
        let source = DatabaseDigests(session: session)
        let known = try source.locations().filter(\.isCurrent).map(\.path)
        let urls = stores.urls.isEmpty ? known : stores.urls
        guard !urls.isEmpty else {
            throw Failure("\(database): uses no digest store yet; name one with --store URL")
        }
        if stores.urls.isEmpty {
            // Whoever can write the file can change the list.
            Output.diagnostic(
                "uploading to \(urls.listed), as the database says; name your stores with --store to be sure")
        }
        try await stores.withStores(urls, collection: try LedgerStatus.collection(session)) { opened in
            let watch = BlockWatch(
                session: session, uploader: DigestUploader(source: source, stores: opened),
                interval: .seconds(interval), asJSON: output.json)
            if once {
                var seen = BlockWatch.Seen()
                guard try await watch.round(&seen) else { throw ExitStatus.unableToTell }
                return
            }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: watch, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "indelible")))
            try await group.run()
        }
    }
}
