/// Which versions of a row are meant.
public enum VersionSelection: Sendable, Hashable {
    /// The live one.
    case current
    /// The live one and all that ended, each with its end.
    case all
    /// One of them, counted from the oldest, from 1.
    case number(Int)
}
