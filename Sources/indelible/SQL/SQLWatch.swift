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
            is tried again in the next round and named in `sql status`; one that does not answer is named after 15 \
            seconds and holds up neither the blocks nor the other stores. Each round also asks a store for what it \
            got last: digests that it lost are named and uploaded again. Stores given here are remembered by the \
            database; without --store those are used.

            When another file is put in the database's place, or another ledger into the file, a line says so and \
            the watch goes on with that. While there is no database at the path, an error says so at once and every \
            minute, and the watch goes on as soon as one is there.

            When a store has newer blocks than the database, an older copy of it was restored: that is said, and nothing \
            is sent to this store until the database has those blocks.

            SIGTERM and SIGINT do a last round, which ends after 10 seconds whatever stores and database do, and end. \
            Exit code 2 if a store is behind then or has newer blocks (it is named), or if no block could be closed.

            EXAMPLES
              indelible sql watch app.db --store file:///mnt/worm/digests
              indelible sql watch app.db \\
                  --store 'https://127.0.0.1:8443?collection=app' --data ./data
              indelible sql watch app.db --once
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Option(help: ArgumentHelp("How often: 30s, 5m.", valueName: "time"))
    var interval = TimeSpan(seconds: 30)

    @Flag(help: "One round only.")
    var once = false

    @OptionGroup var stores: StoreOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        guard (0.1...86_400).contains(interval.seconds) else {
            throw ValidationError("--interval: \(interval.seconds) is not 0.1 to 86400 seconds")
        }
    }

    func run() async throws {
        let opened = try WatchedDatabase(database)
        let source = DatabaseDigests(session: opened.session)
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
        let watch = BlockWatch(
            database: database, urls: urls, stores: stores, interval: .seconds(interval.seconds), asJSON: output.json,
            teller: WatchTeller(asJSON: output.json), first: opened)
        if once {
            guard try await watch.once() else { throw ExitStatus.unableToTell }
            return
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: watch, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "indelible")))
        try await group.run()
        guard await watch.outcome.isFine else { throw ExitStatus.unableToTell }
    }
}
