/// A schema event as it is stored: nothing about it is known to be right.
public struct StoredSchemaEvent: Sendable, Hashable {
    public var transaction: TransactionNumber
    public var sequence: LeafNumber
    public var type: Int64
    public var table: Int64
    public var body: [UInt8]

    public init(transaction: TransactionNumber, sequence: LeafNumber, type: Int64, table: Int64, body: [UInt8]) {
        self.transaction = transaction
        self.sequence = sequence
        self.type = type
        self.table = table
        self.body = body
    }
}
