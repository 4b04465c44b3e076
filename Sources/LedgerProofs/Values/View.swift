/// One reign of a primary. A new service starts in view 2; the value stays below 2³¹ because the top bit of
/// the entry's IV marks snapshots.
public struct View: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The view in which every new service starts.
    public static let initial = View(2)

    public static func < (a: View, b: View) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
