/// What happened to a row version. An UPDATE ends one version and creates the next.
public enum RowOperation: UInt8, Sendable, Hashable {
    case created = 1
    case ended = 2
}
