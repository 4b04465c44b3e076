import ArgumentParser
import LedgerClient

/// `indelible role set`
struct RoleSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Create a role or replace its actions.",
        discussion: """
            EXAMPLES
              indelible role set auditor /transactions/get /collections/get --data ./data
              indelible role set clerk \\
                  Microsoft.ConfidentialLedger/ledger/transactions/write --data ./data
            """)

    @Argument(help: "The name; case counts.")
    var name: String

    @Argument(help: "The actions the role allows.")
    var actions: [String]

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        let role = RoleRecord(name: name, actions: actions)
        try await connection.withClient { try await $0.setRole(role) }
        RoleOutput(role).show(asJSON: output.json)
    }
}
