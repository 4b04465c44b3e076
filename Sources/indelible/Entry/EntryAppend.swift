import ArgumentParser
import LedgerClient

/// `indelible entry append`
struct EntryAppend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Append entries and print their transaction ids.",
        discussion: """
            Entries come from the arguments, else from --file, else from standard input. A file is one entry, or with \
            --lines one entry a line (empty lines are skipped). Every append is proved by its receipt before its id is \
            printed, unless --no-receipt is given. Ids are printed in the order of the input.

            Entries of files and standard input are sent many at a time, so that the ledger may hold them in another \
            order than the input. With --jobs 1 each is sent after the one before is committed, and the order is kept; \
            entries given as arguments are sent that way unless --jobs says otherwise.

            EXAMPLES
              indelible entry append --data ./data "first" "second"
              indelible entry append --data ./data --file contract.txt \\
                  --collection contracts --tag signed
              journalctl -o cat | indelible entry append --data ./data --lines \\
                  --collection journal --jobs 1
            """)

    @Argument(help: "The contents of the entries, one each.")
    var contents: [String] = []

    @Option(help: ArgumentHelp("Read entries from a file; - is standard input.", valueName: "file"))
    var file: String?

    @Flag(help: "One entry a line.")
    var lines = false

    @Option(help: "The collection. (default subledger:0)")
    var collection: String?

    @Option(name: .customLong("tag"), help: "A tag for every entry; up to five.")
    var tags: [String] = []

    @Option(
        help: """
            How many appends may be under way at once, 1 to 4096; more than 1 does not keep the order. \
            (default 64, for arguments 1)
            """)
    var jobs: Int?

    @Flag(help: "Do not ask for receipts: take the server's word.")
    var noReceipt = false

    @Option(
        help: ArgumentHelp("Makes request ids repeatable: the same batch sent twice is written once.", valueName: "id"))
    var batchId: String?

    @Option(help: ArgumentHelp("Skip this many entries of the input.", valueName: "count"))
    var skip = 0

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        if !contents.isEmpty, file != nil { throw ValidationError("give contents or --file, not both") }
        if !contents.isEmpty, lines { throw ValidationError("--lines is for files and standard input") }
        if let jobs, !(1...4096).contains(jobs) {
            throw ValidationError("--jobs: \(jobs) is not 1 to 4096")
        }
        guard skip >= 0 else { throw ValidationError("--skip: \(skip) is negative") }
        guard tags.count <= 5 else { throw ValidationError("--tag: \(tags.count) tags, at most 5 are allowed") }
        if batchId == "" { throw ValidationError("--batch-id: is empty") }
        if collection == "" { throw ValidationError("--collection: is empty") }
        for tag in tags where tag.isEmpty || tag.count > 64 || tag.contains(",") {
            throw ValidationError(
                "--tag: '\(tag)' does not have 1 to 64 characters without commas; repeat --tag for more")
        }
    }

    func run() async throws {
        let path = file == "-" ? nil : file
        if contents.isEmpty, path == nil { InputFile.announceTerminal() }
        let source: EntrySource
        if !contents.isEmpty {
            source = .values(contents)
        } else if lines {
            source = .lines(try LineReader(path: path), count: ProgressBar.isShown ? LineReader.count(path) : nil)
        } else {
            source = .values([try EntrySource.whole(path)])
        }
        var options = AppendOptions()
        options.collectionID = collection
        options.tags = tags
        options.verifiesReceipt = !noReceipt
        let jobs = jobs ?? (contents.isEmpty ? 64 : 1)
        if lines, jobs > 1, ProgressBar.isTerminal {
            Output.diagnostic("note: \(jobs) appends at a time: the order of the lines is not kept (--jobs 1 keeps it)")
        }
        let run = AppendRun(
            batch: batchId ?? RequestID.random(), skip: skip, jobs: jobs, options: options, asJSON: output.json)
        try await connection.withClient(connections: jobs) { client in
            try await run.append(source, with: client)
        }
    }
}
