import LedgerProofs
import Testing

@testable import LedgerFormat

@Suite struct ChunkNameTests {
    @Test(arguments: [
        "ledger_1", "ledger_1-10", "ledger_1-10.committed", "ledger_21-21.committed.recovery", "ledger_3.recovery",
        "ledger_3-4.committed.ignored", "ledger_9223372036854775807",
    ])
    func roundTrip(name: String) { #expect(ChunkName(fileName: name)?.fileName == name) }

    @Test(arguments: [
        "", "ledger_", "ledger_0", "ledger_01", "ledger_5-4", "ledger_5.committed", "ledger_1-", "ledger_1-2-3",
        "ledger_+1", "ledger_1-10.commited", "ledger_1-10.committed.committed", "Ledger_1", "ledger_1 ",
        "ledger_18446744073709551616", "ledger_18446744073709551615", "ledger_9223372036854775808",
        "ledger_1-18446744073709551615.committed", "ledger_1-9223372036854775807.committed", "ledger_1-4294967297",
        "ledger_1-10.committed_prefix", ".ledger_1", "snapshot_1_2.committed",
    ])
    func refused(name: String) { #expect(ChunkName(fileName: name) == nil) }

    @Test func layout() throws {
        let table = ChunkLayout.positionsTable([8, 100])
        #expect(try ChunkLayout.parsePositionsTable(table) == [8, 100])
        for bad: [UInt32] in [[9], [8, 8], [8, 7]] {
            #expect(throws: LedgerFormatError.self) {
                try ChunkLayout.parsePositionsTable(ChunkLayout.positionsTable(bad))
            }
        }
        #expect(try ChunkLayout.tableOffset(header: ChunkLayout.header(tableOffset: 0), fileByteCount: 8) == nil)
        #expect(try ChunkLayout.tableOffset(header: ChunkLayout.header(tableOffset: 60), fileByteCount: 64) == 60)
        for (offset, size): (UInt64, UInt64) in [(7, 64), (65, 64), (61, 64)] {
            #expect(throws: LedgerFormatError.self) {
                try ChunkLayout.tableOffset(header: ChunkLayout.header(tableOffset: offset), fileByteCount: size)
            }
        }
        let bytes = try Vectors.bytes("ledger/ledger_1-10.committed")
        let entries = try Vectors.entries(chunk: "ledger/ledger_1-10.committed")
        let offset = try #require(
            try ChunkLayout.tableOffset(header: Array(bytes.prefix(8)), fileByteCount: UInt64(bytes.count)))
        var positions: [UInt32] = [8]
        for entry in entries.dropLast() { positions.append((positions.last ?? 0) + UInt32(entry.count)) }
        #expect(ChunkLayout.header(tableOffset: offset) == Array(bytes.prefix(8)))
        #expect(ChunkLayout.positionsTable(positions) == Array(bytes[Int(offset)...]))
    }
}
