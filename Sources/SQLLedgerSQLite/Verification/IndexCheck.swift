import SQLLedger

/// Compares every index of a table with the table, and looks whether its rows can be found by their keys: rows were read
/// from the table itself, from one end to the other, but applications read through keys and indexes.
struct IndexCheck {
    let table: String
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector
    /// Whether only new rows are read, and whether with them their entries in each index.
    var isContinued = false
    var isProbed = false

    /// Whether the table has more than row ids to find rows by. (`SearchCheck` looks at these.)
    private func isNeeded(_ objects: SchemaObjects) throws -> Bool {
        if isContinued { return !isProbed && !objects.belonging(to: table, type: "index").isEmpty }
        if !objects.belonging(to: table, type: "index").isEmpty { return true }
        return try objects.ordinaryTables()[SQLName.folded(table)]?.isWithoutRowID ?? false
    }

    func run() throws {
        let objects = try reader.objects()
        guard let found = objects.object("table", table), !found.isVirtual, try isNeeded(objects) else { return }
        let indexes = objects.belonging(to: table, type: "index")
        let statement = try reader.connection.prepare("PRAGMA main.integrity_check(\(SQLName.literal(table)))")
        var damage: [String] = []
        var disorder: [String] = []
        var counts: [String: (count: UInt64, example: String)] = [:]
        while try statement.step() {
            let line = statement.text(0)
            guard line != "ok" else { continue }
            // The name is the last thing in every message about an index.
            if let index = indexes.first(where: {
                line.hasSuffix(" index \($0.name)") || line.contains(" index \($0.name) ")
            }) {
                counts[index.name] = ((counts[index.name]?.count ?? 0) + 1, counts[index.name]?.example ?? line)
            } else if line.contains("not in PRIMARY KEY order") || line.hasSuffix(" out of order") {
                disorder.append(line)
            } else if !line.hasPrefix("CHECK constraint failed"), !line.hasPrefix("NULL value in") {
                damage.append(line)
            }
        }
        for (name, found) in counts.sorted(by: { $0.key < $1.key }) {
            findings.report(Self.finding(name, of: table, found: found.example, count: found.count))
        }
        if let first = disorder.first {
            findings.report(
                Finding(
                    .indexDivergence, object: table, found: first,
                    reason: "rows are not in the order of their keys: queries by key do not find them",
                    count: UInt64(disorder.count)))
        }
        if let first = damage.first {
            findings.report(
                Finding(
                    .verifierBlocked, object: table, found: first, reason: "the file is damaged: \(first)",
                    count: UInt64(damage.count)))
        }
    }

    static func finding(_ index: String, of table: String, found: String, count: UInt64) -> Finding {
        Finding(
            .indexDivergence, object: index, found: found,
            reason: "the index does not hold what \(table) holds: queries through it give other answers", count: count,
            repair: RepairProposal(.reindex, table: index, explanation: "builds the index again from the table"))
    }
}
