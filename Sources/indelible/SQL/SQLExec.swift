import ArgumentParser
import SQLLedger

/// `indelible sql exec`
struct SQLExec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run SQL statements.",
        discussion: """
            Statements come from the arguments, else from --file, else from standard input. Rows are printed as a \
            table, or with --json as one object a line (BLOBs as {"hex": …}). Without --single-transaction every \
            statement is a transaction of its own, unless the text says BEGIN. The first error ends the run.

            Parameters are for the first statement that has any: --parameter VALUE in order, --named NAME=VALUE for \
            :NAME, @NAME or $NAME. A value is an integer, a number, NULL or a BLOB (x'00ff') if it looks like one, else \
            text; quote it ('12') to make it text in any case. With parameters everything is read before the first \
            statement runs, and nothing is run unless they are exactly those of the statement.

            EXAMPLES
              indelible sql exec app.db --principal ada \\
                  "UPDATE accounts SET owner = 'Ada' WHERE id = 17"
              indelible sql exec app.db --parameter 17 --json \\
                  "SELECT * FROM accounts WHERE id = ?"
              indelible sql exec app.db --single-transaction --file changes.sql
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Argument(help: "The statements.")
    var sql: [String] = []

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Read statements from a file; - is standard input.", valueName: "file"))
    var file: String?

    @Flag(name: [.customShort("1"), .long], help: "All statements in one transaction, or none.")
    var singleTransaction = false

    @Option(
        name: [.customShort("p"), .customLong("parameter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A parameter.", valueName: "value"))
    var parameters: [String] = []

    @Option(
        name: .customLong("named"), help: ArgumentHelp("A parameter with a name.", valueName: "name=value"))
    var named: [String] = []

    @OptionGroup var identity: SQLIdentityOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        if !sql.isEmpty, file != nil { throw ValidationError("give statements or --file, not both") }
        if !parameters.isEmpty, !named.isEmpty {
            throw ValidationError("give --parameter or --named, not both")
        }
    }

    func run() throws {
        var bindings = try bindings()
        let session = try SQLSession(try DatabaseLocation(database), mode: .readWrite, identity: identity)
        let run = try StatementRun(session: session, asJSON: output.json)
        // Whether the parameters fit is known before the first statement runs, not after the last.
        var checked: [String]?
        if !bindings.isEmpty {
            var statements: [String] = []
            try each { statements.append($0) }
            try bindings.check(statements)
            checked = statements
        }
        func one(_ statement: String) throws {
            guard singleTransaction else {
                try run.run(statement, &bindings)
                return
            }
            guard !StatementSplitter.endsTransaction(statement) else {
                throw Failure(
                    "--single-transaction: a statement ends the transaction itself (COMMIT, END or ROLLBACK); nothing was kept"
                )
            }
            try run.run(statement, &bindings)
            guard try session.isInTransaction() else {
                throw Failure(
                    "--single-transaction: a statement ended the transaction; what stood before it may be kept")
            }
        }
        func all() throws {
            if let checked {
                for statement in checked { try one(statement) }
            } else {
                try each(one)
            }
        }
        if singleTransaction { try session.transaction { try all() } } else { try all() }
        if try session.isInTransaction() {
            throw Failure("the statements end inside a transaction (BEGIN without COMMIT), so nothing of it was kept")
        }
    }

    private func bindings() throws -> SQLBindings {
        var bindings = SQLBindings(positions: parameters.map(SQLBindings.value), names: [:])
        for word in named {
            guard let mark = word.firstIndex(of: "=") else { throw Failure("--named: \(word) is not NAME=VALUE") }
            let name = String(word[..<mark])
            guard bindings.names[name] == nil else { throw Failure("--named: '\(name)' was given twice") }
            bindings.names[name] = SQLBindings.value(String(word[word.index(after: mark)...]))
        }
        return bindings
    }

    /// Hands over each statement as soon as it is complete.
    private func each(_ body: (String) throws -> Void) throws {
        var splitter = StatementSplitter()
        guard sql.isEmpty else {
            for text in sql {
                splitter.append(text)
                while let statement = splitter.rest() { try body(statement) }
            }
            return
        }
        let path = file == "-" ? nil : file
        if path == nil { InputFile.announceTerminal() }
        var reader = try LineReader(path: path)
        while let line = try reader.next() {
            splitter.append(line + "\n")
            while let statement = splitter.next() { try body(statement) }
        }
        if let statement = splitter.rest() { try body(statement) }
    }
}
