import ArgumentParser

/// `indelible entry …`
struct EntryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entry", abstract: "Append and read entries.",
        discussion: """
            EXAMPLES
              indelible entry append --data ./data "hello"
            """,
        subcommands: [EntryAppend.self, EntryGet.self, EntryList.self, EntryWatch.self])
}
