import LedgerProofs
import SQLLedger

/// What verification must say of databases that were tampered with: the code of the catalogue for exactly the object,
/// row, column and transaction, and nothing else.
extension EngineConformance {
    func check(
        _ tampering: TamperingCase, _ database: Database, _ history: HonestHistory, _ list: FailureList
    ) throws {
        let view = try view(database, history)
        try view.evidence.finish()
        let numbers = view.changes.map(\.id)
        guard numbers.count == history.model.transactions.count else {
            throw ConformanceError(reason: "\(numbers.count) transactions changed rows")
        }
        let plan = try TamperingPlan(
            tampering, numbers: numbers, view: view, history: { try database.historyObject(of: $0) })
        list.expectEqual(try verify(database, history.digests).verdict, .verified, "verdict before")
        for step in plan.steps { try database.tamper(step) }
        for jobs in 1...2 {
            let report = try verify(database, history.digests, jobs: jobs)
            let findings = Self.findings(report)
            list.expectEqual(report.verdict, .tampered, "verdict")
            list.expectEqual(
                Set(findings.map(\.code)).subtracting(plan.tolerated), plan.codes, "codes of \(report.text)")
            for expected in plan.findings {
                let found = findings.filter { $0.code == expected.code && expected.fits($0) }
                list.expect(found.count == 1, "\(found.count) findings are \(expected): \(report.text)")
            }
            let count = findings.count { plan.countedCodes.contains($0.code) }
            list.expectEqual(count, plan.findings.count, "findings of \(report.text)")
        }
        // Without a digest from outside the verdict is never that all is well.
        list.expect(try verify(database, []).verdict != .verified, "verified without digests")
    }
}
