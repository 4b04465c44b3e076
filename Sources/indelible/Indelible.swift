import ArgumentParser

/// The root of all commands.
struct Indelible: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "indelible",
        abstract: "A ledger that nobody can change unseen.",
        discussion: """
            Exit codes: 0 fine, 1 a proof failed, 2 wrong usage or unable to tell.

            EXAMPLES
              indelible serve --data ./data
              indelible entry append --data ./data "hello"
              indelible receipt get 2.15 --data ./data --output receipt.json
              indelible receipt verify receipt.json \\
                  --service-certificate ./data/service_cert.pem
              indelible ledger verify ./data
              indelible sql init app.db --all-tables
              indelible sql watch app.db \\
                  --store 'https://127.0.0.1:8443?collection=app' --data ./data
              indelible sql verify app.db \\
                  --store 'https://127.0.0.1:8443?collection=app' --data ./data
            """,
        version: ProgramVersion.text,
        subcommands: [
            Serve.self, EntryCommand.self, ReceiptCommand.self, UserCommand.self, RoleCommand.self,
            CollectionCommand.self, LedgerCommand.self, IdentityCommand.self, SQLCommand.self, EvidenceCommand.self,
        ],
        helpNames: .long)
}
