/// The number of a block: 0, 1, 2… without gaps.
public struct BlockID: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The following number. Traps at `UInt64.max`, which no ledger reaches.
    @inlinable
    public var next: BlockID { BlockID(rawValue + 1) }

    @inlinable
    public static func < (a: BlockID, b: BlockID) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
