// modules: LedgerProofs SQLLedger
// seeds: Vectors/sql/*.json
import LedgerProofs
import SQLLedger

/// What is read as one of the SQL ledger's formats must be written as the same bytes, or read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSQLFormats(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let hashes = try? TableHashes(decoding: input), hashes.encoded() != input {
        fatalError("table_hashes changed when it was written again")
    }
    if let chunk = try? LeafChunk(decoding: input), chunk.encoded() != input {
        fatalError("a leaf chunk changed when it was written again")
    }
    let hashes = TableHashes([
        TableHash(table: TableID(0), root: .zero, leafCount: 1), TableHash(table: TableID(1), root: .zero, leafCount: 131),
    ])
    if let hashes, let leaves = try? EntryLeaves(decoding: input, of: hashes) {
        let chunks = hashes.tables.compactMap { leaves[$0.table]?.encoded() }
        guard Array(chunks.joined()) == input else { fatalError("the leaves of an entry changed when written again") }
    }
    if let digest = try? LedgerDigest(json: input), (try? LedgerDigest(json: digest.json)) != digest {
        fatalError("a digest changed when it was written and read again")
    }
    _ = try? LedgerDigest.list(json: input)
    for type in SchemaEventType.allCases {
        let table: Int64 = type == .settings ? 0 : 1
        if let event = try? SchemaEvent(type: type.rawValue, table: table, body: input) {
            guard event.encodedBody == input else { fatalError("a schema event changed when it was written again") }
            _ = event.leaf(transaction: TransactionNumber(1), sequence: LeafNumber(0)).hash
        }
    }
    if let time = CommitTime(utf8: input), time.utf8 != input {
        fatalError("a time changed when it was written again")
    }
    return 0
}
