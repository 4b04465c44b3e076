/// How much was read and recomputed.
public struct VerificationCounts: Sendable, Hashable {
    public var blocks: UInt64 = 0
    public var transactions: UInt64 = 0
    public var tables: UInt64 = 0
    public var rowVersions: UInt64 = 0
    public var leaves: UInt64 = 0

    public init() {}
}
