import SQLLedger

/// One statement of an application.
public enum RowChange: Sendable, Hashable {
    /// Columns that are not named stay NULL.
    case insert(table: String, row: [NamedValue])
    /// Changes the row with this key.
    case update(table: String, key: [NamedValue], set: [NamedValue])
    case delete(table: String, key: [NamedValue])
}
