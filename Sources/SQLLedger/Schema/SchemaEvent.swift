import LedgerProofs

/// One row of the built-in append-only table of schema events.
///
/// Documentation/spec/sql-schema.md
public struct SchemaEvent: Hashable, Sendable {
    /// What the event says.
    public enum Body: Hashable, Sendable {
        case table(TableDescription)
        /// Whether every new table becomes a ledger table.
        case settings(allTables: Bool)
    }

    public let type: SchemaEventType
    /// The table, or table 0 for `settings`.
    public let table: TableID
    public let body: Body

    /// No body is larger.
    public static let maximumByteCount = 1 << 26

    /// An event of a table. Traps for `settings` and for table 0.
    public init(_ type: SchemaEventType, of table: TableID, _ description: TableDescription) {
        precondition(type != .settings && table != .schemaEvents, "settings are not an event of a table")
        self.type = type
        self.table = table
        self.body = .table(description)
    }

    /// The event of a setting.
    public init(allTables: Bool) {
        type = .settings
        table = .schemaEvents
        body = .settings(allTables: allTables)
    }

    /// Reads the columns of one row.
    /// - Throws: `ProofError` when the type or table is impossible or `body` is not the canonical JSON of such an event.
    public init(type: Int64, table: Int64, body: [UInt8]) throws(ProofError) {
        guard let type = SchemaEventType(rawValue: type) else { throw .invalid("an unknown type of schema event") }
        guard let number = UInt64(exactly: table), (number == 0) == (type == .settings) else {
            throw .invalid("a schema event of an impossible table")
        }
        let limits = DecodingLimits(
            maximumByteCount: Self.maximumByteCount, maximumDepth: 4, maximumItemCount: 1 << 20)
        let value = try JSONValue(json: body, limits: limits)
        self.type = type
        self.table = TableID(number)
        if type == .settings {
            let settings = try StrictObject(value, "the schema event", members: ["all_tables"])
            self.body = .settings(allTables: try settings.flag("all_tables"))
        } else {
            self.body = .table(try TableDescription(value, of: self.table))
        }
        guard encodedBody == body else { throw .malformed("the schema event is not in canonical form") }
    }

    /// The state of the table after the event, or `nil` for settings.
    public var description: TableDescription? {
        if case .table(let description) = body { description } else { nil }
    }

    /// The canonical JSON text of the body.
    public var encodedBody: [UInt8] {
        switch body {
        case .table(let description): description.jsonValue(of: table).canonicalBytes()
        case .settings(let allTables):
            JSONValue.object(["all_tables": .integer(allTables ? 1 : 0)]).canonicalBytes()
        }
    }

    /// The values of the row's leaf: event type, table and body.
    public var values: [SQLValue] {
        [.integer(type.rawValue), .integer(Int64(bitPattern: table.rawValue)), .text(encodedBody)]
    }

    /// The leaf of the event as operation `sequence` on table 0 in `transaction`.
    public func leaf(transaction: TransactionNumber, sequence: LeafNumber) -> RowLeaf {
        RowLeaf(
            operation: .created, table: .schemaEvents, schema: TableSchema.schemaEventsDigest,
            transaction: transaction, sequence: sequence, values: values)
    }
}
