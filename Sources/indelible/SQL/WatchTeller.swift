import SQLLedger
import SQLLedgerDigests

/// What `sql watch` says, a line for each event, and nothing twice.
actor WatchTeller {
    /// How long a store or a database that does not answer is waited for before it is named, and named again.
    static let firstSilence: Int64 = 15_000_000
    static let nextSilence: Int64 = 60_000_000

    private struct Line: Encodable {
        var time: String
        var event: String
        var blockId: UInt64?
        var store: String?
        var reason: String?
    }

    private let asJSON: Bool
    /// How far each store was.
    private var uploads: [String: DigestUploadStatus] = [:]
    /// When each store was named as one that does not answer, in microseconds.
    private var silences: [String: Int64] = [:]
    private var absence: (reason: String, time: Int64)?
    private var isEnding = false

    init(asJSON: Bool) { self.asJSON = asJSON }

    /// The end of a store's round.
    func uploaded(_ status: DigestUploadStatus) {
        guard !isEnding else { return }
        tell(status, isLast: false)
    }

    /// What the last round left. Later ends of other rounds say nothing. Returns whether no store is behind.
    func ended(_ statuses: [DigestUploadStatus]) -> Bool {
        isEnding = true
        // What is behind comes last, where it is seen.
        let behind = Self.behind(statuses)
        for status in statuses where status.isCurrent && !Self.isBehind(status) { tell(status, isLast: true) }
        for status in behind { tell(status, isLast: true) }
        return behind.isEmpty
    }

    /// Names the stores that have not answered for a while.
    func waiting(_ statuses: [DigestUploadStatus]) {
        let now = CommitTime.now().microseconds
        for status in statuses {
            guard let since = status.waitingSince?.microseconds, now - since >= Self.firstSilence else {
                silences[status.url] = nil
                continue
            }
            if let told = silences[status.url], now - told < Self.nextSilence { continue }
            silences[status.url] = now
            line(
                "behind", block: status.newestBlock, store: status.url,
                reason: "\(status.url): has not answered for \((now - since) / 1_000_000) s; the other stores go on")
        }
    }

    func closed(_ block: BlockID) { line("closed", block: block) }

    func failed(_ reason: String) { line("failed", reason: reason) }

    /// There is no database to watch. Told at once and then every minute.
    func absent(_ reason: String) {
        let now = CommitTime.now().microseconds
        if let absence, absence.reason == reason, now - absence.time < Self.nextSilence { return }
        absence = (reason, now)
        line("failed", reason: reason)
    }

    /// A database is there again, or another one.
    func reopened(_ reason: String) {
        absence = nil
        uploads = [:]
        line("reopened", reason: reason)
    }

    /// Whether no store is behind.
    static func isFine(_ statuses: [DigestUploadStatus]) -> Bool { behind(statuses).isEmpty }

    private static func behind(_ statuses: [DigestUploadStatus]) -> [DigestUploadStatus] {
        statuses.filter { $0.isCurrent && isBehind($0) }
    }

    private static func isBehind(_ status: DigestUploadStatus) -> Bool {
        // Without a newest block the database could not be asked.
        status.blocksBehind > 0 || status.isHalted || (status.newestBlock == nil && status.lastFailure != nil)
    }

    private func tell(_ status: DigestUploadStatus, isLast: Bool) {
        let before = uploads[status.url]
        if let loss = status.loss, loss != before?.loss {
            line("lost", store: status.url, reason: "\(status.url): \(loss)")
        }
        if !status.isHalted, status.lastStoredBlock != before?.lastStoredBlock || status.loss != before?.loss,
            let block = status.lastStoredBlock
        {
            line("uploaded", block: block, store: status.url)
        }
        if Self.isBehind(status), isLast || status.failureCount != before?.failureCount {
            line("behind", block: status.newestBlock, store: status.url, reason: status.summary)
        }
        uploads[status.url] = status
    }

    private func line(_ event: String, block: BlockID? = nil, store: String? = nil, reason: String? = nil) {
        let time = CommitTime.now().description
        if asJSON {
            Output.json(Line(time: time, event: event, blockId: block?.rawValue, store: store, reason: reason))
            return
        }
        let words = reason.map(PlainText.of) ?? "failed"
        switch (event, block) {
        case ("closed", let block?): Output.line("\(Style.quiet(time)) block \(block) closed")
        case ("uploaded", let block?):
            Output.line("\(Style.quiet(time)) digests through block \(block) are at \(PlainText.of(store ?? "?"))")
        case ("reopened", _): Output.diagnostic("\(time) \(words)")
        default: Output.error("\(time) \(words)")
        }
    }
}
