/// One change of a schema, made the way that the engine's users make it.
public enum SchemaChange: Sendable, Hashable {
    /// A column at the end, NULL in the rows that are there.
    case addColumn(table: String, ConformanceTable.Column)
    case renameColumn(table: String, from: String, to: String)
    /// Drops the ledger table; its history stays.
    case dropTable(String)
}
