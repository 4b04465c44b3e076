import ArgumentParser

/// `indelible ledger …`
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Ledger directories, read offline.",
        discussion: """
            EXAMPLES
              indelible ledger verify ./data
            """,
        subcommands: [LedgerVerify.self, LedgerInspect.self])
}
