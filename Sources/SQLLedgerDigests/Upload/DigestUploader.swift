import SQLLedger

/// Uploads the digests of one database to its stores. A store that is slow or away holds up none of the others.
public final class DigestUploader: Sendable {
    private let source: any DigestSource
    private let policy: DigestUploadPolicy
    private let stores: [any DigestArchive]
    private let lanes: [DigestUploadLane]

    /// `stores` are those in use now; places that the database knows besides them are marked as no longer current.
    public init(source: any DigestSource, stores: [any DigestArchive], policy: DigestUploadPolicy = .init()) {
        self.source = source
        self.stores = stores
        self.policy = policy
        lanes = stores.map { DigestUploadLane(store: $0, source: source, policy: policy) }
    }

    /// Uploads until it is cancelled, asking for new blocks every `policy.interval`.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask {
                    while true {
                        let time = try await lane.advance()
                        let regular = ContinuousClock.now.advanced(by: self.policy.interval)
                        try await Task.sleep(until: time.map { min($0, regular) } ?? regular, clock: .continuous)
                    }
                }
            }
            group.addTask { await self.retireOthers() }
            try await group.waitForAll()
        }
    }

    /// One round: everything that can be uploaded now, without waiting for stores that are away.
    @discardableResult
    public func uploadOnce() async throws -> [DigestUploadStatus] {
        await retireOthers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes { group.addTask { _ = try await lane.advance() } }
            try await group.waitForAll()
        }
        return await statuses()
    }

    /// The stores in use, then those that the database knows and that are not in use.
    public func statuses() async -> [DigestUploadStatus] {
        var result: [DigestUploadStatus] = []
        for lane in lanes { result.append(await lane.status) }
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

    private func retireOthers() async {
        let urls = Set(stores.map(\.url))
        for var location in (try? await source.digestLocations()) ?? []
        where location.isCurrent && !urls.contains(location.path) {
            location.isCurrent = false
            try? await source.record(location)
        }
    }
}
