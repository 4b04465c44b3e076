import Synchronization

/// Stamps without rows and rows without stamps, as they show during a scan, by table. The first so many; the others are counted.
final class StrayCollection: Sendable {
    struct Strays {
        var keys: [RowStart: [NamedValue]] = [:]
        var more: UInt64 = 0
        var unstamped: [UnstampedRow] = []
        var moreUnstamped: UInt64 = 0
    }

    private let tables = Mutex<[TableID: Strays]>([:])

    private static let limit = 20_000

    func add(_ table: TableID, _ place: RowStart, key: [NamedValue]) {
        tables.withLock { tables in
            if tables[table, default: Strays()].keys.count < Self.limit {
                tables[table, default: Strays()].keys[place] = key
            } else {
                tables[table, default: Strays()].more += 1
            }
        }
    }

    func add(_ table: TableID, _ row: UnstampedRow) {
        tables.withLock { tables in
            if tables[table, default: Strays()].unstamped.count < Self.limit {
                tables[table, default: Strays()].unstamped.append(row)
            } else {
                tables[table, default: Strays()].moreUnstamped += 1
            }
        }
    }

    func strays(of table: TableID) -> Strays { tables.withLock { $0[table] ?? Strays() } }

    var all: [TableID] { tables.withLock { $0.keys.sorted() } }
}
