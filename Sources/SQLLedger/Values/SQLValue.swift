/// One value of a row, in the storage classes of SQLite.
///
/// Documentation/spec/sql-row.md, "Values"
public enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    /// The UTF-8 bytes as stored; they need not be valid UTF-8, and may hold NUL.
    case text([UInt8])
    case blob([UInt8])

    /// A text value.
    public static func text(_ string: String) -> SQLValue { .text(Array(string.utf8)) }
}
