/// A ledger table as its schema events describe it.
public struct EvidenceTable: Sendable, Hashable {
    public var id: TableID

    /// The newest name.
    public var name: String

    /// Whether it was dropped: then only its history remains.
    public var isDropped: Bool

    /// The columns that the engine computes, so that no change can set them.
    public var generatedColumns: [String]

    public init(id: TableID, name: String, isDropped: Bool, generatedColumns: [String] = []) {
        self.id = id
        self.name = name
        self.isDropped = isDropped
        self.generatedColumns = generatedColumns
    }

    /// The built-in table of schema events.
    public static let schemaEvents = EvidenceTable(id: .schemaEvents, name: "ledger_schema_events", isDropped: false)
}
