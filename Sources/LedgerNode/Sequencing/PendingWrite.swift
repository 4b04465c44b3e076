import LedgerFormat
import LedgerProofs

/// A write that waits to be sequenced.
struct PendingWrite: Sendable {
    enum Work: Sendable {
        case entry(AppendRequest)
        /// A change of the small state, decided against the state it will follow. `nil`: nothing to write.
        case change(@Sendable (LedgerState) throws -> StateChange?)
    }

    var work: Work
    var ticket: WriteTicket
}

/// What a change writes, and the digest of the claims it makes (zero for none).
struct StateChange: Sendable {
    var writes: WriteSet
    var claimsDigest: Digest32 = .zero
}
