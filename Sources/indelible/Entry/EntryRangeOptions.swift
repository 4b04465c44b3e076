import ArgumentParser
import LedgerClient
import LedgerProofs

/// Which entries `list` and `watch` show.
struct EntryRangeOptions: ParsableArguments {
    @Option(help: "The collection. (default subledger:0)")
    var collection: String?

    @Option(help: ArgumentHelp("Only entries with this tag.", valueName: "tag"))
    var tag: String?

    @Option(help: ArgumentHelp("Only entries by this user id.", valueName: "user"))
    var author: String?

    @Flag(help: "Do not ask for receipts: take the server's word.")
    var noReceipt = false

    func validate() throws {
        if collection == "" { throw ValidationError("--collection: is empty") }
        if let tag, tag.isEmpty || tag.contains(",") {
            throw ValidationError("--tag: '\(tag)' is not one tag; a query takes one, without commas")
        }
    }

    var filter: EntryFilter {
        var filter = EntryFilter(collectionID: collection)
        filter.tag = tag
        filter.author = author
        return filter
    }

    /// Compares an entry with what was asked for, proves it, if asked to, and writes it.
    func show(_ entry: EntryRecord, by client: LedgerClient, asJSON: Bool, after: TransactionID?) async throws {
        var asked = filter
        asked.from = after
        try asked.check(entry)
        if !noReceipt { try await prove(entry, by: client) }
        write(entry, asJSON: asJSON)
    }

    func prove(_ entry: EntryRecord, by client: LedgerClient) async throws {
        _ = try await client.verifiedReceipt(
            for: entry.transactionID, collectionID: entry.collectionID, contents: entry.contents)
    }

    func write(_ entry: EntryRecord, asJSON: Bool) {
        if asJSON {
            Output.json(EntryOutput(entry, verified: !noReceipt))
        } else {
            Output.line("\(Style.quiet(entry.transactionID.description))\t\(PlainText.of(entry.contents))")
        }
    }
}
