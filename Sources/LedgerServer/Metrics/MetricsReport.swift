import LedgerNode
import LedgerProofs

/// The page at `/metrics`.
struct MetricsReport {
    let metrics: ServerMetrics
    /// `METHOD pattern` for each slot.
    let names: [String]
    let gauge: ConnectionGauge
    let information: NodeInformation

    var text: String {
        var out = PrometheusText()
        let used = zip(names, metrics.slots).filter { $1.count > 0 }
        out.family("indelible_http_requests_total", "counter", "Requests answered, by route and status.")
        for (name, slot) in used {
            for status in slot.statuses {
                out.sample(
                    "indelible_http_requests_total", [("route", name), ("status", String(status.code))], status.count)
            }
        }
        out.family("indelible_http_request_seconds", "histogram", "Time from a request's head to its answer.")
        for (name, slot) in used {
            var sum = 0
            for (bound, count) in zip(ServerMetrics.bounds.map { "\($0)" } + ["+Inf"], slot.buckets) {
                sum += count
                out.sample("indelible_http_request_seconds_bucket", [("route", name), ("le", bound)], sum)
            }
            out.sample("indelible_http_request_seconds_sum", [("route", name)], slot.seconds)
            out.sample("indelible_http_request_seconds_count", [("route", name)], slot.count)
        }
        out.family("indelible_open_connections", "gauge", "Connections open now.")
        out.sample("indelible_open_connections", [], gauge.active)
        out.family("indelible_open_connections_peak", "gauge", "The most connections open at once.")
        out.sample("indelible_open_connections_peak", [], gauge.peak)
        out.family("indelible_committed_seqno", "gauge", "Sequence number of the newest committed transaction.")
        out.sample("indelible_committed_seqno", [], information.committed.seqno.rawValue)
        out.family("indelible_last_signed_seqno", "gauge", "Sequence number of the newest signature.")
        out.sample("indelible_last_signed_seqno", [], information.lastSigned.rawValue)
        out.family("indelible_signature_transactions", "counter", "Batches signed since the ledger began.")
        out.sample("indelible_signature_transactions", [], information.signatureTransactionCount)
        out.family("indelible_waiting_writes", "gauge", "Writes that wait for their batch.")
        out.sample("indelible_waiting_writes", [], information.waitingWrites)
        out.family("indelible_view", "gauge", "The view of the ledger.")
        out.sample("indelible_view", [], information.view.rawValue)
        out.family("indelible_accepts_writes", "gauge", "1 while writes succeed, else 0.")
        out.sample("indelible_accepts_writes", [], information.acceptsWrites ? 1 : 0)
        out.family(
            "indelible_degraded", "gauge",
            "1 while writes are refused, or reads cannot be answered in full; /health says why.")
        out.sample(
            "indelible_degraded", [], information.acceptsWrites && information.readTrouble == nil ? 0 : 1)
        out.family(
            "indelible_certificate_end_timestamp_seconds", "gauge",
            "When the certificate ends. The node renews its own in time; the service's lasts as long as the service.")
        for (name, end) in information.certificateEnds {
            out.sample("indelible_certificate_end_timestamp_seconds", [("certificate", name)], end)
        }
        if let bytes = ProcessMemory.residentByteCount {
            out.family("process_resident_memory_bytes", "gauge", "Resident memory of the process.")
            out.sample("process_resident_memory_bytes", [], bytes)
        }
        return out.text
    }
}
