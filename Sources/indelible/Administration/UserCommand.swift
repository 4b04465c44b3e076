import ArgumentParser
import LedgerClient

/// `indelible user …`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users and the roles they hold.",
        discussion: """
            EXAMPLES
              indelible user list --data ./data
            """,
        subcommands: [UserSet.self, UserGet.self, UserList.self, UserRemove.self])
}

/// A user as `--json` writes it.
struct UserOutput: Encodable {
    var userId: String
    var assignedRoles: [String]

    init(_ user: UserRecord) {
        userId = user.userID
        assignedRoles = user.roles
    }

    func show(asJSON: Bool) {
        if asJSON {
            Output.json(self)
        } else {
            Output.line("\(PlainText.of(userId))\t\(PlainText.of(assignedRoles.joined(separator: ",")))")
        }
    }
}
