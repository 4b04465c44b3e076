import ArgumentParser
import SQLLedger

/// `indelible sql init`
struct SQLInit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a database a home for ledger tables.",
        discussion: """
            Gives the database its ledger identity and the tables of the ledger. With --all-tables every ordinary \
            table becomes a ledger table, those of the future included, and the rows that are there are adopted. \
            That cannot be undone. A file that does not exist is made. Running it again changes nothing.

            EXAMPLES
              indelible sql init app.db
              indelible sql init app.db --all-tables
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Flag(help: "Every table is a ledger table, now and in future.")
    var allTables = false

    @OptionGroup var identity: SQLIdentityOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        let location = try DatabaseLocation(database, mayBeMissing: true)
        let session = try SQLSession(location, mode: .create, identity: identity)
        let was = try LedgerStatus.identity(session)
        _ = try session.value("SELECT ledger_init(?)", [.integer(allTables ? 1 : 0)])
        let status = try LedgerStatus(session)
        if output.json { return Output.json(status) }
        let what = was == nil ? "was made in" : "was already in"
        Output.line("\(Style.good("ok")) ledger \(status.ledgerId) \(what) \(PlainText.of(location.path))")
        let names = status.tables.filter { !$0.isDropped }.map(\.name)
        if status.allTables {
            Output.line("every table is a ledger table: \(names.isEmpty ? "none yet" : names.listed)")
        } else if names.isEmpty {
            Output.line("no ledger tables yet: indelible sql enable \(database.quotedForShell) TABLE")
        } else {
            Output.line("ledger tables: \(names.listed)")
        }
        if !status.notCovered.isEmpty {
            Output.line("\(Style.bad("not covered")): \(status.notCovered.listed); indelible sql verify says why")
        }
        if !status.leftOut.isEmpty { Output.line("left out (virtual): \(status.leftOut.listed)") }
    }
}
