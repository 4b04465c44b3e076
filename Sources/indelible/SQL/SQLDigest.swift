import ArgumentParser
import Foundation
import SQLLedger
import SQLLedgerDigests

/// `indelible sql digest`
struct SQLDigest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Close the open block and print the newest digest.",
        discussion: """
            A digest is a line of JSON that fixes everything up to its block. Keep it where whoever can edit the \
            database cannot. --upload gives it to the stores that the database uses, --store to the named ones as \
            well; a store takes a digest once and never another one for the same block.

            EXAMPLES
              indelible sql digest app.db > digest.json
              indelible sql digest app.db --store file:///mnt/worm/digests
              indelible sql digest app.db --upload --data ./data
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Flag(help: "Upload to the stores that the database uses.")
    var upload = false

    @Flag(help: "Leave the open block open: print the newest digest there is.")
    var noClose = false

    @OptionGroup var stores: StoreOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: noClose && !upload ? .readOnly : .readWrite)
        try LedgerStatus.requireIdentity(session, database)
        if !noClose { _ = try session.value("SELECT ledger_close_block()") }
        guard let text = try session.value("SELECT ledger_digest()"), text != .null else {
            throw Failure("\(database): nothing was recorded yet, so there is no digest")
        }
        // Before the stores are asked: whoever closed a block wants its digest even when a store does not answer.
        Output.line(try LedgerDigest(json: text.shown).json)
        if upload || !stores.given.isEmpty {
            let source = DatabaseDigests(session: session)
            // The uploader takes the places it is not given for former ones.
            var urls = stores.urls
            urls += try source.locations().filter(\.isCurrent).map(\.path).filter { !urls.contains($0) }
            guard !urls.isEmpty else {
                throw Failure("\(database): uses no digest store yet; name one with --store URL")
            }
            try await stores.withStores(urls, collection: try LedgerStatus.collection(session)) { opened in
                try await upload(to: opened, source)
            }
        }
    }

    /// The rest of the stores is served even when one fails. The uploader knows what is there already.
    private func upload(to stores: [any DigestArchive], _ source: DatabaseDigests) async throws {
        let statuses = try await DigestUploader(source: source, stores: stores).uploadOnce()
        let mine = Set(stores.map(\.url))
        var failures: [String] = []
        for status in statuses where mine.contains(status.url) {
            if status.blocksBehind > 0 || status.isHalted {
                failures.append(status.summary)
            } else {
                Output.diagnostic("uploaded to \(status.url)")
            }
        }
        guard failures.isEmpty else { throw Failure(failures.joined(separator: "\n")) }
    }
}
