import LedgerProofs
import Testing

@testable import LedgerFormat

/// One changed rule at a time: what the decoder must refuse, and where it says the fault is.
@Suite struct EntryRuleTests {
    let secret = LedgerSecret.random()
    let id = TransactionID(view: .initial, seqno: SequenceNumber(5))

    func entry() throws -> [UInt8] {
        var writes = WriteSet()
        writes.put(MapName("public:a"), key: [1], value: [2])
        writes.put(MapName("public:b"), key: [1], value: [2])
        return try EntryEncoder.encode(writes, id: id, commitEvidenceDigest: .zero, secret: secret).bytes
    }

    func expect(
        _ code: LedgerFormatError.Code, at offset: UInt64? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout [UInt8]) -> Void
    ) throws {
        var bytes = try entry()
        change(&bytes)
        let error = #expect(throws: LedgerFormatError.self, sourceLocation: sourceLocation) {
            try Entry(decoding: bytes)
        }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        if let offset { #expect(error?.offset == offset, sourceLocation: sourceLocation) }
    }

    // Layout: 44 type, 45 seqno, 53 claims, 85 evidence, 117 zero word, 125 first map (length, "public:a"),
    // 141 read version, 149 read count, 157 write count, 165 key length.
    @Test func headerRules() throws {
        try expect(.version, at: 0) { $0[0] = 2 }
        try expect(.flags, at: 1) { $0[1] = 4 }
        try expect(.size, at: 2) {
            $0[2] = 35
            $0[3] = 0
        }
        try expect(.size, at: 2) { $0[6] = 1 }
        try expect(.truncated) { $0.removeLast() }
        try expect(.trailingBytes) { $0.append(0) }
        try expect(.truncated) { $0.removeAll() }
    }

    @Test func domainRules() throws {
        try expect(.initialisationVector, at: 24) { $0[24] ^= 1 }
        try expect(.initialisationVector, at: 32) { $0[35] |= 0x80 }
        try expect(.initialisationVector, at: 32) { $0[32] = 0 }
        try expect(.count, at: 36) { $0[40] = 1 }
        try expect(.count, at: 36) { $0[43] = 0xFF }
        for type: UInt8 in [0, 1, 2, 3, 5, 255] { try expect(.entryType, at: 44) { $0[44] = type } }
        try expect(.initialisationVector, at: 24) { $0[45] ^= 1 }
        try expect(.notZero, at: 117) { $0[117] = 1 }
    }

    @Test func mapRules() throws {
        try expect(.mapName, at: 125) { $0[133] = UInt8(ascii: "q") }
        try expect(.mapName) { $0[140] = 0xFF }
        try expect(.mapName) { $0[140] = UInt8(ascii: "b") }
        try expect(.notZero, at: 141) { $0[141] = 1 }
        try expect(.notZero, at: 149) { $0[149] = 1 }
        try expect(.count, at: 157) { $0[164] = 0x7F }
        try expect(.count, at: 157) { $0[164] = 0xFF }
        try expect(.count, at: 165) { $0[172] = 0xFF }
    }

    @Test func deprecatedTypesNeedAWord() throws {
        // Type 3 has no claims digest: cut 32 bytes and correct both lengths.
        var bytes = try entry()
        bytes.removeSubrange(53..<85)
        bytes[44] = 3
        bytes[36] -= 32
        bytes.replace(at: 0, littleEndian: EntryHeader(flags: [], size: UInt64(bytes.count - 8)).word)
        #expect(throws: LedgerFormatError.self) { try Entry(decoding: bytes) }
        let entry = try Entry(decoding: bytes, allowDeprecated: true)
        #expect(try entry.leaf() == SHA256Hashing.digest(entry.writeSetDigest, .zero))
    }

    @Test func duplicateKeys() throws {
        let map = MapWrites(
            name: MapName("public:a"), writes: [KeyValue(key: [2], value: []), KeyValue(key: [1], value: [])],
            removes: [[3]])
        for (change, isFine) in [(map.writes, true), (map.writes + [map.writes[0]], false)] {
            var bytes: [UInt8] = []
            MapCodec.append(
                [MapWrites(name: map.name, writes: change, removes: map.removes)], wantPublic: true, to: &bytes)
            #expect(isFine == ((try? decodeMaps(bytes)) != nil))
        }
        var bytes: [UInt8] = []
        MapCodec.append(
            [MapWrites(name: map.name, writes: map.writes, removes: [[1]])], wantPublic: true, to: &bytes)
        #expect(throws: LedgerFormatError.self) { try decodeMaps(bytes) }
        #expect(throws: LedgerFormatError.self) {
            try EntryEncoder.encode(
                WriteSet(maps: [map, map]), id: id, commitEvidenceDigest: .zero, secret: secret)
        }
    }

    func decodeMaps(_ bytes: [UInt8]) throws -> [MapWrites] {
        try bytes.borrowed { raw throws(LedgerFormatError) in
            var cursor = ByteCursor(raw)
            return try MapCodec.decode(&cursor, isPublic: true, limits: .standard) { _ in true }
        }
    }

    @Test func idsOutOfRange() {
        for bad in [
            TransactionID(view: View(0), seqno: SequenceNumber(1)), TransactionID(view: View(1), seqno: .zero),
            TransactionID(view: View(1 << 31), seqno: SequenceNumber(1)),
        ] {
            #expect(throws: LedgerFormatError.self) {
                try EntryEncoder.encode(WriteSet(), id: bad, commitEvidenceDigest: .zero, secret: secret)
            }
        }
    }

    @Test func writeSetKeepsOrder() {
        var set = WriteSet()
        for key: [UInt8] in [[5], [1], [3], [3, 0], [], [5]] { set.put(.publicLogs, key: key, value: key) }
        set.put(.constitution, key: zeroKey, value: [])
        set.remove(.publicLogs, key: [1])
        set.remove(.publicLogs, key: [0])
        set.put(.publicLogs, key: [0], value: [7])
        #expect(set.maps.map(\.name) == [.constitution, .publicLogs])
        #expect(set[.publicLogs]?.writes.map(\.key) == [[], [0], [3], [3, 0], [5]])
        #expect(set[.publicLogs]?.removes == [[1]])
    }
}
