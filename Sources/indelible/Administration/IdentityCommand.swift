import ArgumentParser

/// `indelible identity …`
struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "The certificate that a ledger is known by.",
        subcommands: [IdentityGet.self])
}
