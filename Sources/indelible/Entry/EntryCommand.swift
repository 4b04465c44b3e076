import ArgumentParser

/// `indelible entry …`
struct EntryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entry", abstract: "Append and read entries.",
        subcommands: [EntryAppend.self, EntryGet.self, EntryList.self, EntryWatch.self])
}
