import Foundation
import LedgerFormat
import LedgerProofs
import Synchronization

/// The single-node replicator: CCF's ledger directory, made durable by fdatasync.
///
/// Order of an append: write, sync, answer. Order of ending a chunk: positions table, sync, header word, sync,
/// rename, sync of the directory. Every state a crash can leave between two of these steps is one that
/// `LedgerRecovery` finishes or cuts.
final class FileLog: Replicator {
    private struct State {
        var descriptor: Int32 = -1
        /// The open chunk ends with the flagged signature but has not been completed yet.
        var mustComplete = false
    }

    private let disk: any Disk
    private let catalog: ChunkCatalog
    /// For files that appear in the ledger directory in one step. Same file system.
    private let scratch: String
    /// Only the sequencer's thread appends; the lock makes that safe to state, it is never contended.
    private let state = Mutex(State())

    init(catalog: ChunkCatalog, scratch: String, disk: any Disk, mustComplete: Bool) throws {
        self.disk = disk
        self.catalog = catalog
        self.scratch = scratch
        if let open = catalog.open {
            let descriptor = try disk.open(catalog.directory + "/" + open.fileName, create: false)
            state.withLock {
                $0.descriptor = descriptor
                $0.mustComplete = mustComplete
            }
        }
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { disk.close($0.descriptor) } }
    }

    func append(_ batch: SignedBatch) throws(ReplicationError) {
        try state.withLock { state throws(ReplicationError) in
            try completeIfNeeded(&state)
            let open = try openChunk(startingAt: batch.first, &state)
            do throws(DiskError) {
                try disk.write(state.descriptor, batch.bytes, at: open.byteCount)
            } catch {
                throw undo(error, state.descriptor, to: open.byteCount)
            }
            do throws(DiskError) {
                try disk.sync(state.descriptor)
            } catch {
                // After a failed sync the kernel may have dropped the pages: nothing can be known until a restart.
                throw ReplicationError(.unknown, error)
            }
            try checkName(of: open, state.descriptor)
            catalog.appended(
                positions: batch.offsets.map { UInt32(truncatingIfNeeded: open.byteCount + UInt64($0)) },
                byteCount: open.byteCount + UInt64(batch.bytes.count))
            state.mustComplete = batch.endsChunk
        }
    }

    func settle() throws(ReplicationError) {
        try state.withLock { state throws(ReplicationError) in try completeIfNeeded(&state) }
    }

    /// Bytes in a file that somebody removed or replaced are lost with the process, however durable they are.
    private func checkName(of open: ChunkCatalog.OpenChunk, _ descriptor: Int32) throws(ReplicationError) {
        guard SystemCalls.isName(catalog.directory + "/" + open.fileName, of: descriptor) else {
            throw ReplicationError(
                .unknown, reason: "\(open.fileName) was removed, moved or replaced while it was being written")
        }
    }

    /// A write that failed before any sync: cut it off again, then its outcome is known.
    private func undo(_ error: DiskError, _ descriptor: Int32, to byteCount: UInt64) -> ReplicationError {
        do throws(DiskError) {
            try disk.truncate(descriptor, to: byteCount)
            try disk.sync(descriptor)
            return ReplicationError(.notWritten, error)
        } catch let second {
            var both = ReplicationError(.unknown, error)
            both.reason += ", then \(second.description)"
            both.told += ", then \(second.told)"
            return both
        }
    }

    private func openChunk(
        startingAt first: SequenceNumber, _ state: inout State
    ) throws(ReplicationError) -> ChunkCatalog.OpenChunk {
        if let open = catalog.open { return open }
        let name = ChunkName(first: first, last: nil, isCommitted: false).fileName
        do throws(DiskError) {
            // The reader refuses an open chunk without its header word, so the file appears with it in one step.
            let temporary = scratch + "/" + name
            let descriptor = try disk.open(temporary, create: true)
            do throws(DiskError) {
                try disk.truncate(descriptor, to: 0)
                try disk.write(descriptor, ChunkLayout.header(tableOffset: 0), at: 0)
                try disk.sync(descriptor)
                try disk.rename(temporary, to: catalog.directory + "/" + name)
                try disk.syncDirectory(catalog.directory)
            } catch {
                disk.close(descriptor)
                throw error
            }
            state.descriptor = descriptor
        } catch {
            // No entry was written: an empty chunk file, if it is there, is reused after a restart.
            throw ReplicationError(.notWritten, error)
        }
        let open = ChunkCatalog.OpenChunk(first: first, fileName: name, positions: [], byteCount: 8)
        catalog.setOpen(open)
        return open
    }

    private func completeIfNeeded(_ state: inout State) throws(ReplicationError) {
        guard state.mustComplete, let open = catalog.open else { return }
        // A completion that failed after its rename is finished by `complete`.
        if access(catalog.directory + "/" + open.fileName, F_OK) == 0 { try checkName(of: open, state.descriptor) }
        do throws(DiskError) {
            let closed = try Self.complete(open, descriptor: state.descriptor, in: catalog.directory, disk: disk)
            disk.close(state.descriptor)
            state.descriptor = -1
            state.mustComplete = false
            catalog.closedOpenChunk(as: closed)
        } catch {
            throw ReplicationError(.notWritten, error)
        }
    }

    /// Turns an open chunk that ends on its flagged signature into a `.committed` one. Repeating it after a crash
    /// between any two steps gives the same file.
    static func complete(
        _ open: ChunkCatalog.OpenChunk, descriptor: Int32, in directory: String, disk: any Disk
    ) throws(DiskError) -> ChunkCatalog.ClosedChunk {
        let last = SequenceNumber(open.first.rawValue + UInt64(open.positions.count) - 1)
        let name = ChunkName(first: open.first, last: last, isCommitted: true).fileName
        let table = ChunkLayout.positionsTable(open.positions)
        try disk.truncate(descriptor, to: open.byteCount)
        try disk.write(descriptor, table, at: open.byteCount)
        try disk.sync(descriptor)
        try disk.write(descriptor, ChunkLayout.header(tableOffset: open.byteCount), at: 0)
        try disk.sync(descriptor)
        do throws(DiskError) {
            try disk.rename(directory + "/" + open.fileName, to: directory + "/" + name)
        } catch {
            // Renamed by an attempt that failed after it.
            guard error.code == ENOENT, access(directory + "/" + name, F_OK) == 0 else { throw error }
        }
        try disk.syncDirectory(directory)
        return ChunkCatalog.ClosedChunk(
            first: open.first, last: last, fileName: name, tableOffset: open.byteCount,
            byteCount: open.byteCount + UInt64(table.count))
    }
}
