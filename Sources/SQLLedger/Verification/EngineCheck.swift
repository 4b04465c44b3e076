/// One check that only the engine can make.
public struct EngineCheck: Sendable {
    /// What is checked, in words, for progress and for the report when the check fails to run.
    public var subject: String

    /// Runs the check on a reader, which need not be the one that made it.
    public var run: @Sendable (any LedgerEvidenceReader, FindingCollector) throws -> Void

    public init(
        _ subject: String, run: @escaping @Sendable (any LedgerEvidenceReader, FindingCollector) throws -> Void
    ) {
        self.subject = subject
        self.run = run
    }
}
