import ArgumentParser
import Foundation
import LedgerClient

/// `indelible entry get`
struct EntryGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Read one entry, or the last one of a collection.",
        discussion: """
            On a terminal a line end follows the contents; otherwise they are written as they are. They are written only after a receipt proved them, unless --no-receipt is given. With an id and no \
            --collection the entry may be of any collection. An entry of another collection than asked for is refused, \
            exit code 1. Author, time and tags are the server's word, and so is that an entry is the last one.

            EXAMPLES
              indelible entry get 2.15 --data ./data
              indelible entry get --data ./data --collection contracts --json
            """)

    @Argument(help: "The transaction id, for example 2.15. Without it: the last entry of the collection.")
    var id: TransactionArgument?

    @Option(help: "The collection. (default subledger:0)")
    var collection: String?

    @Flag(help: "Do not ask for a receipt: take the server's word.")
    var noReceipt = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        if collection == "" { throw ValidationError("--collection: is empty") }
    }

    func run() async throws {
        try await connection.withClient { client in
            let entry =
                if let id { try await client.entry(id.id, collectionID: collection) } else {
                    try await client.currentEntry(collectionID: collection)
                }
            // An id finds its entry wherever it is; without one the default collection was asked for.
            if id == nil || collection != nil { try EntryFilter(collectionID: collection).check(entry) }
            if !noReceipt {
                _ = try await client.verifiedReceipt(
                    for: entry.transactionID, collectionID: entry.collectionID, contents: entry.contents)
            }
            if output.json {
                Output.json(EntryOutput(entry, verified: !noReceipt))
            } else if isatty(STDOUT_FILENO) == 1 {
                Output.line(entry.contents)
            } else {
                // As they were written, so that a file of them is what the receipt is about.
                Output.bytes(Array(entry.contents.utf8))
            }
        }
    }
}
