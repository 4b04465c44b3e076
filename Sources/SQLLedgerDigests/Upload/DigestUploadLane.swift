import LedgerProofs
import SQLLedger

/// Carries out the decisions of `DigestUploadState` for one store.
actor DigestUploadLane {
    private let store: any DigestArchive
    private let source: any DigestSource
    private let policy: DigestUploadPolicy
    private let metrics: DigestUploadMetrics
    private var state: DigestUploadState?
    /// The ledger that `state` is about: another one may be put in its place.
    private var ledger: LedgerID?
    private var behindSince: CommitTime?
    private var waitingSince: CommitTime?
    private var running: Task<ContinuousClock.Instant?, any Error>?
    private var databaseFailure: String?

    init(store: any DigestArchive, source: any DigestSource, policy: DigestUploadPolicy) {
        self.store = store
        self.source = source
        self.policy = policy
        metrics = DigestUploadMetrics(store: store.url)
    }

    var status: DigestUploadStatus {
        DigestUploadStatus(
            url: store.url, isCurrent: true, lastStoredBlock: state?.lastStored, newestBlock: state?.newest,
            notedBlock: state?.noted, blocksBehind: state?.blocksBehind ?? 0, behindSince: behindSince,
            startBlock: state?.startBlock,
            failureCount: state?.failureCount ?? 0, lastFailure: state?.lastFailure ?? databaseFailure,
            isHalted: state?.isHalted ?? false, waitingSince: waitingSince, loss: state?.loss)
    }

    /// Does everything that can be done now, after what another call is doing. Returns when the next attempt makes
    /// sense, `nil`: when there is a new block. `ignoringPauses`: also when a pause after a failure is not over.
    func round(ignoringPauses: Bool = false) async throws -> ContinuousClock.Instant? {
        while let running { _ = await running.result }
        let task = Task {
            defer { running = nil }
            return try await advance(ignoringPauses: ignoringPauses)
        }
        running = task
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Starts a round, unless one is under way, and does not wait for it. `told` is called at its end.
    func begin(_ told: @escaping @Sendable (DigestUploadStatus) async -> Void) {
        guard running == nil else { return }
        Task {
            _ = try? await round()
            await told(status)
        }
    }

    func cancel() { running?.cancel() }

    /// For the status of a store whose round goes on.
    func note(newest: BlockID) { state?.closed(newest) }

    private func advance(ignoringPauses: Bool) async throws -> ContinuousClock.Instant? {
        var state: DigestUploadState
        let ledger: LedgerID
        do {
            (state, ledger) = try await prepared()
            if ignoringPauses { state.resume() }
            state.doubt()
            databaseFailure = nil
        } catch let error as CancellationError {
            throw error
        } catch {
            databaseFailure = "the database: \(error)"
            return .now.advanced(by: policy.firstPause)
        }
        while true {
            self.state = state
            try Task.checkCancellation()
            behindSince = state.blocksBehind > 0 ? behindSince ?? .now() : nil
            metrics.record(
                lastStored: state.lastStored, blocksBehind: state.blocksBehind, behindSince: behindSince)
            switch state.next(now: .now) {
            case .idle:
                await record(state, of: ledger)
                return nil
            case .halted:
                await record(state, of: ledger)
                return nil
            case .wait(let time):
                await record(state, of: ledger)
                return time
            case .upload(let block):
                await attempt(block, &state) { state in
                    try await self.store.append(try await self.digest(of: block, ledger))
                    state.stored(block)
                    self.metrics.uploaded()
                }
            case .look(let block):
                await attempt(block, &state) { state in
                    try await self.look(for: block, of: ledger, &state)
                }
            }
        }
    }

    private func prepared() async throws -> (DigestUploadState, LedgerID) {
        let ledger = try await source.ledgerID()
        var state: DigestUploadState
        if let known = self.state, ledger == self.ledger {
            state = known
        } else {
            state = DigestUploadState(noted: try await recorded()?.lastBlock, policy: policy)
            behindSince = nil
            self.ledger = ledger
        }
        if let newest = try await source.newestBlock() { state.closed(newest) }
        return (state, ledger)
    }

    private func attempt(
        _ block: BlockID, _ state: inout DigestUploadState,
        _ body: (inout DigestUploadState) async throws -> Void
    ) async {
        waitingSince = .now()
        defer { waitingSince = nil }
        do {
            try await body(&state)
        } catch let error as DigestStoreError {
            metrics.failed()
            state.failed(block, error.code, reason: error.reason, now: .now)
        } catch is CancellationError {
            metrics.failed()
            state.failed(block, .unavailable, reason: "\(store.url): stopped before it answered", now: .now)
        } catch {
            metrics.failed()
            state.failed(block, nil, reason: "\(error)", now: .now)
        }
    }

    /// Reads the store for one block. A digest is the same when all but its time is.
    private func look(for block: BlockID, of ledger: LedgerID, _ state: inout DigestUploadState) async throws {
        let wanted = try await digest(of: block, ledger)
        let stored = try await store.digests(for: ledger, block: block)
        // The oldest one counts; a later one can be added by whoever may write there, and is verification's to report.
        let counting = stored.first(where: Self.counts)
        if let other = counting, other.digest.hash != wanted.hash {
            state.found(
                otherHistory: "\(other.origin) holds hash 0x\(other.digest.hash.hex.uppercased()) for block \(block), "
                    + "the database has 0x\(wanted.hash.hex.uppercased()): one of them was rewritten")
            return
        }
        if let missing = state.missing {
            // Uploads leave out no block, but the first one may be any.
            for newer in Set([block.next, missing]).sorted() {
                guard Self.holdsDigest(try await store.digests(for: ledger, block: newer)) else { continue }
                return state.found(newer: newer)
            }
            state.foundNothingNewer()
        } else if state.mayBeOlderCopy, Self.holdsDigest(try await store.digests(for: ledger, block: block.next)) {
            // Or another uploader was faster than this round.
            let newest = try await source.newestBlock()
            guard let newest, newest > block else { return state.found(newer: block.next) }
            state.closed(newest)
        }
        if counting != nil { return state.stored(block) }
        // A store that takes a digest once takes no other one.
        if let first = stored.first, state.wasStored(block) {
            throw DigestStoreError(.damaged, "\(first.origin): its receipt does not prove it")
        }
        state.found(nothingFor: block)
    }

    private static func counts(_ stored: StoredDigest) -> Bool {
        if case .invalid = stored.receipt { return false }
        return true
    }

    private static func holdsDigest(_ stored: [StoredDigest]) -> Bool { stored.contains(where: counts) }

    /// The digest of a block of this ledger.
    private func digest(of block: BlockID, _ ledger: LedgerID) async throws -> LedgerDigest {
        let digest = try await source.digest(of: block)
        guard digest.ledger == ledger else { throw OtherLedger(found: digest.ledger) }
        return digest
    }

    private struct OtherLedger: Error, CustomStringConvertible {
        var found: LedgerID
        var description: String { "the database is another one now, with the ledger \(found)" }
    }

    /// The store's row in `database_ledger_digest_locations`.
    private func recorded() async throws -> DigestLocation? {
        try await source.digestLocations().first { $0.path == store.url }
    }

    /// Writes down how far the store is, unless it is written already. The row is read each time: another uploader may
    /// have been further, or may have taken this store for a former one. A failure is tried again at the next round.
    private func record(_ state: DigestUploadState, of ledger: LedgerID) async {
        do {
            guard Self.isOutdated(try await recorded(), state), try await source.ledgerID() == ledger else { return }
            try await source.record(DigestLocation(path: store.url, lastBlock: state.lastStored))
        } catch { databaseFailure = "the database: \(error)" }
    }

    /// Whether a row is to be written. One that names a newer block of this ledger stays as it is. A block that only the
    /// store has is written too: whoever restored an older copy restored its notes with it.
    private static func isOutdated(_ row: DigestLocation?, _ state: DigestUploadState) -> Bool {
        guard let row, row.isCurrent else { return true }
        guard let noted = row.lastBlock else { return state.lastStored != nil }
        if let newest = state.newest, noted > newest { return noted != state.lastStored }
        return state.lastStored.map { $0 > noted } ?? false
    }
}
