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
        try files.flatMap { file in
            let bytes = try InputFile.bytesOrStandardInput(file)
            do throws(ProofError) {
                return try LedgerDigest.list(json: bytes).map { StoredDigest(digest: $0, origin: file) }
            } catch {
                throw Failure("\(file): holds no digests (\(error.reason))")
            }
        }
    }
}
