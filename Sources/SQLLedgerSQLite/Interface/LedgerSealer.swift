import SQLLedger

/// Decides when a long-lived program closes blocks and which digests it uploads where. A value without I/O: ask
/// `nextAction`, do it outside, report back.
///
/// A block closes every 30 s while there is something to close. Uploads that fail are tried again, each time after
/// twice the wait, up to five minutes.
public struct LedgerSealer: Sendable {
    /// What to do next.
    public enum Action: Sendable, Equatable {
        /// Close the block, then call `closed`.
        case closeBlock
        /// Store the digest at `location`, then call `uploaded` or `uploadFailed`.
        case upload(LedgerDigest, location: String)
        /// Nothing until then (or until somebody asks for a digest).
        case wait(until: ContinuousClock.Instant)
    }

    /// How long a block stays open.
    public var interval: Duration

    private var closesNext: ContinuousClock.Instant
    private var pending: [String: Pending] = [:]

    private struct Pending: Sendable {
        var digest: LedgerDigest
        var notBefore: ContinuousClock.Instant
        var failures = 0
    }

    public init(
        interval: Duration = .seconds(30), locations: [String], now: ContinuousClock.Instant = .now
    ) {
        self.interval = interval
        self.locations = locations
        closesNext = now
    }

    /// Where digests go.
    public let locations: [String]

    /// Decides. `hasOpenTransactions`: whether there are transactions that no closed block covers.
    public mutating func nextAction(hasOpenTransactions: Bool, now: ContinuousClock.Instant = .now) -> Action {
        for location in locations {
            if let upload = pending[location], upload.notBefore <= now {
                return .upload(upload.digest, location: location)
            }
        }
        if closesNext <= now {
            closesNext = now + interval
            if hasOpenTransactions { return .closeBlock }
        }
        let retry = pending.values.map(\.notBefore).min() ?? closesNext
        return .wait(until: min(retry, closesNext))
    }

    /// A block was closed, or a digest that may not be at every location was found at the start.
    public mutating func closed(_ digest: LedgerDigest, now: ContinuousClock.Instant = .now) {
        for location in locations {
            // A newer digest covers all older ones; what waits for a repetition goes on waiting.
            if pending[location] != nil {
                pending[location]?.digest = digest
            } else {
                pending[location] = Pending(digest: digest, notBefore: now)
            }
        }
    }

    public mutating func uploaded(_ digest: LedgerDigest, to location: String) {
        if pending[location]?.digest == digest { pending[location] = nil }
    }

    public mutating func uploadFailed(to location: String, now: ContinuousClock.Instant = .now) {
        guard var upload = pending[location] else { return }
        upload.failures += 1
        upload.notBefore = now + min(.seconds(1) * (1 << min(upload.failures, 9)), .seconds(300))
        pending[location] = upload
    }

    /// Digests that are not stored everywhere yet.
    public var waitingUploads: Int { pending.count }
}
