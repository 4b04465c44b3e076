import ArgumentParser
import LedgerClient

/// `indelible entry watch`
struct EntryWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show entries as they are written, until interrupted.",
        discussion: """
            A ledger that goes away is waited for, 30 seconds; then the entries written meanwhile are shown. One that no \
            longer has the transaction seen last was rolled back: exit code 1. As with \
            'entry list', the receipt of an entry proves its collection, id and contents; author, time and tags are the \
            server's word.

            EXAMPLES
              indelible entry watch --data ./data
              indelible entry watch --data ./data --after 2.15 --json --interval 5
            """)

    @Option(help: ArgumentHelp("Begin after this transaction. Without it: from now on.", valueName: "id"))
    var after: TransactionArgument?

    @Option(help: ArgumentHelp("How often to ask: 30s, 5m.", valueName: "time"))
    var interval = TimeSpan(seconds: 1)

    @Option(help: ArgumentHelp("Stop after this many entries.", valueName: "count"))
    var count: Int?

    @OptionGroup var range: EntryRangeOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        guard (0.05...86_400).contains(interval.seconds) else {
            throw ValidationError("--interval: \(interval.seconds) is not 0.05 to 86400 seconds")
        }
        if let count, count < 1 { throw ValidationError("--count: \(count) is not at least 1") }
    }

    func run() async throws {
        try await connection.withClient { client in
            var left = count ?? .max
            var position = after?.id
            // Known before the first outage, so that nothing that is written during it is missed.
            if position == nil, range.filter.from == nil { position = try await client.lastCommitted() }
            var entries = client.watch(
                range.filter, after: position, every: .milliseconds(Int64(interval.seconds * 1_000))
            )
            .makeAsyncIterator()
            // Taken, but its receipt was not there yet when the ledger went away.
            var unshown: EntryRecord?
            while true {
                do {
                    if unshown == nil { unshown = try await entries.next() }
                    guard let entry = unshown else { return }
                    try await range.show(entry, by: client, asJSON: output.json, after: position)
                    unshown = nil
                    position = entry.transactionID
                    left -= 1
                    if left == 0 { return }
                } catch let error as LedgerClientError where Self.isAway(error) {
                    try await waitForReturn(client, after: error)
                }
            }
        }
    }

    /// For how many seconds a ledger that went away is waited for.
    private static let patience: Int64 = 30

    private static func isAway(_ error: LedgerClientError) -> Bool {
        error.code == .unreachable || error.status == 503
    }

    private func waitForReturn(_ client: LedgerClient, after error: LedgerClientError) async throws {
        Output.diagnostic("\(PlainText.of(error.reason)); trying again for \(Self.patience) s")
        let end = ContinuousClock.now + .seconds(Self.patience)
        while true {
            do {
                _ = try await client.lastCommitted()
                return Output.diagnostic("the ledger is back")
            } catch let error as LedgerClientError where Self.isAway(error) && ContinuousClock.now < end {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
