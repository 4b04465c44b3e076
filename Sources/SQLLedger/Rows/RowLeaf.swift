import LedgerProofs

/// One row operation with its values: what a leaf hash is computed from, for everything that is not a hot path.
///
/// Documentation/spec/sql-row.md
public struct RowLeaf: Hashable, Sendable {
    public var operation: RowOperation
    public var table: TableID
    /// The digest of the schema version in force when the row version was created.
    public var schema: Digest32
    public var transaction: TransactionNumber
    public var sequence: LeafNumber
    /// Where the version was created: present exactly for `ended`.
    public var start: RowStart?
    /// The stored columns in ordinal order.
    public var values: [SQLValue]

    public init(
        operation: RowOperation, table: TableID, schema: Digest32, transaction: TransactionNumber,
        sequence: LeafNumber, start: RowStart? = nil, values: [SQLValue]
    ) {
        self.operation = operation
        self.table = table
        self.schema = schema
        self.transaction = transaction
        self.sequence = sequence
        self.start = start
        self.values = values
    }

    /// The leaf hash. Traps when `start` does not fit `operation`.
    public var hash: Digest32 {
        var encoder = RowLeafEncoder()
        encoder.begin(
            operation: operation, table: table, schema: schema, transaction: transaction, sequence: sequence,
            start: start, columnCount: values.count)
        for value in values { encoder.append(value) }
        return encoder.finish()
    }
}
