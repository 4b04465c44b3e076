import SQLLedger

/// Looks for texts that have half a character at their end, in databases that store UTF-16. Conversions leave the half out, so the
/// row's leaf does; searches compare it. SQLite never stores such texts.
struct EncodingCheck {
    let table: String
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    func run() throws {
        let objects = try reader.objects()
        guard let found = objects.object("table", table), !found.isVirtual,
            try reader.connection.value("PRAGMA main.encoding")?.string != "UTF-8"
        else { return }
        let columns = try TableColumns(table, reader.connection).columns.filter { $0.generation != 2 }.map(\.name)
        guard !columns.isEmpty else { return }
        let isHalf = columns.map(SQLName.quoted).map {
            "(typeof(\($0)) = 'text' AND length(CAST(\($0) AS BLOB)) % 2 = 1)"
        }
        let isWithoutRowID = try objects.ordinaryTable(table)?.isWithoutRowID == true
        let way = isWithoutRowID ? try reader.throughKey(of: table) : "NOT INDEXED"
        let sums = isHalf.map { "sum(\($0))" }.joined(separator: ", ")
        let statement = try reader.connection.prepare("SELECT \(sums) FROM main.\(SQLName.quoted(table)) \(way)")
        guard try statement.step() else { return }
        let counts = columns.indices.map { statement.integer($0) }
        let damaged = columns.indices.filter { counts[$0] > 0 }
        guard !damaged.isEmpty else { return }
        findings.report(
            Finding(
                .encodingDrift, object: table, columns: damaged.map { columns[$0] },
                reason: "texts end with half a character, which is not what was recorded: searches do not find them",
                count: UInt64(clamping: damaged.reduce(0) { $0 + counts[$1] })))
    }
}
