// modules: LedgerProofs LedgerFormat
// seeds: Vectors/ccf/entries.json
import LedgerFormat
import LedgerProofs

/// What is read as an entry names one transaction and has one leaf. What its public tables hold is read too, and what
/// is read as a row or as JSON comes out the same when it is written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLedgerEntry(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let entry = try? Entry(decoding: input) {
        guard entry.id.seqno == entry.publicDomain.seqno, (try? entry.leaf()) != nil,
            entry.header.size + 8 == UInt64(count)
        else { fatalError("an entry that contradicts itself") }
        for write in entry.publicDomain.maps.flatMap(\.writes) { rows(write.value) }
    }
    if let tolerant = try? Entry(decoding: input, allowDeprecated: true) { _ = try? tolerant.leaf() }
    rows(input)
    var auditor = LedgerAuditor()
    auditor.beginChunk(file: "ledger_1", first: SequenceNumber(1))
    auditor.add(entry: input, offset: 8)
    auditor.endChunk(isComplete: false)
    guard auditor.finish().outcome != .ok else { fatalError("one entry cannot be a verified ledger") }
    return 0
}

private func rows(_ bytes: [UInt8]) {
    if let value = try? JSONValue(decoding: bytes), case let text = value.encoded() {
        guard (try? JSONValue(decoding: text))?.encoded() == text else { fatalError("JSON changed") }
    }
    func check<Row: TableRow>(_: Row.Type) {
        guard let row = try? Row(decoding: bytes) else { return }
        guard (try? Row(decoding: row.encoded())) == row else { fatalError("a row changed") }
    }
    check(NodeInfo.self)
    check(ServiceInfo.self)
    check(ServiceConfig.self)
    check(RawSignature.self)
    check(SnapshotEvidence.self)
    check(JSONBytes.self)
    check(RecoveryShares.self)
    check(HistoricalEncryptedLedgerSecret.self)
    check(PreviousServiceIdentityEndorsement.self)
}
