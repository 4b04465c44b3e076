import LedgerProofs
import SQLLedger

/// Pairs rows with stamps by their order. As long as the stored leaf agrees, or there is none, the next row belongs to
/// the next stamp; otherwise the next few stamps are tried, and those before the one that fits have lost their rows.
struct RankMatcher {
    struct Stamp {
        var row: Int64
        var transaction: UInt64
        var sequence: UInt64
    }

    private let reader: SQLiteEvidenceReader
    private let table: TableID
    private let stamps: SQLiteStatement
    private var waiting: [Stamp] = []
    private var hasStamp: Bool
    private var chunk: (transaction: UInt64, index: UInt64, leaves: LeafChunk?)?

    private static let reach = 64

    init(reader: SQLiteEvidenceReader, table: TableID, stamps: SQLiteStatement, hasStamp: Bool) {
        self.reader = reader
        self.table = table
        self.stamps = stamps
        self.hasStamp = hasStamp
    }

    /// The stamp of the next row. `leaf` computes what the row's leaf would be at a place. `nil`: the row fits none of
    /// the next stamps while an unfitting row was likelier added than altered.
    mutating func next(
        leaf: (UInt64, UInt64) -> Digest32, skipped: (Int64, UInt64, UInt64) -> Void
    ) throws -> Stamp? {
        try fill(1)
        guard let first = waiting.first else { return nil }
        if try fits(first, leaf) {
            return waiting.removeFirst()
        }
        try fill(Self.reach)
        for index in waiting.indices.dropFirst() where try fits(waiting[index], leaf) {
            for stamp in waiting[..<index] { skipped(stamp.row, stamp.transaction, stamp.sequence) }
            let found = waiting[index]
            waiting.removeSubrange(...index)
            return found
        }
        return waiting.removeFirst()
    }

    /// Hands over the stamps that are left.
    mutating func finish(skipped: (Int64, UInt64, UInt64) -> Void) throws {
        repeat {
            try fill(Self.reach)
            for stamp in waiting { skipped(stamp.row, stamp.transaction, stamp.sequence) }
            waiting = []
        } while hasStamp
    }

    private mutating func fill(_ count: Int) throws {
        while hasStamp, waiting.count < count {
            waiting.append(
                Stamp(
                    row: stamps.integer(0), transaction: UInt64(bitPattern: stamps.integer(1)),
                    sequence: UInt64(bitPattern: stamps.integer(2))))
            hasStamp = try stamps.step()
        }
    }

    private mutating func fits(_ stamp: Stamp, _ leaf: (UInt64, UInt64) -> Digest32) throws -> Bool {
        let index = stamp.sequence / UInt64(LeafChunk.leafCount)
        if chunk?.transaction != stamp.transaction || chunk?.index != index {
            let bytes = try reader.leafChunk(TransactionNumber(stamp.transaction), table, chunk: index)
            chunk = (stamp.transaction, index, bytes.flatMap { try? LeafChunk(decoding: $0) })
        }
        guard let leaves = chunk?.leaves?.leaves else { return true }
        let offset = Int(stamp.sequence % UInt64(LeafChunk.leafCount))
        return offset < leaves.count && leaves[offset].hash == leaf(stamp.transaction, stamp.sequence)
    }
}
