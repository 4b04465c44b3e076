import LedgerProofs

/// The tables that a transaction changed, in ascending order, as stored in its `table_hashes`.
///
/// Documentation/spec/sql-transaction.md, "Table hashes"
public struct TableHashes: Hashable, Sendable {
    /// At least one, ascending by table, each table once.
    public let tables: [TableHash]

    static let version: UInt8 = 1

    /// Sorts the tables. Returns `nil` when there is none, a table occurs twice or has no leaf.
    public init?(_ tables: some Sequence<TableHash>) {
        self.init(Array(tables))
    }

    /// The same of an array.
    public init?(_ tables: [TableHash]) {
        let sorted = tables.count > 1 ? tables.sorted { $0.table < $1.table } : tables
        guard !sorted.isEmpty, sorted.allSatisfy({ $0.leafCount > 0 }),
            zip(sorted, sorted.dropFirst()).allSatisfy({ $0.table < $1.table })
        else { return nil }
        self.tables = sorted
    }

    /// Reads exactly one value.
    /// - Throws: `ProofError`: `.unsupported` for another version, `.truncated`, `.trailingBytes`, `.outOfRange` for no
    ///   table or a table without leaves, `.duplicateMember` for a table that occurs twice, `.malformed` for another
    ///   order.
    public init(decoding bytes: [UInt8]) throws(ProofError) {
        var reader = ByteReader(bytes)
        let version: UInt8 = try reader.integer("table_hashes")
        guard version == Self.version else { throw .unsupported("another version of table_hashes") }
        let count: UInt32 = try reader.integer("table_hashes")
        guard count > 0 else { throw .outOfRange("table_hashes has no table") }
        var tables: [TableHash] = []
        for _ in 0..<count {
            let table = TableID(try reader.integer("table_hashes"))
            let root = try reader.digest("table_hashes")
            let leafCount: UInt64 = try reader.integer("table_hashes")
            if let last = tables.last {
                guard last.table != table else { throw .duplicate("a table occurs twice in table_hashes") }
                guard last.table < table else { throw .malformed("table_hashes is not in ascending order") }
            }
            guard leafCount > 0 else { throw .outOfRange("a table of table_hashes has no leaves") }
            tables.append(TableHash(table: table, root: root, leafCount: leafCount))
        }
        try reader.requireEnd("table_hashes")
        self.tables = tables
    }

    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 5 + 48 * tables.count)
        writer.append(Self.version)
        writer.append(UInt32(tables.count))
        for table in tables {
            writer.append(table.table.rawValue)
            writer.append(table.root)
            writer.append(table.leafCount)
        }
        return writer.bytes
    }

    /// What the transaction did to `table`, or `nil` when it did not change it.
    public subscript(table: TableID) -> TableHash? {
        // Sorted, and rarely more than a handful.
        tables.first { $0.table == table }
    }
}
