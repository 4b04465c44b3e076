import LedgerProofs

/// One schema version of a table: what its digest commits to.
///
/// Documentation/spec/sql-schema.md, "Schema digest"
public struct TableSchema: Hashable, Sendable {
    public var table: TableID
    /// All columns in ordinal order, virtual ones too.
    public var columns: [SchemaColumn]

    /// No table of SQLite or PostgreSQL has more.
    public static let maximumColumnCount = 32_767

    public init(table: TableID, columns: [SchemaColumn]) {
        self.table = table
        self.columns = columns
    }

    /// The columns whose values are part of leaves, in ordinal order.
    public var storedColumns: [SchemaColumn] { columns.filter { $0.generation != .virtual } }

    public var digest: Digest32 {
        var writer = ByteWriter(capacity: 64 + 32 * columns.count)
        writer.append(tag: "indelible/schema/1", width: 19)
        writer.append(table.rawValue)
        writer.append(UInt32(columns.count))
        for column in columns {
            writer.append(text: column.name)
            writer.append(text: column.declaredType)
            writer.append(UInt8(column.isNotNull ? 1 : 0))
            writer.append(column.primaryKeyPosition)
            writer.append(column.generation.rawValue)
        }
        return SHA256Hashing.digest(writer.bytes)
    }

    /// The schema digest in the leaves of the built-in table of schema events.
    public static let schemaEventsDigest = SHA256Hashing.digest(utf8: "indelible/schema/0")
}
