/// A column and what it holds.
public struct NamedValue: Sendable, Hashable {
    public var name: String
    public var value: SQLValue

    /// The collating sequence of the column in the key, where it need not be the column's own.
    public var collation: String?

    public init(_ name: String, _ value: SQLValue, collation: String? = nil) {
        self.name = name
        self.value = value
        self.collation = collation
    }

    /// The collation to compare the value with, which is a text.
    package var textCollation: String? {
        if case .text = value { collation } else { nil }
    }
}

extension NamedValue: CustomStringConvertible {
    public var description: String { "\(name) = \(value.literal)" }
}
