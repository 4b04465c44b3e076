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
            database cannot. --store gives it to the named stores, --upload to those that the database uses; a store \
            takes a digest once and never another one for the same block. Whoever can write to the file can change \
            which stores it uses: they are printed, and name yours to be sure.

            EXAMPLES
              indelible sql digest app.db > digest.json
              indelible sql digest app.db --store file:///mnt/worm/digests
              indelible sql digest app.db --upload --data ./data
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Flag(help: "Upload to the stores that the database uses.")
    var upload = false

    @Flag(
        help:
            "Leave the open block open and print the newest digest there is; without --upload stores are not remembered."
    )
    var noClose = false

    @OptionGroup var stores: StoreOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: noClose && !upload ? .readOnly : .readWrite)
        try LedgerStatus.requireIdentity(session, database)
        if !noClose {
            // In a transaction of its own, so that the digest is also of what is only noticed now.
            _ = try session.value("SELECT ledger_refresh()")
            _ = try session.value("SELECT ledger_close_block()")
        }
        guard let text = try session.value("SELECT ledger_digest()"), text != .null else {
            throw Failure("\(database): nothing was recorded yet, so there is no digest")
        }
        // Before the stores are asked: whoever closed a block wants its digest even when a store does not answer.
        Output.line(try LedgerDigest(json: text.shown).json)
        if upload || !stores.urls.isEmpty { try await upload(DatabaseDigests(session: session)) }
    }

    /// Named stores come first, and those of the database's list one by one: whoever wrote that list holds up no other store.
    private func upload(_ source: DatabaseDigests) async throws {
        let collection = try LedgerStatus.collection(source.session)
        var rounds = stores.urls.isEmpty ? [] : [stores.urls]
        if upload {
            let listed = try source.locations().filter(\.isCurrent).map(\.path).filter { !stores.urls.contains($0) }
            if !listed.isEmpty {
                Output.diagnostic(
                    "uploading to \(listed.listed), as the database says; name your stores with --store to be sure")
            }
            rounds += listed.map { [$0] }
        }
        guard !rounds.isEmpty else {
            throw Failure("\(database): uses no digest store yet; name one with --store URL")
        }
        var failures: [String] = []
        for urls in rounds {
            do {
                failures += try await stores.withStores(urls, collection: collection) {
                    try await upload(to: $0, source)
                }
            } catch {
                failures.append(Failure(describing: error)?.message ?? "\(error)")
            }
        }
        guard failures.isEmpty else { throw Failure(lines: failures) }
    }

    /// The rest of the stores is served even when one fails. The uploader knows what is there already. Returns what failed.
    private func upload(to stores: [any DigestArchive], _ source: DatabaseDigests) async throws -> [String] {
        let uploader = DigestUploader(source: source, stores: stores, retiresOthers: false)
        let mine = Set(stores.map(\.url))
        var failures: [String] = []
        for status in try await uploader.uploadOnce() where mine.contains(status.url) {
            if let loss = status.loss { Output.diagnostic(PlainText.of("\(status.url): \(loss)")) }
            if status.blocksBehind > 0 || status.isHalted {
                failures.append(status.summary)
            } else {
                Output.diagnostic(PlainText.of("uploaded to \(status.url)"))
            }
        }
        return failures
    }
}
