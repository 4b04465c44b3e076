import CSQLiteLedger
import LedgerProofs
import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// What the ledger knows about tables: read from the schema events when the schema cookie changes, and compared with the
// definitions as they are. A difference that can be explained becomes a schema event; any other stops writes.
extension LedgerConnection {
    func readSchemaCookie() throws(SQLiteLedgerError) -> Int64 {
        let statement: SQLiteStatement
        if let readCookie {
            statement = readCookie
        } else {
            statement = try kept("PRAGMA \(db.schema).schema_version")
            readCookie = statement
        }
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : -1
    }

    /// Reads the ledger's own records. Changes nothing in the database.
    func load() throws(SQLiteLedgerError) {
        let now = try readSchemaCookie()
        guard
            try db.value("SELECT 1 FROM \(db.schema).sqlite_schema WHERE type = 'table' AND name = 'ledger_identity'")
                != nil
        else {
            ledger = nil
            slots = []
            slotsByName = [:]
            forgetNames()
            cookie = now
            isStale = false
            return
        }
        let identity = try db.prepare(
            "SELECT ledger_id, all_tables, format FROM \(db.schema).ledger_identity WHERE id = 1")
        guard try identity.step(), let id = LedgerID(identity.bytes(0)) else {
            throw .refused("the ledger's identity is damaged; verify the database")
        }
        try Self.checkFormat(identity.integer(2))
        ledger = id
        (root ?? self).takeAuthorizer()
        // Given for good with the first table.
        isUTF8 = try db.value("PRAGMA encoding")?.string == "UTF-8"
        allTables = identity.integer(1) != 0
        identity.reset()
        try loadTables()
        cookie = now
        isStale = false
    }

    private func loadTables() throws(SQLiteLedgerError) {
        knownIDs = []
        var loaded: [TableID: (state: TableState, description: TableDescription)] = [:]
        let known = Dictionary(tables.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let events = try db.prepare(
            """
            SELECT transaction_id, event_type, table_id, body FROM \(db.schema).ledger_schema_events
            ORDER BY transaction_id, sequence_number
            """)
        while try events.step() {
            let id = TableID(UInt64(bitPattern: events.integer(2)))
            let event: SchemaEvent
            do throws(ProofError) {
                event = try SchemaEvent(type: events.integer(1), table: events.integer(2), body: events.bytes(3))
            } catch {
                throw .refused("the ledger's schema events are damaged (\(error.reason)); verify the database")
            }
            guard let description = event.description else { continue }
            knownIDs.insert(id)
            guard event.type != .drop else {
                loaded[id] = nil
                continue
            }
            let transaction = TransactionNumber(UInt64(bitPattern: events.integer(0)))
            if loaded[id] == nil {
                let state = known[id] ?? TableState(id: id, description: description)
                state.forgetEvents()
                loaded[id] = (state, description)
            }
            loaded[id]?.state.apply(event.type, description, in: transaction)
        }
        slots = []
        slotsByName = [:]
        for (id, entry) in loaded.sorted(by: { $0.key < $1.key }) {
            try readHistoryColumns(of: entry.state)
            try place(entry.state, id)
        }
        forgetNames()
    }

    /// Gives a table its slot.
    func register(_ table: TableState, _ id: TableID) throws(SQLiteLedgerError) {
        try place(table, id)
        forgetNames()
    }

    private func place(_ table: TableState, _ id: TableID) throws(SQLiteLedgerError) {
        guard id.rawValue < 1 << 24 else { throw .refused("the ledger's table numbers are damaged") }
        let slot: Int
        if let known = tables.firstIndex(where: { $0.id == id }) {
            // One whose making was rolled back, perhaps: its number is given again.
            slot = known
            tables[known] = table
        } else {
            slot = tables.count
            tables.append(table)
        }
        knownIDs.insert(id)
        while slots.count <= Int(id.rawValue) { slots.append(-1) }
        slots[Int(id.rawValue)] = slot
        slotsByName[SQLName.folded(table.description.table)] = slot
    }

    func forgetNames() {
        for name in names { free(name) }
        names = tables.map { strdup($0.description.table) }
        free(lastStranger)
        lastStranger = nil
        lastSlot = -1
        lastName = nil
    }

    var liveTables: [TableState] { slots.filter { $0 >= 0 }.map { tables[$0] } }

    /// Looks at the schema if it may have changed, and ledgers what did. Part of a transaction that has a number.
    ///
    /// A statement that is writing goes on without the triggers that its tables get meanwhile. So new tables join when
    /// nothing is being written, like `alterHistories`; the rows that they have by then are the first versions.
    func lookAtSchema(isCapturing: Bool = false) throws(SQLiteLedgerError) {
        let now = try readSchemaCookie()
        // Once in each connection: what others did before it, a VACUUM for instance, changes no cookie any more.
        guard now != cookie || isStale || !hasLooked || hasNewTables && !isCapturing else { return }
        do throws(SQLiteLedgerError) {
            try load()
            hasLooked = true
            guard ledger != nil else {
                throw .refused("the database has no ledger; make one with SELECT ledger_init()")
            }
            let objects = try SchemaObjects(db)
            for table in liveTables { try compare(table, objects) }
            resolveStrangers()
            try realignRowIDs()
            if allTables, !isEnabling {
                hasNewTables = isCapturing ? try !joiningTables(objects).isEmpty : false
                if !isCapturing { try enrollNewTables() }
            }
            cookie = try readSchemaCookie()
        } catch {
            // An interrupt can leave less than there is.
            isStale = true
            throw error
        }
        isStale = false
        sawDefinition = false
    }

    /// Compares a table with what is ledgered of it.
    private func compare(_ table: TableState, _ objects: SchemaObjects) throws(SQLiteLedgerError) {
        table.drift = nil
        let old = table.description
        let after = LeafNumber(table.leaves.leafCount)
        var name = old.table
        // A renamed table takes its triggers along.
        let follow = objects.object("trigger", "ledger_insert_\(table.id)")
        if let follow { name = follow.table }
        guard
            let new = try SchemaReader.describe(
                name, kind: old.kind, view: old.view, after: after, in: objects, on: db)
        else {
            table.drift = "ledger table '\(old.table)' was dropped behind the ledger's back; verify the database"
            return
        }
        guard !isSame(old, new) else { return }
        guard follow != nil else {
            table.drift = "the triggers of ledger table '\(old.table)' are gone; verify the database"
            return
        }
        if let obstacle = SchemaReader.nameObstacle(new) {
            table.drift = obstacle
            return
        }
        guard new.columns.count >= old.columns.count,
            zip(old.columns, new.columns).allSatisfy({ Self.isSameColumn($0, $1) }),
            (old.rowIDColumn == nil) == (new.rowIDColumn == nil)
        else {
            let place = old.columns.indices.first {
                !new.columns.indices.contains($0) || !Self.isSameColumn(old.columns[$0], new.columns[$0])
            }
            let which = place.map { " (column '\(old.columns[$0].name)': \(Self.change(old, new, $0)))" } ?? ""
            table.drift = """
                the columns of ledger table '\(old.table)' were changed in a way that cannot be ledgered\(which); restore its \
                definition, or drop columns with SELECT ledger_drop_column(table, column)
                """
            return
        }
        try ledgerChanges(of: table, from: old, to: new)
    }

    /// Whether something is not defined as it is ledgered. Changes nothing, and takes no write lock.
    func hasUnrecordedDefinitions() throws(SQLiteLedgerError) -> Bool {
        try withInternal { () throws(SQLiteLedgerError) in
            try load()
            guard ledger != nil else { return false }
            isStale = true
            let objects = try SchemaObjects(db)
            for table in liveTables {
                let old = table.description
                let name = objects.object("trigger", "ledger_insert_\(table.id)")?.table ?? old.table
                let new = try SchemaReader.describe(
                    name, kind: old.kind, view: old.view, after: old.after, in: objects, on: db)
                guard let new, isSame(old, new) else { return true }
            }
            return allTables ? try !joiningTables(objects).isEmpty : false
        }
    }

    private func isSame(_ old: TableDescription, _ new: TableDescription) -> Bool {
        var old = old
        old.after = new.after
        old.previous = nil
        return old == new
    }

    /// The same but for name and default.
    private static func isSameColumn(_ a: SchemaColumn, _ b: SchemaColumn) -> Bool {
        var a = a
        a.name = b.name
        a.defaultText = b.defaultText
        return a == b
    }

    /// What became of the column at a place.
    private static func change(_ old: TableDescription, _ new: TableDescription, _ place: Int) -> String {
        guard new.columns.indices.contains(place) else { return "it is gone, or one before it" }
        let (a, b) = (old.columns[place], new.columns[place])
        if a.declaredType.exact != b.declaredType.exact { return "another type" }
        if a.isNotNull != b.isNotNull { return a.isNotNull ? "no longer NOT NULL" : "NOT NULL now" }
        return a.generation == b.generation ? "another place in the key" : "generated otherwise"
    }

    /// One event for each step from the ledgered definition to the present one.
    private func ledgerChanges(
        of table: TableState, from old: TableDescription, to new: TableDescription
    ) throws(SQLiteLedgerError) {
        let triggers = TableSQL(id: table.id, description: old).triggers.map(\.name)
        for trigger in triggers { try db.execute("DROP TRIGGER IF EXISTS \(db.schema).\(trigger)") }
        var state = old
        state.after = new.after
        state.objects = old.objects
        state.previous = nil
        if old.table.exact != new.table.exact {
            state.table = new.table
            state.sql = new.sql
            state.previous = old.table
            try record(.rename, of: table, state)
            try db.run(
                "UPDATE \(db.schema).ledger_tables SET name = ? WHERE table_id = ?",
                [.text(new.table), .integer(Int64(bitPattern: table.id.rawValue))])
        }
        for index in old.columns.indices {
            let (from, to) = (old.columns[index].name, new.columns[index].name)
            guard from.exact != to.exact else { continue }
            state.columns[index].name = to
            state.rowIDColumn = new.rowIDColumn
            state.sql = new.sql
            state.previous = from
            try record(.renameColumn, of: table, state)
        }
        for column in new.columns.dropFirst(old.columns.count) {
            state.columns.append(column)
            state.rowIDColumn = new.rowIDColumn
            state.sql = new.sql
            state.previous = nil
            try record(.addColumn, of: table, state)
        }
        if !isSame(state, new) { try record(.objects, of: table, new) }
        for trigger in table.sql.triggers { try define(trigger.sql) }
        altersHistories = true
        table.hasStaleTriggers = true
        if old.rowIDColumn?.exact != new.rowIDColumn?.exact { table.hasStaleRowID = true }
        table.statements = TableStatements()
        slotsByName = slotsByName.filter { $0.value != slots[Int(table.id.rawValue)] }
        try register(table, table.id)
    }

    func readHistoryColumns(of table: TableState) throws(SQLiteLedgerError) {
        let columns = try db.query(
            "SELECT name FROM pragma_table_info(?, \(db.schemaLiteral))", [.text(table.sql.history)])
        table.physicalHistory = columns.dropFirst(4).map { $0[0].string ?? "" }
        table.statements = TableStatements()
        guard !table.hasRowID else { return }
        let keys = try db.query("SELECT name FROM pragma_table_info(?, \(db.schemaLiteral))", [.text(table.sql.stamps)])
        table.stampKeys = keys.dropLast(2).map { $0[0].string ?? "" }
    }

    /// Brings history tables, stamps and views up to the ledgered definitions.
    ///
    /// ALTER TABLE makes SQLite read the whole schema anew, and a statement that is writing goes on using the tables of
    /// the old one when it calls hooks. So this waits until nothing is being written: for the commit, or for a call of one
    /// of the ledger's functions.
    func alterHistories() throws(SQLiteLedgerError) {
        guard altersHistories else { return }
        let objects = try SchemaObjects(db)
        for table in liveTables where table.drift == nil {
            try readHistoryColumns(of: table)
            let sql = table.sql
            let renamedKeys = zip(table.stampKeys, sql.keyColumns.map(\.name)).filter { $0.exact != $1.exact }
            let view = objects.object("view", table.description.view)?.sql
            guard
                table.physicalHistory.map(\.exact) != table.historyColumns.map(\.exact) || !renamedKeys.isEmpty
                    || view?.exact != sql.createView.exact
            else { continue }
            try db.execute("DROP VIEW IF EXISTS \(db.schema).\(SQLName.quoted(table.description.view))")
            try rename(
                zip(table.physicalHistory, table.historyColumns).filter { $0.exact != $1.exact }, of: sql.history)
            try rename(renamedKeys, of: sql.stamps)
            let missing = table.historyColumns.dropFirst(table.physicalHistory.count)
            for name in missing {
                guard let column = table.description.columns.first(where: { $0.name.exact == name.exact }) else {
                    continue
                }
                try addHistoryColumn(column, to: table)
            }
            try define(sql.createView)
            try readHistoryColumns(of: table)
            table.statements = TableStatements()
            try movePending(of: table)
        }
        altersHistories = false
        dropStatements()
        cookie = try readSchemaCookie()
    }

    /// Columns that take each other's names do so by way of names that nobody has.
    private func rename(_ names: [(from: String, to: String)], of table: String) throws(SQLiteLedgerError) {
        let taken = Set(names.map { SQLName.folded($0.from) })
        guard names.contains(where: { taken.contains(SQLName.folded($0.to)) && !SQLName.same($0.from, $0.to) }) else {
            for (from, to) in names { try rename(from, to, of: table) }
            return
        }
        for (index, name) in names.enumerated() { try rename(name.from, "ledger_renamed_\(index)", of: table) }
        for (index, name) in names.enumerated() { try rename("ledger_renamed_\(index)", name.to, of: table) }
    }

    /// SQLite reads the whole schema for that, and would end with an error for a trigger or a view of the user's that names what
    /// does not exist; it passes over these while the schema may be written.
    private func rename(_ from: String, _ to: String, of table: String) throws(SQLiteLedgerError) {
        var before: Int32 = 0
        ils_config_flag(db.handle, SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1, &before)
        ils_config_flag(db.handle, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, nil)
        defer { ils_config_flag(db.handle, SQLITE_DBCONFIG_WRITABLE_SCHEMA, before, nil) }
        try db.execute(
            "ALTER TABLE \(db.schema).\(table) RENAME COLUMN \(SQLName.quoted(from)) TO \(SQLName.quoted(to))")
    }

    /// Versions that ended before have the column's default, like rows of the table that were written before.
    private func addHistoryColumn(_ column: SchemaColumn, to table: TableState) throws(SQLiteLedgerError) {
        let definition = TableSQL.historyDefault(column, isStrict: table.description.isStrict)
        try db.execute(
            "ALTER TABLE \(db.schema).\(table.sql.history) ADD COLUMN \(SQLName.quoted(column.name))\(definition)")
    }

    /// History rows that had to wait for their columns. Others have no business here; verification names them.
    private func movePending(of table: TableState) throws(SQLiteLedgerError) {
        let id = SQLValue.integer(Int64(bitPattern: table.id.rawValue))
        let rows = try db.prepare(
            "SELECT sequence_number, value FROM \(db.schema).ledger_pending WHERE table_id = ? ORDER BY sequence_number, place"
        )
        try rows.bind([id])
        var pending: [(sequence: Int64, values: [SQLValue])] = []
        while try rows.step() {
            if pending.last?.sequence != rows.integer(0) { pending.append((rows.integer(0), [])) }
            pending[pending.count - 1].values.append(rows.value(1))
        }
        let own = SQLValue.integer(Int64(bitPattern: transaction.rawValue))
        for row in pending
        where (4...table.sql.stored.count + 4).contains(row.values.count) && row.values[2] == own {
            let columns = table.sql.stored.prefix(row.values.count - 4).map { ", " + SQLName.quoted($0.name) }.joined()
            let marks = row.values.map { _ in "?" }.joined(separator: ", ")
            try db.run(
                """
                INSERT INTO \(db.schema).\(table.sql.history)(ledger_start_transaction_id, ledger_start_sequence_number,
                ledger_end_transaction_id, ledger_end_sequence_number\(columns)) VALUES(\(marks))
                """, row.values)
        }
        if !pending.isEmpty { try db.run("DELETE FROM \(db.schema).ledger_pending WHERE table_id = ?", [id]) }
    }

    /// Ledgers a schema event and applies it.
    func record(
        _ type: SchemaEventType, of table: TableState, _ description: TableDescription
    ) throws(SQLiteLedgerError) {
        try append(event: SchemaEvent(type, of: table.id, description))
        table.apply(type, description, in: transaction)
    }

    // MARK: Row ids

    /// VACUUM and a reloaded dump number the rows of tables without an INTEGER PRIMARY KEY anew, in order. The canary
    /// shows it, and stamps follow by rank. A wrong guess is found by verification: leaves do not know row ids.
    private func realignRowIDs() throws(SQLiteLedgerError) {
        guard try db.value("SELECT 1 FROM \(db.schema).ledger_rowid_canary WHERE rowid = 3") == nil else { return }
        for table in liveTables {
            let description = table.description
            guard let row = description.rowIDColumn,
                !description.columns.contains(where: { SQLName.same($0.name, row) })
            else { continue }
            try realign(table, row: SQLName.quoted(row))
        }
        try db.execute("DELETE FROM \(db.schema).ledger_rowid_canary")
        try db.execute("INSERT INTO \(db.schema).ledger_rowid_canary(rowid) VALUES(1), (3)")
    }

    private func realign(_ table: TableState, row: String) throws(SQLiteLedgerError) {
        let name = SQLName.quoted(table.description.table)
        let stamps = table.sql.stamps
        // The row operation that is being captured has been done already, and stamps do not know of it.
        var added: Set<Int64> = []
        var removed: Set<Int64> = []
        for event in events where tables[event.slot] === table {
            if event.operation != SQLITE_INSERT {
                if added.remove(event.oldRow) == nil { removed.insert(event.oldRow) }
            }
            if event.operation != SQLITE_DELETE {
                if removed.remove(event.newRow) == nil { added.insert(event.newRow) }
            }
        }
        let without = added.map(String.init).joined(separator: ", ")
        let with = removed.map { " UNION ALL SELECT \($0)" }.joined()
        let rows = "SELECT \(row) AS row_id FROM \(db.schema).\(name) WHERE \(row) NOT IN (\(without))\(with)"
        let counts = try db.query(
            """
            WITH t AS (\(rows)) SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM \(db.schema).\(stamps)),
              EXISTS (SELECT row_id FROM t EXCEPT SELECT row_id FROM \(db.schema).\(stamps))
            """)
        guard let found = counts.first, found[0] == found[1], found[2] == .integer(1) else { return }
        // By way of negative numbers, so that no stamp meets another. (A temporary table would have to be dropped, which
        // SQLite does not do while a statement is running.)
        try db.execute(
            """
            UPDATE \(db.schema).\(stamps) SET row_id = -1 - t.row_id FROM
              (SELECT row_id, row_number() OVER (ORDER BY row_id) AS rank FROM (\(rows))) AS t JOIN
              (SELECT row_id AS old, row_number() OVER (ORDER BY row_id) AS rank FROM \(db.schema).\(stamps)) AS s USING (rank)
              WHERE \(stamps).row_id = s.old;
            UPDATE \(db.schema).\(stamps) SET row_id = -1 - row_id
            """)
    }

    /// Throws unless ledgers of that format can be read and written.
    static func checkFormat(_ format: Int64) throws(SQLiteLedgerError) {
        if let fault = EvidenceIdentity.fault(ofFormat: format) { throw .refused(fault) }
    }
}
