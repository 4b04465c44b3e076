/// Findings in the order of the ledger, although signatures are checked later than the entries around them.
struct FindingList: Sendable {
    /// How many findings are kept.
    let limit: Int
    /// Findings that were added in order.
    private(set) var count: UInt64 = 0
    private var direct: [LedgerFinding] = []
    private var late: [(place: UInt64, finding: LedgerFinding)] = []
    private var lateCount: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    mutating func add(_ finding: LedgerFinding) {
        if direct.count < limit { direct.append(finding) }
        count += 1
    }

    /// A finding that belongs behind the first `place` of those that were added in order. Places must not go back.
    mutating func add(_ finding: LedgerFinding, at place: UInt64) {
        if late.count < limit { late.append((place, finding)) }
        lateCount += 1
    }

    /// All findings in order, cut off at the limit, and the number of those cut off.
    func merged() -> (findings: [LedgerFinding], leftOff: UInt64) {
        var findings: [LedgerFinding] = []
        var next = 0
        for (place, finding) in late {
            while next < direct.count, UInt64(next) < place {
                findings.append(direct[next])
                next += 1
            }
            findings.append(finding)
        }
        findings.append(contentsOf: direct[next...])
        let kept = findings.prefix(max(0, limit))
        return (Array(kept), count + lateCount - UInt64(kept.count))
    }
}
