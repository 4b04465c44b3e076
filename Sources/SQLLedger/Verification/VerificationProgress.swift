/// How far a verification has come.
public struct VerificationProgress: Sendable, Hashable {
    /// What is being done: a few words.
    public var stage: String

    /// Row versions read so far.
    public var rows: UInt64

    /// About how many there are, if that is known.
    public var total: UInt64?

    public init(stage: String, rows: UInt64, total: UInt64?) {
        self.stage = stage
        self.rows = rows
        self.total = total
    }
}
