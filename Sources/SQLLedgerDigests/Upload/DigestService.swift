import Logging
import SQLLedger
import ServiceLifecycle

/// What `indelible sql watch` does, as a service of one's own program: closes blocks while there is work, and uploads their
/// digests. Blocks are closed whatever the stores do; a store that is slow or away holds up none of the others and is
/// caught up later. On a graceful shutdown it does a last round and ends.
///
/// ```swift
/// let store = try DigestStoreURL("file:///mnt/worm/digests").open()
/// let service = DigestService(source: LedgerDigests(pool), stores: [store], logger: logger)
/// try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
public struct DigestService: Service {
    /// How long the last round may take.
    public static let lastRound = Duration.seconds(10)

    private let source: any DigestSource
    private let uploader: DigestUploader
    private let interval: Duration
    private let logger: Logger

    /// The stores stay the caller's, who closes them after `run`.
    /// - Parameters:
    ///   - interval: how often a block is closed if it holds anything. What was committed since the last one could still be
    ///     rewritten.
    ///   - logger: told of stores that fall behind or are up to date again, and of blocks that cannot be closed.
    public init(
        source: any DigestSource, stores: [any DigestArchive], interval: Duration = .seconds(30), logger: Logger
    ) {
        self.source = source
        self.interval = interval
        self.logger = logger
        uploader = DigestUploader(source: source, stores: stores)
    }

    /// How far the stores are.
    public func statuses() async -> [DigestUploadStatus] { await uploader.statuses() }

    /// Ends by graceful shutdown, or by cancellation, and then without a last round.
    public func run() async throws {
        let told = Told(logger: logger)
        repeat {
            await close()
            await uploader.begin { await told.about($0) }
        } while await !isStopped()
        // A database of GRDB's refuses everything to a cancelled task.
        if !Task.isCancelled { await close() }
        for status in await uploader.finish(within: Self.lastRound) { await told.about(status) }
    }

    private func isStopped() async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
        } catch {
            return true
        }
        return Task.isShuttingDownGracefully || Task.isCancelled
    }

    private func close() async {
        do {
            try await source.closeBlocks()
        } catch is CancellationError {
        } catch {
            logger.error("no block could be closed", metadata: ["error": "\(error)"])
        }
    }

    /// Says what has changed at a store, and nothing twice.
    private actor Told {
        private let logger: Logger
        private var last: [String: (failure: String?, isBehind: Bool)] = [:]

        init(logger: Logger) { self.logger = logger }

        func about(_ status: DigestUploadStatus) {
            let isBehind = status.blocksBehind > 0 || status.isHalted
            let before = last.updateValue((status.lastFailure ?? status.loss, isBehind), forKey: status.url)
            guard status.lastFailure ?? status.loss != before?.failure || isBehind != before?.isBehind ?? false else {
                return
            }
            logger.log(
                level: isBehind || status.loss != nil ? .error : .notice, "digest store",
                metadata: ["state": "\(status.summary)", "loss": "\(status.loss ?? "")"])
        }
    }
}
