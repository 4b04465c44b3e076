import ArgumentParser
import Foundation
import SQLLedger

/// `indelible sql shell`
struct SQLShell: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "A prompt for SQL, with the ledger's functions.",
        discussion: """
            A statement ends with a semicolon and may have many lines. Errors do not end the shell. With input from a \
            pipe nothing but results is printed, and the exit code is 2 if any statement failed.

              .tables          the tables and views
              .schema [NAME]   how they were made
              .help            this list
              .quit            the end (as is end of input)

            EXAMPLES
              indelible sql shell app.db --principal ada
              indelible sql shell app.db < statements.sql
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @OptionGroup var identity: SQLIdentityOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: .readWrite, identity: identity)
        let isTerminal = isatty(STDIN_FILENO) == 1
        let run = try StatementRun(session: session, asJSON: output.json)
        var reader = try LineReader(path: nil)
        var splitter = StatementSplitter()
        var failed = false
        func attempt(_ body: () throws -> Void) {
            do {
                try body()
            } catch {
                failed = true
                Output.error(Failure(describing: error)?.plain ?? PlainText.of("\(error)"))
            }
        }
        if isTerminal { Output.diagnostic("\(database): .help lists commands, .quit ends") }
        loop: while true {
            if isTerminal { Output.progress(splitter.isInside ? "...> " : "sql> ") }
            guard let line = try reader.next() else { break }
            if !splitter.isInside, line.hasPrefix(".") {
                let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
                switch words.first {
                case ".quit", ".exit": break loop
                case ".help": Output.line(Self.help)
                case ".tables": attempt { try tables(session) }
                case ".schema": attempt { try schema(session, words.dropFirst().first) }
                default: attempt { throw Failure("\(words.first ?? line): is not a command; see .help") }
                }
                continue
            }
            splitter.append(line + "\n")
            while let statement = splitter.next() {
                attempt {
                    var none = SQLBindings()
                    let changed = try run.run(statement, &none)
                    if isTerminal, changed > 0, StatementSplitter.changesRows(statement) {
                        Output.line(Style.quiet("\(changed) \(changed == 1 ? "row" : "rows") changed"))
                    }
                }
            }
        }
        if let statement = splitter.rest() {
            if isTerminal {
                Output.diagnostic("")
            } else {
                attempt {
                    var none = SQLBindings()
                    try run.run(statement, &none)
                }
            }
        }
        if try session.isInTransaction() {
            failed = true
            Output.error("the input ended inside of a transaction; it was rolled back")
        }
        if failed, !isTerminal { throw ExitStatus.unableToTell }
    }

    private static let help = """
        .tables          the tables and views
        .schema [NAME]   how they were made
        .help            this list
        .quit            the end
        """

    private func tables(_ session: SQLSession) throws {
        for row in try session.rows(
            """
            SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow'
            AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
            """)
        {
            Output.line(PlainText.of(row[0].shown))
        }
    }

    private func schema(_ session: SQLSession, _ name: String?) throws {
        let rows = try session.rows(
            """
            SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
            AND (?1 IS NULL OR lower(name) = lower(?1) OR lower(tbl_name) = lower(?1)) ORDER BY rowid
            """, [name.map { .text($0) } ?? .null])
        for row in rows {
            // A definition has the lines that it was written in.
            let lines = row[0].shown.split(separator: "\n", omittingEmptySubsequences: false)
            Output.line(lines.map { PlainText.of(String($0)) }.joined(separator: "\n") + ";")
        }
        if rows.isEmpty, let name { throw Failure("\(name): there is no such table, view, index or trigger") }
    }
}
