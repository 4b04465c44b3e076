import LedgerProofs

/// A row of `service.info` with another key than the row before it.
struct IdentityChange: Sendable {
    var id: TransactionID
    var former: SigningPublicKey
    /// The newest signed root before it, or `nil` when it is not known.
    var signedRoot: Digest32?
    /// Whether a later key, which took over from this one, endorsed the former key.
    var isEndorsed = false
}
