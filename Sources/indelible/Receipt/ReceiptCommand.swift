import ArgumentParser

/// `indelible receipt …`
struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Fetch receipts and verify them offline.",
        discussion: """
            EXAMPLES
              indelible receipt get 2.15 --data ./data --output receipt.json
            """,
        subcommands: [ReceiptGet.self, ReceiptVerify.self])
}
