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

    /// What one round leaves to the next.
    struct Seen {
        /// How far each store was.
        var uploads: [String: DigestUploadStatus] = [:]
        /// The number of the schema whose changes were looked for.
        var schema: Int64?
    }

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
        var seen = Seen()
        while true {
            try await round(&seen)
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
            } catch is CancellationError {
                break
            }
            if Task.isShuttingDownGracefully { break }
        }
        // What was written since the last round is not left without a digest.
        try await round(&seen)
        if !asJSON { Output.line("stopped") }
    }

    /// Whether everything worked. Errors that the next round may not have are told and not thrown.
    @discardableResult
    func round(_ seen: inout Seen) async throws -> Bool {
        var isFine = true
        do {
            try close(&seen.schema)
        } catch {
            isFine = false
            tell("failed", reason: Failure(describing: error)?.message ?? "\(error)")
        }
        for status in try await uploader.uploadOnce() where status.isCurrent {
            if status.lastStoredBlock != seen.uploads[status.url]?.lastStoredBlock, let block = status.lastStoredBlock {
                tell("uploaded", block: block, store: status.url)
            }
            if status.blocksBehind > 0 || status.isHalted {
                isFine = false
                if status.failureCount != seen.uploads[status.url]?.failureCount {
                    tell("behind", block: status.newestBlock, store: status.url, reason: status.summary)
                }
            }
            seen.uploads[status.url] = status
        }
        return isFine
    }

    /// Closes blocks until none is open. Closing also looks for changes of the schema, which become transactions, and for
    /// new tables of an all-tables ledger. The first look takes no lock, so that an idle database stays idle.
    private func close(_ seenSchema: inout Int64?) throws {
        var status = try LedgerStatus(session)
        var schema = try schemaNumber()
        while status.openTransactions > 0 || schema != seenSchema {
            let text = try session.value("SELECT ledger_close_block()")
            seenSchema = schema
            let blocks = status.blocks
            status = try LedgerStatus(session)
            if let text, text != .null, status.blocks > blocks {
                tell("closed", block: try LedgerDigest(json: text.shown).block)
            }
            schema = try schemaNumber()
            guard status.blocks > blocks || schema != seenSchema else { return }
        }
    }

    private func schemaNumber() throws -> Int64? { try session.value("PRAGMA main.schema_version")?.integer }

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
