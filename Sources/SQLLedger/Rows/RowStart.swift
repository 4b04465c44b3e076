/// Where a row version was created: part of the leaf that ends it.
public struct RowStart: Hashable, Comparable, Sendable {
    public var transaction: TransactionNumber
    public var sequence: LeafNumber

    @inlinable
    public init(transaction: TransactionNumber, sequence: LeafNumber) {
        self.transaction = transaction
        self.sequence = sequence
    }

    @inlinable
    public static func < (a: RowStart, b: RowStart) -> Bool {
        (a.transaction, a.sequence) < (b.transaction, b.sequence)
    }
}
