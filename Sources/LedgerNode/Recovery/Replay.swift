import Foundation
import LedgerFormat
import LedgerProofs

/// Applies transactions one after the other, checks each against the tree, the ledger secret and the signed roots,
/// and feeds the index with what it lacks. A value, so that an invalid tail can be dropped by going back to a copy;
/// the index is only fed up to the newest signature.
struct Replay {
    enum Kind {
        case ordinary
        case signature(endsChunk: Bool)
    }

    private let recovery: LedgerRecovery
    private var state: SequencerState
    private var indexed: MerkleFrontier
    private let indexedEntriesTo: SequenceNumber
    private var pendingLeaves: [Digest32] = []
    private var pendingRows: [IndexRow] = []
    private var pendingSignatures: [SequenceNumber] = []
    private var lastSignature: RawSignature?
    private var lastCOSE: (bytes: [UInt8], id: TransactionID, root: Digest32)?
    private var recent: [(key: Digest32, id: TransactionID)] = []
    private let recentSince: Int64
    private var notes: [String] = []
    /// The highest view of a transaction whose tag verifies: this node wrote it.
    private(set) var highestView: View
    /// The highest view that stands in the file, whoever wrote it.
    private(set) var claimedView: View
    private(set) var endsOnSignature: Bool

    init(recovery: LedgerRecovery, start: SnapshotStart?) throws {
        self.recovery = recovery
        self.indexedEntriesTo = try recovery.entries.indexedTo()
        var state = SequencerState(view: .initial)
        if let start {
            state.ledger = start.state
            state.view = start.state.last.view
            state.frontier = start.frontier
            state.flushed = start.flushed
            state.leavesSinceFlush = [start.leaf]
            state.lastSnapshot = start.seqno
            state.lastTime = try recovery.entries.lastTime(atMost: start.seqno)
            try recovery.merkle.truncate(to: start.frontier.size)
            try recovery.signatures.truncate(after: start.seqno)
            indexed = start.frontier
        } else {
            try recovery.merkle.truncate(to: TreeSize(rawValue: 0))
            try recovery.signatures.truncate(after: .zero)
            indexed = MerkleFrontier()
            pendingLeaves = [.zero]
        }
        self.state = state
        self.highestView = state.view
        self.claimedView = state.view
        self.endsOnSignature = start != nil
        self.recentSince =
            Int64(Date().timeIntervalSince1970 * 1_000_000)
            - Int64(recovery.idempotencyWindow / .microseconds(1))
        if let start { recent = requests(upTo: start.seqno) }
    }

    /// The requests within the window that the snapshot has left behind, oldest first: a client that was told nothing may
    /// send one again. Reads backwards, so only as far as the window or the cache reaches, and not past what cannot be
    /// read: whether the ledger is whole is not decided here.
    private mutating func requests(upTo last: SequenceNumber) -> [(key: Digest32, id: TransactionID)] {
        var found: [(key: Digest32, id: TransactionID)] = []
        var seqno = last
        do {
            while seqno > .zero, last.rawValue - seqno.rawValue < UInt64(IdempotencyCache.capacity) {
                let entry = try Entry(decoding: try recovery.catalog.entryBytes(seqno))
                let privateMaps = try entry.decryptPrivate(with: recovery.keyring.ledgerSecret)
                for map in entry.publicDomain.maps + privateMaps where EntryValue.isLog(map.name) {
                    for row in map.writes {
                        let value = try EntryValue(decoding: row.value)
                        guard value.time >= recentSince else { return found.reversed() }
                        if let key = Self.key(value, collectionID: String(decoding: row.key, as: UTF8.self)) {
                            found.append((key, entry.id))
                        }
                    }
                }
                seqno = SequenceNumber(seqno.rawValue - 1)
            }
        } catch {
            let reason = "\(error)".replacingOccurrences(of: recovery.directory.path + "/", with: "")
            note(
                "seqno \(seqno) cannot be read, so requests before it are not recognised when they are repeated: \(reason)"
            )
        }
        return found.reversed()
    }

    private static func key(_ value: EntryValue, collectionID: String) -> Digest32? {
        guard value.requestId != nil else { return nil }
        return IdempotencyCache.key(
            AppendRequest(
                contents: value.contents, collectionID: collectionID, tags: value.tags ?? [],
                author: Identity(userID: value.author, method: .certificate), requestID: value.requestId))
    }

    /// The seqno of the next transaction.
    var next: SequenceNumber { SequenceNumber(state.frontier.size.rawValue) }

    /// The service is open as of the newest transaction.
    var isOpen: Bool { get throws { try state.ledger.isOpen } }

    mutating func note(_ text: String) { notes.append(text) }

    /// Keeps what was seen of a tail that is dropped.
    mutating func keepViews(of walked: Replay) {
        highestView = walked.highestView
        claimedView = walked.claimedView
    }

    mutating func openChunk(byteCount: UInt64) { state.chunkByteCount = byteCount }

    /// Checks and applies the next transaction.
    @discardableResult
    mutating func add(_ bytes: [UInt8]) throws -> Kind {
        let entry = try Entry(decoding: bytes)
        let id = entry.id
        claimedView = max(claimedView, id.view)
        guard id.seqno == next else {
            throw LedgerError(.corrupt, "seqno \(id.seqno) stands where \(next) is expected")
        }
        guard id.view >= state.ledger.last.view else {
            throw LedgerError(.corrupt, "transaction \(id) follows one of view \(state.ledger.last.view)")
        }
        // The tag covers every byte that matters, so a torn write cannot pass for a transaction.
        let privateMaps = try entry.decryptPrivate(with: recovery.keyring.ledgerSecret)
        highestView = max(highestView, id.view)
        let domain = entry.publicDomain
        guard recovery.keyring.ledgerSecret.commitEvidenceDigest(for: id) == domain.commitEvidenceDigest else {
            throw LedgerError(.corrupt, "the commit evidence digest of \(id) is wrong")
        }
        let leaf = try entry.leaf()
        let isSignature = domain.maps.contains { $0.name == .signatures || $0.name == .coseSignatures }
        if isSignature { try checkRoot(domain.maps, id: id) }
        try state.ledger.apply(domain.maps, id: id)

        let below = state.frontier
        state.frontier.append(leaf)
        state.leavesSinceFlush.append(leaf)
        pendingLeaves.append(leaf)
        for maps in [domain.maps, privateMaps] {
            for map in maps where EntryValue.isLog(map.name) {
                for row in map.writes { try addEntry(row, id: id) }
            }
        }
        endsOnSignature = isSignature
        guard isSignature else { return .ordinary }
        state.flushed = below
        state.leavesSinceFlush = [leaf]
        pendingSignatures.append(id.seqno)
        return .signature(endsChunk: entry.flags.contains(.endChunkAfter))
    }

    private mutating func checkRoot(_ maps: [MapWrites], id: TransactionID) throws {
        guard let row = maps.first(where: { $0.name == .signatures })?.writes.first else {
            throw LedgerError(.corrupt, "the signature transaction \(id) lacks the node's signature")
        }
        let signature = try RawSignature(decoding: row.value)
        guard signature.id == id, signature.root == state.frontier.root() else {
            throw LedgerError(.corrupt, "the root signed at \(id) is not the root of the transactions before it")
        }
        lastSignature = signature
        if let cose = maps.first(where: { $0.name == .coseSignatures })?.writes.first {
            lastCOSE = (try JSONBytes(decoding: cose.value).bytes, id, signature.root)
        }
    }

    private mutating func addEntry(_ row: KeyValue, id: TransactionID) throws {
        let value = try EntryValue(decoding: row.value)
        state.lastTime = max(state.lastTime, value.time)
        let collection = String(decoding: row.key, as: UTF8.self)
        if id.seqno > indexedEntriesTo {
            pendingRows.append(
                IndexRow(
                    seqno: id.seqno, collectionID: collection, author: value.author, tags: value.tags ?? [],
                    timeMicroseconds: value.time))
        }
        if value.time >= recentSince, let key = Self.key(value, collectionID: collection) {
            recent.append((key, id))
            if recent.count > 2 * IdempotencyCache.capacity { recent.removeFirst(IdempotencyCache.capacity) }
        }
    }

    /// Writes what is held, when it has become much. Requires that the last transaction added was a signature.
    mutating func flushIndexIfDue() throws {
        if pendingLeaves.count >= LedgerRecovery.indexFlushInterval { try flushIndex() }
    }

    /// Brings the index up to the newest transaction. Requires that this was a signature.
    mutating func flushIndex() throws {
        for leaf in pendingLeaves { try recovery.merkle.append(leaf, to: &indexed) }
        for seqno in pendingSignatures { recovery.signatures.append(seqno) }
        try recovery.merkle.flush()
        try recovery.signatures.flush()
        let reached = SequenceNumber(state.frontier.size.rawValue - 1)
        if reached > indexedEntriesTo { try recovery.entries.add(pendingRows, upTo: reached) }
        pendingLeaves = []
        pendingRows = []
        pendingSignatures = []
    }

    /// Checks the node's newest signature, which covers all that was replayed, and the service's newest one.
    /// Requires that the last transaction added was a signature (or nothing was added).
    func checkSignatures() throws {
        if let lastSignature {
            let root = lastSignature.root
            let nodeKey = SigningPublicKey.p256(recovery.keyring.nodePublicKey)
            guard lastSignature.node == recovery.keyring.nodeID,
                case .verified = RootSignature.verify(der: lastSignature.signature, root: root, publicKey: nodeKey)
            else {
                throw LedgerError(
                    .corrupt, "the newest signature, at \(lastSignature.id), was not made with this node's key")
            }
        }
        if let lastCOSE {
            let serviceKey = SigningPublicKey.p384(recovery.keyring.servicePublicKey)
            let cose = try COSERootSignature(cose: lastCOSE.bytes)
            guard cose.txid == lastCOSE.id, case .verified = cose.verify(root: lastCOSE.root, key: serviceKey) else {
                throw LedgerError(
                    .corrupt, "the newest COSE signature, at \(lastCOSE.id), was not made with this service's key")
            }
        }
    }

    /// Checks the signatures and completes the index.
    consuming func finish() throws -> LedgerRecovery.Result {
        try checkSignatures()
        try flushIndex()
        return LedgerRecovery.Result(
            state: state, indexed: indexed, recentRequests: recent, notes: notes, highestView: highestView,
            claimedView: claimedView)
    }
}
