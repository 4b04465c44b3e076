import ArgumentParser

/// `indelible ledger …`
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Ledger directories, read offline.",
        subcommands: [LedgerVerify.self, LedgerInspect.self])
}
