import LedgerProofs

/// What the verifier needs from one entry. Making it touches no other state, so scans run in parallel.
struct EntryScan: Sendable {
    var offset: UInt64
    var flags: EntryFlags = []
    var id = TransactionID(view: View(0), seqno: .zero)
    var leaf: Digest32?
    var secretKnown = false
    /// `nil` for most entries.
    var detail: EntryDetail?

    static let followed: [MapName] = [
        .nodesInfo, .nodesEndorsedCertificates, .serviceInfo, .previousServiceIdentityEndorsement, .signatures,
        .coseSignatures, .tree,
    ]
    private static let followedBytes = followed.map { Array($0.rawValue.utf8) }
    private static let prefix = Array("public:ccf.".utf8)

    /// `bytes` are one entry, at `offset` of its file. The options are borrowed, because to copy them costs more than to
    /// look at the entry.
    init(_ bytes: UnsafeRawBufferPointer, offset: UInt64, options: borrowing LedgerVerificationOptions) {
        self.offset = offset
        do throws(LedgerFormatError) {
            let frame = try EntryFrame(bytes, limits: options.limits)
            flags = frame.header.flags
            var mapCount = 0
            let parsed = try frame.publicDomain(
                allowDeprecated: options.allowDeprecatedEntries, limits: options.limits
            ) { name in
                mapCount += 1
                return name.starts(with: EntryScan.prefix)
                    && EntryScan.followedBytes.contains { name.elementsEqual($0) }
            }
            id = frame.iv.id
            leaf = EntryFrame.leaf(writeSetDigest: SHA256Hashing.digest(bytes), header: parsed.header)
            var problem: LedgerFormatError?
            var hasWrongCommitEvidence = false
            if !options.secrets.isEmpty, let secret = options.secrets.secret(at: id.seqno) {
                secretKnown = true
                problem = EntryScan.authenticationProblem(frame, secret, options.limits)
                if let digest = parsed.header.commitEvidenceDigest {
                    hasWrongCommitEvidence = digest != secret.commitEvidenceDigest(for: id)
                }
            }
            if !parsed.maps.isEmpty || problem != nil || hasWrongCommitEvidence {
                detail = EntryDetail(
                    maps: parsed.maps, authenticationProblem: problem, hasWrongCommitEvidence: hasWrongCommitEvidence,
                    hasClaims: parsed.header.claimsDigest.map { $0 != .zero } ?? false,
                    hasOtherTables: mapCount > parsed.maps.count || !frame.privateBytes.isEmpty)
            }
        } catch {
            detail = EntryDetail(problem: error)
        }
    }

    private static func authenticationProblem(
        _ frame: EntryFrame, _ secret: LedgerSecret, _ limits: FormatLimits
    ) -> LedgerFormatError? {
        do throws(LedgerFormatError) {
            let plaintext = try secret.open(
                tag: frame.tag, ciphertext: frame.privateBytes, authenticating: frame.publicBytes, iv: frame.iv)
            try plaintext.borrowed { raw throws(LedgerFormatError) in
                var cursor = ByteCursor(raw)
                _ = try MapCodec.decode(&cursor, isPublic: false, limits: limits) { _ in false }
            }
            return nil
        } catch {
            return error
        }
    }
}
