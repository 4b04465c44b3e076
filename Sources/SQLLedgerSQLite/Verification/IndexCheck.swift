import SQLLedger

/// Compares every index of a table with the table: rows were read from the table itself, but applications read through
/// indexes.
struct IndexCheck {
    let table: EvidenceTable
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector

    func run() throws {
        let indexes = try reader.objects().belonging(to: table.name, type: "index")
        guard !indexes.isEmpty else { return }
        let statement = try reader.connection.prepare("PRAGMA main.integrity_check(\(SQLName.literal(table.name)))")
        var damage: [String] = []
        var counts: [String: (count: UInt64, example: String)] = [:]
        while try statement.step() {
            let line = statement.text(0)
            guard line != "ok" else { continue }
            // The name is the last thing in every message about an index.
            if let index = indexes.first(where: {
                line.hasSuffix(" index \($0.name)") || line.contains(" index \($0.name) ")
            }) {
                counts[index.name] = ((counts[index.name]?.count ?? 0) + 1, counts[index.name]?.example ?? line)
            } else if !line.hasPrefix("CHECK constraint failed"), !line.hasPrefix("NULL value in") {
                damage.append(line)
            }
        }
        for (name, found) in counts.sorted(by: { $0.key < $1.key }) {
            findings.report(
                Finding(
                    .indexDivergence, object: name, found: found.example,
                    reason: "the index does not hold what \(table.name) holds: queries through it give other answers",
                    count: found.count,
                    repair: RepairProposal(.reindex, table: name, explanation: "builds the index again from the table"))
            )
        }
        if let first = damage.first {
            findings.report(
                Finding(
                    .verifierBlocked, object: table.name, found: first, reason: "the file is damaged: \(first)",
                    count: UInt64(damage.count)))
        }
    }
}
