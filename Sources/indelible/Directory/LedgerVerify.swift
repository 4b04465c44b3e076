import ArgumentParser
import LedgerFormat
import LedgerProofs

/// `indelible ledger verify`
struct LedgerVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify a ledger directory offline, from its files alone.",
        discussion: """
            Checks framing, sequence numbers, every leaf, every root and every signature, certificates and service \
            status, and with the secret of a private ledger its encryption. Reports every problem with its file, \
            offset and sequence number. A ledger directory alone cannot show that its end was cut off: \
            --expect-receipt proves that a transaction whose receipt you kept is still in it.

            Exit codes: 0 everything read is covered by valid signatures, 1 a proof failed, 2 unable to tell.

            EXAMPLES
              indelible ledger verify ./data
              indelible ledger verify ./copy/ledger \\
                  --service-certificate service_cert.pem --expect-receipt newest.json
              indelible ledger verify ./data --secret-from ./data --json
            """)

    @Argument(help: "A ledger directory, or a data directory with one in it.")
    var directory: String

    @Option(help: ArgumentHelp("The service certificate the ledger must belong to, PEM.", valueName: "file"))
    var serviceCertificate: String?

    @Option(
        name: .customLong("expect-receipt"),
        help: ArgumentHelp("A receipt whose transaction must be in the ledger. Repeatable.", valueName: "file"))
    var expectedReceipts: [String] = []

    @Flag(help: "Verify the snapshots as well, in the folder beside the ledger directory.")
    var snapshots = false

    @Flag(help: "Read committed chunks only.")
    var committedOnly = false

    @OptionGroup var secret: SecretOptions
    @OptionGroup var output: JSONOption

    func run() throws {
        let directory = try LedgerDirectory(directory)
        var options = LedgerVerificationOptions()
        options.includeOpen = !committedOnly
        options.expectedServiceCertificatePEM = try serviceCertificate.map { try Self.certificate($0) }
        options.secrets = try secret.secrets()
        let receipts = try expectedReceipts.map { try ExpectedReceipt(file: $0) }
        // Before the ledger: what a snapshot proves to be in it was written earlier.
        var check = snapshots ? SnapshotCheck(directory: directory.snapshots) : nil
        let anchors = check?.anchors(in: directory.path, committedOnly: committedOnly) ?? []
        options.expectedReceipts = receipts.map(\.anchor) + anchors
        let bar = ProgressBar(unit: "bytes")
        var report = LedgerDirectoryVerifier(path: directory.path, options: options) {
            bar.update($0, of: $1)
        }.verify()
        bar.clear()
        if try secretIsOfAnother(report, options, directory) {
            throw Failure(
                "\(secret.source): is not the secret of this ledger: nothing can be decrypted with it, although the "
                    + "ledger verifies without")
        }
        let pinned = options.expectedServiceCertificatePEM ?? report.serviceCertificatePEM
        let inspector = LedgerInspector(path: directory.path, includeOpen: options.includeOpen)
        var unproved = receipts.compactMap { $0.problem(serviceCertificatePEM: pinned, ledger: inspector) }
        var unreadable: [String] = []
        if options.expectedServiceCertificatePEM == nil, report.findings.contains(where: { $0.code == .unreadable }) {
            // The certificate that verifies them may lie in what could not be read.
            swap(&unproved, &unreadable)
        }
        check?.verify(serviceCertificatePEM: pinned)
        if let check {
            if receipts.isEmpty, !anchors.isEmpty {
                report.notes.append(
                    "transactions cut from the end after the newest snapshot cannot be noticed without a receipt to expect"
                )
            }
            unproved += check.problems
            unreadable += check.unreadable
            report.notes.append("\(check.verified) snapshots verified")
            if let first = check.others.first {
                report.notes.append(
                    "\(check.others.count) files among the snapshots are no committed snapshots and were not read: \(first)"
                )
            }
        }
        var outcome = report.outcome
        if !unproved.isEmpty {
            outcome = .failed
        } else if !unreadable.isEmpty, outcome == .ok {
            outcome = .unableToTell
        }
        var lack: ReportOutput.Problem?
        if outcome == .unableToTell, report.findings.isEmpty, unproved.isEmpty, unreadable.isEmpty {
            lack =
                report.chunks == 0
                ? .init(code: "noLedger", reason: "holds no ledger (no file whose name begins with ledger_)")
                : .init(code: "noSignature", reason: "nothing in it proves anything (no signature was found)")
        }
        if output.json {
            Output.json(
                ReportOutput(
                    report, directory: directory.path, outcome: outcome, unproved: unproved, unreadable: unreadable,
                    lack: lack))
        } else {
            tell(report, directory: directory.path, outcome: outcome, unproved: unproved + unreadable)
            if let lack { Output.error("\(directory.path): \(lack.reason)") }
        }
        switch outcome {
        case .ok: return
        case .failed: throw ExitStatus.proofFailed
        case .unableToTell: throw ExitStatus.unableToTell
        }
    }

    private static func certificate(_ path: String) throws -> String {
        let pem = try InputFile.smallText(path)
        do {
            _ = try ReceiptVerifier(serviceCertificatePEM: pem)
        } catch {
            throw Failure("\(path): is not a service certificate (\(error))")
        }
        return pem
    }

    /// When every transaction fails with the secret and none without it, the secret is wrong and not the ledger: the
    /// signatures cover what is encrypted.
    private func secretIsOfAnother(
        _ report: LedgerVerificationReport, _ options: LedgerVerificationOptions, _ directory: LedgerDirectory
    ) throws -> Bool {
        let failures: Set<LedgerFinding.Code> = [.authentication, .commitEvidence]
        guard report.outcome == .failed, !options.secrets.isEmpty,
            UInt64(report.findings.count) + report.findingsLeftOff >= report.transactions,
            report.findings.contains(where: { failures.contains($0.code) })
        else { return false }
        var without = options
        without.secrets = .none
        return LedgerDirectoryVerifier(path: directory.path, options: without).verify().outcome == .ok
    }

    private func tell(
        _ report: LedgerVerificationReport, directory: String, outcome: LedgerVerificationReport.Outcome,
        unproved: [String]
    ) {
        let counts =
            "\(report.transactions) transactions, \(report.verifiedSignatureTransactions) signatures, "
            + "verified to \(report.verifiedTo?.description ?? "nothing")"
        switch outcome {
        case .ok: Output.line("\(Style.good("verified")) \(counts)")
        case .failed: Output.line("\(Style.bad("failed")) \(counts)")
        case .unableToTell: Output.line("\(Style.bad("unable to tell")) \(counts)")
        }
        Output.line("directory \(PlainText.of(directory))")
        if let fingerprint = report.serviceCertificateFingerprint {
            Output.line("service certificate \(fingerprint)")
        }
        for note in report.notes { Output.line("note: \(PlainText.of(note))") }
        for finding in report.findings { Output.error(PlainText.of("\(directory): \(finding)")) }
        if report.findingsLeftOff > 0 { Output.error("\(report.findingsLeftOff) more problems are not shown") }
        for problem in unproved { Output.error(PlainText.of(problem)) }
    }
}
