import ArgumentParser
import Foundation
import LedgerClient
import LedgerProofs

/// `indelible receipt get`
struct ReceiptGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Fetch the receipt of a transaction, verify it and write it.",
        discussion: """
            The bytes are written as the server sent them, so that the Azure SDK and the ccf package can read them. \
            Nothing is written when the receipt does not prove the transaction. The receipt of a signature transaction \
            names no id: it proves that the service signed a root, not which transaction that was. On standard output the \
            receipt is followed by nothing else, with --json as well: it is JSON already. A COSE receipt is then one object \
            with the bytes in base64.

            EXAMPLES
              indelible receipt get 2.15 --data ./data --output receipt.json
              indelible receipt get 2.15 --data ./data --cose --output receipt.cose
            """)

    @Argument(help: "The transaction id, for example 2.15.")
    var id: TransactionArgument

    @Option(help: ArgumentHelp("Write to a file; - is standard output, as without it.", valueName: "file"))
    var output: String?

    @Flag(help: "The COSE form instead of JSON.")
    var cose = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var form: JSONOption

    private struct Result: Encodable {
        /// Absent for a signature transaction, whose receipt names none.
        var transactionId: String?
        var file: String?
        /// The receipt itself, base64; present when no file was written.
        var receipt: String?
        var format: String
        var verified: Bool
    }

    func run() async throws {
        let output = output.flatMap { OutputFile.isStandardOutput($0) ? nil : $0 }
        if cose, output == nil, !form.json, isatty(STDOUT_FILENO) == 1 {
            throw Failure("a COSE receipt is no text for a terminal; give --output FILE")
        }
        if let output {
            try OutputFile.check(output, "--output", isNoneOf: connection.credentials.files.paths)
        }
        let (bytes, proved) = try await connection.withClient { client in
            guard cose else {
                let answer = try await client.receipt(for: id.id)
                if case .signedRoot = answer.document.receipt.leaf {
                    _ = try client.verify(receipt: answer.json, transactionID: nil)
                    return (answer.json, nil as TransactionID?)
                }
                _ = try client.verify(receipt: answer.json, transactionID: id.id)
                return (answer.json, id.id)
            }
            let bytes = try await client.coseReceipt(for: id.id)
            _ = try ReceiptCheck(transactionID: id.id).verify(cose: bytes, claims: nil, with: client.verifier)
            return (bytes, id.id)
        }
        guard let output else {
            if cose, form.json {
                return Output.json(
                    Result(
                        transactionId: proved?.description, receipt: Data(bytes).base64EncodedString(), format: "cose",
                        verified: true))
            }
            return Output.bytes(cose ? bytes : bytes + [UInt8(ascii: "\n")])
        }
        try OutputFile.write(bytes, to: output)
        if form.json {
            Output.json(
                Result(
                    transactionId: proved?.description, file: output, format: cose ? "cose" : "json", verified: true))
        } else {
            let what = proved.map { "transaction \($0)" } ?? "a signature transaction (its receipt names no id)"
            Output.line("\(Style.good("verified")) \(what), written to \(output)")
        }
    }
}
