import LedgerProofs
import SQLLedger

/// Carries out the decisions of `DigestUploadState` for one store.
actor DigestUploadLane {
    private let store: any DigestArchive
    private let source: any DigestSource
    private let policy: DigestUploadPolicy
    private let metrics: DigestUploadMetrics
    private var state: DigestUploadState?
    /// What `database_ledger_digest_locations` says.
    private var recorded: DigestLocation?
    private var behindSince: CommitTime?
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
            blocksBehind: state?.blocksBehind ?? 0, behindSince: behindSince, startBlock: state?.startBlock,
            failureCount: state?.failureCount ?? 0, lastFailure: state?.lastFailure ?? databaseFailure,
            isHalted: state?.isHalted ?? false)
    }

    /// Does everything that can be done now. Returns when the next attempt makes sense, `nil`: when there is a new block.
    func advance() async throws -> ContinuousClock.Instant? {
        var state: DigestUploadState
        let ledger: LedgerID
        do {
            (state, ledger) = try await prepared()
            databaseFailure = nil
        } catch let error as CancellationError {
            throw error
        } catch {
            databaseFailure = "the database: \(error)"
            return .now.advanced(by: policy.firstPause)
        }
        while true {
            try Task.checkCancellation()
            self.state = state
            behindSince = state.blocksBehind > 0 ? behindSince ?? .now() : nil
            metrics.record(
                lastStored: state.lastStored, blocksBehind: state.blocksBehind, behindSince: behindSince)
            switch state.next(now: .now) {
            case .idle:
                await record(state)
                return nil
            case .halted:
                await record(state)
                return nil
            case .wait(let time):
                await record(state)
                return time
            case .upload(let block):
                await attempt(block, &state) { state in
                    try await self.store.append(try await self.source.digest(of: block))
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
        if let known = self.state {
            state = known
        } else {
            recorded = try await source.digestLocations().first { $0.path == store.url }
            state = DigestUploadState(lastStored: recorded?.lastBlock, policy: policy)
        }
        if let newest = try await source.newestBlock() { state.closed(newest) }
        return (state, ledger)
    }

    private func attempt(
        _ block: BlockID, _ state: inout DigestUploadState,
        _ body: (inout DigestUploadState) async throws -> Void
    ) async {
        do {
            try await body(&state)
        } catch let error as DigestStoreError {
            metrics.failed()
            state.failed(block, error.code, reason: error.reason, now: .now)
        } catch {
            metrics.failed()
            state.failed(block, nil, reason: "\(error)", now: .now)
        }
    }

    /// Reads the store for one block. A digest is the same when all but its time is.
    private func look(for block: BlockID, of ledger: LedgerID, _ state: inout DigestUploadState) async throws {
        let wanted = try await source.digest(of: block)
        let stored = try await store.digests(for: ledger, block: block)
        if let other = stored.first(where: { $0.digest.hash != wanted.hash }) {
            state.found(
                otherHistory: "\(other.origin) holds hash 0x\(other.digest.hash.hex.uppercased()) for block \(block), "
                    + "the database has 0x\(wanted.hash.hex.uppercased()): one of them was rewritten")
            return
        }
        let isStored = stored.contains { digest in
            if case .invalid = digest.receipt { return false }
            return true
        }
        if isStored { state.stored(block) } else { state.found(nothingFor: block) }
    }

    /// Writes down how far the store is, unless it is written already. A failure is tried again at the next round.
    private func record(_ state: DigestUploadState) async {
        let location = DigestLocation(path: store.url, lastBlock: state.lastStored)
        guard location != recorded else { return }
        do {
            try await source.record(location)
            recorded = location
        } catch { databaseFailure = "the database: \(error)" }
    }
}
