import ArgumentParser

/// `indelible receipt …`
struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Fetch receipts and verify them offline.",
        subcommands: [ReceiptGet.self, ReceiptVerify.self])
}
