import ArgumentParser

/// `indelible evidence page`
struct EvidencePage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "page",
        abstract: "Write the page that verifies evidence in a browser.",
        discussion: """
            One file, without a network: open it, choose the evidence and the service certificate.

            EXAMPLES
              indelible evidence page --out verify.html
            """)

    @Option(name: .customLong("out"), help: ArgumentHelp("Where to write; - is standard output.", valueName: "file"))
    var file: String

    @OptionGroup var output: JSONOption

    private struct Result: Encodable {
        var file: String
        var bytes: Int
    }

    func run() throws {
        let bytes = PackageResources.verify_html
        if OutputFile.isStandardOutput(file) { return Output.bytes(bytes) }
        try OutputFile.write(bytes, to: file)
        if output.json { Output.json(Result(file: file, bytes: bytes.count)) }
    }
}
