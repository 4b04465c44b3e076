import ArgumentParser

/// `indelible sql status`
struct SQLStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show ledger tables, blocks, the open tail, digest stores and what was verified last.",
        discussion: """
            Everything but the last line comes from the database itself, so it informs and proves nothing; \
            `indelible sql verify` proves.

            EXAMPLES
              indelible sql status app.db
              indelible sql status app.db --json
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @OptionGroup var state: VerifiedStateOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        let location = try DatabaseLocation(database)
        let session = try SQLSession(location, mode: .readOnly)
        try LedgerStatus.requireIdentity(session, database)
        var status = try LedgerStatus(session)
        status.lastVerified = try state.load(ledger: status.ledgerId).map { .init($0, of: location) }
        if output.json { return Output.json(status) }
        tell(status)
    }

    private static func last(_ time: String?) -> String { time.map { ", the last at \(PlainText.of($0))" } ?? "" }

    private func tell(_ status: LedgerStatus) {
        Output.line(
            "ledger      \(status.ledgerId)  \(Style.quiet("made \(PlainText.of(status.createTime)), as it says"))")
        let name = PlainText.of(status.databaseName)
        Output.line("database    \(name)\(status.allTables ? ", every table is a ledger table" : "")")
        Output.line("recorded    \(status.transactions) transactions\(Self.last(status.lastTransactionTime))")
        Output.line("blocks      \(status.blocks) closed\(Self.last(status.lastBlockTime))")
        if status.openTransactions > 0 {
            Output.line("open tail   \(status.openTransactions) transactions in no block yet, no digest covers them")
        } else {
            Output.line("open tail   none")
        }
        if status.stores.isEmpty {
            let name = PlainText.of(database.quotedForShell)
            Output.line("stores      \(Style.bad("none")): indelible sql watch \(name) --store URL")
        }
        for store in status.stores {
            let lag =
                if let last = store.lastBlockId, last >= status.blocks {
                    Style.bad("has block \(last), this database has not: an older copy, or a changed note")
                } else {
                    store.lag == 0 ? Style.good("up to date") : Style.bad("\(store.lag) blocks behind")
                }
            Output.line("store       \(PlainText.of(store.path)): \(store.isCurrent ? lag : Style.quiet("former"))")
        }
        if let verified = status.lastVerified {
            let place = verified.database.map { ", in \(PlainText.of($0))" } ?? ""
            let isGone = verified.database == nil && verified.blockId >= status.blocks
            let gap = isGone ? Style.bad(", which this database has not: an older copy; verify it") : ""
            Output.line("verified    through block \(verified.blockId) at \(verified.time)\(place)\(gap)")
        } else {
            Output.line("verified    never on this machine")
        }
        Output.line("")
        var table = TextTable(["table", "kind", "view", "id"], numeric: [3])
        for known in status.tables {
            let name = known.isDropped ? "\(known.name) (dropped)" : known.name
            table.append([name, known.kind, known.view, "\(known.tableId)"])
        }
        table.finish()
        if !status.notCovered.isEmpty { Output.line("\(Style.bad("not covered")): \(status.notCovered.listed)") }
        if !status.leftOut.isEmpty { Output.line("left out (virtual): \(status.leftOut.listed)") }
    }
}
