import LedgerProofs

/// One stored row version with its values: for localising what went wrong, not for hot paths.
public struct RowVersion: Sendable, Hashable {
    /// The object that holds it: the table or its history table.
    public var object: String
    public var isLive: Bool
    public var links: VersionLinks

    /// The key columns and their values; the row id of a table without a key.
    public var key: [NamedValue]

    /// The digest of the schema version in force when the version was created.
    public var schema: Digest32

    /// The stored columns of that schema version in ordinal order.
    public var columns: [String]

    /// Their values.
    public var values: [SQLValue]

    public init(
        object: String, isLive: Bool, links: VersionLinks, key: [NamedValue], schema: Digest32, columns: [String],
        values: [SQLValue]
    ) {
        self.object = object
        self.isLive = isLive
        self.links = links
        self.key = key
        self.schema = schema
        self.columns = columns
        self.values = values
    }

    /// The leaf of one of the version's operations, at another place if `place` says so.
    package func leaf(_ operation: RowOperation, table: TableID, place: RowStart? = nil) -> RowLeaf {
        let place = place ?? (operation == .created ? links.start : links.end ?? links.start)
        return RowLeaf(
            operation: operation, table: table, schema: schema, transaction: place.transaction,
            sequence: place.sequence, start: operation == .ended ? links.start : nil, values: values)
    }
}
