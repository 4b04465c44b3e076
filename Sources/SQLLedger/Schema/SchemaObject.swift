import LedgerProofs

/// An index or a trigger of the user's on a ledger table.
public struct SchemaObject: Hashable, Sendable {
    public var name: String
    /// The statement that makes it; empty for indexes that SQLite makes by itself.
    public var sql: String
    /// `index` or `trigger`.
    public var type: String

    /// Names and texts are equal when their bytes are.
    public static func == (a: SchemaObject, b: SchemaObject) -> Bool {
        a.name.exact == b.name.exact && a.sql.exact == b.sql.exact && a.type.exact == b.type.exact
    }

    public init(name: String, sql: String, type: String) {
        self.name = name
        self.sql = sql
        self.type = type
    }

    init(_ value: JSONValue) throws(ProofError) {
        let object = try StrictObject(value, "an object", members: ["name", "sql", "type"])
        name = try object.string("name")
        sql = try object.string("sql")
        type = try object.string("type")
    }

    var jsonValue: JSONValue {
        .object(["name": .string(name), "sql": .string(sql), "type": .string(type)])
    }
}
