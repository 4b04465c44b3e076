import LedgerProofs

/// The state of a ledger table after a schema event.
///
/// Documentation/spec/sql-schema.md, "Event bodies"
public struct TableDescription: Hashable, Sendable {
    /// The event holds for row versions of its own transaction from this sequence number on, and for all of later
    /// transactions.
    public var after: LeafNumber
    /// In ordinal order.
    public var columns: [SchemaColumn]
    public var kind: TableKind
    /// Sorted by type, then by name.
    public var objects: [SchemaObject]
    /// The name before the event, of the table (`rename`), the view (`renameView`) or the column (`renameColumn`,
    /// `dropColumn`); otherwise `nil`.
    public var previous: String?
    /// The column that is the row id, or `rowid` when there is no such column; `nil` for a table without row ids.
    public var rowIDColumn: String?
    /// The statement that makes the table.
    public var sql: String
    public var table: String
    /// The name of the ledger view.
    public var view: String

    static let members: Set<String> = [
        "after", "columns", "kind", "objects", "previous", "rowid", "schema", "sql", "table", "view",
    ]

    /// Names and texts are equal when their bytes are.
    public static func == (a: TableDescription, b: TableDescription) -> Bool {
        a.after == b.after && a.columns == b.columns && a.kind == b.kind && a.objects == b.objects
            && a.previous?.exact == b.previous?.exact && a.rowIDColumn?.exact == b.rowIDColumn?.exact
            && a.sql.exact == b.sql.exact && a.table.exact == b.table.exact && a.view.exact == b.view.exact
    }

    /// Sorts the objects.
    public init(
        after: LeafNumber, columns: [SchemaColumn], kind: TableKind, objects: [SchemaObject], previous: String? = nil,
        rowIDColumn: String?, sql: String, table: String, view: String
    ) {
        self.after = after
        self.columns = columns
        self.kind = kind
        self.objects = objects.sorted { Self.precedes($0, $1) }
        self.previous = previous
        self.rowIDColumn = rowIDColumn
        self.sql = sql
        self.table = table
        self.view = view
    }

    /// Whether the table is STRICT, where a column of type ANY converts nothing.
    package var isStrict: Bool {
        let options = sql.utf8.lastIndex(of: UInt8(ascii: ")")).map { sql[$0...] } ?? ""
        return options.uppercased().contains("STRICT")
    }

    /// The schema version that holds after the event.
    public func schema(of table: TableID) -> TableSchema { TableSchema(table: table, columns: columns) }

    init(_ value: JSONValue, of tableID: TableID) throws(ProofError) {
        let body = try StrictObject(value, "the schema event", members: Self.members)
        after = LeafNumber(try body.integer("after"))
        columns = []
        for column in try body.array("columns") { columns.append(try SchemaColumn(column)) }
        guard (1...TableSchema.maximumColumnCount).contains(columns.count) else {
            throw .invalid("columns of the schema event is empty or too long")
        }
        guard let kind = TableKind(rawValue: try body.string("kind")) else {
            throw .invalid("kind of the schema event is neither updatable nor append-only")
        }
        self.kind = kind
        objects = []
        for object in try body.array("objects") { objects.append(try SchemaObject(object)) }
        guard zip(objects, objects.dropFirst()).allSatisfy({ Self.precedes($0, $1) }) else {
            throw .invalid("objects of the schema event is not in order")
        }
        previous = try body.optionalString("previous")
        rowIDColumn = try body.optionalString("rowid")
        sql = try body.string("sql")
        table = try body.string("table")
        view = try body.string("view")
        guard try body.digest("schema") == schema(of: tableID).digest else {
            throw .invalid("schema of the schema event is not the digest of its columns")
        }
    }

    func jsonValue(of tableID: TableID) -> JSONValue {
        .object([
            "after": .integer(after.rawValue), "columns": .array(columns.map(\.jsonValue)),
            "kind": .string(kind.rawValue), "objects": .array(objects.map(\.jsonValue)),
            "previous": .optional(previous), "rowid": .optional(rowIDColumn),
            "schema": .string(schema(of: tableID).digest.hex), "sql": .string(sql), "table": .string(table),
            "view": .string(view),
        ])
    }

    private static func precedes(_ a: SchemaObject, _ b: SchemaObject) -> Bool {
        if a.type != b.type { return a.type.utf8.lexicographicallyPrecedes(b.type.utf8) }
        return a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
}
