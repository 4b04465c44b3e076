/// Whether a column is generated, with SQLite's own numbers (`hidden` of `PRAGMA table_xinfo`).
public enum ColumnGeneration: UInt8, Sendable, Hashable {
    case none = 0
    /// Computed when read: not part of leaves.
    case virtual = 2
    /// Computed when written and kept: part of leaves.
    case stored = 3
}
