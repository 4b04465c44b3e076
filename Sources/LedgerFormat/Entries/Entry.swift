import LedgerProofs

/// One decoded transaction of a ledger chunk.
///
/// Decoding is at least as strict as CCF 7: version, flags, size, read counts; and stricter where CCF's tool
/// looks away: the IV must name the transaction of the public domain, nothing may follow the last map, and a
/// map or key may occur only once.
public struct Entry: Sendable {
    public let header: EntryHeader
    public let iv: EntryIV
    public let publicDomain: PublicDomain
    /// SHA-256 of all bytes of the entry, header included.
    public let writeSetDigest: Digest32
    /// The encrypted private domain.
    public let sealed: SealedDomain
    /// The whole public domain: what the GCM tag authenticates.
    public let publicBytes: [UInt8]

    public var flags: EntryFlags { header.flags }
    public var id: TransactionID { iv.id }

    /// Reads exactly one entry. Deprecated entry types 0 and 3 need `allowDeprecated`; types 1 and 2 are never
    /// transactions. Throws `LedgerFormatError` with the byte offset and the rule.
    public init(
        decoding bytes: [UInt8], allowDeprecated: Bool = false, limits: FormatLimits = .standard
    ) throws(LedgerFormatError) {
        self = try bytes.borrowed { raw throws(LedgerFormatError) in
            try Entry(EntryFrame(raw, limits: limits), allowDeprecated: allowDeprecated, limits: limits)
        }
    }

    init(_ frame: EntryFrame, allowDeprecated: Bool, limits: FormatLimits) throws(LedgerFormatError) {
        let parsed = try frame.publicDomain(allowDeprecated: allowDeprecated, limits: limits) { _ in true }
        header = frame.header
        iv = frame.iv
        publicDomain = PublicDomain(
            type: parsed.header.type, seqno: parsed.header.seqno, claimsDigest: parsed.header.claimsDigest,
            commitEvidenceDigest: parsed.header.commitEvidenceDigest, maps: parsed.maps)
        writeSetDigest = SHA256Hashing.digest(frame.bytes)
        sealed = SealedDomain(tag: Array(frame.tag), ciphertext: Array(frame.privateBytes))
        publicBytes = Array(frame.publicBytes)
    }

    /// The Merkle leaf of this transaction. Throws `leaf` for a type without one.
    public func leaf() throws(LedgerFormatError) -> Digest32 {
        let header = EntryFrame.PublicHeader(
            type: publicDomain.type, seqno: publicDomain.seqno, claimsDigest: publicDomain.claimsDigest,
            commitEvidenceDigest: publicDomain.commitEvidenceDigest)
        guard let leaf = EntryFrame.leaf(writeSetDigest: writeSetDigest, header: header) else {
            throw LedgerFormatError(.leaf, "this entry type has no Merkle leaf")
        }
        return leaf
    }

    /// Checks the tag and decodes the private maps. Throws `authentication` when the secret or any byte of the
    /// public or private domain or the IV is wrong.
    public func decryptPrivate(
        with secret: LedgerSecret, limits: FormatLimits = .standard
    ) throws(LedgerFormatError) -> [MapWrites] {
        let plaintext = try secret.open(sealed, authenticating: publicBytes, iv: iv)
        return try plaintext.borrowed { raw throws(LedgerFormatError) in
            var cursor = ByteCursor(raw)
            return try MapCodec.decode(&cursor, isPublic: false, limits: limits) { _ in true }
        }
    }
}
