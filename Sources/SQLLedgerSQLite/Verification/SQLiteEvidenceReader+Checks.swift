import SQLLedger

extension SQLiteEvidenceReader {
    func engineChecks(
        _ tables: [EvidenceTable], history: SchemaHistory, whole: Bool, after: TransactionNumber?
    ) throws -> [EngineCheck] {
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
        var own: [String] = []
        for table in tables {
            own.append("ledger_history_\(table.id)")
            guard !table.isDropped else { continue }
            own.append("ledger_stamps_\(table.id)")
            checks.append(
                check(table.name) { reader, findings in
                    let isProbed = try after != nil && reader.indexProbes(of: table) != nil
                    try IndexCheck(
                        table: table.name, reader: reader, findings: findings, isContinued: after != nil,
                        isProbed: isProbed
                    ).run()
                    guard after == nil else { return }
                    try SearchCheck(table: table.name, reader: reader, findings: findings).run()
                    try EncodingCheck(table: table.name, reader: reader, findings: findings).run()
                })
        }
        if whole { own += LedgerObjects.guarded }
        for name in own {
            checks.append(
                check(name) { reader, findings in
                    try IndexCheck(table: name, reader: reader, findings: findings, isContinued: after != nil).run()
                    guard after == nil else { return }
                    try SearchCheck(table: name, reader: reader, findings: findings, isOwn: true).run()
                    try EncodingCheck(table: name, reader: reader, findings: findings).run()
                })
        }
        if after == nil {
            checks.append(check("the pointer map") { try PointerMapCheck(reader: $0, findings: $1).run() })
        }
        checks.append(check("ledger_schema_events") { try $0.checkEventNumbers($1) })
        checks.append(check("the encoding") { reader, _ in try reader.noteEncoding() })
        checks.append(
            check("sqlite_schema") { reader, findings in
                let objects = try reader.objects()
                for object in objects.all
                where object.isMisspelt
                    || object.type == "index"
                        && objects.object("table", object.table)?.name.exact != object.table.exact
                {
                    findings.report(
                        Finding(
                            .schemaDrift, object: object.name, found: object.sql,
                            reason: "the \(object.type) stands in sqlite_schema in a way that SQLite never writes, "
                                + "so that queries of the schema miss it"))
                }
            })
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

    /// Leaves hold texts as UTF-8, and a file that is written again in another encoding is honest: nothing recorded tells which of them
    /// the ledger had. Each has its own order of texts, so the report says which one was read.
    private func noteEncoding() throws {
        guard let encoding = try connection.value("PRAGMA main.encoding")?.string, encoding != "UTF-8" else { return }
        shared.note(
            "Texts are stored as \(encoding). No hash holds the encoding: that the texts are those recorded is proven, but the order in "
                + "which they compare and sort, and their bytes as a BLOB, are those of this file.")
    }

    /// The leaf of an event says nothing of its `event_id`, by which the ledger's views go: it must be its number.
    private func checkEventNumbers(_ findings: FindingCollector) throws {
        let statement = try prepareOwn(
            "ledger_schema_events",
            """
            SELECT count(*) FROM (SELECT event_id, row_number() OVER (ORDER BY transaction_id, sequence_number) AS number
              FROM main.ledger_schema_events NOT INDEXED WHERE transaction_id > 0 AND sequence_number >= 0
              AND typeof(transaction_id) = 'integer' AND typeof(sequence_number) = 'integer')
            WHERE event_id <> number
            """)
        guard try statement.step(), statement.integer(0) > 0 else { return }
        findings.report(
            Finding(
                .schemaDrift, object: "ledger_schema_events", columns: ["event_id"], certainty: .proven,
                reason: "the events are not numbered in the order in which they were recorded",
                count: UInt64(clamping: statement.integer(0))))
    }
}
