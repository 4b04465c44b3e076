/// The number of leaves of a Merkle tree. A ledger's tree has size `s` when its newest leaf is `s - 1`.
public struct TreeSize: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public static func < (a: TreeSize, b: TreeSize) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
