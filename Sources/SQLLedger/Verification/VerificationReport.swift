/// The outcome of a verification. Nothing in it was taken from the database on trust.
public struct VerificationReport: Sendable {
    /// The ledger that was read, if it says which one it is.
    public var ledger: LedgerID?
    public var databaseName: String?

    /// What was read, in words: the file, or the private copy of it.
    public var source: String

    public var startTime: CommitTime
    public var seconds: Double

    /// `nil`: the whole database.
    public var tables: [String]?

    /// The block whose digest the verification continued from.
    public var sinceBlock: BlockID?

    public var findings: [Finding]

    /// Facts that are no findings: what was left out, moved rows, digests of other ledgers.
    public var notes: [String]

    public var counts: VerificationCounts

    /// How many digests were given for this ledger, and how many of them the database reproduces.
    public var digestCount: Int
    public var matchingDigestCount: Int

    /// The oldest and newest digests which the database reproduces and before which nothing was found wrong.
    public var firstGoodDigest: LedgerDigest?
    public var lastGoodDigest: LedgerDigest?

    /// Everything up to this block was checked and leads to a digest from outside.
    public var anchoredThrough: BlockID?

    public var tail: VerificationTail?

    /// Whether `TAIL_UNATTESTED` is accepted.
    public var tailAllowed: Bool

    /// The digest to continue from next time: the newest one that the database reproduces, if nothing is wrong.
    public var resumeDigest: LedgerDigest? { verdict == .verified ? lastGoodDigest : nil }

    public var verdict: VerificationVerdict {
        var unable = anchoredThrough == nil
        for finding in findings {
            switch finding.code.consequence {
            case .tampered: return .tampered
            case .unable: unable = true
            case .none: if finding.code == .tailUnattested, !tailAllowed { unable = true }
            }
        }
        return unable ? .unable : .verified
    }

    public var exitCode: Int32 { verdict.exitCode }

    /// What was read where it was not the whole ledger, in words; `nil` for a whole verification. A verdict holds for no more.
    public var partRead: String? {
        var parts: [String] = []
        if let tables { parts.append("\(tables.count == 1 ? "table" : "tables") \(tables.joined(separator: ", "))") }
        if let sinceBlock { parts.append("what came after block \(sinceBlock)") }
        return parts.isEmpty ? nil : "only " + parts.joined(separator: ", and of that only ")
    }

    /// What was read, in words.
    public var scope: String { partRead ?? "the whole database" }

    /// The digests that matched and those that were given, in words.
    public var digestsText: String {
        if digestCount > 0 { return "\(digestCount) from outside, \(matchingDigestCount) reproduced" }
        return verdict == .unable && !lacksOnlyAnAnchor
            ? "none could be compared" : "none from outside: nothing anchors the result"
    }

    /// Everything could be read and agrees with itself, but no digest from outside anchors it.
    public var lacksOnlyAnAnchor: Bool {
        verdict == .unable && anchoredThrough == nil && !findings.contains { $0.code.consequence == .unable }
    }
}
