import ArgumentParser
import LedgerClient

/// `indelible role remove`
struct RoleRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a role that no user holds.",
        discussion: """
            EXAMPLES
              indelible role remove auditor --data ./data
            """)

    @Argument(help: "The name.")
    var name: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: JSONOption

    func run() async throws {
        try await connection.withClient { try await $0.removeRole(name) }
        if output.json { Output.json(["removed": name]) }
    }
}
