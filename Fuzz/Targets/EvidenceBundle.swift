// modules: LedgerProofs SQLLedger
// seeds: Vectors/sql/evidence/*.json
import LedgerProofs
import SQLLedger

/// What is read as a bundle must be written and read again as the same, and verifying it must not trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEvidenceBundle(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let bundle = try? UnverifiedEvidenceBundle(json: input) else { return 0 }
    guard let bytes = try? bundle.claimed.encoded(), let again = try? UnverifiedEvidenceBundle(json: bytes),
        again == bundle
    else { fatalError("a bundle changed when it was written and read again") }
    let service = bundle.claimed.serviceCertificate.flatMap { try? ReceiptVerifier(serviceCertificatePEM: $0) }
    let trusted = bundle.claimed.digests.map(\.digest)
    let report = EvidenceVerifier(service: service, trustedDigests: trusted).verify(bundle)
    guard (report.evidence != nil) == (report.verdict == .verified), !report.json.isEmpty else {
        fatalError("a report contradicts itself")
    }
    return 0
}
