import ArgumentParser
import LedgerClient
import LedgerProofs

/// `indelible receipt get`
struct ReceiptGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Fetch the receipt of a transaction, verify it and write it.",
        discussion: """
            The bytes are written as the server sent them, so that the Azure SDK and the ccf package can read them. \
            Nothing is written when the receipt does not prove the transaction. With --json and without --output the \
            receipt is followed by nothing else: it is JSON already.

            EXAMPLES
              indelible receipt get 2.15 --data ./data --output receipt.json
              indelible receipt get 2.15 --data ./data --cose --output receipt.cose
            """)

    @Argument(help: "The transaction id, for example 2.15.")
    var id: TransactionArgument

    @Option(help: ArgumentHelp("Write to a file instead of standard output.", valueName: "file"))
    var output: String?

    @Flag(help: "The COSE form instead of JSON.")
    var cose = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var form: JSONOption

    private struct Result: Encodable {
        var transactionId: String
        var file: String
        var format: String
        var verified: Bool
    }

    func run() async throws {
        let bytes = try await connection.withClient { client in
            guard cose else { return try await client.verifiedReceipt(for: id.id).answer.json }
            let bytes = try await client.coseReceipt(for: id.id)
            _ = try ReceiptCheck(transactionID: id.id).verify(cose: bytes, claims: nil, with: client.verifier)
            return bytes
        }
        guard let output else {
            Output.bytes(cose ? bytes : bytes + [UInt8(ascii: "\n")])
            return
        }
        try OutputFile.write(bytes, to: output)
        if form.json {
            Output.json(
                Result(
                    transactionId: id.id.description, file: output, format: cose ? "cose" : "json", verified: true))
        } else {
            Output.line("\(Style.good("verified")) transaction \(id.id), written to \(output)")
        }
    }
}
