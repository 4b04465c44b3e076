import SQLLedger

/// Compares the ledger's own tables, views and guards with what the engine makes, and looks for tables that a ledger of
/// all tables leaves out.
struct LedgerObjectsCheck {
    let history: SchemaHistory
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    func run() throws {
        let objects = try reader.objects()
        for sql in LedgerObjects.tables {
            Self.check(
                "table", sql, objects, findings, missing: .schemaDrift, changed: .schemaDrift, "the ledger's table")
        }
        for sql in LedgerObjects.views {
            Self.check("view", sql, objects, findings, missing: .viewDrift, changed: .viewDrift, "the ledger's view")
            Self.checkTriggers(onView: Self.name(in: sql, "view"), objects, findings)
        }
        for sql in LedgerObjects.guards {
            Self.check(
                "trigger", sql, objects, findings, missing: .captureOff, changed: .captureChanged,
                "the guard of a ledger table")
        }
        let guards = Set(LedgerObjects.guards.map { Self.name(in: $0, "trigger").exact })
        let former = Set(LedgerObjects.formerGuards.map(\.exact))
        for name in LedgerObjects.guarded {
            for trigger in objects.belonging(to: name, type: "trigger")
            where !guards.contains(trigger.name.exact) && !former.contains((trigger.sql ?? "").exact) {
                findings.report(
                    Finding(
                        .captureChanged, object: trigger.name, found: trigger.sql,
                        reason: "a trigger on \(name) that is not the ledger's"))
            }
            for index in try objects.uniqueIndexes(of: name) {
                findings.report(
                    Finding(
                        .captureChanged, object: index.name, found: index.sql,
                        reason: "a unique index on \(name), which can keep rows from being written"))
            }
        }
        try checkIdentity()
        try checkCoverage(objects)
    }

    /// Whether new tables join the ledger is what the ledgered settings say; capture goes by the copy beside the identity.
    private func checkIdentity() throws {
        guard let identity = try reader.identity(), identity.allTables != history.coversAllTables else { return }
        findings.report(
            Finding(
                .captureChanged, object: "ledger_identity", columns: ["all_tables"],
                expected: history.coversAllTables ? "1" : "0", found: identity.allTables.map { $0 ? "1" : "0" },
                reason: "whether every table is to be a ledger table is not what was ledgered"))
    }

    /// The name is the word after the kind, in every statement of the engine's.
    static func name(in sql: String, _ type: String) -> String {
        String(sql.dropFirst("CREATE \(type) ".count).prefix { $0 != " " && $0 != "(" })
    }

    /// With an INSTEAD OF trigger a view takes what it should refuse.
    static func checkTriggers(onView view: String, _ objects: SchemaObjects, _ findings: FindingCollector) {
        for trigger in objects.triggers(onView: view) {
            findings.report(
                Finding(
                    .viewDrift, object: trigger.name, found: trigger.sql,
                    reason: "a trigger on \(view), which takes writes then",
                    repair: RepairProposal(
                        .reinstall, table: view, explanation: "takes triggers on the ledger's views away")))
        }
    }

    static func check(
        _ type: String, _ sql: String, _ objects: SchemaObjects, _ findings: FindingCollector, missing: Finding.Code,
        changed: Finding.Code, _ what: String
    ) {
        let name = Self.name(in: sql, type)
        let repair =
            type == "table"
            ? nil : RepairProposal(.reinstall, table: name, explanation: "writes the ledger's \(type)s again")
        guard let found = objects.object(type, name) else {
            let other = objects.named(name).first
            findings.report(
                Finding(
                    other == nil ? missing : .readUntrusted, object: name, expected: sql,
                    found: other?.sql ?? other?.type,
                    reason: other == nil ? "\(what) is missing" : "something else stands in the place of \(what)",
                    repair: other == nil ? repair : nil))
            return
        }
        if found.sql?.exact != sql.exact || found.name.exact != name.exact {
            findings.report(
                Finding(
                    changed, object: name, expected: sql, found: found.sql,
                    reason: "\(what) is not what the ledger makes", repair: repair))
        }
    }

    private func checkCoverage(_ objects: SchemaObjects) throws {
        guard history.coversAllTables else { return }
        let covered = Set(history.tables.filter { !$0.isDropped }.map { SQLName.folded($0.name) })
        let db = reader.connection
        for table in try SchemaReader.userTables(besides: Set(history.tables.map(\.id)), in: objects)
        where !covered.contains(SQLName.folded(table)) {
            let obstacle = try SchemaReader.obstacle(to: table, in: objects, on: db)
            findings.report(
                Finding(
                    .coverageGap, object: table,
                    reason: "every table of this database is to be a ledger table, and this one is not"
                        + (obstacle.map { ": \($0)" } ?? " yet")))
        }
        let virtual = objects.all.filter { $0.isVirtual }.map(\.name)
        if !virtual.isEmpty {
            findings.note("Virtual tables are not covered: \(virtual.joined(separator: ", "))")
        }
    }
}
