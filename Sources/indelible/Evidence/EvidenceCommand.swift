import ArgumentParser

/// `indelible evidence …`
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Prove single rows and entries to strangers, offline.",
        discussion: """
            EXAMPLES
              indelible evidence verify row.json --service-certificate service_cert.pem
            """,
        subcommands: [EvidenceExport.self, EvidenceVerify.self, EvidencePage.self])
}
