import ArgumentParser

/// `indelible identity …`
struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "The certificate that a ledger is known by.",
        discussion: """
            EXAMPLES
              indelible identity get https://127.0.0.1:8443 --output service_cert.pem
            """,
        subcommands: [IdentityGet.self])
}
