import LedgerProofs

/// The whole key-value store at one seqno (CCF ledger format 1.4).
public struct Snapshot: Hashable, Sendable {
    public var seqno: SequenceNumber
    /// The Merkle leaf of the transaction at `seqno`.
    public var leaf: Digest32
    /// Element *i* is the first seqno of view *i + 1*. A fresh service in view 2 has `[1, 1]`.
    public var viewHistory: [UInt64]
    /// Public and private tables. Written in the order of their names, public ones in plaintext.
    public var maps: [SnapshotMap]

    public init(seqno: SequenceNumber, leaf: Digest32, viewHistory: [UInt64], maps: [SnapshotMap]) {
        self.seqno = seqno
        self.leaf = leaf
        self.viewHistory = viewHistory
        self.maps = maps
    }

    /// The snapshot entry. Its digest is the evidence: it goes into `snapshot_evidence` and is the claims digest
    /// of that transaction. Throws `range` above 1 GiB and `mapName` for repeated tables.
    public func encoded(secret: LedgerSecret) throws(LedgerFormatError) -> EncodedEntry {
        let sorted = maps.sorted { $0.name < $1.name }
        for (a, b) in zip(sorted, sorted.dropFirst()) where a.name == b.name {
            throw LedgerFormatError(.mapName, "a table occurs twice in one snapshot")
        }
        var plaintext: [UInt8] = []
        Snapshot.append(sorted, wantPublic: false, to: &plaintext)
        var bytes: [UInt8] = []
        let digest = try EntryEncoder.append(
            iv: .snapshot(seqno), flags: [], plaintext: plaintext, secret: secret, to: &bytes
        ) { buffer in
            buffer.append(EntryType.snapshot.rawValue)
            buffer.append(littleEndian: seqno.rawValue)
            buffer.append(littleEndian: UInt64(0))
            buffer.append(littleEndian: UInt64(Digest32.byteCount))
            leaf.withUnsafeBytes { buffer.append(contentsOf: $0) }
            buffer.append(littleEndian: UInt64(viewHistory.count * 8))
            for first in viewHistory { buffer.append(littleEndian: first) }
            Snapshot.append(sorted, wantPublic: true, to: &buffer)
        }
        return EncodedEntry(bytes: bytes, writeSetDigest: digest)
    }

    /// Reads exactly one snapshot entry. Without a secret the private tables are left out and the tag is not
    /// checked. Throws `LedgerFormatError` with the offset and the rule.
    public init(
        decoding entry: [UInt8], secret: LedgerSecret?, limits: FormatLimits = .standard
    ) throws(LedgerFormatError) {
        self = try entry.borrowed { raw throws(LedgerFormatError) in
            let frame = try EntryFrame(raw, limits: limits)
            var snapshot = try Snapshot(frame, limits)
            if let secret {
                let plaintext = try secret.open(
                    tag: frame.tag, ciphertext: frame.privateBytes, authenticating: frame.publicBytes, iv: frame.iv)
                snapshot.maps += try plaintext.borrowed { raw throws(LedgerFormatError) in
                    var cursor = ByteCursor(raw)
                    return try Snapshot.readMaps(&cursor, isPublic: false, limits)
                }
            }
            return snapshot
        }
    }

    private init(_ frame: EntryFrame, _ limits: FormatLimits) throws(LedgerFormatError) {
        var cursor = ByteCursor(frame.publicBytes, base: EntryFrame.publicOffset)
        guard frame.header.flags.isEmpty else {
            throw LedgerFormatError(.flags, at: 1, "a snapshot has no flags")
        }
        guard try cursor.u8("entry type") == EntryType.snapshot.rawValue else {
            throw LedgerFormatError(.entryType, at: EntryFrame.publicOffset, "the entry is not a snapshot")
        }
        seqno = SequenceNumber(try cursor.u64("seqno"))
        guard seqno.rawValue > 0, frame.iv == .snapshot(seqno) else {
            throw LedgerFormatError(
                .initialisationVector, at: 24, "the IV of a snapshot is its seqno and a view of only the top bit")
        }
        try cursor.zero64("maximum conflict version")
        let leafAt = cursor.errorOffset
        guard let leaf = Digest32(try cursor.prefixed("leaf")) else {
            throw LedgerFormatError(.count, at: leafAt, "the leaf has 32 bytes")
        }
        self.leaf = leaf
        let historyAt = cursor.errorOffset
        var history = ByteCursor(try cursor.prefixed("view history"), base: historyAt + 8)
        guard history.remaining.isMultiple(of: 8) else {
            throw LedgerFormatError(.count, at: historyAt, "the view history is not whole numbers of 8 bytes")
        }
        viewHistory = []
        while history.remaining > 0 { viewHistory.append(try history.u64("view history")) }
        maps = try Snapshot.readMaps(&cursor, isPublic: true, limits)
    }

    // MARK: Tables

    private static func append(_ maps: [SnapshotMap], wantPublic: Bool, to buffer: inout [UInt8]) {
        for map in maps where map.name.isPublic == wantPublic {
            buffer.append(prefixed: map.name.rawValue)
            buffer.append(littleEndian: map.version)
            let length = buffer.count
            buffer.append(littleEndian: UInt64(0))
            for record in map.records {
                buffer.append(prefixed: record.key)
                pad(&buffer, record.key.count)
                buffer.append(littleEndian: UInt64(8 + record.value.count))
                buffer.append(littleEndian: record.version)
                buffer.append(contentsOf: record.value)
                pad(&buffer, record.value.count)
            }
            buffer.replace(at: length, littleEndian: UInt64(buffer.count - length - 8))
        }
    }

    private static func padding(_ count: Int) -> Int { (8 - count % 8) % 8 }

    private static func pad(_ buffer: inout [UInt8], _ count: Int) {
        for _ in 0..<padding(count) { buffer.append(0) }
    }

    private static func skipPadding(_ cursor: inout ByteCursor, _ count: Int) throws(LedgerFormatError) {
        for _ in 0..<padding(count) {
            let at = cursor.errorOffset
            guard try cursor.u8("padding") == 0 else {
                throw LedgerFormatError(.notZero, at: at, "padding must be zero")
            }
        }
    }

    private static func readMaps(
        _ cursor: inout ByteCursor, isPublic: Bool, _ limits: FormatLimits
    ) throws(LedgerFormatError) -> [SnapshotMap] {
        var maps: [SnapshotMap] = []
        while cursor.remaining > 0 {
            let at = cursor.errorOffset
            guard let text = String(validating: try cursor.prefixed("map name"), as: UTF8.self), !text.isEmpty else {
                throw LedgerFormatError(.mapName, at: at, "a map name must be UTF-8 and not empty")
            }
            let name = MapName(text)
            guard name.isPublic == isPublic, maps.last.map({ $0.name < name }) ?? true, maps.count < limits.mapCount
            else {
                throw LedgerFormatError(.mapName, at: at, "the tables of a snapshot ascend, each in its own part")
            }
            var map = SnapshotMap(name: name, version: try cursor.u64("map version"))
            let base = cursor.errorOffset + 8
            var rows = ByteCursor(try cursor.prefixed("records"), base: base)
            var keys = KeyOrder()
            while rows.remaining > 0 {
                let at = rows.errorOffset
                let key = try rows.prefixed("key")
                guard keys.insert(key) else {
                    throw LedgerFormatError(.duplicateKey, at: at, "the key occurs twice in one table")
                }
                try skipPadding(&rows, key.count)
                let lengthAt = rows.errorOffset
                let length = try rows.u64("value length")
                guard length >= 8, length <= UInt64(rows.remaining) else {
                    throw LedgerFormatError(.count, at: lengthAt, "the value claims \(length) bytes")
                }
                let version = try rows.u64("version")
                let value = try rows.slice(Int(length) - 8, "value")
                try skipPadding(&rows, value.count)
                map.records.append(SnapshotRecord(key: Array(key), version: version, value: Array(value)))
            }
            maps.append(map)
        }
        return maps
    }
}
