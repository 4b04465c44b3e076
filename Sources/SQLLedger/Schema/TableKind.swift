/// What may be done to the rows of a ledger table.
public enum TableKind: String, Sendable, Hashable {
    case updatable
    case appendOnly = "append-only"
}
