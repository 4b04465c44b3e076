import LedgerFormat
import LedgerProofs

/// The report of `ledger verify` as `--json` writes it.
struct ReportOutput: Encodable {
    struct Problem: Encodable {
        var code: String
        var file: String?
        var offset: UInt64?
        var seqno: UInt64?
        var reason: String
    }

    var directory: String
    /// `ok`, `failed` or `unableToTell`.
    var outcome: String
    var transactions: UInt64
    /// Signature transactions whose every signature verified.
    var signatures: UInt64
    var rawSignatures: UInt64
    var coseSignatures: UInt64
    /// The newest transaction that valid signatures cover.
    var lastVerified: String?
    var lastTransaction: String?
    var unsignedTail: UInt64
    var chunks: Int
    var bytesRead: UInt64
    var serviceCertificateFingerprint: String?
    var serviceKeyId: String?
    var serviceStatus: String?
    var problems: [Problem]
    var problemsLeftOff: UInt64
    var notes: [String]

    /// `lack`: why nothing can be told although nothing was found.
    init(
        _ report: LedgerVerificationReport, directory: String, outcome: LedgerVerificationReport.Outcome,
        unproved: [String], unreadable: [String], lack: Problem?
    ) {
        self.directory = directory
        self.outcome = outcome.rawValue
        transactions = report.transactions
        signatures = report.verifiedSignatureTransactions
        rawSignatures = report.rawSignatures
        coseSignatures = report.coseSignatures
        lastVerified = report.verifiedTo?.description
        lastTransaction = report.lastTransaction?.description
        unsignedTail = report.unsignedTail
        chunks = report.chunks
        bytesRead = report.bytesRead
        serviceCertificateFingerprint = report.serviceCertificateFingerprint
        serviceKeyId = report.serviceKeyID
        serviceStatus = report.serviceStatus
        problems =
            report.findings.map {
                Problem(
                    code: $0.code.description, file: $0.file, offset: $0.offset, seqno: $0.seqno?.rawValue,
                    reason: $0.reason)
            } + unproved.map { Problem(code: "receipt", reason: $0) }
            + unreadable.map { Problem(code: "unreadable", reason: $0) } + (lack.map { [$0] } ?? [])
        problemsLeftOff = report.findingsLeftOff
        notes = report.notes
    }
}
