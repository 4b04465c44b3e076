import SQLLedger

/// Uploads the digests of one database to its stores. A store that is slow or away holds up none of the others.
public final class DigestUploader: Sendable {
    private let source: any DigestSource
    private let policy: DigestUploadPolicy
    private let stores: [any DigestArchive]
    private let lanes: [DigestUploadLane]
    private let retiresOthers: Bool
    private let retirement = Retirement()

    /// With `retiresOthers`, `stores` are those in use now: places that the database knows besides them are marked as no
    /// longer current, once. Another uploader that uses such a place marks it as current again.
    public init(
        source: any DigestSource, stores: [any DigestArchive], policy: DigestUploadPolicy = .init(),
        retiresOthers: Bool = true
    ) {
        self.source = source
        self.stores = stores
        self.policy = policy
        self.retiresOthers = retiresOthers
        lanes = stores.map { DigestUploadLane(store: $0, source: source, policy: policy) }
    }

    /// Uploads until it is cancelled, asking for new blocks every `policy.interval`.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask {
                    while true {
                        let time = try await lane.round()
                        let regular = ContinuousClock.now.advanced(by: self.policy.interval)
                        try await Task.sleep(until: time.map { min($0, regular) } ?? regular, clock: .continuous)
                    }
                }
            }
            group.addTask { await self.retireOthers() }
            try await group.waitForAll()
        }
    }

    /// One round: everything that can be uploaded now, without waiting out the pauses of stores that failed. Returns when
    /// the slowest store has answered.
    @discardableResult
    public func uploadOnce() async throws -> [DigestUploadStatus] {
        await retireOthers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes { group.addTask { _ = try await lane.round() } }
            try await group.waitForAll()
        }
        return await statuses()
    }

    /// Starts a round at every store that is not in one, and waits for none. `told` is called for each store at the end
    /// of its round.
    public func begin(_ told: @escaping @Sendable (DigestUploadStatus) async -> Void) async {
        await retireOthers()
        for lane in lanes { await lane.begin(told) }
    }

    /// A last round, which tries stores in a pause as well. What takes longer than `limit` is given up.
    public func finish(within limit: Duration) async -> [DigestUploadStatus] {
        await retireOthers()
        // Tasks of their own: one that cannot be cancelled is not waited for.
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        let rounds = lanes.map { lane in
            Task {
                _ = try? await lane.round(ignoringPauses: true)
                end.yield(true)
            }
        }
        let clock = Task {
            try? await Task.sleep(for: limit)
            end.yield(false)
        }
        var rest = lanes.count
        if rest > 0 {
            for await isRound in ends {
                rest -= 1
                if !isRound || rest == 0 { break }
            }
        }
        clock.cancel()
        for round in rounds { round.cancel() }
        await cancel()
        if let newest = try? await source.newestBlock() {
            for lane in lanes { await lane.note(newest: newest) }
        }
        return await statuses()
    }

    /// Gives up what is under way. The next round begins with a look at what arrived.
    public func cancel() async {
        for lane in lanes { await lane.cancel() }
    }

    /// The stores in use, as far as this uploader knows.
    public func current() async -> [DigestUploadStatus] {
        var result: [DigestUploadStatus] = []
        for lane in lanes { result.append(await lane.status) }
        return result
    }

    /// The stores in use, then those that the database knows and that are not in use.
    public func statuses() async -> [DigestUploadStatus] {
        var result = await current()
        let urls = Set(stores.map(\.url))
        for location in (try? await source.digestLocations()) ?? [] where !urls.contains(location.path) {
            result.append(
                DigestUploadStatus(
                    url: location.path, isCurrent: false, lastStoredBlock: location.lastBlock, newestBlock: nil,
                    blocksBehind: 0, behindSince: nil, startBlock: nil, failureCount: 0, lastFailure: nil,
                    isHalted: false))
        }
        return result
    }

    /// Which ledger's other places were marked.
    private actor Retirement {
        private var done: LedgerID?

        func isNeeded(for ledger: LedgerID) -> Bool { done != ledger }
        func isDone(for ledger: LedgerID) { done = ledger }
    }

    /// Once for a ledger. A failure is tried again at the next round.
    private func retireOthers() async {
        guard retiresOthers else { return }
        let urls = Set(stores.map(\.url))
        do {
            let ledger = try await source.ledgerID()
            guard await retirement.isNeeded(for: ledger) else { return }
            for var location in try await source.digestLocations()
            where location.isCurrent && !urls.contains(location.path) {
                location.isCurrent = false
                try await source.record(location)
            }
            await retirement.isDone(for: ledger)
        } catch {
            // The lanes ask the same of the database, and tell.
        }
    }
}
