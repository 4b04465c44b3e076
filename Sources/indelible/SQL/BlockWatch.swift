import Foundation
import SQLLedger
import SQLLedgerDigests
import ServiceLifecycle
import Synchronization

/// Closes blocks and uploads digests, again and again. Blocks are closed whatever the stores do, and each store is
/// served by itself.
struct BlockWatch: Service {
    /// As the user named it.
    var database: String
    var urls: [String]
    var stores: StoreOptions
    var interval: Duration
    var asJSON: Bool
    var teller: WatchTeller
    var outcome = Outcome()
    /// The database, opened already.
    var first: WatchedDatabase

    /// How long the last round may take from the signal on: the rest of what is under way, the database and all stores
    /// together.
    static let lastRound = Duration.seconds(10)
    /// How often it is looked whether a store does not answer, or a database has come back.
    static let look = Duration.seconds(5)

    /// Whether the watch left nothing behind.
    actor Outcome {
        private(set) var isFine = false
        func ended(fine: Bool) { isFine = fine }
    }

    /// Why the watch of one file ended.
    private enum Ending {
        case stopped(isFine: Bool)
        /// What is at the path now is not what was opened.
        case moved(String)
    }

    func run() async throws {
        if !asJSON {
            let parts: Set<Duration.UnitsFormatStyle.Unit> =
                interval < .seconds(1) ? [.milliseconds] : [.hours, .minutes, .seconds]
            Output.line("watching, every \(interval.formatted(.units(allowed: parts)))")
        }
        var opened: WatchedDatabase? = first
        var reason = ""
        while true {
            guard let current = opened else {
                do {
                    let found = try WatchedDatabase(database)
                    await teller.reopened("\(database): \(reason); going on with it, ledger \(found.ledger)")
                    opened = found
                } catch {
                    await teller.absent(
                        "\(Failure(describing: error)?.message ?? "\(error)"); nothing is watched, trying on")
                    if await isStopped(after: min(interval, Self.look)) { break }
                }
                continue
            }
            switch try await watch(current) {
            case .stopped(let isFine):
                await outcome.ended(fine: isFine)
                if !asJSON { Output.line("stopped") }
                return
            case .moved(let why):
                reason = why
                opened = nil
            }
        }
        if !asJSON { Output.line("stopped") }
    }

    /// One round, for `--once`. Returns whether everything worked.
    func once() async throws -> Bool {
        try await withStores(first) { uploader in
            var seen: Int64?
            let failure = await close(first, &seen)
            if let failure { await teller.failed(failure) }
            // Each store is told of when it has answered, or has not for a while.
            let (ends, end) = AsyncStream.makeStream(of: Void.self)
            await uploader.begin {
                await teller.uploaded($0)
                end.yield()
            }
            let looks = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: Self.look)
                    await teller.waiting(await uploader.current())
                }
            }
            for await _ in ends.prefix(urls.count) {}
            looks.cancel()
            return WatchTeller.isFine(await uploader.statuses()) && failure == nil
        }
    }

    private func withStores<R>(
        _ current: WatchedDatabase, _ body: (DigestUploader) async throws -> R
    ) async throws -> R {
        let source = DatabaseDigests(session: current.session)
        return try await stores.withStores(urls, collection: try LedgerStatus.collection(current.session)) { opened in
            try await body(DigestUploader(source: source, stores: opened))
        }
    }

    /// Watches one file until it is to stop or the file is another one.
    private func watch(_ current: WatchedDatabase) async throws -> Ending {
        let end = RoundEnd()
        return try await withGracefulShutdownHandler {
            try await watch(current, end)
        } onGracefulShutdown: {
            current.session.endWaiting(at: end.set(after: Self.lastRound))
        }
    }

    /// When the last round is to be over; set by the signal.
    private final class RoundEnd: Sendable {
        private let time = Mutex<ContinuousClock.Instant?>(nil)

        @discardableResult
        func set(after limit: Duration) -> ContinuousClock.Instant {
            time.withLock { time in
                let end = time ?? .now.advanced(by: limit)
                time = end
                return end
            }
        }
    }

    private func watch(_ current: WatchedDatabase, _ end: RoundEnd) async throws -> Ending {
        try await withStores(current) { uploader in
            var seenSchema: Int64?
            repeat {
                if let reason = await moved(current) {
                    await uploader.cancel()
                    return .moved(reason)
                }
                if let failure = await close(current, &seenSchema) { await teller.failed(failure) }
                await uploader.begin { await teller.uploaded($0) }
            } while await !isStopped(uploader)
            // What was written since the last round is not left without a digest.
            let limit = end.set(after: Self.lastRound)
            current.session.endWaiting(at: limit)
            if let reason = await moved(current) {
                await uploader.cancel()
                await teller.failed("\(database): \(reason); the last round was not done")
                return .stopped(isFine: false)
            }
            let failure = await close(current, &seenSchema)
            let statuses = await uploader.finish(within: ContinuousClock.now.duration(to: limit))
            let isFine = await teller.ended(statuses)
            guard let failure else { return .stopped(isFine: isFine) }
            let newest = statuses.compactMap { $0.newestBlock ?? $0.lastStoredBlock }.max()
            await teller.failed(
                "\(database): the last round could not close a block: \(failure); what was written after "
                    + "\(newest.map { "block \($0)" } ?? "the last block") has no digest at any store")
            return .stopped(isFine: false)
        }
    }

    /// Why the database is not the one that was opened; `nil` when it is.
    private func moved(_ current: WatchedDatabase) async -> String? {
        do {
            switch try current.look() {
            case .same: return nil
            case .other(let reason): return reason
            case .gone(let reason):
                await teller.absent("\(reason); nothing is watched, trying on")
                return "it is there again"
            }
        } catch {
            // The closing of the block says more.
            return nil
        }
    }

    /// Waits for the next round, and names stores that do not answer. Returns whether to stop.
    private func isStopped(_ uploader: DigestUploader) async -> Bool {
        let next = ContinuousClock.now.advanced(by: interval)
        while true {
            let rest = ContinuousClock.now.duration(to: next)
            guard rest > .zero else { return false }
            if await isStopped(after: min(rest, Self.look)) { return true }
            await teller.waiting(await uploader.current())
        }
    }

    private func isStopped(after time: Duration) async -> Bool {
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: time) }
        } catch {
            return true
        }
        return Task.isShuttingDownGracefully || Task.isCancelled
    }

    /// Returns why it did not work, `nil` when it did. The next round may succeed.
    private func close(_ current: WatchedDatabase, _ seenSchema: inout Int64?) async -> String? {
        do {
            try await close(current.session, &seenSchema)
            return nil
        } catch {
            return Failure(describing: error)?.message ?? "\(error)"
        }
    }

    /// Closes blocks until none is open. Closing also looks for changes of the schema, which become transactions, and for
    /// new tables of an all-tables ledger. The first look takes no lock, so that an idle database stays idle.
    private func close(_ session: SQLSession, _ seenSchema: inout Int64?) async throws {
        var status = try LedgerStatus(session)
        var schema = try schemaNumber(session)
        while status.openTransactions > 0 || schema != seenSchema {
            let text = try session.value("SELECT ledger_close_block()")
            seenSchema = schema
            let blocks = status.blocks
            status = try LedgerStatus(session)
            if let text, text != .null, status.blocks > blocks {
                await teller.closed(try LedgerDigest(json: text.shown).block)
            }
            schema = try schemaNumber(session)
            guard status.blocks > blocks || schema != seenSchema else { return }
        }
    }

    private func schemaNumber(_ session: SQLSession) throws -> Int64? {
        try session.value("PRAGMA main.schema_version")?.integer
    }
}
