import Foundation
import LedgerFormat
import LedgerProofs

/// Turns writes into one signed batch. Pure: bytes and digests in memory, nothing on disk, no clock of its own.
struct BatchBuilder {
    /// A batch and everything that follows from it.
    struct Output {
        var batch: SignedBatch
        var state: SequencerState
        /// The leaves of the batch, in order.
        var leaves: [Digest32]
        var rows: [IndexRow]
        var signature: SequenceNumber
    }

    let secret: LedgerSecret
    let ledgerType: NodeConfiguration.LedgerType
    let chunkByteCountTarget: UInt64
    let snapshotInterval: UInt64

    private(set) var state: SequencerState
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var leaves: [Digest32] = []
    private var rows: [IndexRow] = []
    private let first: SequenceNumber

    init(
        after state: SequencerState, secret: LedgerSecret, ledgerType: NodeConfiguration.LedgerType,
        chunkByteCountTarget: UInt64, snapshotInterval: UInt64
    ) {
        self.state = state
        self.secret = secret
        self.ledgerType = ledgerType
        self.chunkByteCountTarget = chunkByteCountTarget
        self.snapshotInterval = snapshotInterval
        self.first = state.next.seqno
    }

    var isEmpty: Bool { offsets.isEmpty }
    var byteCount: Int { bytes.count }

    /// - Parameter now: microseconds since 1970.
    mutating func appendEntry(_ entry: PreparedEntry, now: Int64) throws -> TransactionID {
        let time = max(now, state.lastTime)
        var writes = WriteSet()
        writes.put(
            EntryValue.log(for: ledgerType), key: Array(entry.collectionID.utf8), value: entry.value(time: time))
        let id = try append(writes, claimsDigest: entry.claimsDigest)
        state.ledger.note(id)
        state.lastTime = time
        rows.append(
            IndexRow(
                seqno: id.seqno, collectionID: entry.collectionID, author: entry.author, tags: entry.tags,
                timeMicroseconds: time))
        return id
    }

    mutating func append(_ change: StateChange) throws -> TransactionID {
        let id = try append(change.writes, claimsDigest: change.claimsDigest)
        try state.ledger.apply(change.writes.maps, id: id)
        return id
    }

    /// Adds the signature transaction over everything before it.
    mutating func finish(
        endChunk: Bool = false,
        sign: (_ root: Digest32, _ id: TransactionID) throws -> (
            RootSigner.Signatures, nodeID: String, certificate: String
        )
    ) throws -> Output {
        let id = state.next
        guard let root = state.frontier.root(),
            let tree = SerialisedTree(flushed: state.flushed, leaves: state.leavesSinceFlush)
        else {
            throw LedgerError(.corrupt, "an empty tree cannot be signed")
        }
        let (signatures, nodeID, certificate) = try sign(root, id)
        var writes = WriteSet()
        writes.put(
            .signatures, key: zeroKey,
            value: RawSignature(
                node: nodeID, id: id, root: root, signature: signatures.raw, certificate: certificate
            ).encoded())
        if let cose = signatures.cose {
            writes.put(.coseSignatures, key: zeroKey, value: JSONBytes(cose).encoded())
        }
        writes.put(.tree, key: zeroKey, value: tree.encoded())

        // The flag is covered by the entry's hash, so the decision comes before the encoding.
        let snapshotDue = id.seqno.rawValue - state.lastSnapshot.rawValue >= snapshotInterval
        let chunkBytes = state.chunkByteCount + UInt64(bytes.count)
        let endsChunk = endChunk || snapshotDue || chunkBytes >= chunkByteCountTarget
        let frontierBelow = state.frontier
        _ = try append(writes, claimsDigest: .zero, flags: endsChunk ? .endChunkAfter : [])
        try state.ledger.apply(writes.maps, id: id)

        state.flushed = frontierBelow
        state.leavesSinceFlush = state.leavesSinceFlush.suffix(1)
        state.chunkByteCount = endsChunk ? 8 : state.chunkByteCount + UInt64(bytes.count)
        if snapshotDue { state.lastSnapshot = id.seqno }
        return Output(
            batch: SignedBatch(
                first: first, last: id.seqno, bytes: bytes, offsets: offsets, endsChunk: endsChunk),
            state: state, leaves: leaves, rows: rows, signature: id.seqno)
    }

    private mutating func append(
        _ writes: WriteSet, claimsDigest: Digest32, flags: EntryFlags = []
    ) throws -> TransactionID {
        let id = state.next
        let evidence = secret.commitEvidenceDigest(for: id)
        offsets.append(bytes.count)
        let digest: Digest32
        do {
            digest = try EntryEncoder.append(
                writes, id: id, claimsDigest: claimsDigest, commitEvidenceDigest: evidence, flags: flags,
                secret: secret, to: &bytes)
        } catch {
            bytes.removeSubrange(offsets.removeLast()...)
            throw error
        }
        let leaf = SHA256Hashing.digest(digest, evidence, claimsDigest)
        state.frontier.append(leaf)
        state.leavesSinceFlush.append(leaf)
        leaves.append(leaf)
        return id
    }
}
