/// Reads a ledger once, recomputes every hash, compares with digests from outside, and reports every inconsistency.
public struct LedgerVerifier: Sendable {
    public var options: VerificationOptions

    public init(_ options: VerificationOptions) {
        self.options = options
    }

    /// Verifies. Never throws: what can't be read is a finding.
    public func verify(_ evidence: any LedgerEvidence) -> VerificationReport {
        VerificationRun(options, evidence).run()
    }
}
