import LedgerFormat
import LedgerProofs

/// The small state: named maps rebuilt from the ledger or a snapshot. A value type, so that a batch works on a
/// copy and a failed batch leaves no trace. Entry contents are not in it; they stay on disk.
struct KeyValueStore: Sendable, Equatable {
    struct Row: Sendable, Equatable {
        var value: [UInt8]
        /// The transaction that wrote it.
        var version: SequenceNumber
    }

    struct Map: Sendable, Equatable {
        var rows: [[UInt8]: Row] = [:]
        /// The transaction that last wrote the map, removals included.
        var version: SequenceNumber = .zero
    }

    private(set) var maps: [MapName: Map] = [:]

    func value(_ map: MapName, _ key: [UInt8]) -> [UInt8]? { maps[map]?.rows[key]?.value }

    func version(_ map: MapName, _ key: [UInt8]) -> SequenceNumber? { maps[map]?.rows[key]?.version }

    func rows(_ map: MapName) -> [[UInt8]: Row] { maps[map]?.rows ?? [:] }

    /// Applies one transaction's writes. The entry logs are skipped.
    mutating func apply(_ writes: [MapWrites], at seqno: SequenceNumber) {
        for map in writes where !EntryValue.isLog(map.name) {
            var target = maps[map.name] ?? Map()
            for write in map.writes { target.rows[write.key] = Row(value: write.value, version: seqno) }
            for key in map.removes { target.rows[key] = nil }
            target.version = seqno
            maps[map.name] = target
        }
    }

    /// Restores one map from a snapshot.
    mutating func restore(_ name: MapName, _ map: Map) { maps[name] = map }
}
