/// The number of a ledger transaction: 1, 2, 3… without gaps, in the order of commits.
public struct TransactionNumber: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The following number. Traps at `UInt64.max`, which no ledger reaches.
    @inlinable
    public var next: TransactionNumber { TransactionNumber(rawValue + 1) }

    @inlinable
    public static func < (a: TransactionNumber, b: TransactionNumber) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
