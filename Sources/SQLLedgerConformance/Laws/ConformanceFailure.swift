/// A law that an engine breaks, and how.
public struct ConformanceFailure: Sendable, Hashable, CustomStringConvertible {
    public var law: String
    public var reason: String

    public var description: String { "\(law): \(reason)" }
}
