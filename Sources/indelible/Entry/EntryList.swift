import ArgumentParser
import LedgerClient

/// `indelible entry list`
struct EntryList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Read a range of entries of one collection.",
        discussion: """
            One line each: transaction id, tab, contents, in which control characters are shown as \\n, \\t or \\u{1b}; \
            --json tells them unchanged. Each entry is proved by its receipt before it is written, \
            unless --no-receipt is given. Collection, id and contents are what the receipt proves; an entry of another \
            collection or outside --from and --to is refused, exit code 1. Author, time and tags are the server's word, \
            and that it left no entry out is not proved.

            EXAMPLES
              indelible entry list --data ./data --limit 20
              indelible entry list --data ./data --from 2.10 --to 2.90 --tag signed --json
              indelible entry list --data ./data --from-time 2026-01-31T00:00:00Z
            """)

    @Option(help: ArgumentHelp("The first id, inclusive.", valueName: "id"))
    var from: TransactionArgument?

    @Option(help: ArgumentHelp("The last id, inclusive.", valueName: "id"))
    var to: TransactionArgument?

    @Option(help: ArgumentHelp("The earliest time, RFC 3339.", valueName: "time"))
    var fromTime: String?

    @Option(help: ArgumentHelp("The latest time, RFC 3339.", valueName: "time"))
    var toTime: String?

    @Option(help: ArgumentHelp("At most this many entries.", valueName: "count"))
    var limit: Int?

    @OptionGroup var range: EntryRangeOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    /// Receipts fetched at the same time.
    private static let batchCount = 32

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit: \(limit) is not at least 1") }
    }

    func run() async throws {
        var filter = range.filter
        filter.from = from?.id
        filter.to = to?.id
        filter.fromTime = fromTime
        filter.toTime = toTime
        if let limit, limit < 1_000 { filter.pageSize = limit }
        try await connection.withClient(connections: Self.batchCount) { [filter] client in
            var left = limit ?? .max
            var batch: [EntryRecord] = []
            for try await entry in client.entries(filter) {
                try filter.check(entry)
                batch.append(entry)
                left -= 1
                if batch.count == Self.batchCount || left == 0 {
                    try await show(batch, by: client)
                    batch = []
                }
                if left == 0 { break }
            }
            try await show(batch, by: client)
        }
    }

    private func show(_ batch: [EntryRecord], by client: LedgerClient) async throws {
        if !range.noReceipt {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for entry in batch { group.addTask { try await range.prove(entry, by: client) } }
                try await group.waitForAll()
            }
        }
        for entry in batch { range.write(entry, asJSON: output.json) }
    }
}
