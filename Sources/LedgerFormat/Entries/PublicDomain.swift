import LedgerProofs

/// The plaintext part of an entry (CCF ledger format 2.2).
public struct PublicDomain: Hashable, Sendable {
    public var type: EntryType
    public var seqno: SequenceNumber
    /// `nil` for types without claims.
    public var claimsDigest: Digest32?
    /// `nil` for types without commit evidence.
    public var commitEvidenceDigest: Digest32?
    public var maps: [MapWrites]

    /// The writes of `map`, or `nil`.
    public subscript(map: MapName) -> MapWrites? { maps.first { $0.name == map } }
}
