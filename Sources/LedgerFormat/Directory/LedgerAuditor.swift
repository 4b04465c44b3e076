import LedgerProofs

/// The rules of a ledger as a state machine: entries in, findings out. It reads no files.
///
/// Feed chunks in the order of their seqnos: `beginChunk`, `add` for every entry, `endChunk`; at the end
/// `finish`. Every rule of CCF's own tool is checked, and more (Documentation/spec/ledger-directory.md).
public struct LedgerAuditor: Sendable {
    public let options: LedgerVerificationOptions
    /// Checks the signatures.
    let crew: WorkCrew
    var report = LedgerVerificationReport()
    var findings: FindingList

    var file = ""
    var expected = SequenceNumber(1)
    var view = View(0)
    var frontier = MerkleFrontier()
    var tail = TreeTail()
    /// Where files could not be read: from a seqno on, to the next one that was read or to the end of the ledger.
    var unread: [(from: SequenceNumber, next: SequenceNumber?)] = []
    /// False after something unreadable: from there on no root can be computed.
    var treeIsKnown = true
    var treeWasLostNoted = false
    var chunkEnds: (seqno: SequenceNumber, offset: UInt64)?
    var isFirstOfChunk = true
    var lastWasSignature = false

    var nodes: [String: NodeStatus] = [:]
    var nodeCertificates: [String: String] = [:]
    /// Every certificate that a node had so far.
    var formerCertificates: [String: Set<ExactText>] = [:]
    /// The service key with which a node's certificate was compared last.
    var endorsementCheckedWith: [String: RecurringKey] = [:]
    var lastKey: (pem: String, key: RecurringKey)?
    var uncheckedCertificates: [(node: String, pem: String, seqno: SequenceNumber, offset: UInt64)] = []
    var service: ServiceInfo?
    var serviceKey: RecurringKey?
    var keys: [String: RecurringKey] = [:]
    var identityChanges: [IdentityChange] = []
    /// Where the newest row of `service.info` stands.
    var serviceSeqno = SequenceNumber.zero

    var signatures = SignatureQueue()
    var lastSignature: TransactionID?
    /// The service key in force at the newest signature.
    var lastSignatureServiceKey: RecurringKey?
    var lastSignedRoot: Digest32?
    var firstFindingSeqno: SequenceNumber?

    var leafAnchors: [SequenceNumber: [(id: TransactionID, leaf: Digest32)]] = [:]
    var rootAnchors: Set<Digest32> = []
    var withoutSecret: UInt64 = 0

    public init(options: LedgerVerificationOptions = LedgerVerificationOptions()) {
        self.init(options: options, crew: WorkCrew())
    }

    init(options: LedgerVerificationOptions, crew: WorkCrew) {
        self.options = options
        self.crew = crew
        findings = FindingList(limit: options.maximumFindings)
        frontier.append(.zero)
        for anchor in options.expectedReceipts {
            switch anchor {
            case .leaf(let id, let leaf): leafAnchors[id.seqno, default: []].append((id, leaf))
            case .signedRoot(let root): rootAnchors.insert(root)
            }
        }
    }

    // MARK: Chunks

    /// A chunk starts. Requires the seqno of its first entry, as its name says.
    public mutating func beginChunk(file: String, first: SequenceNumber) {
        self.file = file
        isFirstOfChunk = true
        chunkEnds = nil
        report.chunks += 1
        if first != expected {
            if first > expected {
                find(.gap, seqno: expected, "transactions \(expected) to \(first.rawValue - 1) are missing")
            } else {
                find(.overlap, seqno: first, "the chunk starts at \(first), \(expected) is next")
            }
            expected = first
            loseTree()
        }
    }

    /// One whole entry at `offset` of the current chunk.
    public mutating func add(entry bytes: [UInt8], offset: UInt64) {
        let options = options
        add(bytes.withUnsafeBytes { EntryScan($0, offset: offset, options: options) })
    }

    /// The entries of the chunk are over. For a complete chunk, not the open one.
    public mutating func endChunk(isComplete: Bool) {
        if isComplete, !isFirstOfChunk, !lastWasSignature {
            note("\(file) does not end on a signature transaction")
        }
        closeSignatures(atLeast: 64)
    }

    /// Something in the current chunk could not be read: what follows has no known root.
    mutating func skipRest(of file: String, next: SequenceNumber?, isUnread: Bool = false) {
        loseTree()
        if isUnread { unread.append((from: expected, next: next)) }
        if let next { expected = next }
    }

    // MARK: Findings

    mutating func find(
        _ code: LedgerFinding.Code, file: String? = nil, offset: UInt64? = nil, seqno: SequenceNumber? = nil,
        _ reason: String
    ) {
        add(
            LedgerFinding(
                code, file: file ?? (self.file.isEmpty ? nil : self.file), offset: offset, seqno: seqno, reason))
    }

    /// Whether something between `seqno` and the end could not be read.
    func isUnread(after seqno: SequenceNumber) -> Bool {
        unread.contains { place in place.next.map { $0 > seqno } ?? true }
    }

    func isUnread(at seqno: SequenceNumber) -> Bool {
        unread.contains { place in place.from <= seqno && (place.next.map { $0 > seqno } ?? true) }
    }

    /// A finding that may follow only from a place that could not be read, when there is one: then it proves nothing.
    mutating func find(
        _ code: LedgerFinding.Code, unlessUnread isUnread: Bool, offset: UInt64? = nil, seqno: SequenceNumber? = nil,
        _ reason: String
    ) {
        guard isUnread else {
            find(code, offset: offset, seqno: seqno, reason)
            return
        }
        find(.unreadable, offset: offset, seqno: seqno, "\(reason), or a place that could not be read explains it")
    }

    mutating func add(_ finding: LedgerFinding) {
        findings.add(finding)
    }

    /// A problem of the directory, found before any chunk is read.
    mutating func findOutside(_ code: LedgerFinding.Code, file: String?, _ reason: String) {
        add(LedgerFinding(code, file: file, reason))
    }

    mutating func note(_ text: String) { report.notes.append(text) }

    mutating func loseTree() {
        treeIsKnown = false
    }

    // MARK: Entries

    mutating func add(_ scan: EntryScan) {
        let before = findings.count
        report.transactions += 1
        let seqno = expected
        expected = expected.next
        lastWasSignature = false
        defer { isFirstOfChunk = false }

        if let problem = scan.detail?.problem {
            find(.entry, offset: scan.offset + (problem.offset ?? 0), seqno: seqno, problem.description)
            loseTree()
            return
        }
        if scan.id.seqno != seqno {
            find(.seqno, offset: scan.offset, seqno: seqno, "the entry says \(scan.id.seqno)")
        }
        if scan.id.view < view {
            find(.view, offset: scan.offset, seqno: seqno, "view \(scan.id.view) follows view \(view)")
        }
        view = max(view, scan.id.view)
        report.lastTransaction = scan.id
        checkSecret(scan, seqno)
        checkFlags(scan, seqno)
        var isSignature = false
        if let detail = scan.detail {
            applyTables(detail.maps, scan)
            isSignature = checkSignatures(detail, scan, findingsBefore: before)
        }
        if scan.flags.contains(.endChunkAfter), !isSignature {
            find(
                .chunkFlag, offset: scan.offset + 1, seqno: seqno,
                "the flag that ends a chunk stands only on signature transactions")
        }
        lastWasSignature = isSignature
        report.unsignedTail = isSignature ? 0 : report.unsignedTail + 1

        if let leaf = scan.leaf {
            checkAnchors(leaf, scan)
            frontier.append(leaf)
            tail.append(leaf)
        } else {
            find(.entry, offset: scan.offset, seqno: seqno, "this entry type has no Merkle leaf")
            loseTree()
        }
        if signatures.jobCount >= 256 { closeSignatures(atLeast: 0) }
    }

    mutating func checkSecret(_ scan: EntryScan, _ seqno: SequenceNumber) {
        guard scan.secretKnown else {
            withoutSecret += 1
            return
        }
        if let problem = scan.detail?.authenticationProblem {
            find(.authentication, offset: scan.offset + 8, seqno: seqno, problem.rule)
        }
        if scan.detail?.hasWrongCommitEvidence == true {
            find(
                .commitEvidence, offset: scan.offset, seqno: seqno,
                "the commit evidence digest does not follow from the ledger secret")
        }
    }

    mutating func checkFlags(_ scan: EntryScan, _ seqno: SequenceNumber) {
        if let end = chunkEnds {
            find(
                .chunkFlag, offset: end.offset + 1, seqno: end.seqno,
                "the entry ends its chunk, yet another entry follows it in the file")
        }
        chunkEnds = scan.flags.contains(.endChunkAfter) ? (seqno, scan.offset) : nil
        if scan.flags.contains(.endChunkBefore), !isFirstOfChunk {
            find(
                .chunkFlag, offset: scan.offset + 1, seqno: seqno,
                "the entry starts a chunk, yet another entry stands before it in the file")
        }
    }

    mutating func checkAnchors(_ leaf: Digest32, _ scan: EntryScan) {
        guard !leafAnchors.isEmpty, let anchors = leafAnchors.removeValue(forKey: expectedSeqno(scan)) else { return }
        for anchor in anchors where anchor.leaf != leaf || anchor.id != scan.id {
            find(
                .receipt, offset: scan.offset, seqno: scan.id.seqno,
                "a receipt exists for another transaction \(anchor.id) than the one in the ledger")
        }
    }

    func expectedSeqno(_ scan: EntryScan) -> SequenceNumber { SequenceNumber(expected.rawValue - 1) }
}
