import ArgumentParser
import LedgerClient

/// `indelible role …`
struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Custom roles.",
        discussion: """
            EXAMPLES
              indelible role list --data ./data
            """,
        subcommands: [RoleSet.self, RoleGet.self, RoleList.self, RoleRemove.self])
}

/// A role as `--json` writes it.
struct RoleOutput: Encodable {
    var roleName: String
    var roleActions: [String]

    init(_ role: RoleRecord) {
        roleName = role.name
        roleActions = role.actions
    }

    func show(asJSON: Bool) {
        if asJSON {
            Output.json(self)
        } else {
            Output.line("\(PlainText.of(roleName))\t\(PlainText.of(roleActions.joined(separator: ",")))")
        }
    }
}
