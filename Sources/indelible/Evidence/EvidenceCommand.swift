import ArgumentParser

/// `indelible evidence …`
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Prove single rows and entries to strangers, offline.",
        subcommands: [EvidenceExport.self, EvidenceVerify.self, EvidencePage.self])
}
