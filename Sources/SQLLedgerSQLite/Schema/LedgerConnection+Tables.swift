import CSQLiteLedger
import SQLLedger

// Making, enrolling and dropping ledger tables. All of it happens inside a transaction that `write` opened.
extension LedgerConnection {
    /// Makes the ledger's own tables. Returns the ledger's identity.
    func initialise(allTables: Bool) throws(SQLiteLedgerError) -> LedgerID {
        try load()
        if ledger == nil {
            let id = LedgerID.random()
            for sql in LedgerObjects.tables + LedgerObjects.views { try define(sql) }
            try db.run(
                "INSERT INTO \(db.schema).ledger_identity VALUES(1, ?, ?, ?, ?, 0)",
                [
                    .blob(id.bytes), .integer(EvidenceIdentity.knownFormat), .text(databaseName),
                    .text(CommitTime.now().utf8),
                ])
            try db.execute("INSERT INTO \(db.schema).ledger_rowid_canary(rowid) VALUES(1), (3)")
            for sql in LedgerObjects.guards { try define(sql) }
            hasEvents = true
            try load()
        }
        if allTables, !self.allTables {
            try prepareTransaction()
            try append(event: SchemaEvent(allTables: true))
            try db.run("UPDATE \(db.schema).ledger_identity SET all_tables = 1")
            self.allTables = true
            try enrollNewTables()
            if guardsObjects { takeWALHook() }
        }
        guard let ledger else { throw .refused("the ledger could not be made") }
        return ledger
    }

    /// The file's name without its extension.
    private var databaseName: String {
        guard let path = ils_filename(db.handle, db.schemaName).map({ String(cString: $0) }), !path.isEmpty else {
            return "main"
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }

    /// Makes `name` a ledger table. `view`: its ledger view's name, which must be free; the ledger takes a free one by
    /// itself when none is given.
    ///
    /// `known`: the schema, when many tables are enrolled; it must have been read in this transaction.
    func enable(
        _ name: String, kind: TableKind, view: String?, in known: SchemaObjects? = nil
    ) throws(SQLiteLedgerError) -> TableID {
        // The table must not join as an updatable one before, nor those that are named after it. They join at the next chance.
        isEnabling = known == nil
        defer {
            if isEnabling, allTables {
                isStale = true
                isReady = false
                sawDefinition = true
            }
            isEnabling = false
        }
        try prepareTransaction()
        let objects = if let known { known } else { try SchemaObjects(db) }
        if let known = slotsByName[SQLName.folded(name)] {
            let table = tables[known]
            guard table.description.kind == kind else {
                throw .refused(
                    "table '\(name)' is a ledger table already, \(table.description.kind.rawValue); its kind is for good"
                )
            }
            if let view, !SQLName.same(view, table.description.view) {
                throw .refused(
                    "table '\(name)' is a ledger table already, and its ledger view is '\(table.description.view)'")
            }
            return table.id
        }
        guard !SQLName.isReservedTable(name) else {
            throw .refused("'\(name)' cannot be a ledger table: its name is one of the ledger's or SQLite's own")
        }
        let viewName = view ?? freeView(of: name, in: objects)
        guard
            let description = try SchemaReader.describe(
                name, kind: kind, view: viewName, after: LeafNumber(0), in: objects, on: db),
            try objects.ordinaryTable(name)?.isShadow == false
        else {
            throw .refused("there is no ordinary table '\(name)' in this database that could become a ledger table")
        }
        if let obstacle = try SchemaReader.obstacle(to: description, in: objects, on: db) { throw .refused(obstacle) }
        let id = nextTableID(objects)
        let number = Int64(bitPattern: id.rawValue)
        let table = TableState(id: id, description: description)
        let sql = table.sql
        try define(sql.createHistory)
        for guardSQL in LedgerObjects.guards(of: sql.history) { try define(guardSQL) }
        let collations = sql.hasRowID ? [] : try SchemaReader.keyCollations(of: description.table, on: db)
        try define(sql.createStamps(collations: collations))
        try db.run(
            "INSERT OR REPLACE INTO \(db.schema).ledger_tables VALUES(?, ?, ?, ?, 0)",
            [.integer(number), .text(description.table), .text(description.view), .text(kind.rawValue)])
        try record(.create, of: table, description)
        try readHistoryColumns(of: table)
        try register(table, id)
        try adoptRows(of: table)
        for trigger in sql.triggers { try define(trigger.sql) }
        try define(sql.createView)
        objects.take([sql.history, sql.stamps, description.view])
        cookie = try readSchemaCookie()
        return id
    }

    /// The first number that no table has had and whose names nobody has taken.
    private func nextTableID(_ objects: SchemaObjects) -> TableID {
        var number = Int64(bitPattern: knownIDs.max()?.rawValue ?? 0)
        repeat {
            number += 1
        } while objects.contains("ledger_history_\(number)") || objects.contains("ledger_stamps_\(number)")
        return TableID(UInt64(bitPattern: number))
    }

    /// The rows that the table has become the first versions of its rows.
    private func adoptRows(of table: TableState) throws(SQLiteLedgerError) {
        let count = table.storedCount
        try forEachRow(of: table) { (values, key) throws(SQLiteLedgerError) in
            try adopt(table, key, values, count)
        }
    }

    /// Ends all live versions of a table's rows.
    private func endRows(of table: TableState) throws(SQLiteLedgerError) {
        let count = table.storedCount
        try forEachRow(of: table) { (values, key) throws(SQLiteLedgerError) in
            guard let start = try readStamp(table, key) else { return }
            try end(table, key, values, count: count, start: start, isComplete: true)
            try deleteStamp(table, key)
        }
    }

    /// Every row of the table in the order of its key: its stored values, and the key.
    private func forEachRow(
        of table: TableState,
        _ body: (UnsafePointer<OpaquePointer?>, RowKey) throws(SQLiteLedgerError) -> Void
    ) throws(SQLiteLedgerError) {
        let sql = table.sql
        let columns = sql.stored.map { SQLName.quoted($0.name) }.joined(separator: ", ")
        let name = SQLName.quoted(table.description.table)
        let key =
            table.description.rowIDColumn.map { SQLName.quoted($0) }
            ?? sql.keyColumns.map { SQLName.quoted($0.name) }.joined(separator: ", ")
        let row = table.hasRowID ? key : "0"
        let statement = try db.prepare("SELECT \(row), \(columns) FROM \(db.schema).\(name) ORDER BY \(key)")
        let count = table.storedCount
        while try statement.step() {
            let saved = SavedValues()
            for column in 0..<count {
                saved.append(copying: ils_column_value(statement.handle, Int32(truncatingIfNeeded: column + 1)))
            }
            try saved.withKey(of: table, row: statement.integer(0), body)
        }
    }

    /// Tables that are not ledger tables yet become ones. For databases all of whose tables are.
    func enrollNewTables() throws(SQLiteLedgerError) {
        let objects = try SchemaObjects(db)
        for name in try joiningTables(objects) { _ = try enable(name, kind: .updatable, view: nil, in: objects) }
    }

    /// Tables that are no ledger tables and can be. The others stay outside, and verification names them; they must not
    /// stop the rest.
    func joiningTables(_ objects: SchemaObjects) throws(SQLiteLedgerError) -> [String] {
        var names: [String] = []
        for name in try SchemaReader.userTables(besides: knownIDs, in: objects)
        where slotsByName[SQLName.folded(name)] == nil {
            if try SchemaReader.obstacle(to: name, in: objects, on: db) == nil { names.append(name) }
        }
        return names
    }

    /// The name of the ledger view of a new ledger table. Views of ledger tables that are missing are still taken: they
    /// are written again.
    private func freeView(of table: String, in objects: SchemaObjects) -> String {
        SchemaReader.freeView(
            of: table, besides: Set(liveTables.map { SQLName.folded($0.description.view) }), in: objects)
    }

    /// Puts back triggers, guards and views that are missing or not as the ledger makes them, and takes away triggers on views.
    func reinstall() throws(SQLiteLedgerError) {
        let objects = try SchemaObjects(db)
        // First of all: one of them may have the name of one of the ledger's.
        for view in Array(SQLName.ownViews) + liveTables.map(\.description.view) {
            for trigger in objects.triggers(onView: view) {
                try db.execute("DROP TRIGGER \(db.schema).\(SQLName.quoted(trigger.name))")
            }
        }
        var guards = LedgerObjects.guards
        for table in liveTables {
            guards += LedgerObjects.guards(of: table.sql.history)
            guard table.drift == nil else { continue }
            for trigger in table.sql.triggers { try reinstall("TRIGGER", trigger.name, trigger.sql, objects) }
        }
        for sql in guards {
            let name = sql.split(separator: " ", maxSplits: 3)[2]
            try reinstall("TRIGGER", String(name), sql, objects)
        }
        for sql in LedgerObjects.views {
            let name = sql.split(separator: " ", maxSplits: 3)[2]
            try reinstall("VIEW", String(name), sql, objects)
        }
        // The ledger views.
        altersHistories = true
        try alterHistories()
        try restoreDerived()
        cookie = try readSchemaCookie()
    }

    private func reinstall(
        _ type: String, _ name: String, _ sql: String, _ objects: SchemaObjects
    ) throws(SQLiteLedgerError) {
        let found = objects.object(type.lowercased(), name)
        if let found, !found.isMisspelt, found.name.exact == name.exact, found.sql?.exact == sql.exact { return }
        try db.execute("DROP \(type) IF EXISTS \(db.schema).\(SQLName.quoted(name))")
        try define(sql)
    }

    /// Runs a `CREATE TABLE`, `CREATE TRIGGER` or `CREATE VIEW`, each with one space before the name, in the database
    /// that the ledger is of. What SQLite keeps of it is the same in all.
    func define(_ sql: String) throws(SQLiteLedgerError) {
        let parts = sql.split(separator: " ", maxSplits: 2)
        try db.execute("\(parts[0]) \(parts[1]) \(db.schema).\(parts[2])")
    }

    /// After a commit: new tables are enrolled at once where that is possible.
    func enrollIfSchemaChanged() throws(SQLiteLedgerError) {
        let now = try withInternal { () throws(SQLiteLedgerError) in try readSchemaCookie() }
        guard now != cookie || isStale else { return }
        if root != nil {
            try withInternal { () throws(SQLiteLedgerError) in try load() }
            sawDefinition = ledger != nil && sawDefinition
            guard ledger != nil else { return }
            isStale = true
        }
        try write { () throws(SQLiteLedgerError) in try prepareTransaction() }
    }

    /// Drops a table: its rows end, the history stays.
    func dropTable(_ name: String) throws(SQLiteLedgerError) {
        let table = try ledgerTable(name)
        try endRows(of: table)
        var description = table.description
        description.after = LeafNumber(table.leaves.leafCount)
        description.previous = nil
        try record(.drop, of: table, description)
        try dropTriggers(of: table)
        table.statements = TableStatements()
        try db.execute("DROP TABLE \(db.schema).\(table.sql.stamps)")
        try db.run(
            "UPDATE \(db.schema).ledger_tables SET is_dropped = 1 WHERE table_id = ?",
            [.integer(Int64(bitPattern: table.id.rawValue))])
        slots[Int(table.id.rawValue)] = -1
        slotsByName[SQLName.folded(description.table)] = nil
        forgetNames()
        // Foreign keys may change rows of other ledger tables, which is to be captured like any change. For that the
        // table itself is none any more, and no statement may find out in between that the schema is new.
        dropStatements()
        cookie = try readSchemaCookie()
        isInternal = false
        defer { isInternal = true }
        try db.execute("DROP TABLE \(db.schema).\(SQLName.quoted(description.table))")
        cookie = try readSchemaCookie()
    }

    /// Drops a column: all rows end, and begin again without it. The history keeps the values.
    func dropColumn(_ name: String, _ column: String) throws(SQLiteLedgerError) {
        let table = try ledgerTable(name)
        let old = table.description
        guard let dropped = old.columns.first(where: { SQLName.same($0.name, column) }) else {
            throw .refused("table '\(name)' has no column '\(column)'")
        }
        try endRows(of: table)
        try dropTriggers(of: table)
        try db.execute(
            "ALTER TABLE \(db.schema).\(SQLName.quoted(old.table)) DROP COLUMN \(SQLName.quoted(dropped.name))")
        guard
            var new = try SchemaReader.describe(
                old.table, kind: old.kind, view: old.view, after: LeafNumber(table.leaves.leafCount), on: db)
        else { throw .refused("table '\(name)' is gone") }
        new.previous = dropped.name
        table.statements = TableStatements()
        try record(.dropColumn, of: table, new)
        altersHistories = true
        try alterHistories()
        try adoptRows(of: table)
        for trigger in table.sql.triggers { try define(trigger.sql) }
        cookie = try readSchemaCookie()
    }

    private func ledgerTable(_ name: String) throws(SQLiteLedgerError) -> TableState {
        try prepareTransaction()
        guard let slot = slotsByName[SQLName.folded(name)] else {
            throw .refused("there is no ledger table '\(name)'")
        }
        if let drift = tables[slot].drift { throw .refused(drift) }
        try alterHistories()
        touch(slot)
        return tables[slot]
    }

    private func dropTriggers(of table: TableState) throws(SQLiteLedgerError) {
        for trigger in table.sql.triggers { try db.execute("DROP TRIGGER IF EXISTS \(db.schema).\(trigger.name)") }
        try db.execute("DROP VIEW IF EXISTS \(db.schema).\(SQLName.quoted(table.description.view))")
    }
}
