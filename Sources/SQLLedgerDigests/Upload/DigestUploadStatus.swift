import SQLLedger

/// How far one store is; for `sql status` and metrics.
public struct DigestUploadStatus: Hashable, Sendable {
    /// The store's URL.
    public var url: String
    /// Whether digests are sent there by this process.
    public var isCurrent: Bool
    public var lastStoredBlock: BlockID?
    public var newestBlock: BlockID?
    /// The newest block that the database says is there, until the store has been asked.
    public var notedBlock: BlockID?
    public var blocksBehind: UInt64
    /// Since when blocks wait for this store; `nil` when none does.
    public var behindSince: CommitTime?
    /// The first block that was sent to a store that was new; older ones are covered by it.
    public var startBlock: BlockID?
    public var failureCount: Int
    public var lastFailure: String?
    /// The store holds another history of this ledger, or newer blocks than the database; nothing is sent until somebody
    /// has looked into it.
    public var isHalted: Bool
    /// Since when the store has been asked for something and has not answered; `nil` when nothing is asked.
    public var waitingSince: CommitTime?
    /// What the store should have had when it was asked first, and had not; `nil` when there was no such thing.
    public var loss: String?

    /// One sentence for people.
    public var summary: String {
        let last =
            lastStoredBlock.map { "last stored block \($0)" }
            ?? notedBlock.map { "block \($0) noted, not confirmed" } ?? "nothing stored yet"
        guard isCurrent else { return "\(url): no longer used, \(last)" }
        if isHalted { return "\(url): halted, \(last): \(lastFailure ?? "")" }
        if newestBlock == nil, let lastFailure { return "\(url): \(last); \(lastFailure)" }
        let failure = lastFailure.map { "; failed \(failureCount) times: \($0)" } ?? ""
        guard blocksBehind > 0 else { return "\(url): up to date, \(last)\(failure)" }
        let waiting = waitingSince.map { "; no answer since \($0)" } ?? ""
        let since = behindSince.map { "\($0)" } ?? "now"
        return "\(url): \(blocksBehind) blocks behind since \(since), \(last)\(failure)\(waiting)"
    }
}
