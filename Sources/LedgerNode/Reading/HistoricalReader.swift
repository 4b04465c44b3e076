import Dispatch
import Foundation
import GRDB
import LedgerFormat
import LedgerProofs
import Logging
import Synchronization

/// Answers questions about committed transactions from the ledger files. Blocking reads run on a queue of their
/// own, never on the callers' threads.
final class HistoricalReader: Sendable {
    /// A parsed signature transaction, for receipts.
    struct CoveringSignature: Sendable {
        var raw: RawSignature
        /// The service's signature, where there is one.
        var cose: [UInt8]?
    }

    private static let signaturesKept = 4_096

    let catalog: ChunkCatalog
    let indexer: Indexer
    private let secret: LedgerSecret
    private let serviceKeyID: String
    private let nodeID: String
    private let nodeKey: SigningPublicKey
    private let repair: MerkleRepair
    /// Where to note that the derived files are wrong, so that the next start rebuilds them.
    private let staleMarker: String
    /// PEM of this node's newest endorsed certificate, by node id.
    private let certificate: @Sendable (String) -> String?
    private let queue = DispatchQueue(label: "indelible.reads", qos: .userInitiated, attributes: .concurrent)
    private let found = Mutex<String?>(nil)
    private let unread = Mutex<Unread?>(nil)
    private let recent = Mutex<[SequenceNumber: CoveringSignature]>([:])

    init(
        catalog: ChunkCatalog, indexer: Indexer, keyring: Keyring, staleMarker: String, logger: Logger,
        certificate: @escaping @Sendable (String) -> String?
    ) {
        self.catalog = catalog
        self.indexer = indexer
        self.secret = keyring.ledgerSecret
        self.serviceKeyID = keyring.serviceKeyID
        self.nodeID = keyring.nodeID
        self.nodeKey = .p256(keyring.nodePublicKey)
        self.repair = MerkleRepair(catalog: catalog, merkle: indexer.merkle, logger: logger)
        self.staleMarker = staleMarker
        self.certificate = certificate
    }

    /// Runs blocking work off the callers' threads.
    func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                do {
                    continuation.resume(returning: try body())
                } catch let error as DatabaseError {
                    let reason = "the index cannot be read (\(DatabaseError.text(error)))"
                    if error.isDamage { noteStale("\(reason); it is made anew at the next start") }
                    continuation.resume(throwing: LedgerError(.indexUnavailable, reason, cause: error))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    // MARK: Entries

    /// The entry a transaction wrote; `nil` when it wrote none (or none to `collectionID`). Blocks.
    func entry(_ seqno: SequenceNumber, collectionID: String?) throws -> LedgerEntry? {
        try named(seqno) {
            let entry = try Entry(decoding: try catalog.entryBytes(seqno))
            return try stored(in: entry, collectionID: collectionID).map { $0.entry }
        }
    }

    /// What could not be read last.
    private struct Unread {
        var reason: String
        var seqno: SequenceNumber
        /// Set when its whole file could not be opened.
        var fileName: String?
    }

    /// What was found to be damaged since the start, or cannot be read now; `nil` when there is nothing of that kind.
    var damage: String? {
        let reasons = [found.withLock { $0 }, unread.withLock { $0?.reason }].compactMap { $0 }
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    /// Has the next start make the index anew; with a reason `/health` tells it until then.
    private func noteStale(_ reason: String? = nil) {
        _ = FileManager.default.createFile(atPath: staleMarker, contents: nil)
        if let reason { found.withLock { $0 = reason } }
    }

    /// Reading `seqno` went well.
    private func noteRead(_ seqno: SequenceNumber) {
        unread.withLock { unread in
            guard let missed = unread else { return }
            let isSameFile = missed.fileName.map { $0 == catalog.fileName(of: seqno) } ?? false
            if missed.seqno == seqno || isSameFile { unread = nil }
        }
    }

    /// Runs what reads one transaction; an error names it and its chunk. The path and the particulars, which are for the
    /// log, are in the cause.
    private func named<R>(_ seqno: SequenceNumber, _ body: () throws -> R) throws -> R {
        do {
            let result = try body()
            noteRead(seqno)
            return result
        } catch let error as LedgerError where error.code != .corrupt && error.code != .inputOutput {
            throw error
        } catch {
            let place = "transaction \(seqno)" + (catalog.fileName(of: seqno).map { " in \($0)" } ?? "")
            let ledgerError = error as? LedgerError
            let diskError = error as? DiskError ?? ledgerError?.cause as? DiskError
            let isUnread = diskError != nil || ledgerError?.code == .inputOutput
            var failure = LedgerError(
                isUnread ? .inputOutput : .corrupt,
                isUnread ? "\(place) cannot be read" : "the ledger is damaged: \(place) is not what was written",
                cause: error)
            failure.place = place
            if !isUnread {
                found.withLock { $0 = failure.reason }
            } else if diskError?.isPassing != true {
                let fileName = diskError?.operation == "open" ? catalog.fileName(of: seqno) : nil
                unread.withLock { $0 = Unread(reason: failure.reason, seqno: seqno, fileName: fileName) }
            }
            throw failure
        }
    }

    private func stored(
        in entry: Entry, collectionID: String?
    ) throws -> (entry: LedgerEntry, secretKey: [UInt8])? {
        var maps = entry.publicDomain.maps
        if !maps.contains(where: { $0.name == .publicLogs }) { maps = try entry.decryptPrivate(with: secret) }
        guard let row = maps.first(where: { EntryValue.isLog($0.name) })?.writes.first else { return nil }
        let collection = String(decoding: row.key, as: UTF8.self)
        if let collectionID, !ExactText.same(collectionID, collection) { return nil }
        let value = try EntryValue(decoding: row.value)
        return (
            LedgerEntry(
                transactionID: entry.id, collectionID: collection, contents: value.contents, tags: value.tags ?? [],
                author: value.author, timeMicroseconds: value.time),
            Array(value.secretKey)
        )
    }

    // MARK: Receipts

    /// Requires that the index has reached the transaction. Blocks.
    func receipt(_ id: TransactionID) throws -> UnverifiedReceiptDocument {
        let entry = try decoded(id)
        let signature = try covering(id.seqno)
        guard let pem = certificate(signature.raw.node) ?? signature.raw.certificate else {
            throw LedgerError(.corrupt, "no certificate of node \(signature.raw.node) is stored")
        }
        if signature.raw.id.seqno == id.seqno {
            return UnverifiedReceiptDocument(
                receipt: UnverifiedReceipt(
                    leaf: .signedRoot(signature.raw.root), proof: InclusionProof(steps: []),
                    signature: signature.raw.signature, nodeID: signature.raw.node, certificatePEM: pem,
                    serviceEndorsements: []),
                applicationClaims: [], transactionID: id)
        }
        let (components, proof) = try proof(of: entry, under: signature.raw)
        var claims: [ApplicationClaim] = []
        if let stored = try named(id.seqno, { try stored(in: entry, collectionID: nil) }) {
            claims = [
                .ledgerEntry(
                    collectionID: stored.entry.collectionID, contents: stored.entry.contents,
                    secretKey: stored.secretKey)
            ]
        }
        return UnverifiedReceiptDocument(
            receipt: UnverifiedReceipt(
                leaf: .components(components), proof: proof, signature: signature.raw.signature,
                nodeID: signature.raw.node, certificatePEM: pem, serviceEndorsements: []),
            applicationClaims: claims, transactionID: id)
    }

    /// The COSE form. It exists as soon as the service has signed a root over the transaction: for a signature
    /// transaction that is a later one. Blocks.
    func coseReceipt(_ id: TransactionID) throws -> [UInt8] {
        let entry = try decoded(id)
        var after = id.seqno
        while let signature = try signature(atOrAfter: after.next) {
            if let cose = signature.cose {
                let (components, proof) = try proof(of: entry, under: signature.raw)
                return try COSERootSignature.receipt(rootSignature: cose, leaf: components, proof: proof)
            }
            after = signature.raw.id.seqno
        }
        throw LedgerError(
            .transactionPending,
            "no signature of the service covers transaction \(id) yet; a COSE receipt for it exists after the next one")
    }

    private func decoded(_ id: TransactionID) throws -> Entry {
        try named(id.seqno) {
            let entry = try Entry(decoding: try catalog.entryBytes(id.seqno))
            guard entry.id == id else {
                throw LedgerError(.corrupt, "the ledger files hold \(entry.id) where \(id) is expected")
            }
            return entry
        }
    }

    /// The proof from the transaction's leaf to the signed root, checked before it is handed out.
    private func proof(of entry: Entry, under signature: RawSignature) throws -> (LeafComponents, InclusionProof) {
        let components = LeafComponents(
            writeSetDigest: entry.writeSetDigest, commitEvidence: secret.commitEvidence(for: entry.id),
            claimsDigest: entry.publicDomain.claimsDigest ?? .zero)
        let leaf = components.leaf()
        let size = TreeSize(rawValue: signature.id.seqno.rawValue)
        let proof = try? InclusionProof.build(leaf: LeafIndex(rawValue: entry.id.seqno.rawValue), in: size) {
            try indexer.merkle.node($0, $1)
        }
        if let proof, proof.root(of: leaf) == signature.root { return (components, proof) }
        do {
            // Only a root that was signed tells which nodes are right.
            if signature.node == nodeID {
                guard
                    case .verified = RootSignature.verify(
                        der: signature.signature, root: signature.root, publicKey: nodeKey)
                else {
                    throw LedgerError(.corrupt, "the ledger is damaged: the signature at \(signature.id) is not valid")
                }
            }
            return (components, try repair.proof(of: leaf, at: entry.id.seqno, in: size, root: signature.root))
        } catch let error as LedgerError where error.code == .corrupt {
            // The next start reads the whole ledger and tells where it was changed.
            noteStale(error.reason)
            throw error
        }
    }

    /// The first signature at or after `seqno`.
    private func covering(_ seqno: SequenceNumber) throws -> CoveringSignature {
        guard let found = try signature(atOrAfter: seqno) else {
            throw LedgerError(.transactionPending, "no signature covers seqno \(seqno) yet")
        }
        return found
    }

    /// A signature at or after `seqno`, the first one unless the index is damaged; `nil` when there is none yet.
    ///
    /// What the index says is only believed when the ledger confirms it; otherwise the ledger itself is read from there
    /// on, which takes no more steps than a batch has entries.
    private func signature(atOrAfter seqno: SequenceNumber) throws -> CoveringSignature? {
        if let found = try indexer.signatures.first(atLeast: seqno), found >= seqno {
            do {
                if let signature = try signature(at: found) { return signature }
            } catch let error as LedgerError where error.code == .inputOutput {
                // Nothing is known about the index then.
                throw error
            } catch {}
        }
        var next = seqno
        while next.rawValue - seqno.rawValue <= UInt64(Sequencer.batchEntryLimit) {
            do {
                if let signature = try signature(at: next) {
                    noteStale()
                    return signature
                }
            } catch let error as LedgerError where error.code == .transactionNotFound {
                return nil
            }
            next = next.next
        }
        return nil
    }

    /// `nil` when that is not a signature transaction.
    private func signature(at seqno: SequenceNumber) throws -> CoveringSignature? {
        if let known = recent.withLock({ $0[seqno] }) { return known }
        return try named(seqno) { try readSignature(at: seqno) }
    }

    private func readSignature(at seqno: SequenceNumber) throws -> CoveringSignature? {
        let entry = try Entry(decoding: try catalog.entryBytes(seqno))
        let maps = entry.publicDomain.maps
        guard let raw = maps.first(where: { $0.name == .signatures })?.writes.first else {
            return nil
        }
        let cose = maps.first(where: { $0.name == .coseSignatures })?.writes.first
        var signature = CoveringSignature(
            raw: try RawSignature(decoding: raw.value), cose: try cose.map { try JSONBytes(decoding: $0.value).bytes })
        // Every signature holds the same certificate; the newest endorsed one is looked up when a receipt is made.
        if certificate(signature.raw.node) != nil { signature.raw.certificate = nil }
        recent.withLock { recent in
            if recent.count >= Self.signaturesKept { recent.removeAll(keepingCapacity: true) }
            recent[seqno] = signature
        }
        return signature
    }
}
