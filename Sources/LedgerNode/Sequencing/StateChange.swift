import LedgerFormat
import LedgerProofs

/// What a change writes, and the digest of the claims it makes (zero for none).
struct StateChange: Sendable {
    var writes: WriteSet
    var claimsDigest: Digest32 = .zero
}
