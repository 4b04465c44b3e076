import SQLLedger
import SQLLedgerGRDB
import SQLLedgerSQLite

/// One run of the verifier over a database file.
struct LedgerVerification {
    var location: DatabaseLocation
    var options: VerificationOptions

    /// Which ledger the database says it is, for asking stores; `nil` when it does not say.
    static func ledger(of location: DatabaseLocation) throws -> (ledger: LedgerID?, collection: String?) {
        let session = try SQLSession(location, mode: .readOnly)
        let text = try? LedgerStatus.identity(session)
        return (text.flatMap { LedgerID(hex: $0) }, try? LedgerStatus.collection(session))
    }

    func run(_ gathered: DigestSources.Gathered) throws -> VerificationReport {
        let bar = ProgressBar(unit: "row versions")
        var options = options
        options.digests = gathered.digests
        options.progress = { bar.update($0.rows, of: $0.total ?? 0) }
        try LinkedSQLite.load()
        let evidence: SQLiteEvidence
        do {
            evidence = try SQLiteEvidence.open(path: location.path)
        } catch {
            throw Failure("\(location.path): \(error.reason)")
        }
        var report = LedgerVerifier(options).verify(evidence)
        bar.clear()
        report.findings += gathered.findings
        report.notes += gathered.notes
        return report
    }

    /// The report for people with its first word coloured, and control characters of stored text made visible.
    static func painted(_ report: VerificationReport) -> String {
        let lines = report.text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            TextTable.printable(String(line))
        }
        guard let first = lines.first else { return "" }
        let paint = report.verdict == .verified ? Style.good : Style.bad
        return ([paint(first)] + lines.dropFirst()).joined(separator: "\n")
    }
}
