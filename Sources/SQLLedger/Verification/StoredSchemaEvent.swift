/// A schema event as it is stored: nothing about it is known to be right.
public struct StoredSchemaEvent: Sendable, Hashable {
    /// What is no integer is 0, here and below.
    public var transaction: TransactionNumber
    public var sequence: LeafNumber
    /// Whether both are stored as integers. Otherwise it is not known when the event happened.
    public var isPlaced: Bool
    /// The values of the leaf, in whichever class they are stored: an integer, an integer and a text.
    public var type: SQLValue
    public var table: SQLValue
    public var body: SQLValue

    public init(transaction: SQLValue, sequence: SQLValue, type: SQLValue, table: SQLValue, body: SQLValue) {
        func number(_ value: SQLValue) -> UInt64? {
            if case .integer(let number) = value { UInt64(bitPattern: number) } else { nil }
        }
        let place = (number(transaction), number(sequence))
        self.transaction = TransactionNumber(place.0 ?? 0)
        self.sequence = LeafNumber(place.1 ?? 0)
        isPlaced = place.0 != nil && place.1 != nil
        self.type = type
        self.table = table
        self.body = body
    }
}
