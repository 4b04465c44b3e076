import ArgumentParser
import LedgerClient

/// `indelible role list`
struct RoleList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the custom roles.",
        discussion: """
            EXAMPLES
              indelible role list --data ./data
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        try await connection.withClient { client in
            for role in try await client.roles() { RoleOutput(role).show(asJSON: output.json) }
        }
    }
}
