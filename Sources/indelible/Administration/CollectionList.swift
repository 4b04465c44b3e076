import ArgumentParser
import LedgerClient

/// `indelible collection list`
struct CollectionList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the collections, and with --tags the tags used in each.",
        discussion: """
            EXAMPLES
              indelible collection list --data ./data
              indelible collection list --data ./data --tags --json
            """)

    @Flag(help: "Show the tags as well.")
    var tags = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    private struct Line: Encodable {
        var collectionId: String
        var tags: [String]?
    }

    func run() async throws {
        try await connection.withClient { client in
            for collection in try await client.collections() {
                let used = tags ? try await client.tags(collectionID: collection) : nil
                if output.json {
                    Output.json(Line(collectionId: collection, tags: used))
                } else {
                    let names = used.map { "\t" + $0.map(PlainText.of).joined(separator: ",") } ?? ""
                    Output.line(PlainText.of(collection) + names)
                }
            }
        }
    }
}
