// modules: LedgerProofs LedgerFormat
// seeds: Vectors/ccf/ledger/ledger_21 Vectors/ccf/ledger/ledger_11-20.committed Vectors/ccf/snapshots/snapshot_20_21.committed
import LedgerFormat
import LedgerProofs

/// The header word, the positions table and the walk over entries stay inside the bytes; a snapshot file that is read
/// is written as the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLedgerChunk(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let file = try? SnapshotFile(decoding: input) {
        guard file.encoded() == input else { fatalError("a snapshot file changed") }
        _ = try? Snapshot(decoding: file.entry, secret: nil)
    }
    let name = String(decoding: input.prefix(64), as: UTF8.self)
    if let chunk = ChunkName(fileName: name), chunk.fileName != name { fatalError("a chunk name changed") }
    if let snapshot = SnapshotName(fileName: name), snapshot.fileName != name { fatalError("a snapshot name changed") }

    guard let table = try? ChunkLayout.tableOffset(header: Array(input.prefix(8)), fileByteCount: UInt64(count)) else {
        return 0
    }
    let end = Int(table ?? UInt64(count))
    if let positions = try? ChunkLayout.parsePositionsTable(Array(input[end...])),
        ChunkLayout.positionsTable(positions) != Array(input[end...])
    {
        fatalError("a positions table changed")
    }
    var auditor = LedgerAuditor()
    auditor.beginChunk(file: "ledger_1", first: SequenceNumber(1))
    var at = ChunkLayout.headerByteCount
    while end - at >= EntryHeader.byteCount, let header = try? EntryHeader(decoding: Array(input[at..<at + 8])),
        header.size <= UInt64(end - at - 8)
    {
        let next = at + 8 + Int(header.size)
        auditor.add(entry: Array(input[at..<next]), offset: UInt64(at))
        at = next
    }
    auditor.endChunk(isComplete: table != nil)
    _ = auditor.finish().json().encoded()
    return 0
}
