import ArgumentParser
import Foundation
import LedgerClient
import LedgerProofs
import SQLLedger

/// `indelible evidence verify`
struct EvidenceVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a file of evidence, offline.",
        discussion: """
            Follows every path from the values up to the receipt of the digest, and the receipt up to the pinned service \
            certificate; or to a digest of your own. Nothing else is trusted, no certificate in the file either. Prints what \
            is proven, and what is not: a version that was recorded need not be the current one. Whoever may write to the \
            service can store digests of a database that they made up; --expect-ledger and --expect-collection say which \
            one you mean.

            Exit codes: 0 verified, 1 something failed, 2 unable to tell (also: nothing you trust vouches for it).

            EXAMPLES
              indelible evidence verify row.json --service-certificate service_cert.pem
              indelible evidence verify row.json --expect-collection app \\
                  --service-certificate service_cert.pem
              indelible evidence verify row.json --digest digest-i-kept.json --json
            """)

    @Argument(help: "The file; - is standard input.")
    var file: String

    @Option(
        help: ArgumentHelp(
            "The service certificate to pin, PEM. (env INDELIBLE_SERVICE_CERTIFICATE)", valueName: "file"))
    var serviceCertificate: String?

    @Option(help: ArgumentHelp("The SQL ledger that the rows must be of; `sql status` names it.", valueName: "id"))
    var expectLedger: LedgerArgument?

    @Option(help: ArgumentHelp("The collection that digests and entries must be in.", valueName: "name"))
    var expectCollection: String?

    @Flag(help: "Show every step.")
    var steps = false

    @OptionGroup var kept: KeptDigests
    @OptionGroup var output: JSONOption

    func validate() throws {
        if file == "-", kept.files.contains("-") {
            throw ValidationError("the file and --digest: only one of them can be standard input")
        }
    }

    func run() throws {
        let bytes = try InputFile.bytesOrStandardInput(file, limit: 64 << 20)
        try InputFile.checkEncoding(bytes, file)
        let bundle: UnverifiedEvidenceBundle
        do {
            bundle = try UnverifiedEvidenceBundle(json: bytes)
        } catch {
            throw Failure("\(file): is not evidence (\(error.reason))")
        }
        // What is trusted is named as such: a data directory, for talking to a ledger, pins nothing here.
        let variable = ProcessInfo.processInfo.environment["INDELIBLE_SERVICE_CERTIFICATE", default: ""]
        let path = serviceCertificate ?? (variable.isEmpty ? nil : variable)
        let pin = try path.map { try InputFile.smallText($0) }
        let service = try pin.map { try Self.service(pem: $0, name: path ?? "") }
        let verifier = EvidenceVerifier(
            service: service, trustedDigests: try kept.digests().map(\.digest), expectedLedger: expectLedger?.ledger,
            expectedCollection: expectCollection)
        var report = verifier.verify(bundle)
        report.serviceFingerprint = pin.flatMap { CertificateFingerprint.first(inPEM: $0) }
        if output.json { Output.json(text: report.json) } else { tell(report) }
        switch report.verdict {
        case .verified: return
        case .failed: throw ExitStatus.proofFailed
        case .unanchored: throw ExitStatus.unableToTell
        }
    }

    static func service(pem: String, name: String) throws -> ReceiptVerifier {
        do {
            return try ReceiptVerifier(serviceCertificatePEM: pem)
        } catch {
            throw Failure("\(name): is not a service certificate (\(error))")
        }
    }

    private func tell(_ report: EvidenceReport) {
        let word =
            switch report.verdict {
            case .verified: Style.good("verified")
            case .failed: Style.bad("failed")
            case .unanchored: Style.bad("not anchored")
            }
        Output.line("\(word) \(report.summary)")
        if let fingerprint = report.serviceFingerprint { Output.line("pinned service certificate \(fingerprint)") }
        for sentence in report.notCompared { Output.line(sentence) }
        for subject in report.subjects {
            let shown = steps ? subject.steps : subject.steps.filter { !$0.hasPassed }
            if shown.isEmpty { continue }
            Output.line(PlainText.of("  \(subject.title)"))
            for step in shown {
                let mark = step.hasPassed ? "ok" : step.hasFailed ? "failed" : "open"
                Output.line(PlainText.of("    \(mark)  \(step.name.rawValue): \(step.detail)"))
            }
        }
        guard let evidence = report.evidence else { return }
        if let database = evidence.database {
            Output.line(PlainText.of("database \(database.name), ledger \(database.ledger)"))
        }
        for proved in evidence.rows where proved.row.schema.table != .schemaEvents { tell(proved) }
        for entry in evidence.entries {
            Output.line(PlainText.of("entry \(entry.transactionID) of \(entry.collectionID)"))
            Output.line("  \(PlainText.exact(entry.contents))")
        }
        for evidence in evidence.digests {
            let place = evidence.anchor.map {
                ", entry \($0.entry.transactionID) of the collection \(Self.quoted($0.entry.collectionID))"
            }
            Output.line("digest of block \(evidence.digest.block), made \(evidence.digest.digestTime)\(place ?? "")")
        }
        Output.line("not proven:")
        for sentence in report.notProven { Output.line("  \(sentence)") }
    }

    private func tell(_ proved: VerifiedEvidence.Row) {
        let row = proved.row
        let what = row.operation == .created ? "created" : "ended"
        let proof = proved.tableNameProvenBy.map { ", as of transaction \($0)" } ?? ""
        let name = "table \(row.schema.table), called \(Self.named(row.tableName))\(proof)"
        Output.line("row of \(name); \(what) in transaction \(row.transaction.id)")
        Output.line(
            "  at \(row.transaction.commitTime) by \(Self.quoted(row.transaction.principal)) (login "
                + "\(Self.quoted(row.transaction.login)), application \(Self.quoted(row.transaction.application)))")
        for (column, value) in zip(row.schema.storedColumns, row.values) {
            Output.line("  \(Self.named(column.name)) = \(value.literal(limit: 2_000))")
        }
    }
    /// Names of others in quotes, so that they cannot pass for words beside them.
    private static func quoted(_ name: String) -> String { PlainText.exact(name.quotedText) }

    /// A column's name; in quotes unless it is a plain identifier.
    private static func named(_ column: String) -> String {
        let isPlain =
            !column.isEmpty
            && column.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
            }
        return isPlain ? column : PlainText.exact(column.quotedIdentifier)
    }
}
