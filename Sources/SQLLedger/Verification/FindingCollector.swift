import Synchronization

/// Takes findings from all threads. More than a limit of one code about one object are counted and put together, so
/// that a million wrong rows never make a million lines.
public final class FindingCollector: Sendable {
    private struct Group: Hashable {
        var code: Finding.Code
        var object: String
        var certainty: Finding.Certainty
    }

    private struct State {
        var findings: [Group: [Finding]] = [:]
        var counts: [Group: UInt64] = [:]
        var notes: [String] = []
    }

    private let state = Mutex(State())
    private let limit: Int

    /// How many single findings stay as examples when they are put together.
    static let exampleCount = 20

    public init(limit: Int) {
        self.limit = limit
    }

    public func report(_ finding: Finding) {
        let group = Group(code: finding.code, object: finding.object, certainty: finding.certainty)
        state.withLock { state in
            let (count, overflows) = state.counts[group, default: 0].addingReportingOverflow(finding.count)
            state.counts[group] = overflows ? .max : count
            if state.findings[group, default: []].count < limit {
                state.findings[group, default: []].append(finding)
            }
        }
    }

    public func note(_ text: String) {
        state.withLock { state in if !state.notes.contains(text) { state.notes.append(text) } }
    }

    /// A check that could not be made.
    public func blocked(_ object: String, _ error: any Error) {
        let reason = (error as? VerificationError)?.description ?? String(describing: error)
        report(Finding(.verifierBlocked, object: object, certainty: .proven, reason: "could not be read: \(reason)"))
    }

    /// The first block that something is wrong in, as far as findings know. Derived tables prove nothing, so what is wrong
    /// in them takes nothing from a digest.
    func firstBadBlock(_ other: BlockID?) -> BlockID? {
        let blocks = state.withLock { state in
            state.findings.values.joined()
                .filter { $0.code.consequence == .tampered && $0.code != .indexDivergence }.compactMap(\.block)
        }
        return (blocks + (other.map { [$0] } ?? [])).min()
    }

    /// Gives every finding the newest of `good` blocks before its own.
    func setLastGood(_ good: [BlockID]) {
        state.withLock { state in
            for group in state.findings.keys {
                for index in (state.findings[group] ?? []).indices {
                    guard let block = state.findings[group]?[index].block,
                        state.findings[group]?[index].lastGoodDigest == nil
                    else { continue }
                    state.findings[group]?[index].lastGoodDigest = good.last { $0 < block }
                }
            }
        }
    }

    var isEmpty: Bool { state.withLock { $0.findings.isEmpty } }

    var notes: [String] { state.withLock { $0.notes } }

    /// The findings in order, each group that is too large as examples and one line for the rest.
    func result() -> [Finding] {
        let (groups, counts) = state.withLock { ($0.findings, $0.counts) }
        var all: [Finding] = []
        for (group, findings) in groups {
            let total = counts[group] ?? 0
            let listed = findings.reduce(0) { $0 + $1.count }
            guard total > listed else {
                all += findings
                continue
            }
            let examples = findings.prefix(Self.exampleCount)
            all += examples
            let rest = total - examples.reduce(0) { $0 + $1.count }
            all.append(
                Finding(
                    group.code, object: group.object, certainty: group.certainty,
                    reason: "\(rest) more like the ones above", count: rest))
        }
        return all.sorted { Self.precedes($0, $1) }
    }

    private static func precedes(_ a: Finding, _ b: Finding) -> Bool {
        func place(_ finding: Finding) -> (Int, String, UInt64, UInt64, UInt64, UInt64) {
            (
                rank(finding.code), finding.object, finding.block?.rawValue ?? .max,
                finding.transaction?.rawValue ?? .max, finding.sequence?.rawValue ?? .max, finding.count
            )
        }
        return place(a) < place(b)
    }

    /// Digests first, then blocks, transactions, rows, and what surrounds them.
    private static func rank(_ code: Finding.Code) -> Int {
        switch code {
        case .digestMismatch, .fork, .rollback: 0
        case .chainBroken, .blockAltered: 1
        case .txAltered, .txMissing, .txExtra: 2
        case .rowAltered, .rowMissing, .rowExtra, .rowDuplicate, .versionLink: 3
        case .schemaDrift, .readUntrusted, .captureOff, .captureChanged, .viewDrift, .indexDivergence: 4
        case .verifierBlocked, .coverageGap: 5
        default: 6
        }
    }
}
