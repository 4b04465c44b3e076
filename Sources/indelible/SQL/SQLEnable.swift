import ArgumentParser
import SQLLedger
import SQLLedgerSQLite

/// `indelible sql enable`
struct SQLEnable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Turn tables into ledger tables.",
        discussion: """
            The rows that are there are adopted: they become the first versions, created in this transaction. The \
            table itself stays as it is. There is no way back. All named tables are turned in one transaction, or none.

            EXAMPLES
              indelible sql enable app.db accounts payments
              indelible sql enable app.db audit_log --append-only
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Argument(help: "The tables.")
    var tables: [String]

    @Flag(help: "Rows may be inserted and never updated or deleted.")
    var appendOnly = false

    @Option(
        help: ArgumentHelp(
            "The name of the ledger view. (default TABLE_Ledger, numbered when that is taken)", valueName: "name"))
    var view: String?

    @OptionGroup var identity: SQLIdentityOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        guard !tables.isEmpty else { throw ValidationError("name at least one table") }
        if view != nil, tables.count > 1 { throw ValidationError("--view: needs exactly one table") }
    }

    func run() throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: .readWrite, identity: identity)
        try LedgerStatus.requireIdentity(session, database)
        let kind = appendOnly ? "append-only" : "updatable"
        try session.transaction {
            for table in tables {
                var arguments: [SQLValue] = [.text(table), .text(kind)]
                if let view { arguments.append(.text(view)) }
                let marks = arguments.map { _ in "?" }.joined(separator: ", ")
                _ = try session.value("SELECT ledger_enable(\(marks))", arguments)
            }
        }
        let known = try LedgerStatus(session).tables.filter { !$0.isDropped }
        for table in tables {
            guard let made = known.first(where: { SQLName.same($0.name, table) }) else { continue }
            if output.json {
                Output.json(made)
            } else {
                Output.line(
                    Style.good("ok") + " "
                        + PlainText.of("\(made.name) is a ledger table (\(made.kind)); its view is \(made.view)"))
            }
        }
    }
}
