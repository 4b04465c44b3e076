import LedgerProofs

/// The parts of one entry in borrowed bytes: the shared core of `Entry`, the verifier and the snapshot reader.
struct EntryFrame {
    let header: EntryHeader
    let iv: EntryIV
    /// All bytes, header included.
    let bytes: UnsafeRawBufferPointer
    let tag: UnsafeRawBufferPointer
    let publicBytes: UnsafeRawBufferPointer
    let privateBytes: UnsafeRawBufferPointer

    /// Where the public domain starts in the entry.
    static let publicOffset = EntryEncoder.prefixByteCount

    /// Requires `bytes` to be exactly one entry.
    init(_ bytes: UnsafeRawBufferPointer, limits: FormatLimits) throws(LedgerFormatError) {
        var cursor = ByteCursor(bytes)
        header = try EntryHeader(word: try cursor.u64("entry header"), limits: limits, at: 0)
        guard header.size <= UInt64(cursor.remaining) else {
            throw LedgerFormatError(
                .truncated, at: bytes.count, "the header claims \(header.size) bytes, \(cursor.remaining) follow")
        }
        guard header.size == UInt64(cursor.remaining) else {
            throw LedgerFormatError(.trailingBytes, at: 8 + Int(header.size), "bytes after the end of the entry")
        }
        self.bytes = bytes
        tag = try cursor.slice(16, "GCM tag")
        let seqno = try cursor.u64("IV")
        iv = EntryIV(seqno: SequenceNumber(seqno), viewField: try cursor.u32("IV"))
        publicBytes = try cursor.prefixed("public domain")
        privateBytes = try cursor.slice(cursor.remaining, "private domain")
    }

    /// Everything of the public domain before its maps.
    struct PublicHeader {
        var type: EntryType
        var seqno: SequenceNumber
        var claimsDigest: Digest32?
        var commitEvidenceDigest: Digest32?
    }

    /// Reads the public domain of a transaction. All maps are checked, those `wanted` picks are returned.
    func publicDomain(
        allowDeprecated: Bool, limits: FormatLimits, wanted: (UnsafeRawBufferPointer) -> Bool
    ) throws(LedgerFormatError) -> (header: PublicHeader, maps: [MapWrites]) {
        var cursor = ByteCursor(publicBytes, base: EntryFrame.publicOffset)
        let typeAt = cursor.errorOffset
        let rawType = try cursor.u8("entry type")
        guard let type = EntryType(rawValue: rawType), type != .snapshot, type != .writeSetWithClaims else {
            throw LedgerFormatError(.entryType, at: typeAt, "entry type \(rawType) has no place in a ledger chunk")
        }
        guard allowDeprecated || type == .writeSetWithCommitEvidenceAndClaims else {
            throw LedgerFormatError(.entryType, at: typeAt, "entry type \(rawType) is deprecated")
        }
        let seqnoAt = cursor.errorOffset
        let seqno = SequenceNumber(try cursor.u64("seqno"))
        guard seqno.rawValue > 0 else { throw LedgerFormatError(.range, at: seqnoAt, "the seqno must not be 0") }
        var parsed = PublicHeader(type: type, seqno: seqno)
        if type == .writeSetWithCommitEvidenceAndClaims { parsed.claimsDigest = try cursor.digest("claims digest") }
        if type != .writeSet { parsed.commitEvidenceDigest = try cursor.digest("commit evidence digest") }
        try cursor.zero64("maximum conflict version")
        guard !iv.isSnapshot, iv.viewField > 0 else {
            throw LedgerFormatError(.initialisationVector, at: 32, "the view of a transaction is 1 to 2147483647")
        }
        guard iv.seqno == seqno else {
            throw LedgerFormatError(
                .initialisationVector, at: 24, "the IV says seqno \(iv.seqno), the public domain \(seqno)")
        }
        let maps = try MapCodec.decode(&cursor, isPublic: true, limits: limits, wanted: wanted)
        return (parsed, maps)
    }

    /// The Merkle leaf of a transaction with this header.
    static func leaf(writeSetDigest: Digest32, header: PublicHeader) -> Digest32? {
        switch (header.type, header.commitEvidenceDigest, header.claimsDigest) {
        case (.writeSet, _, _): writeSetDigest
        case (.writeSetWithCommitEvidence, .some(let evidence), _): SHA256Hashing.digest(writeSetDigest, evidence)
        case (.writeSetWithCommitEvidenceAndClaims, .some(let evidence), .some(let claims)):
            SHA256Hashing.digest(writeSetDigest, evidence, claims)
        default: nil
        }
    }
}
