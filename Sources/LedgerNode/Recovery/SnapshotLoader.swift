import Foundation
import LedgerFormat
import LedgerProofs
import Logging

/// Finds the newest snapshot that its receipt, the service key and the ledger confirm.
struct SnapshotLoader {
    let directory: DataDirectory
    let catalog: ChunkCatalog
    let keyring: Keyring
    let logger: Logger

    /// `nil` when there is none. One that does not verify is skipped with a warning: the ledger is the truth, and the
    /// start only takes longer.
    func newest() throws -> SnapshotStart? {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.snapshots)
            .compactMap { SnapshotName(fileName: $0) }.filter(\.isCommitted).sorted { $0.seqno > $1.seqno }
        for name in names {
            // A snapshot's signature ends its chunk; one whose chunk is not complete yet is not needed.
            guard let last = catalog.closed.last?.last, name.seqno <= last else { continue }
            do {
                return try load(name)
            } catch {
                logger.warning(
                    "a snapshot is not used", metadata: ["file": "\(name.fileName)", "reason": "\(error)"])
            }
        }
        return nil
    }

    /// What a snapshot proves that this ledger had and has no more: its receipt names a transaction after `last`. The
    /// node was started on a copy older than the snapshot. `nil` when there is no such snapshot.
    func missing(after last: SequenceNumber) -> String? {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory.snapshots)) ?? [])
            .compactMap { SnapshotName(fileName: $0) }.filter { $0.isCommitted && $0.evidence > last }
        for name in names.sorted(by: { $0.seqno > $1.seqno }) where (try? confirmed(name)) != nil {
            return
                "the snapshot \(name.fileName) proves that this ledger once had transaction \(name.evidence), and it "
                + "ends at \(last): committed transactions are missing. Was an older copy restored?"
        }
        return nil
    }

    /// A snapshot that its receipt confirms; whether the ledger does is another question.
    private func confirmed(_ name: SnapshotName) throws -> SnapshotFile {
        let path = directory.snapshots + "/" + name.fileName
        guard let bytes = try DurableFile.read(path, limit: 1 << 30) else {
            throw LedgerError(.corrupt, "\(path) is gone")
        }
        let file = try SnapshotFile(decoding: bytes)
        guard case .json(let receipt) = file.receipt else {
            throw LedgerError(.corrupt, "\(name.fileName) has no JSON receipt")
        }
        let document = try UnverifiedReceiptDocument(json: receipt)
        let verifier = try ReceiptVerifier(serviceCertificatePEM: keyring.serviceCertificatePEM)
        guard case .verified(let verified) = verifier.verify(document.receipt, claims: nil),
            verified.claimsDigest == file.digest, verified.transactionID?.seqno == name.evidence
        else {
            throw LedgerError(.corrupt, "the receipt of \(name.fileName) does not confirm its contents")
        }
        return file
    }

    private func load(_ name: SnapshotName) throws -> SnapshotStart {
        let file = try confirmed(name)
        let snapshot = try Snapshot(decoding: file.entry, secret: keyring.ledgerSecret)
        guard snapshot.seqno == name.seqno else {
            throw LedgerError(.corrupt, "\(name.fileName) holds the state at \(snapshot.seqno)")
        }
        return try start(from: snapshot)
    }

    /// Joins the snapshot to the signature transaction it was taken at.
    private func start(from snapshot: Snapshot) throws -> SnapshotStart {
        let entry = try Entry(decoding: try catalog.entryBytes(snapshot.seqno))
        let maps = entry.publicDomain.maps
        guard entry.id.seqno == snapshot.seqno, try entry.leaf() == snapshot.leaf,
            let signature = maps.first(where: { $0.name == .signatures })?.writes.first,
            let tree = maps.first(where: { $0.name == .tree })?.writes.first
        else {
            throw LedgerError(.corrupt, "seqno \(snapshot.seqno) is not the signature the snapshot was taken at")
        }
        let raw = try RawSignature(decoding: signature.value)
        let below = try SerialisedTree(decoding: tree.value).frontier()
        guard below.size.rawValue == snapshot.seqno.rawValue, below.root() == raw.root,
            case .verified = RootSignature.verify(
                der: raw.signature, root: raw.root, publicKey: .p256(keyring.nodePublicKey))
        else {
            throw LedgerError(.corrupt, "the signature at \(snapshot.seqno) does not verify")
        }
        var store = KeyValueStore()
        for map in snapshot.maps {
            var restored = KeyValueStore.Map(version: SequenceNumber(map.version))
            for record in map.records {
                restored.rows[record.key] = KeyValueStore.Row(
                    value: record.value, version: SequenceNumber(record.version))
            }
            store.restore(map.name, restored)
        }
        var frontier = below
        frontier.append(snapshot.leaf)
        return SnapshotStart(
            seqno: snapshot.seqno,
            state: try LedgerState(
                store: store, viewStarts: snapshot.viewHistory.map { SequenceNumber($0) }, last: entry.id),
            frontier: frontier, flushed: below, leaf: snapshot.leaf)
    }
}
