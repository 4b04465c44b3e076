import SQLLedger

/// The engine contract as a suite: what every engine of the SQL ledger must do, checked through `LedgerEvidence` and a
/// small adapter alone. Every law and every tampering gets a database of its own.
///
/// Documentation/EngineContract.md
public struct EngineConformance<Database: ConformanceDatabase> {
    let makeDatabase: () throws -> Database

    /// - Parameter makeDatabase: makes a new, empty ledger database.
    public init(makeDatabase: @escaping () throws -> Database) {
        self.makeDatabase = makeDatabase
    }

    /// How the engine breaks `law`. Empty: it does not.
    public func failures(of law: ConformanceLaw) -> [ConformanceFailure] {
        let list = FailureList(law.rawValue)
        run(list) { try check(law, $0, &$1, list) }
        return list.failures
    }

    /// How verification of the engine's databases misjudges `tampering`. Empty: it does not.
    public func failures(of tampering: TamperingCase) -> [ConformanceFailure] {
        let list = FailureList(tampering.rawValue)
        run(list) { try check(tampering, $0, $1, list) }
        return list.failures
    }

    private func run(_ list: FailureList, _ body: (Database, inout HonestHistory) throws -> Void) {
        do {
            let database = try makeDatabase()
            var history = try HonestHistory(on: database)
            try body(database, &history)
        } catch {
            list.expect(false, "threw \(error)")
        }
    }

    private func check(
        _ law: ConformanceLaw, _ database: Database, _ history: inout HonestHistory, _ list: FailureList
    ) throws {
        switch law {
        case .identity: try checkIdentity(database, history, list)
        case .blocks: try checkBlocks(database, history, list)
        case .transactions: try checkTransactions(database, history, list)
        case .schemaEvents: try checkSchemaEvents(database, history, list)
        case .streams: try checkStreams(database, history, list)
        case .versions: try checkVersions(database, history, list)
        case .leaves: try checkLeaves(database, history, list)
        case .scans: try checkScans(database, history, list)
        case .storedHashes: try checkStoredHashes(database, history, list)
        case .snapshot: try checkSnapshot(database, history, list)
        case .verification: try checkVerification(database, history, list)
        case .digests: try checkDigests(database, &history, list)
        case .rollback: try checkRollback(database, &history, list)
        case .appendOnly: try checkAppendOnly(database, history, list)
        case .evidence: try checkEvidence(database, history, list)
        }
    }

    func view(_ database: Database, _ history: HonestHistory, readers: Int = 1) throws -> EvidenceView {
        try EvidenceView(
            try database.openEvidence(), readers: readers, tables: Set(history.model.tables.keys))
    }

    func verify(
        _ database: Database, _ digests: [LedgerDigest], since: LedgerDigest? = nil, tables: [String]? = nil,
        jobs: Int = 2
    ) throws -> VerificationReport {
        let options = VerificationOptions(
            tables: tables, digests: digests.map { StatedDigest($0, origin: "conformance") }, since: since, jobs: jobs)
        return LedgerVerifier(options).verify(try database.openEvidence())
    }

    /// Findings but `TAIL_UNATTESTED`, which every history with a tail has.
    static func findings(_ report: VerificationReport) -> [Finding] {
        report.findings.filter { $0.code != .tailUnattested }
    }

    static func codes(_ findings: [Finding]) -> [String] { findings.map(\.code.rawValue).sorted() }
}
