import Foundation
import LedgerFormat
import LedgerProofs

/// Start-up: finds the last valid signature, cuts what never became committed, checks the tail, and brings the
/// derived index up to date. Reads the newest snapshot and what follows it, not the whole ledger, unless
/// the index has to be rebuilt.
struct LedgerRecovery {
    /// Everything the node continues from.
    struct Result {
        var state: SequencerState
        /// All leaves; equals `state.frontier`. Kept apart because the index owns its own copy.
        var indexed: MerkleFrontier
        var recentRequests: [(key: Digest32, id: TransactionID)] = []
        var notes: [String] = []
        /// The highest view that this node is known to have written in, the cut tail included.
        var highestView: View
        /// The highest view that anything in the files names, authentic or not.
        var claimedView: View
    }

    /// A tail longer than one batch cannot come from a crash: batches are made durable one at a time.
    static let tornTailLimit = UInt64(Sequencer.batchByteCountLimit + (64 << 20))
    /// Rows and leaves held between two writes of the index.
    static let indexFlushInterval = 20_000

    let directory: DataDirectory
    let catalog: ChunkCatalog
    let keyring: Keyring
    let disk: any Disk
    let entries: EntryIndex
    let merkle: MerkleStore
    let signatures: SignatureIndex
    let idempotencyWindow: Duration
    /// The newest transaction the derived index has seen committed, read before anything was changed.
    let anchor: SequenceNumber
    /// The service was opened once, so the ledger must say so.
    let isCreated: Bool

    // MARK: Files

    /// Registers all closed chunks and returns the name of the open one. Checks names, contiguity and the
    /// positions tables' places and sizes. Error: `corrupt`.
    static func registerChunks(in directory: DataDirectory, _ catalog: ChunkCatalog) throws -> ChunkName? {
        var names: [ChunkName] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.ledger).sorted() {
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: directory.ledger + "/" + file, isDirectory: &isDirectory),
                isDirectory.boolValue
            {
                continue
            }
            guard let name = ChunkName(fileName: file) else {
                throw LedgerError(
                    .incompleteDirectory,
                    "\(directory.ledger)/\(file) is not a ledger chunk; keep the ledger directory free of other files")
            }
            switch name.state {
            case .ignored: continue
            case .recovery:
                throw LedgerError(.corrupt, "\(file) belongs to an unfinished disaster recovery")
            default: names.append(name)
            }
        }
        names.sort()
        var next = SequenceNumber(1)
        for (index, name) in names.enumerated() {
            guard name.first == next else {
                throw LedgerError(
                    .corrupt,
                    "\(name.fileName) starts at seqno \(name.first), \(next) is expected: a chunk is missing or doubled"
                )
            }
            guard let last = name.last else {
                guard index == names.count - 1 else {
                    throw LedgerError(.corrupt, "the open chunk \(name.fileName) is not the last one")
                }
                return name
            }
            catalog.addClosed(try closedChunk(directory, name, last: last))
            next = last.next
        }
        return nil
    }

    private static func closedChunk(
        _ directory: DataDirectory, _ name: ChunkName, last: SequenceNumber
    ) throws -> ChunkCatalog.ClosedChunk {
        let path = directory.ledger + "/" + name.fileName
        let handle = try ChunkHandle(path: path)
        let size = try SystemCalls.byteCount(of: handle.descriptor, path: path)
        guard size >= 8 else { throw LedgerError(.corrupt, "\(name.fileName) has only \(size) bytes") }
        let word = try handle.read(at: 0, count: 8)
        let table = (0..<8).reduce(UInt64(0)) { $0 | UInt64(word[$1]) << (8 * UInt64($1)) }
        let count = last.rawValue - name.first.rawValue + 1
        guard table >= 8, table <= size, size - table == count * 4 else {
            throw LedgerError(
                .corrupt, "\(name.fileName): the positions table at offset \(table) does not hold \(count) positions")
        }
        return ChunkCatalog.ClosedChunk(
            first: name.first, last: last, fileName: name.fileName, tableOffset: table, byteCount: size)
    }

    // MARK: Replay

    /// - Parameter start: the verified state at a snapshot; `nil` replays from the first transaction.
    func replay(from start: SnapshotStart?, open: ChunkName?) throws -> Result {
        var replay = try Replay(recovery: self, start: start)
        let after = start.map(\.seqno) ?? .zero
        for chunk in catalog.closed where chunk.last > after {
            var stream = ChunkStream(
                handle: try ChunkHandle(path: directory.ledger + "/" + chunk.fileName), end: chunk.tableOffset)
            while let item = try stream.next() {
                do {
                    try replay.add(item.bytes)
                } catch {
                    throw LedgerError(
                        .corrupt, "\(chunk.fileName), offset \(item.offset): \(error)", cause: error)
                }
                if replay.endsOnSignature { try replay.flushIndexIfDue() }
            }
            guard replay.next == chunk.last.next, replay.endsOnSignature else {
                throw LedgerError(
                    .corrupt, "\(chunk.fileName) does not end with seqno \(chunk.last) on a signature")
            }
        }
        if let open { try replayOpen(open, &replay) }
        try checkAnchor(replay, in: catalog.closed.last?.fileName ?? directory.ledger, nil)
        return try replay.finish()
    }

    /// Keys that have signed a ledger must never sign the beginning of another one.
    static func lost(_ directory: DataDirectory) -> LedgerError {
        LedgerError(
            .incompleteDirectory,
            "\(directory.ledger) does not hold the ledger that was created here. Restore it from a copy "
                + "(is its file system mounted?); a new ledger needs a data directory of its own. Nothing was changed")
    }

    /// The index only ever sees committed transactions, after they are durable. Seeing more than the ledger has means
    /// that the ledger lost some.
    private func checkAnchor(_ replay: Replay, in name: String, _ failure: String?) throws {
        guard anchor >= replay.next, anchor > .zero else {
            if isCreated, try !replay.isOpen { throw Self.lost(directory) }
            return
        }
        throw LedgerError(
            .corrupt,
            "\(name) is valid up to seqno \(replay.next.rawValue - 1), but the index has seen \(anchor) committed"
                + (failure.map { " (\($0))" } ?? "")
                + ": committed transactions were cut off or changed. Restore the ledger directory from a copy; "
                + "to accept the loss, remove \(directory.index) first (in a copy that was taken while the node ran nothing "
                + "need be lost: the index was copied after the chunk)")
    }

    /// Walks the open chunk up to its last signature, sets aside what follows, and completes the chunk when the
    /// signature ends it.
    private func replayOpen(_ name: ChunkName, _ replay: inout Replay) throws {
        let path = directory.ledger + "/" + name.fileName
        let descriptor = try disk.open(path, create: false)
        defer { disk.close(descriptor) }
        let handle = try ChunkHandle(path: path)
        let size = try SystemCalls.byteCount(of: handle.descriptor, path: path)
        let before = replay.next
        var positions: [UInt32] = []
        var good = (end: UInt64(8), count: 0)
        var goodReplay = replay
        var endsChunk = false
        var signaturesCut = 0
        var failure: String?
        if size >= 8 {
            var stream = ChunkStream(handle: handle, end: size)
            while !endsChunk {
                let item: ChunkStream.Item
                let kind: Replay.Kind
                do {
                    guard let following = try stream.next() else { break }
                    item = following
                    kind = try replay.add(item.bytes)
                } catch let error as DiskError {
                    throw error
                } catch {
                    failure = "\(error)"
                    break
                }
                positions.append(UInt32(truncatingIfNeeded: item.offset))
                if case .signature(let ends) = kind {
                    try replay.flushIndexIfDue()
                    good = (item.offset + UInt64(item.bytes.count), positions.count)
                    goodReplay = replay
                    endsChunk = ends
                }
            }
        }
        let walked = replay
        replay = goodReplay
        replay.keepViews(of: walked)
        let tail = size > good.end && !endsChunk ? size - good.end : 0
        if tail > 0 {
            signaturesCut = try countSignatures(handle, from: good.end, to: size)
        }
        try checkAnchor(replay, in: name.fileName, failure)
        try replay.checkSignatures()
        guard tail <= Self.tornTailLimit, signaturesCut <= 1 else {
            throw LedgerError(
                .corrupt,
                "\(name.fileName), after offset \(good.end): \(failure ?? "the tail is not valid"), and \(tail) bytes with "
                    + "\(signaturesCut) signatures follow. A crash cannot leave that; the file was changed")
        }
        // Before the ledger is changed: should the index turn out to be damaged, all of this is done again with a new one.
        try replay.flushIndex()
        if tail > 0 {
            try setAside(handle, name: name, from: good.end, to: size)
            replay.note(
                "\(tail) bytes after seqno \(replay.next.rawValue - 1) in \(name.fileName) end on no valid signature; "
                    + "they were moved to \(DataDirectory.setAsideName) in the data directory")
        }
        let chunk = ChunkCatalog.OpenChunk(
            first: before, fileName: name.fileName, positions: Array(positions.prefix(good.count)), byteCount: good.end)
        catalog.setOpen(chunk)
        if endsChunk {
            catalog.closedOpenChunk(
                as: try FileLog.complete(chunk, descriptor: descriptor, in: directory.ledger, disk: disk))
        } else {
            if try size < 8 || handle.read(at: 0, count: 8).contains(where: { $0 != 0 }) {
                if size >= 8 {
                    replay.note(
                        "\(name.fileName) is the open chunk, but its first bytes said that it is complete; put right")
                }
                try disk.write(descriptor, ChunkLayout.header(tableOffset: 0), at: 0)
                try disk.sync(descriptor)
            }
            if size != good.end {
                try disk.truncate(descriptor, to: good.end)
                try disk.sync(descriptor)
            }
            replay.openChunk(byteCount: good.end)
        }
    }

    /// How often the table of signatures is named in a stretch of a file: each signature transaction does once.
    private func countSignatures(_ handle: ChunkHandle, from: UInt64, to: UInt64) throws -> Int {
        let needle = Array("\u{1F}public:ccf.internal.signatures".utf8).dropFirst()
        guard to - from <= Self.tornTailLimit else { return 0 }
        let bytes = Data(try handle.read(at: from, count: Int(to - from)))
        var count = 0
        var position = bytes.startIndex
        while let range = bytes.range(of: Data(needle), in: position..<bytes.endIndex) {
            count += 1
            position = range.upperBound
        }
        return count
    }

    private func setAside(_ handle: ChunkHandle, name: ChunkName, from: UInt64, to: UInt64) throws {
        let path =
            directory.setAside + "/\(name.fileName).at-\(from).\(UInt64(max(0, Date().timeIntervalSince1970))).tail"
        try DurableFile.write(try handle.read(at: from, count: Int(to - from)), to: path, disk: disk)
    }
}
