import ArgumentParser

/// `indelible collection …`
struct CollectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collection", abstract: "Collections.", subcommands: [CollectionList.self])
}
