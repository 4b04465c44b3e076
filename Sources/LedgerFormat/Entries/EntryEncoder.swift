import LedgerProofs

/// Writes entries of type 4 (CCF ledger format 2.1–2.5).
public enum EntryEncoder {
    /// Bytes before the public domain: header, GCM tag, IV and the public length.
    static let prefixByteCount = 44
    /// Bytes of a type-4 public domain before its maps.
    static let publicHeaderByteCount = 81

    /// One entry in an array of its own. See `append`.
    public static func encode(
        _ writeSet: WriteSet, id: TransactionID, claimsDigest: Digest32 = .zero, commitEvidenceDigest: Digest32,
        flags: EntryFlags = [], secret: LedgerSecret
    ) throws(LedgerFormatError) -> EncodedEntry {
        var bytes: [UInt8] = []
        let digest = try append(
            writeSet, id: id, claimsDigest: claimsDigest, commitEvidenceDigest: commitEvidenceDigest, flags: flags,
            secret: secret, to: &bytes)
        return EncodedEntry(bytes: bytes, writeSetDigest: digest)
    }

    /// Appends one entry to `buffer` and returns its write set digest. On an error the buffer is as before.
    ///
    /// Requires a seqno above 0 and a view from 1 to 2³¹ − 1. The flags are hashed with the entry, so decide
    /// whether the chunk ends before calling. Throws `range` for ids out of range and entries above 1 GiB,
    /// `mapName` and `duplicateKey` for write sets that have no unique form.
    public static func append(
        _ writeSet: WriteSet, id: TransactionID, claimsDigest: Digest32 = .zero, commitEvidenceDigest: Digest32,
        flags: EntryFlags = [], secret: LedgerSecret, to buffer: inout [UInt8]
    ) throws(LedgerFormatError) -> Digest32 {
        guard id.seqno.rawValue > 0, id.view.rawValue > 0, id.view.rawValue < EntryIV.snapshotBit else {
            throw LedgerFormatError(.range, "the seqno must be above 0 and the view from 1 to 2147483647")
        }
        let maps = try MapCodec.normalised(writeSet.maps)
        let start = buffer.count
        do {
            return try append(
                maps, iv: EntryIV(id), flags: flags, secret: secret, to: &buffer
            ) { buffer in
                buffer.append(EntryType.writeSetWithCommitEvidenceAndClaims.rawValue)
                buffer.append(littleEndian: id.seqno.rawValue)
                claimsDigest.withUnsafeBytes { buffer.append(contentsOf: $0) }
                commitEvidenceDigest.withUnsafeBytes { buffer.append(contentsOf: $0) }
                buffer.append(littleEndian: UInt64(0))
                MapCodec.append(maps, wantPublic: true, to: &buffer)
            }
        } catch {
            buffer.removeLast(buffer.count - start)
            throw error
        }
    }

    private static func append(
        _ maps: [MapWrites], iv: EntryIV, flags: EntryFlags, secret: LedgerSecret, to buffer: inout [UInt8],
        publicDomain: (inout [UInt8]) -> Void
    ) throws(LedgerFormatError) -> Digest32 {
        var plaintext: [UInt8] = []
        if maps.contains(where: { !$0.name.isPublic }) {
            MapCodec.append(maps, wantPublic: false, to: &plaintext)
        }
        return try append(iv: iv, flags: flags, plaintext: plaintext, secret: secret, to: &buffer, publicDomain)
    }

    /// The frame that entries and snapshots share.
    static func append(
        iv: EntryIV, flags: EntryFlags, plaintext: [UInt8], secret: LedgerSecret, to buffer: inout [UInt8],
        _ publicDomain: (inout [UInt8]) -> Void
    ) throws(LedgerFormatError) -> Digest32 {
        let start = buffer.count
        buffer.append(littleEndian: UInt64(0))  // header, filled in below
        buffer.append(littleEndian: UInt64(0))  // tag, filled in below
        buffer.append(littleEndian: UInt64(0))
        iv.append(to: &buffer)
        buffer.append(littleEndian: UInt64(0))  // public length, filled in below
        let domain = buffer.count
        publicDomain(&buffer)
        let publicCount = buffer.count - domain
        let size = UInt64(publicCount + plaintext.count) + EntryHeader.minimumSize
        guard size <= FormatLimits.standard.entryByteCount else {
            throw LedgerFormatError(.range, "the entry has \(size) bytes, more than 1 GiB")
        }
        let text = buffer.count
        buffer.append(contentsOf: plaintext)
        try secret.seal(&buffer, from: text, authenticating: domain..<text, tagOffset: start + 8, iv: iv)
        buffer.replace(at: start, littleEndian: EntryHeader(flags: flags, size: size).word)
        buffer.replace(at: domain - 8, littleEndian: UInt64(publicCount))
        return buffer.withUnsafeBytes { SHA256Hashing.digest(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }
}
