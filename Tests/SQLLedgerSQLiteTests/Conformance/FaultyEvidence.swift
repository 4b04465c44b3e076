import SQLLedger
import SQLLedgerSQLite

/// Evidence of SQLite with a fault.
final class FaultyEvidence: LedgerEvidence {
    private let evidence: SQLiteEvidence
    private let fault: EngineFault

    init(_ evidence: SQLiteEvidence, _ fault: EngineFault) {
        self.evidence = evidence
        self.fault = fault
    }

    var source: String { evidence.source }
    var notes: [String] { evidence.notes }

    func makeReaders(_ count: Int) throws -> [any LedgerEvidenceReader] {
        try evidence.makeReaders(count).map { reader in
            let path = evidence.source
            return FaultyReader(reader, fault) {
                try SQLiteEvidence.open(path: path).makeReaders(1)[0]
            }
        }
    }

    func finish() throws { try evidence.finish() }
}
