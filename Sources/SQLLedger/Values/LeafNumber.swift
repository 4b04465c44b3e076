/// The sequence number of a row operation: 0, 1, 2… without gaps within one transaction and table. It is also the
/// index of the operation's leaf in the table's tree.
public struct LeafNumber: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The following number. Traps at `UInt64.max`, which no ledger reaches.
    @inlinable
    public var next: LeafNumber { LeafNumber(rawValue + 1) }

    @inlinable
    public static func < (a: LeafNumber, b: LeafNumber) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
