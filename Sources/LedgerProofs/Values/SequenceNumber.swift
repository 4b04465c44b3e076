/// The position of a transaction in the ledger. The first transaction is 1; 0 stands for "before the first".
/// Equal to the index of the transaction's leaf in the Merkle tree, because leaf 0 is the zero leaf.
public struct SequenceNumber: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public static let zero = SequenceNumber(0)

    public static func < (a: SequenceNumber, b: SequenceNumber) -> Bool { a.rawValue < b.rawValue }

    /// The following position. Traps at `UInt64.max`, which no ledger reaches.
    public var next: SequenceNumber { SequenceNumber(rawValue + 1) }

    public var description: String { String(rawValue) }
}
