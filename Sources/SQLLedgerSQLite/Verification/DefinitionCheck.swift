import LedgerProofs
import SQLLedger

/// Compares the definitions of one ledger table, its history, stamps, triggers and view with what the ledgered events
/// say and with what the engine would make from them.
struct DefinitionCheck {
    let table: EvidenceTable
    /// The states of the table, never empty.
    let versions: [SchemaHistory.Version]
    let newest: SchemaHistory.Version
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    private var description: TableDescription { newest.description }
    private var made: TableSQL { TableSQL(id: table.id, description: description) }

    func run() throws {
        let objects = try reader.objects()
        try checkOwnTable(made.history, objects)
        try checkCompanion(
            made.history, objects, made: HistoryDefinition(table.id, versions).isSQL, usual: made.createHistory)
        for sql in LedgerObjects.guards(of: made.history) {
            LedgerObjectsCheck.check(
                "trigger", sql, objects, findings, missing: .captureOff, changed: .captureChanged,
                "the guard of a history table")
        }
        guard !table.isDropped else { return }
        guard let found = objects.object("table", table.name), !found.isVirtual else {
            reportReplaced(objects)
            return
        }
        try checkOwnTable(made.stamps, objects)
        let keys = made.hasRowID ? [] : try SchemaReader.keyCollations(of: table.name, on: reader.connection)
        let stamps = made.createStamps(collations: keys)
        try checkCompanion(made.stamps, objects, made: { $0.exact == stamps.exact }, usual: stamps)
        let actual = try SchemaReader.describe(
            table.name, kind: description.kind, view: description.view, after: description.after, in: objects,
            on: reader.connection)
        if let actual {
            checkColumns(actual)
            checkObjects(actual)
        } else {
            report(
                .readUntrusted, table.name,
                "what stands in the place of the ledger table is no ordinary table to SQLite",
                expected: description.sql, found: found.sql)
        }
        checkName(found, table.name)
        checkCapture(objects)
        checkView(objects)
    }

    private func report(
        _ code: Finding.Code, _ object: String, _ reason: String, columns: [String] = [], expected: String? = nil,
        found: String? = nil, certainty: Finding.Certainty = .proven, repair: RepairProposal? = nil
    ) {
        findings.report(
            Finding(
                code, object: object, columns: columns, expected: expected, found: found, certainty: certainty,
                reason: reason, repair: repair))
    }

    private func reportReplaced(_ objects: SchemaObjects) {
        if let other = objects.named(table.name).first {
            report(
                .readUntrusted, table.name, "something else stands in the place of the ledger table",
                expected: "table", found: other.isVirtual ? "virtual table" : other.type)
            return
        }
        report(.schemaDrift, table.name, "the table was dropped or renamed past the ledger", expected: description.sql)
    }

    private func checkOwnTable(_ name: String, _ objects: SchemaObjects) throws {
        guard let object = objects.object("table", name), !object.isVirtual else {
            let found = objects.named(name).first
            report(
                found == nil ? .schemaDrift : .readUntrusted, name,
                found == nil
                    ? "the ledger's table is missing" : "something else stands in the place of the ledger's table",
                expected: "table", found: found?.type)
            return
        }
        checkName(object, name)
        guard name == made.history else { return }
        let actual = try TableColumns(name, reader.connection)
        for column in newest.storedColumns where !table.isDropped && actual.find(column.name) == nil {
            report(.schemaDrift, name, "the history table has no such column", columns: [column.name])
        }
    }

    /// A column, a constraint or a trigger that the ledger did not make can keep versions and stamps from being written.
    private func checkCompanion(
        _ name: String, _ objects: SchemaObjects, made isMade: (String) -> Bool, usual: String
    ) throws {
        guard let object = objects.object("table", name), !object.isVirtual else { return }
        if let sql = object.sql, !isMade(sql) {
            report(
                .captureChanged, name, "the ledger's table is not as the ledger makes it", expected: usual, found: sql)
        }
        let guards = LedgerObjects.guards(of: name).map { LedgerObjectsCheck.name(in: $0, "trigger") }
        for other in objects.belonging(to: name) where other.name.exact != name.exact {
            switch other.type {
            // Whether a guard is the ledger's is checked with the guards.
            case "trigger" where name != made.history || !guards.containsExactly(other.name):
                report(
                    .captureChanged, other.name, "a trigger on \(name) that is not the ledger's", found: other.sql)
            default: break
            }
        }
        for index in try objects.uniqueIndexes(of: name) {
            report(
                .captureChanged, index.name, "a unique index on \(name), which can keep rows from being written",
                found: index.sql)
        }
    }

    /// SQLite finds an object whose name stands there in other letters; queries of the schema by name do not. (SQLite renames no table
    /// to its own name in other letters.)
    private func checkName(_ found: SchemaObjects.Object, _ name: String) {
        guard found.name.exact != name.exact || found.table.exact != name.exact else { return }
        report(
            .schemaDrift, name, "the name of the table stands in sqlite_schema in other letters", expected: name,
            found: found.name.exact == name.exact ? found.table : found.name)
    }

    // MARK: Columns

    private func checkColumns(_ actual: TableDescription) {
        let (ledgered, found) = (description.columns, actual.columns)
        var names: [String] = []
        var differences: [String] = []
        func differs(_ name: String, _ what: String) {
            if !names.contains(where: { $0.exact == name.exact }) { names.append(name) }
            differences.append(what)
        }
        for (index, column) in ledgered.enumerated() {
            guard index < found.count else {
                differs(column.name, "\(column.name) is missing")
                continue
            }
            let other = found[index]
            if other.name.exact != column.name.exact { differs(column.name, "\(column.name) is now \(other.name)") }
            if other.declaredType.exact != column.declaredType.exact {
                differs(column.name, "\(column.name) was declared \(column.declaredType), is \(other.declaredType)")
            }
            if other.isNotNull != column.isNotNull { differs(column.name, "NOT NULL of \(column.name)") }
            if other.primaryKeyPosition != column.primaryKeyPosition {
                differs(column.name, "primary key: \(column.name)")
            }
            if other.generation != column.generation { differs(column.name, "generation of \(column.name)") }
            if other.defaultText?.exact != column.defaultText?.exact {
                differs(column.name, "default of \(column.name)")
            }
        }
        let added = Array(found.dropFirst(ledgered.count))
        // A column that is NULL in every row holds nothing yet that could have escaped the ledger.
        if differences.isEmpty, !added.isEmpty,
            added.allSatisfy({ $0.defaultText == nil && $0.generation == .none }), isPlainAddition(actual)
        {
            noteAdded(added.map(\.name))
            return
        }
        for column in added { differs(column.name, "\(column.name) is new") }
        if differences.isEmpty, actual.sql.exact != description.sql.exact {
            differences.append("the definition reads differently (generated columns, constraints or collations)")
        }
        guard !differences.isEmpty else { return }
        report(
            .schemaDrift, table.name, differences.joined(separator: "; "), columns: names, expected: description.sql,
            found: actual.sql)
    }

    /// Whether the definition is the ledgered one with something put in before the last parenthesis.
    private func isPlainAddition(_ actual: TableDescription) -> Bool {
        guard let end = description.sql.lastIndex(of: ")") else { return false }
        return actual.sql.utf8.starts(with: description.sql[..<end].utf8)
    }

    private func noteAdded(_ names: [String]) {
        report(
            .coverageGap, table.name,
            "new columns that the ledger has not noticed yet: the next write through it, or ledger_refresh(), takes them in",
            columns: names)
    }

    // MARK: Indexes and triggers of the user's

    private func checkObjects(_ actual: TableDescription) {
        // A trigger may be named like an index.
        func named(_ objects: [SchemaObject]) -> [(key: [ExactText], object: SchemaObject)] {
            Dictionary(objects.map { ([$0.name.exact, $0.type.exact], $0) }) { first, _ in first }
                .map { ($0.key, $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        }
        let (before, now) = (named(description.objects), named(actual.objects))
        for (key, object) in before {
            let name = object.name
            guard let other = now.first(where: { $0.key == key })?.object else {
                let isUnique = object.sql.isEmpty || object.sql.uppercased().hasPrefix("CREATE UNIQUE")
                if object.type == "index", !isUnique {
                    findings.note("The index \(name) of \(table.name) was dropped and that is not ledgered yet.")
                } else {
                    report(.schemaDrift, name, "the \(object.type) of \(table.name) is gone", expected: object.sql)
                }
                continue
            }
            if other != object {
                report(
                    .schemaDrift, name, "the \(object.type) of \(table.name) was changed", expected: object.sql,
                    found: other.sql)
            }
        }
        for (key, object) in now where !before.contains(where: { $0.key == key }) {
            let name = object.name
            if object.type == "index" {
                findings.note("The index \(name) of \(table.name) is new and not ledgered yet.")
            } else {
                report(
                    .captureChanged, name, "a trigger on \(table.name) that the ledger does not know of",
                    found: object.sql)
            }
        }
    }

    // MARK: Capture

    private func checkCapture(_ objects: SchemaObjects) {
        let expected = made.triggers
        var isReported = false
        for trigger in expected {
            let repair = RepairProposal(
                .reinstall, table: table.name, explanation: "writes the ledger's triggers again")
            guard let found = objects.object("trigger", trigger.name),
                SQLName.same(found.table, table.name)
            else {
                report(
                    .captureOff, trigger.name, "the trigger that captures changes of \(table.name) is missing",
                    expected: trigger.sql, repair: repair)
                isReported = true
                continue
            }
            if found.sql?.exact != trigger.sql.exact || found.name.exact != trigger.name.exact {
                report(
                    .captureChanged, trigger.name,
                    "the trigger that captures changes of \(table.name) is not the ledger's",
                    expected: trigger.sql, found: found.sql, repair: repair)
                isReported = true
            }
        }
        let own = expected.map(\.name)
        for trigger in objects.belonging(to: table.name, type: "trigger")
        where SQLName.isReservedTrigger(trigger.name) && !own.containsExactly(trigger.name) && !isReported {
            report(
                .captureChanged, trigger.name,
                "a trigger on \(table.name) with a name of the ledger's that is not its own",
                found: trigger.sql)
        }
    }

    private func checkView(_ objects: SchemaObjects) {
        let repair = RepairProposal(.reinstall, table: table.name, explanation: "writes the ledger view again")
        guard let view = objects.object("view", description.view) else {
            report(
                .viewDrift, description.view, "the ledger view is missing", expected: made.createView, repair: repair)
            return
        }
        if view.sql?.exact != made.createView.exact || view.name.exact != description.view.exact {
            report(
                .viewDrift, description.view, "the ledger view is not what the ledger would make",
                expected: made.createView, found: view.sql, repair: repair)
        }
        LedgerObjectsCheck.checkTriggers(onView: description.view, objects, findings)
    }
}
