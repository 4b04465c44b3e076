import ArgumentParser
import LedgerProofs
import SQLLedger

/// Digests in files that somebody kept.
struct KeptDigests: ParsableArguments {
    @Option(
        name: .customLong("digest"),
        help: ArgumentHelp(
            "Digests you kept and trust: a file with one, a list or lines; - is standard input. Repeatable.",
            valueName: "file"))
    var files: [String] = []

    func digests() throws -> [StoredDigest] {
        try files.flatMap { file in try Self.read(file).map { StoredDigest(digest: $0, origin: file) } }
    }

    /// The digests of one file, or of standard input.
    static func read(_ file: String) throws -> [LedgerDigest] {
        let bytes = try InputFile.bytesOrStandardInput(file)
        try InputFile.checkEncoding(bytes, name(file))
        do throws(ProofError) {
            return try LedgerDigest.list(json: bytes)
        } catch {
            throw Failure("\(name(file)): holds no digests (\(error.reason))")
        }
    }

    static func name(_ file: String) -> String { file == "-" ? "standard input" : file }
}
