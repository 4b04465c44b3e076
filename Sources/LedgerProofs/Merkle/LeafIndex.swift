/// The position of a leaf, counted from 0. In a tree of size `s`, `0 <= index < s`. Leaf `i` belongs to the
/// transaction with sequence number `i`; leaf 0 is the zero leaf.
public struct LeafIndex: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The leaf of the transaction at `seqno`.
    public init(_ seqno: SequenceNumber) { self.rawValue = seqno.rawValue }

    public static func < (a: LeafIndex, b: LeafIndex) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
