/// Upper bounds for decoding. Every bound is checked before memory is reserved.
public struct FormatLimits: Hashable, Sendable {
    /// Largest value of the size field of an entry. CCF 7 allows 1 GiB.
    public var entryByteCount: UInt64 = 1 << 30
    /// Most maps in one domain.
    public var mapCount: Int = 65_536
    /// Most writes, and most removes, of one map.
    public var keyCount: Int = 16_777_216

    public init() {}

    public static let standard = FormatLimits()
}
