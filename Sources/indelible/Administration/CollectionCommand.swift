import ArgumentParser

/// `indelible collection …`
struct CollectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collection", abstract: "Collections.",
        discussion: """
            EXAMPLES
              indelible collection list --data ./data
            """, subcommands: [CollectionList.self])
}
