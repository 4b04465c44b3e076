/// A column and what it holds.
public struct NamedValue: Sendable, Hashable {
    public var name: String
    public var value: SQLValue

    public init(_ name: String, _ value: SQLValue) {
        self.name = name
        self.value = value
    }
}

extension NamedValue: CustomStringConvertible {
    public var description: String { "\(name) = \(value.literal)" }
}
