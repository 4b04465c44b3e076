import ArgumentParser
import LedgerClient

/// `indelible entry watch`
struct EntryWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show entries as they are written, until interrupted.",
        discussion: """
            EXAMPLES
              indelible entry watch --data ./data
              indelible entry watch --data ./data --after 2.15 --json --interval 5
            """)

    @Option(help: ArgumentHelp("Begin after this transaction. Without it: from now on.", valueName: "id"))
    var after: TransactionArgument?

    @Option(help: ArgumentHelp("How often to ask, in seconds.", valueName: "seconds"))
    var interval: Double = 1

    @Option(help: ArgumentHelp("Stop after this many entries.", valueName: "count"))
    var count: Int?

    @OptionGroup var range: EntryRangeOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        guard interval >= 0.05, interval <= 86_400 else {
            throw ValidationError("--interval: \(interval) is not 0.05 to 86400 seconds")
        }
        if let count, count < 1 { throw ValidationError("--count: \(count) is not at least 1") }
    }

    func run() async throws {
        try await connection.withClient { client in
            var left = count ?? .max
            let entries = client.watch(
                range.filter, after: after?.id, every: .milliseconds(Int64(interval * 1_000)))
            for try await entry in entries {
                try await range.show(entry, by: client, asJSON: output.json)
                left -= 1
                if left == 0 { break }
            }
        }
    }
}
