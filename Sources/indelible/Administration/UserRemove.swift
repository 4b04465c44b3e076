import ArgumentParser
import LedgerClient

/// `indelible user remove`
struct UserRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a user. The last administrator stays.",
        discussion: """
            EXAMPLES
              indelible user remove 5F:1B:… --data ./data
            """)

    @Argument(help: "The user id.")
    var user: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        try await connection.withClient { try await $0.removeUser(user) }
        if output.json { Output.json(["removed": user]) }
    }
}
