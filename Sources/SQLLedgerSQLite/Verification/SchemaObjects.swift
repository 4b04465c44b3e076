import LedgerProofs
import SQLLedger

/// Everything in `sqlite_schema`, read once and found by name.
final class SchemaObjects {
    struct Object {
        /// As SQLite reads it, like the names: up to a NUL, and the type in any case.
        var type: String
        var name: String
        var table: String
        var rootPage: Int64
        var sql: String?
        /// Whether the row is one that SQLite reads and never writes, so that queries of `sqlite_schema` miss the object.
        var isMisspelt: Bool

        var isVirtual: Bool { type == "table" && rootPage == 0 }
    }

    /// A table that is not virtual.
    struct OrdinaryTable {
        var name: String
        var isWithoutRowID: Bool
        /// Whether SQLite takes it for one that keeps what a virtual table holds. It goes by the names of both alone.
        var isShadow: Bool
    }

    /// In the order of the schema.
    let all: [Object]
    private let byName: [String: [Int]]
    private let byTable: [String: [Int]]
    private let connection: SQLiteConnection
    private var knownTables: [String: OrdinaryTable]?
    /// Names that were given since.
    private var taken: Set<String> = []

    init(_ connection: SQLiteConnection) throws(SQLiteLedgerError) {
        let statement = try connection.prepare(
            "SELECT type, name, tbl_name, rootpage, sql FROM \(connection.schema).sqlite_schema")
        var all: [Object] = []
        var byName: [String: [Int]] = [:]
        var byTable: [String: [Int]] = [:]
        while try statement.step() {
            // Before the texts are read, which makes texts of what is none.
            let isMisspelt = Self.isMisspelt(statement.row)
            let type = statement.text(0)
            let object = Object(
                type: SQLName.folded(Self.cut(type)), name: Self.cut(statement.text(1)),
                table: Self.cut(statement.text(2)), rootPage: statement.integer(3), sql: statement.optionalText(4),
                isMisspelt: isMisspelt)
            byName[SQLName.folded(object.name), default: []].append(all.count)
            byTable[SQLName.folded(object.table), default: []].append(all.count)
            all.append(object)
        }
        self.all = all
        self.byName = byName
        self.byTable = byTable
        self.connection = connection
    }

    private static let types = ["table", "index", "view", "trigger"]

    /// Of a table and a view both names are the same. (A trigger belongs to its table in the letters of its statement.)
    private static func isMisspelt(_ row: [SQLValue]) -> Bool {
        guard let type = types.first(where: { row[0] == .text($0) }), case .text(let name) = row[1],
            case .text(let table) = row[2], !name.contains(0), !table.contains(0)
        else { return true }
        if type == "table" || type == "view", name != table { return true }
        switch row[3] {
        case .integer(let page) where page == 0 || type == "table" || type == "index": break
        case .null where type == "view" || type == "trigger": break
        default: return true
        }
        if case .text = row[4] { return false }
        return row[4] != .null
    }

    private static func cut(_ text: String) -> String {
        text.utf8.contains(0) ? String(decoding: text.utf8.prefix { $0 != 0 }, as: UTF8.self) : text
    }

    /// The objects of a name, which may be several of different types. SQLite ignores the case of ASCII letters.
    func named(_ name: String) -> [Object] { (byName[SQLName.folded(name)] ?? []).map { all[$0] } }

    func contains(_ name: String) -> Bool {
        let name = SQLName.folded(name)
        return byName[name] != nil || taken.contains(name)
    }

    /// Notes objects that were made after the schema was read.
    func take(_ names: [String]) {
        for name in names { taken.insert(SQLName.folded(name)) }
    }

    /// The object of a type and name.
    func object(_ type: String, _ name: String) -> Object? { named(name).first { $0.type == type } }

    /// What belongs to a table.
    func belonging(to table: String) -> [Object] { (byTable[SQLName.folded(table)] ?? []).map { all[$0] } }

    func belonging(to table: String, type: String) -> [Object] { belonging(to: table).filter { $0.type == type } }

    func triggers(onView view: String) -> [Object] {
        object("view", view) == nil ? [] : belonging(to: view, type: "trigger")
    }

    /// Made by `CREATE UNIQUE INDEX`, not by a constraint of its table. SQLite is asked: texts can be written in many ways.
    func uniqueIndexes(of table: String) throws(SQLiteLedgerError) -> [Object] {
        let indexes = belonging(to: table, type: "index")
        guard !indexes.isEmpty else { return [] }
        let unique = try connection.query(
            """
            SELECT name FROM pragma_index_list(\(SQLName.literal(table)), \(connection.schemaLiteral))
            WHERE "unique" AND origin = 'c'
            """
        ).compactMap { $0.first?.string }
        return indexes.filter { unique.containsExactly($0.name) }
    }

    /// The ordinary tables by folded name. SQLite resolves every view before it lists them, so it is asked once.
    func ordinaryTables() throws(SQLiteLedgerError) -> [String: OrdinaryTable] {
        if let knownTables { return knownTables }
        let statement = try connection.prepare(
            """
            SELECT name, wr, type = 'shadow' FROM pragma_table_list
            WHERE schema = \(connection.schemaLiteral) AND type IN ('table', 'shadow')
            """)
        var tables: [String: OrdinaryTable] = [:]
        while try statement.step() {
            let name = statement.text(0)
            tables[SQLName.folded(name)] = OrdinaryTable(
                name: name, isWithoutRowID: statement.integer(1) == 1, isShadow: statement.integer(2) == 1)
        }
        knownTables = tables
        return tables
    }

    /// The ordinary table of that name in any spelling; `nil` when there is none.
    func ordinaryTable(_ name: String) throws(SQLiteLedgerError) -> OrdinaryTable? {
        try ordinaryTables()[SQLName.folded(name)]
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
