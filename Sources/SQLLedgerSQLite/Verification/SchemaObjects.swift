import SQLLedger

/// Everything in `sqlite_schema`, by name.
struct SchemaObjects {
    struct Object {
        var type: String
        var name: String
        var table: String
        var rootPage: Int64
        var sql: String?

        var isVirtual: Bool { type == "table" && rootPage == 0 }
    }

    /// In the order of the schema.
    private(set) var all: [Object] = []
    private var byName: [String: [Int]] = [:]

    init(_ connection: SQLiteConnection) throws {
        let statement = try connection.prepare("SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_schema")
        while try statement.step() {
            let object = Object(
                type: statement.text(0), name: statement.text(1), table: statement.text(2),
                rootPage: statement.integer(3), sql: statement.optionalText(4))
            byName[SQLName.folded(object.name), default: []].append(all.count)
            all.append(object)
        }
    }

    /// The objects of a name, which may be several of different types. SQLite ignores the case of ASCII letters.
    func named(_ name: String) -> [Object] { (byName[SQLName.folded(name)] ?? []).map { all[$0] } }

    func contains(_ name: String) -> Bool { byName[SQLName.folded(name)] != nil }

    /// The object of a type and name.
    func object(_ type: String, _ name: String) -> Object? { named(name).first { $0.type == type } }

    /// What belongs to a table.
    func belonging(to table: String, type: String) -> [Object] {
        all.filter { $0.type == type && SQLName.same($0.table, table) }
    }

    /// - Throws: unless `name` is an ordinary table.
    func requireTable(_ name: String) throws(VerificationError) {
        guard let object = object("table", name), !object.isVirtual else {
            throw VerificationError(
                object: name,
                reason: contains(name) ? "something else stands in the place of the table" : "the table is missing")
        }
    }
}
