import SQLLedger

extension SQLiteEvidenceReader {
    func engineChecks(_ tables: [EvidenceTable], history: SchemaHistory, whole: Bool) throws -> [EngineCheck] {
        func check(
            _ subject: String, _ run: @escaping @Sendable (SQLiteEvidenceReader, FindingCollector) throws -> Void
        )
            -> EngineCheck
        {
            EngineCheck(subject) { reader, findings in
                guard let reader = reader as? SQLiteEvidenceReader else { return }
                try run(reader, findings)
            }
        }
        var checks: [EngineCheck] = []
        // Of all tables that the check of rows reads: ledger views and history are read through the ledger's own tables.
        var read: [String] = []
        for table in tables {
            read.append("ledger_history_\(table.id)")
            if !table.isDropped { read += [table.name, "ledger_stamps_\(table.id)"] }
        }
        if whole { read += LedgerObjects.guarded }
        for name in read {
            checks.append(check(name) { try IndexCheck(table: name, reader: $0, findings: $1).run() })
        }
        for table in tables {
            guard let newest = history.newest(table.id) else { continue }
            checks.append(
                check(table.name) {
                    try DefinitionCheck(
                        table: table, versions: history.versions[table.id] ?? [], newest: newest, reader: $0,
                        findings: $1
                    ).run()
                })
        }
        if whole {
            checks.append(
                check("the ledger's own objects") {
                    try LedgerObjectsCheck(history: history, reader: $0, findings: $1).run()
                })
            checks.append(
                check("derived tables") { try DerivedTablesCheck(history: history, reader: $0, findings: $1).run() })
        }
        return checks
    }
}
