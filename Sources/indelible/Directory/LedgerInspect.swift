import ArgumentParser
import LedgerFormat
import LedgerProofs

/// `indelible ledger inspect`
struct LedgerInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the transactions in a ledger directory. Proves nothing; see verify.",
        discussion: """
            EXAMPLES
              indelible ledger inspect ./data --from 10 --to 20 --values
              indelible ledger inspect ./data --secret-from ./data --json
            """)

    @Argument(help: "A ledger directory, or a data directory with one in it.")
    var directory: String

    @Option(help: ArgumentHelp("The first sequence number or transaction id.", valueName: "seqno"))
    var from: String?

    @Option(help: ArgumentHelp("The last sequence number or transaction id.", valueName: "seqno"))
    var to: String?

    @Flag(help: "Show keys and values too.")
    var values = false

    @OptionGroup var secret: SecretOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        let first = try Self.seqno(from, "--from") ?? SequenceNumber(1)
        let last = try Self.seqno(to, "--to")
        if let last, last < first { throw Failure("--to: \(last) lies before --from \(first)") }
        var shown = 0
        let inspector = LedgerInspector(path: try LedgerDirectory(directory).path, secrets: try secret.secrets())
        do {
            try inspector.visit(from: first) { transaction in
                if let last, transaction.id.seqno > last { return false }
                shown += 1
                if output.json {
                    Output.bytes(transaction.json(withValues: values).encoded() + [UInt8(ascii: "\n")])
                } else {
                    Output.line(transaction.text(withValues: values))
                }
                return true
            }
        } catch let error as LedgerInspectionError {
            throw Failure("\(directory): \(error)")
        }
        if shown == 0 {
            let range = from == nil && to == nil ? "" : " in that range"
            throw Failure("\(directory): there are no transactions\(range)")
        }
    }

    private static func seqno(_ text: String?, _ name: String) throws -> SequenceNumber? {
        guard let text else { return nil }
        if let id = TransactionID(text) { return id.seqno }
        guard let number = UInt64(text), number > 0 else {
            throw Failure("\(name): '\(text)' is neither a sequence number nor a transaction id")
        }
        return SequenceNumber(number)
    }
}
