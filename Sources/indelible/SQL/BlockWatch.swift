import Foundation
import SQLLedger
import SQLLedgerDigests
import ServiceLifecycle

/// Closes blocks and uploads digests, again and again.
struct BlockWatch: Service {
    var session: SQLSession
    var uploader: DigestUploader
    var interval: Duration
    var asJSON: Bool

    private struct Line: Encodable {
        var time: String
        var event: String
        var blockId: UInt64?
        var store: String?
        var reason: String?
    }

    func run() async throws {
        if !asJSON {
            Output.line("watching, every \(interval.formatted(.units(allowed: [.hours, .minutes, .seconds])))")
        }
        var last: [String: DigestUploadStatus] = [:]
        while true {
            try await round(&last)
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
            } catch is CancellationError {
                break
            }
            if Task.isShuttingDownGracefully { break }
        }
        // What was written since the last round is not left without a digest.
        try await round(&last)
        if !asJSON { Output.line("stopped") }
    }

    /// Whether everything worked. Errors that the next round may not have are told and not thrown. `last`: how far each
    /// store was after the round before.
    @discardableResult
    func round(_ last: inout [String: DigestUploadStatus]) async throws -> Bool {
        var isFine = true
        do {
            try close()
        } catch {
            isFine = false
            tell("failed", reason: Failure(describing: error)?.message ?? "\(error)")
        }
        for status in try await uploader.uploadOnce() where status.isCurrent {
            if status.lastStoredBlock != last[status.url]?.lastStoredBlock, let block = status.lastStoredBlock {
                tell("uploaded", block: block, store: status.url)
            }
            if status.blocksBehind > 0 || status.isHalted {
                isFine = false
                if status.failureCount != last[status.url]?.failureCount {
                    tell("behind", block: status.newestBlock, store: status.url, reason: status.summary)
                }
            }
            last[status.url] = status
        }
        return isFine
    }

    /// Closes blocks until none is open. The first look takes no lock, so that an idle database stays idle.
    private func close() throws {
        var status = try LedgerStatus(session)
        if !status.notCovered.isEmpty {
            _ = try session.value("SELECT ledger_refresh()")
            status = try LedgerStatus(session)
        }
        while status.openTransactions > 0 {
            guard let text = try session.value("SELECT ledger_close_block()"), text != .null else { return }
            tell("closed", block: try LedgerDigest(json: text.shown).block)
            status = try LedgerStatus(session)
        }
    }

    private func tell(_ event: String, block: BlockID? = nil, store: String? = nil, reason: String? = nil) {
        let time = CommitTime.now().description
        if asJSON {
            Output.json(Line(time: time, event: event, blockId: block?.rawValue, store: store, reason: reason))
            return
        }
        switch (event, block) {
        case ("closed", let block?): Output.line("\(Style.quiet(time)) block \(block) closed")
        case ("uploaded", let block?):
            Output.line("\(Style.quiet(time)) digests through block \(block) are at \(store ?? "?")")
        default: Output.error("\(time) \(reason ?? "failed")")
        }
    }
}
