import LedgerProofs

/// One disclosed operation on a row, with the paths from its leaf to its block.
///
/// Documentation/spec/evidence-bundle.md, "Row"
public struct EvidenceRow: Hashable, Sendable {
    /// The name of the table when the bundle was made. Not part of the leaf.
    public var tableName: String
    public var operation: RowOperation
    /// The schema version of the row version: table and columns.
    public var schema: TableSchema
    /// The stored columns' values in ordinal order.
    public var values: [SQLValue]
    public var transaction: TransactionEntry
    public var sequence: LeafNumber
    /// Where the version was created: present exactly for `ended`.
    public var start: RowStart?
    public var rowPath: InclusionProof
    public var transactionPath: InclusionProof
    public var block: BlockID
    /// Whether the exporter saw this version live. Never proven.
    public var isClaimedCurrent: Bool

    public init(
        tableName: String, operation: RowOperation, schema: TableSchema, values: [SQLValue],
        transaction: TransactionEntry, sequence: LeafNumber, start: RowStart? = nil, rowPath: InclusionProof,
        transactionPath: InclusionProof, block: BlockID, isClaimedCurrent: Bool
    ) {
        self.tableName = tableName
        self.operation = operation
        self.schema = schema
        self.values = values
        self.transaction = transaction
        self.sequence = sequence
        self.start = start
        self.rowPath = rowPath
        self.transactionPath = transactionPath
        self.block = block
        self.isClaimedCurrent = isClaimedCurrent
    }

    /// The columns of schema events: the schema of table 0.
    public static let schemaEventColumns = [
        SchemaColumn(name: "event_type", declaredType: "INTEGER"),
        SchemaColumn(name: "table_id", declaredType: "INTEGER"), SchemaColumn(name: "body", declaredType: "TEXT"),
    ]

    /// What the leaf hash is computed from.
    public var leaf: RowLeaf {
        RowLeaf(
            operation: operation, table: schema.table,
            schema: schema.table == .schemaEvents ? TableSchema.schemaEventsDigest : schema.digest,
            transaction: transaction.id, sequence: sequence, start: start, values: values)
    }

    /// Where the row version was created.
    public var created: RowStart { start ?? RowStart(transaction: transaction.id, sequence: sequence) }

    private static let members: Set<String> = [
        "block", "current", "kind", "operation", "row_path", "schema", "sequence_number", "start", "table", "table_id",
        "transaction", "transaction_path", "values",
    ]

    private static let transactionMembers: Set<String> = [
        "application", "commit_time", "id", "login", "principal", "table_hashes",
    ]

    init(_ value: JSONValue, ledger: LedgerID) throws(ProofError) {
        let row = try StrictObject(value, "a row", members: Self.members)
        tableName = try row.string("table")
        switch try row.string("operation") {
        case "created": operation = .created
        case "ended": operation = .ended
        default: throw .invalid("operation of a row is neither created nor ended")
        }
        let schema = try StrictObject(row["schema"], "schema", members: ["columns"])
        var columns: [SchemaColumn] = []
        for column in try schema.array("columns") { columns.append(try SchemaColumn(column)) }
        guard columns.count <= TableSchema.maximumColumnCount else { throw .outOfRange("a row has too many columns") }
        self.schema = TableSchema(table: TableID(try row.integer("table_id")), columns: columns)
        guard self.schema.table != .schemaEvents || columns == Self.schemaEventColumns else {
            throw .invalid("schema of a row of table 0 is not that of schema events")
        }
        values = []
        for value in try row.array("values") { values.append(try SQLValue(evidence: value)) }
        guard values.count == self.schema.storedColumns.count else {
            throw .invalid("a row has more or fewer values than stored columns")
        }
        transaction = try Self.transaction(row["transaction"], ledger: ledger)
        sequence = LeafNumber(try row.integer("sequence_number"))
        if row.isNull("start") {
            start = nil
        } else {
            let place = try StrictObject(row["start"], "start", members: ["sequence_number", "transaction_id"])
            start = RowStart(
                transaction: TransactionNumber(try place.integer("transaction_id")),
                sequence: LeafNumber(try place.integer("sequence_number")))
        }
        guard (operation == .ended) == (start != nil) else {
            throw .invalid("start of a row is given for a created version, or missing for an ended one")
        }
        rowPath = try InclusionProof(evidence: row.array("row_path"))
        transactionPath = try InclusionProof(evidence: row.array("transaction_path"))
        block = BlockID(try row.integer("block"))
        isClaimedCurrent = try StrictObject(row["current"], "current", members: ["claimed"]).bool("claimed")
    }

    private static func transaction(_ value: JSONValue, ledger: LedgerID) throws(ProofError) -> TransactionEntry {
        let object = try StrictObject(value, "transaction", members: transactionMembers)
        return TransactionEntry(
            ledger: ledger, id: TransactionNumber(try object.integer("id")), commitTime: try object.time("commit_time"),
            principal: try object.string("principal"), login: try object.string("login"),
            application: try object.string("application"),
            tableHashes: try TableHashes(decoding: object.hex("table_hashes")))
    }

    var jsonValue: JSONValue {
        let start: JSONValue? = start.map {
            .object([
                "sequence_number": .integer($0.sequence.rawValue), "transaction_id": .integer($0.transaction.rawValue),
            ])
        }
        return .object([
            "block": .integer(block.rawValue), "current": .object(["claimed": .bool(isClaimedCurrent)]),
            "kind": .string("row"), "operation": .string(operation == .created ? "created" : "ended"),
            "row_path": rowPath.evidenceJSON,
            "schema": .object(["columns": .array(schema.columns.map(\.jsonValue))]),
            "sequence_number": .integer(sequence.rawValue), "start": start ?? .null, "table": .string(tableName),
            "table_id": .integer(schema.table.rawValue),
            "transaction": .object([
                "application": .string(transaction.application),
                "commit_time": .string(transaction.commitTime.description), "id": .integer(transaction.id.rawValue),
                "login": .string(transaction.login), "principal": .string(transaction.principal),
                "table_hashes": .string(Hex.encode(transaction.tableHashes.encoded())),
            ]),
            "transaction_path": transactionPath.evidenceJSON, "values": .array(values.map(\.evidenceJSON)),
        ])
    }
}
