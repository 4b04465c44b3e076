import SQLLedger

/// What is to be done next for one store.
public enum DigestUploadAction: Hashable, Sendable {
    /// The store has every digest.
    case idle
    /// Append the digest of this block.
    case upload(BlockID)
    /// It is not known whether this block's digest arrived, or the store says that it has another one: read the store.
    case look(BlockID)
    /// Nothing before this time.
    case wait(until: ContinuousClock.Instant)
    /// The store holds another history. Nothing more is sent until somebody has looked into it.
    case halted
}
