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

    func validate() throws {
        if user.isEmpty { throw ValidationError("the user id is empty") }
    }

    func run() async throws {
        try await connection.withClient { client in
            // The service answers 204 also where there was nobody; a mistyped id must not look like success.
            do {
                _ = try await client.user(user)
            } catch let error as LedgerClientError where error.code == .notFound {
                throw Failure("there is no user \(user)")
            } catch let error as LedgerClientError where error.status == 403 {
                // A role may remove users and not read them.
            }
            try await client.removeUser(user)
        }
        if output.json { Output.json(["removed": user]) }
    }
}
