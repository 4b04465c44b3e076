/// What an engine offers to the verifier: one consistent, read-only state of one ledger.
///
/// The verifier trusts nothing that it reads. An engine must read what is stored, through nothing that the database
/// itself defines (views, functions, indexes, triggers), and must fail, not skip, where it cannot read.
public protocol LedgerEvidence: Sendable {
    /// What is read, in words: a file, a server.
    var source: String { get }

    /// Facts about the reading that belong into the report: that a private copy was read, that rows were moved.
    var notes: [String] { get }

    /// Readers of one and the same snapshot. Called once for a verification; each is used by one thread at a time.
    func makeReaders(_ count: Int) throws -> [any LedgerEvidenceReader]

    /// Called after everything was read: fails if what was read can have changed meanwhile. Releases the readers.
    func finish() throws
}
