import ArgumentParser
import LedgerClient

/// `indelible user get`
struct UserGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one user.",
        discussion: """
            EXAMPLES
              indelible user get 5F:1B:… --data ./data
            """)

    @Argument(help: "The user id.")
    var user: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func validate() throws {
        if user.isEmpty { throw ValidationError("the user id is empty") }
    }

    func run() async throws {
        try await connection.withClient { client in
            UserOutput(try await client.user(user)).show(asJSON: output.json)
        }
    }
}
