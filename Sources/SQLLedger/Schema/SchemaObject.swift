import LedgerProofs

/// An index or a trigger of the user's on a ledger table.
public struct SchemaObject: Hashable, Sendable {
    public var name: String
    /// The statement that makes it; empty for indexes that SQLite makes by itself.
    public var sql: String
    /// `index` or `trigger`.
    public var type: String

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
