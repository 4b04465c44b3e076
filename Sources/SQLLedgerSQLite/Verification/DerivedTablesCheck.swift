import LedgerProofs
import SQLLedger

/// Compares derived tables, which prove nothing but which the ledger works with, with what they are derived from.
/// (`ChainCheck` compares the tree over the blocks.)
struct DerivedTablesCheck {
    let history: SchemaHistory
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    func run() throws {
        try checkTables()
        try checkLocations()
        try checkPending()
        try checkCanary()
    }

    private func report(
        _ table: String, _ reason: String, expected: String? = nil, found: String? = nil, count: UInt64 = 1
    ) {
        findings.report(
            Finding(
                .indexDivergence, object: table, expected: expected, found: found, reason: reason, count: count,
                repair: RepairProposal(
                    .reinstall, table: table, explanation: "makes the derived table again from what it is derived from")
            ))
    }

    private func checkTables() throws {
        let name = "ledger_tables"
        guard try reader.objects().contains(name) else { return }
        var expected: [TableID: [SQLValue]] = [:]
        for table in history.tables {
            guard let newest = history.newest(table.id)?.description else { continue }
            expected[table.id] = [
                .text(newest.table), .text(newest.view), .text(newest.kind.rawValue),
                .integer(table.isDropped ? 1 : 0),
            ]
        }
        let rows = try reader.prepareOwn(
            name, "SELECT table_id, name, view, kind, is_dropped FROM main.ledger_tables NOT INDEXED")
        while try rows.step() {
            let id = TableID(UInt64(bitPattern: rows.integer(0)))
            let found = (1...4).map { rows.value($0) }
            guard let right = expected.removeValue(forKey: id) else {
                report(name, "there is no ledger table \(id)", found: Self.text(found))
                continue
            }
            if found != right {
                report(
                    name, "what is kept of table \(id) is not what the schema events say", expected: Self.text(right),
                    found: Self.text(found))
            }
        }
        for (id, right) in expected.sorted(by: { $0.key < $1.key }) {
            report(name, "table \(id) is missing", expected: Self.text(right))
        }
    }

    private static func text(_ values: [SQLValue]) -> String { values.map(\.literal).joined(separator: ", ") }

    /// Which digests went where proves nothing, but where it is kept in other classes, queries by path or block miss it.
    private func checkLocations() throws {
        let name = "database_ledger_digest_locations"
        guard try reader.objects().contains(name) else { return }
        let rows = try reader.prepareOwn(
            name,
            """
            SELECT count(*) FROM main.\(name) NOT INDEXED WHERE typeof(path) NOT IN ('text', 'null')
            OR typeof(last_digest_block_id) NOT IN ('integer', 'null') OR typeof(is_current) <> 'integer'
            """)
        guard try rows.step(), rows.integer(0) > 0 else { return }
        findings.report(
            Finding(
                .indexDivergence, object: name,
                reason: "places of digests are not stored as the texts and numbers that they are",
                count: UInt64(clamping: rows.integer(0))))
    }

    private func checkPending() throws {
        let name = "ledger_pending"
        guard try reader.objects().contains(name) else { return }
        let rows = try reader.prepareOwn(name, "SELECT count(*) FROM main.ledger_pending")
        guard try rows.step(), rows.integer(0) > 0 else { return }
        report(
            name, "rows wait to become history, which none does outside of a transaction",
            count: UInt64(clamping: rows.integer(0)))
    }

    /// Its row ids say whether row ids were given anew. The next write through the ledger puts them right.
    private func checkCanary() throws {
        let name = "ledger_rowid_canary"
        guard try reader.objects().contains(name) else { return }
        let rows = try reader.prepareOwn(name, "SELECT rowid FROM main.\(name) ORDER BY rowid LIMIT 3")
        var found: [Int64] = []
        while try rows.step() { found.append(rows.integer(0)) }
        guard found != [1, 3], found != [1, 2] else { return }
        findings.report(
            Finding(
                .indexDivergence, object: name, expected: "row ids 1 and 3, or 1 and 2 where row ids were given anew",
                found: found.isEmpty ? "no rows" : "row ids \(found.map(String.init).joined(separator: ", "))",
                reason: "the rows that tell whether row ids were given anew are not the ledger's"))
    }
}
