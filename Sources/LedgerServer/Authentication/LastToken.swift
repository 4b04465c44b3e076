import LedgerNode
import LedgerProofs
import Synchronization

/// The newest token of a connection that was verified. A client sends the same one with each request, and comparing
/// costs much less than finding it by its hash.
final class LastToken: Sendable {
    private struct Known {
        let token: String
        let verified: VerifiedTokens.Known
    }

    private let known = Mutex<Known?>(nil)

    /// `nil` when it is another token, or expired at `time`.
    func identity(of token: Substring, at time: Int64) -> Identity? {
        known.withLock { known in
            guard let known, ExactText.same(known.token, token), time < known.verified.expiry else { return nil }
            return known.verified.identity
        }
    }

    func remember(_ token: Substring, _ verified: VerifiedTokens.Known) {
        let new = Known(token: String(token), verified: verified)
        known.withLock { $0 = new }
    }
}
