/// The number of a ledger table: 1, 2, 3… in the order of creation, never used again. Names change, this does not.
public struct TableID: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The built-in append-only table of schema events.
    public static let schemaEvents = TableID(0)

    @inlinable
    public static func < (a: TableID, b: TableID) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
