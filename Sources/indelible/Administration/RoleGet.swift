import ArgumentParser
import LedgerClient

/// `indelible role get`
struct RoleGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one role.",
        discussion: """
            EXAMPLES
              indelible role get auditor --data ./data
            """)

    @Argument(help: "The name.")
    var name: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        let role = try await connection.withClient { try await $0.role(name) }
        guard let role else { throw Failure("role '\(name)': there is none of that name") }
        RoleOutput(role).show(asJSON: output.json)
    }
}
