import LedgerProofs

/// What the verifier needs from one entry. Making it touches no other state, so scans run in parallel.
struct EntryScan: Sendable {
    var offset: UInt64
    var flags: EntryFlags = []
    var id = TransactionID(view: View(0), seqno: .zero)
    var leaf: Digest32?
    /// Only the tables that the verifier follows.
    var maps: [MapWrites] = []
    var problem: LedgerFormatError?
    var authenticationProblem: LedgerFormatError?
    var hasWrongCommitEvidence = false
    var secretKnown = false

    static let followed: [MapName] = [
        .nodesInfo, .nodesEndorsedCertificates, .serviceInfo, .signatures, .coseSignatures, .tree,
    ]
    private static let followedBytes = followed.map { Array($0.rawValue.utf8) }
    private static let prefix = Array("public:ccf.".utf8)

    init(_ bytes: UnsafeRawBufferPointer, offset: UInt64, options: LedgerVerificationOptions) {
        self.offset = offset
        do throws(LedgerFormatError) {
            let frame = try EntryFrame(bytes, limits: options.limits)
            flags = frame.header.flags
            let parsed = try frame.publicDomain(
                allowDeprecated: options.allowDeprecatedEntries, limits: options.limits
            ) { name in
                name.starts(with: EntryScan.prefix)
                    && EntryScan.followedBytes.contains { name.elementsEqual($0) }
            }
            id = frame.iv.id
            maps = parsed.maps
            leaf = EntryFrame.leaf(writeSetDigest: SHA256Hashing.digest(bytes), header: parsed.header)
            if let secret = options.secrets.secret(at: id.seqno) {
                secretKnown = true
                check(frame, parsed.header, secret, options.limits)
            }
        } catch {
            problem = error
        }
    }

    private mutating func check(
        _ frame: EntryFrame, _ header: EntryFrame.PublicHeader, _ secret: LedgerSecret, _ limits: FormatLimits
    ) {
        do throws(LedgerFormatError) {
            let plaintext = try secret.open(
                tag: frame.tag, ciphertext: frame.privateBytes, authenticating: frame.publicBytes, iv: frame.iv)
            try plaintext.borrowed { raw throws(LedgerFormatError) in
                var cursor = ByteCursor(raw)
                _ = try MapCodec.decode(&cursor, isPublic: false, limits: limits) { _ in false }
            }
        } catch {
            authenticationProblem = error
        }
        if let digest = header.commitEvidenceDigest, digest != secret.commitEvidenceDigest(for: id) {
            hasWrongCommitEvidence = true
        }
    }
}
