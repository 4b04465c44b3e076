/// What a schema event records. The state after the event is in its body.
public enum SchemaEventType: Int64, Sendable, Hashable, CaseIterable {
    case create = 0
    case drop = 1
    case rename = 2
    case renameView = 3
    case addColumn = 4
    case renameColumn = 5
    case dropColumn = 6
    /// Indexes, triggers of the user's or defaults changed.
    case objects = 7
    /// A setting of the whole ledger changed.
    case settings = 8
}
