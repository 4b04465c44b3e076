import LedgerProofs

/// One column of a ledger table.
///
/// Documentation/spec/sql-schema.md
public struct SchemaColumn: Hashable, Sendable {
    public var name: String
    /// As declared, empty without one.
    public var declaredType: String
    public var isNotNull: Bool
    /// The position in the primary key from 1, or 0.
    public var primaryKeyPosition: UInt32
    public var generation: ColumnGeneration
    /// The text of the default expression. Not part of the schema digest.
    public var defaultText: String?

    /// Names and texts are equal when their bytes are.
    public static func == (a: SchemaColumn, b: SchemaColumn) -> Bool {
        a.name.exact == b.name.exact && a.declaredType.exact == b.declaredType.exact && a.isNotNull == b.isNotNull
            && a.primaryKeyPosition == b.primaryKeyPosition && a.generation == b.generation
            && a.defaultText?.exact == b.defaultText?.exact
    }

    public init(
        name: String, declaredType: String, isNotNull: Bool = false, primaryKeyPosition: UInt32 = 0,
        generation: ColumnGeneration = .none, defaultText: String? = nil
    ) {
        self.name = name
        self.declaredType = declaredType
        self.isNotNull = isNotNull
        self.primaryKeyPosition = primaryKeyPosition
        self.generation = generation
        self.defaultText = defaultText
    }

    package init(_ value: JSONValue) throws(ProofError) {
        let object = try StrictObject(
            value, "a column", members: ["default", "generated", "name", "notnull", "pk", "type"])
        name = try object.string("name")
        declaredType = try object.string("type")
        isNotNull = try object.flag("notnull")
        guard let position = UInt32(exactly: try object.integer("pk")) else {
            throw .invalid("pk of a column is too large")
        }
        primaryKeyPosition = position
        guard let number = UInt8(exactly: try object.integer("generated")),
            let generation = ColumnGeneration(rawValue: number)
        else { throw .invalid("generated of a column is neither 0, 2 nor 3") }
        self.generation = generation
        defaultText = try object.optionalString("default")
    }

    package var jsonValue: JSONValue {
        .object([
            "default": .optional(defaultText), "generated": .integer(UInt64(generation.rawValue)),
            "name": .string(name), "notnull": .integer(isNotNull ? 1 : 0),
            "pk": .integer(UInt64(primaryKeyPosition)), "type": .string(declaredType),
        ])
    }
}
