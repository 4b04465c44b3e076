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

    /// What an honest row can be where a column came later: its leaf says which values it holds.
    private static let harmless = ["CHECK constraint failed", "NULL value in", "NUMERIC value in", "TEXT value in"]

    /// For indexes with a collation that takes different texts for the same: how many entries hold another text than the row.
    /// SQLite compares by the collation.
    private func differences(in indexes: [SchemaObjects.Object], _ objects: SchemaObjects) throws -> [(String, UInt64)]
    {
        let connection = reader.connection
        var differences: [(String, UInt64)] = []
        var rows: (key: [String], way: String)?
        for index in indexes {
            let columns = try connection.query(
                "SELECT name FROM pragma_index_xinfo(\(SQLName.literal(index.name)), 'main') WHERE key AND coll <> 'BINARY'"
            ).compactMap { $0.first?.string.map(SQLName.quoted) }
            guard !columns.isEmpty else { continue }
            if rows == nil { rows = try rowsByKey(objects) }
            guard let (key, way) = rows, !key.isEmpty else { continue }
            let name = "main.\(SQLName.quoted(table))"
            let same = columns.map { "(a.\($0) COLLATE BINARY IS b.\($0) OR typeof(a.\($0)) <> typeof(b.\($0)))" }
                .joined(separator: " AND ")
            let statement = try? connection.prepare(
                """
                SELECT count(*) FROM \(name) AS b INDEXED BY \(SQLName.quoted(index.name)) CROSS JOIN \(name) AS a \(way)
                WHERE \(key.map { "a.\($0) = b.\($0)" }.joined(separator: " AND ")) AND NOT (\(same))
                """)
            // SQLite goes through no index over a part of the rows here.
            guard let statement, try statement.step(), statement.integer(0) > 0 else { continue }
            differences.append((index.name, UInt64(clamping: statement.integer(0))))
        }
        return differences
    }

    /// The columns that name a row, its row id or the key of a table without, and how SQLite is told to go by them.
    private func rowsByKey(_ objects: SchemaObjects) throws -> (key: [String], way: String) {
        let columns = try reader.connection.query(
            "SELECT name, pk FROM pragma_table_xinfo(\(SQLName.literal(table)), 'main')")
        if try objects.ordinaryTables()[SQLName.folded(table)]?.isWithoutRowID == false {
            return (Array(SQLName.rowIDs(besides: columns.compactMap { $0.first?.string }).prefix(1)), "NOT INDEXED")
        }
        let key = columns.filter { $0[1] != .integer(0) }.compactMap { $0.first?.string.map(SQLName.quoted) }
        return (key, try reader.throughKey(of: table))
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
            } else if !Self.harmless.contains(where: { line.hasPrefix($0) }) {
                damage.append(line)
            }
        }
        for (name, count) in try differences(in: indexes, objects) where counts[name] == nil {
            counts[name] = (count, "values that are the same to the index, and in other letters or with other spaces")
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
