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
        for table in tables where !table.isDropped {
            checks.append(check(table.name) { try IndexCheck(table: table, reader: $0, findings: $1).run() })
        }
        for table in tables {
            guard let newest = history.newest(table.id) else { continue }
            checks.append(
                check(table.name) {
                    try DefinitionCheck(table: table, newest: newest, reader: $0, findings: $1).run()
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
