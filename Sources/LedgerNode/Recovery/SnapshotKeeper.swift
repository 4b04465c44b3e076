import Dispatch
import Foundation
import LedgerFormat
import LedgerProofs
import Logging

/// Takes snapshots beside the sequencer: state, evidence transaction, receipt, file. A failed snapshot costs only a
/// longer start; the next one is taken at the next interval.
///
/// Collections' entries are not in it: they stay in the ledger, and the index finds them (decision 0004).
final class SnapshotKeeper: Sendable {
    private let directory: DataDirectory
    private let kept: Int
    private let secret: LedgerSecret
    private let disk: any Disk
    private let inbox: Inbox
    private let reader: HistoricalReader
    private let logger: Logger
    private let running = DispatchGroup()

    init(
        directory: DataDirectory, kept: Int, secret: LedgerSecret, disk: any Disk, inbox: Inbox,
        reader: HistoricalReader, logger: Logger
    ) {
        self.directory = directory
        self.kept = kept
        self.secret = secret
        self.disk = disk
        self.inbox = inbox
        self.reader = reader
        self.logger = logger
    }

    /// Starts a snapshot of `state`, whose newest transaction is a signature with this leaf. Returns at once.
    func take(_ state: LedgerState, leaf: Digest32) {
        running.enter()
        Task.detached { [self] in
            defer { running.leave() }
            do {
                try await write(state, leaf: leaf)
            } catch {
                logger.warning(
                    "no snapshot was taken", metadata: ["seqno": "\(state.last.seqno)", "reason": "\(error)"])
            }
        }
    }

    /// Waits for snapshots under way; close the inbox and end the sequencer first.
    func close() { running.wait() }

    private func write(_ state: LedgerState, leaf: Digest32) async throws {
        let entry = try Self.snapshot(of: state, leaf: leaf).encoded(secret: secret)
        let evidence = SnapshotEvidence(hash: entry.writeSetDigest, version: state.last.seqno).encoded()
        let digest = entry.writeSetDigest
        let deadline = ContinuousClock.now + .seconds(60)
        let ticket = WriteTicket()
        try inbox.put(
            PendingWrite(
                work: .change { _ in
                    var writes = WriteSet()
                    writes.put(.snapshotEvidence, key: zeroKey, value: evidence)
                    return StateChange(writes: writes, claimsDigest: digest)
                }, ticket: ticket))
        let id: TransactionID
        switch await ticket.wait(until: deadline) {
        case .outcome(let outcome) where outcome.isCommitted: id = outcome.transactionID
        case .failure(let error): throw error
        default: throw LedgerError(.transactionPending, "the evidence was not committed in time")
        }
        try await reader.indexer.wait(for: id.seqno)
        try await reader.blocking { [self] in
            let receipt = try reader.receipt(id).receipt.nodeJSON()
            // The next start trusts the derived files up to the snapshot, so they become durable first.
            try reader.indexer.merkle.sync()
            try reader.indexer.signatures.sync()
            let name = SnapshotName(seqno: state.last.seqno, evidence: id.seqno, isCommitted: true)
            try DurableFile.write(
                SnapshotFile(entry: entry.bytes, receipt: .json(receipt)).encoded(),
                to: directory.snapshots + "/" + name.fileName, scratch: directory.scratch, disk: disk)
            prune()
        }
    }

    private static func snapshot(of state: LedgerState, leaf: Digest32) -> Snapshot {
        Snapshot(
            seqno: state.last.seqno, leaf: leaf, viewHistory: state.viewStarts.map(\.rawValue),
            maps: state.store.maps.map { name, map in
                SnapshotMap(
                    name: name, version: map.version.rawValue,
                    records: map.rows.map {
                        SnapshotRecord(key: $0.key, version: $0.value.version.rawValue, value: $0.value.value)
                    })
            })
    }

    private func names() -> [SnapshotName] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.snapshots)) ?? []
        return files.compactMap { SnapshotName(fileName: $0) }.filter(\.isCommitted).sorted { $0.seqno < $1.seqno }
    }

    private func prune() {
        for name in names().dropLast(kept) { unlink(directory.snapshots + "/" + name.fileName) }
    }

    /// Committed snapshots, oldest first.
    func files() -> [LedgerChunkFile] {
        names().compactMap { name in
            let path = directory.snapshots + "/" + name.fileName
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard let size = attributes?[.size] as? NSNumber else { return nil }
            return LedgerChunkFile(
                fileName: name.fileName, first: name.seqno, last: name.evidence, byteCount: size.uint64Value)
        }
    }
}
