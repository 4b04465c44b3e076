import CSQLiteLedger
import SQLLedger

/// Reads the definitions of tables as they are now in the database that a connection stands for.
package enum SchemaReader {
    /// The ordinary tables that are neither SQLite's nor those of the ledger whose ledger tables are `tables`, by name.
    /// Virtual tables and the tables that hold their contents are left out.
    static func userTables(
        besides tables: Set<TableID>, in objects: SchemaObjects
    ) throws(SQLiteLedgerError) -> [String] {
        try objects.ordinaryTables().values.filter { !$0.isShadow }.map(\.name)
            .filter { !SQLName.folded($0).hasPrefix("sqlite_") && !SQLName.isOwnTable($0, of: tables) }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The present state of `table`, or `nil` when there is no such ordinary table. `kind` and `view` are the ledger's
    /// own settings of it.
    package static func describe(
        _ table: String, kind: TableKind, view: String, after: LeafNumber, on db: SQLiteConnection
    ) throws(SQLiteLedgerError) -> TableDescription? {
        try describe(table, kind: kind, view: view, after: after, in: SchemaObjects(db), on: db)
    }

    /// The same, for many tables: `objects` were read once.
    static func describe(
        _ table: String, kind: TableKind, view: String, after: LeafNumber, in objects: SchemaObjects,
        on db: SQLiteConnection
    ) throws(SQLiteLedgerError) -> TableDescription? {
        guard let found = try objects.ordinaryTable(table),
            let sql = objects.object("table", found.name)?.sql
        else { return nil }
        let name = found.name
        let columns = try columns(of: name, on: db)
        let rowID = found.isWithoutRowID ? nil : try rowIDColumn(of: name, columns: columns, on: db)
        return TableDescription(
            after: after, columns: columns, kind: kind, objects: usersObjects(of: name, in: objects),
            rowIDColumn: rowID, sql: sql, table: name, view: view)
    }

    private static func columns(of table: String, on db: SQLiteConnection) throws(SQLiteLedgerError) -> [SchemaColumn] {
        let statement = try db.prepare(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, \(db.schemaLiteral)) ORDER BY cid"
        )
        try statement.bind([.text(table)])
        var columns: [SchemaColumn] = []
        while try statement.step() {
            columns.append(
                SchemaColumn(
                    name: statement.text(0), declaredType: statement.text(1), isNotNull: statement.integer(2) != 0,
                    primaryKeyPosition: UInt32(clamping: statement.integer(4)),
                    generation: ColumnGeneration(rawValue: UInt8(clamping: statement.integer(5))) ?? .none,
                    defaultText: statement.optionalText(3)))
        }
        return columns
    }

    /// The column that is the row id. An `INTEGER PRIMARY KEY` is, and then SQLite makes no index for the key.
    private static func rowIDColumn(
        of table: String, columns: [SchemaColumn], on db: SQLiteConnection
    ) throws(SQLiteLedgerError) -> String {
        let keys = columns.filter { $0.primaryKeyPosition > 0 }
        if keys.count == 1,
            try db.value("SELECT 1 FROM pragma_index_list(?, \(db.schemaLiteral)) WHERE origin = 'pk'", [.text(table)])
                == nil
        {
            return keys[0].name
        }
        if let name = SQLName.rowIDs(besides: columns.map(\.name)).first { return name }
        throw .refused(
            """
            table '\(table)' has columns named rowid, _rowid_ and oid and no INTEGER PRIMARY KEY, so its rows have no \
            name to follow them by; rename one of the three columns
            """)
    }

    /// The name of the ledger view of `table` when nobody gives one: `<table>_Ledger`, or else the first of
    /// `<table>_Ledger2`, `<table>_Ledger3` … that nothing in `main` has. `taken`: more names that are not free, folded.
    /// A name that SQLite keeps for itself gets a line before it: a table can be named `sqlite`.
    static func freeView(
        of table: String, besides taken: Set<String> = [], in objects: SchemaObjects
    ) -> String {
        let usual = "\(table)_Ledger"
        let first = isSQLites(usual) ? "_\(usual)" : usual
        var number = 1
        while true {
            let name = number == 1 ? first : "\(first)\(number)"
            if !taken.contains(SQLName.folded(name)), !objects.contains(name) { return name }
            number += 1
        }
    }

    private static func isSQLites(_ name: String) -> Bool { SQLName.folded(name).hasPrefix("sqlite_") }

    /// Why the table cannot become a ledger table whose view has a free name, or `nil`.
    static func obstacle(
        to table: String, in objects: SchemaObjects, on db: SQLiteConnection
    ) throws(SQLiteLedgerError) -> String? {
        guard !SQLName.isReservedTable(table) else {
            return "'\(table)' cannot be a ledger table: its name is one of the ledger's or SQLite's own"
        }
        let description: TableDescription?
        do throws(SQLiteLedgerError) {
            description = try describe(
                table, kind: .updatable, view: freeView(of: table, in: objects), after: LeafNumber(0), in: objects,
                on: db)
        } catch {
            // What the ledger refuses is the table's fault, all else is not.
            if error.isRefusal { return error.message }
            throw error
        }
        guard let description, try objects.ordinaryTable(table)?.isShadow == false else {
            return "there is no ordinary table '\(table)' in this database that could become a ledger table"
        }
        return try obstacle(to: description, in: objects, on: db)
    }

    /// A column whose name the ledger needs for itself, in words.
    static func nameObstacle(_ description: TableDescription) -> String? {
        let column = description.columns.first { column in
            let name = SQLName.folded(column.name)
            // The key of a table without row ids lies beside these two in the stamps.
            let isInStamps = description.rowIDColumn == nil && column.primaryKeyPosition > 0
            return name.hasPrefix("ledger_") || isInStamps && (name == "transaction_id" || name == "sequence_number")
        }
        return column.map {
            "column '\($0.name)' of table '\(description.table)' has a name of the ledger's own; rename the column first"
        }
    }

    static func obstacle(
        to description: TableDescription, in objects: SchemaObjects, on db: SQLiteConnection
    ) throws(SQLiteLedgerError) -> String? {
        let name = description.table
        if let obstacle = nameObstacle(description) { return obstacle }
        if description.rowIDColumn == nil,
            try keyCollations(of: name, on: db).count != description.columns.count(where: { $0.primaryKeyPosition > 0 })
        {
            return "the primary key of table '\(name)' names a column twice, which the stamps of its rows cannot"
        }
        // History and view have four columns more.
        let limit = Int(ils_limit(db.handle, SQLITE_LIMIT_COLUMN, -1))
        guard description.columns.count + 4 <= limit else {
            return "table '\(name)' has more columns than the \(limit - 4) that a ledger table can have"
        }
        guard !isSQLites(description.view) else {
            return
                "'\(description.view)' cannot be a ledger view: SQLite keeps names that begin with sqlite_ for itself"
        }
        guard !objects.contains(description.view) else {
            return "there is an object '\(description.view)' already; name another ledger view for table '\(name)'"
        }
        return nil
    }

    /// Indexes and triggers of the user's.
    private static func usersObjects(of table: String, in objects: SchemaObjects) -> [SchemaObject] {
        objects.belonging(to: table).compactMap { object in
            switch object.type {
            case "index": break
            case "trigger" where !SQLName.isReservedTrigger(object.name): break
            default: return nil
            }
            return SchemaObject(name: object.name, sql: object.sql ?? "", type: object.type)
        }
    }

    /// The collating sequences of the primary key of a table without row ids, in key order.
    package static func keyCollations(
        of table: String, on db: SQLiteConnection
    ) throws(SQLiteLedgerError) -> [String] {
        let statement = try db.prepare(
            """
            SELECT x.coll FROM pragma_index_list(?1, \(db.schemaLiteral)) AS l, pragma_index_xinfo(l.name, \(db.schemaLiteral)) AS x
            WHERE l.origin = 'pk' AND x.key = 1 ORDER BY x.seqno
            """)
        try statement.bind([.text(table)])
        var collations: [String] = []
        while try statement.step() { collations.append(statement.text(0)) }
        return collations
    }
}
