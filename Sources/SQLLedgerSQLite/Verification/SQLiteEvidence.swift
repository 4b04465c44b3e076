import SQLLedger

/// The SQLite file of a ledger, opened read-only as evidence.
public final class SQLiteEvidence: LedgerEvidence {
    public let source: String
    public var notes: [String] { [] }

    /// Opens the database at `path` for verification. Neither the file nor its neighbours are changed; where SQLite
    /// would have to (a hot journal, a WAL without its index), a private copy is read, and `notes` says so.
    ///
    /// SQLite must have been loaded into the process: `LinkedSQLite` does that for programs.
    public static func open(path: String) throws(VerificationError) -> SQLiteEvidence {
        SQLiteEvidence(source: path)
    }

    private init(source: String) {
        self.source = source
    }

    public func makeReaders(_ count: Int) throws -> [any LedgerEvidenceReader] {
        throw VerificationError(object: source, reason: "not implemented")
    }

    public func finish() throws {}
}
