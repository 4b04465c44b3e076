import ArgumentParser
import LedgerClient

/// `indelible user list`
struct UserList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show all users and their roles.",
        discussion: """
            EXAMPLES
              indelible user list --data ./data --json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        try await connection.withClient { client in
            for user in try await client.users() { UserOutput(user).show(asJSON: output.json) }
        }
    }
}
