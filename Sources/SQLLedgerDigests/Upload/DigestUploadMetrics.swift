import Metrics
import SQLLedger

/// What the uploader tells the process's metrics system about one store.
///
/// Documentation/SQLLedger.md, "Digests"
struct DigestUploadMetrics: Sendable {
    private let uploads: Counter
    private let failures: Counter
    private let lastBlock: Gauge
    private let blocksBehind: Gauge
    private let secondsBehind: Gauge

    init(store url: String) {
        let dimensions = [("store", url)]
        uploads = Counter(label: "indelible_digest_uploads_total", dimensions: dimensions)
        failures = Counter(label: "indelible_digest_upload_failures_total", dimensions: dimensions)
        lastBlock = Gauge(label: "indelible_digest_last_block", dimensions: dimensions)
        blocksBehind = Gauge(label: "indelible_digest_blocks_behind", dimensions: dimensions)
        secondsBehind = Gauge(label: "indelible_digest_seconds_behind", dimensions: dimensions)
    }

    func uploaded() { uploads.increment() }

    func failed() { failures.increment() }

    func record(lastStored: BlockID?, blocksBehind count: UInt64, behindSince: CommitTime?) {
        if let lastStored { lastBlock.record(lastStored.rawValue) }
        blocksBehind.record(count)
        let age = behindSince.map { Double(CommitTime.now().microseconds - $0.microseconds) / 1e6 } ?? 0
        secondsBehind.record(max(age, 0))
    }
}
