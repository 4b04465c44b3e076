import LedgerNode
import LedgerProofs
import Synchronization

/// Tokens that were verified and have not expired, by their hash. Bounded.
final class VerifiedTokens: Sendable {
    struct Known: Sendable {
        let identity: Identity
        let expiry: Int64
    }

    private let limit: Int
    // Guarded by the lock: never more than `limit` elements.
    private let known = Mutex<[Digest32: Known]>([:])

    init(limit: Int) { self.limit = limit }

    /// `nil` when unknown or expired at `time`.
    func find(_ digest: Digest32, at time: Int64) -> Known? {
        known.withLock { known in
            guard let entry = known[digest], time < entry.expiry else { return nil }
            return entry
        }
    }

    func insert(_ identity: Identity, for digest: Digest32, until expiry: Int64, at time: Int64) {
        known.withLock { known in
            if known.count >= limit {
                known = known.filter { time < $0.value.expiry }
                // Still full: forgetting half costs one verification each, keeping order would cost on every call.
                if known.count >= limit { for key in known.keys.prefix(limit / 2) { known[key] = nil } }
            }
            known[digest] = Known(identity: identity, expiry: expiry)
        }
    }
}
