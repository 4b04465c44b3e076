import LedgerProofs
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

    /// What `integrity_check` said, each line counted with what it is about.
    struct Lines: Sendable {
        struct Count: Sendable {
            var count: UInt64 = 0
            var example = ""

            mutating func add(_ line: String) {
                if count == 0 { example = line }
                count += 1
            }
        }

        private(set) var all = 0
        private(set) var harmless = 0
        fileprivate(set) var damage = Count()
        private(set) var disorder = Count()
        /// By folded name.
        fileprivate(set) var indexes: [String: Count] = [:]
        /// Tables without row ids whose rows are not in the order of their keys, by name.
        private(set) var tables: [ExactText: Count] = [:]

        /// What an honest row can be where a column came later: its leaf says which values it holds.
        private static let harmlessLines =
            ["CHECK constraint failed", "NULL value in", "NUMERIC value in", "TEXT value in"]
            + ["INT", "INTEGER", "REAL", "TEXT", "BLOB"].map { "non-\($0) value in" }
        private static let order = "row not in PRIMARY KEY order for "

        mutating func read(_ line: String) {
            guard line != "ok" else { return }
            all += 1
            if Self.harmlessLines.contains(where: { line.hasPrefix($0) }) {
                harmless += 1
            } else if !line.hasPrefix("***"), let index = Self.index(in: line) {
                // The name is the last thing in every message about an index.
                indexes[SQLName.folded(index), default: Count()].add(line)
            } else if line.contains("not in PRIMARY KEY order") || line.hasSuffix(" out of order") {
                disorder.add(line)
                if line.utf8.starts(with: Self.order.utf8) {
                    let table = String(decoding: line.utf8.dropFirst(Self.order.utf8.count), as: UTF8.self)
                    tables[table.exact, default: Count()].add(line)
                }
            } else {
                damage.add(line)
            }
        }

        private static func index(in line: String) -> String? {
            let (bytes, mark) = (Array(line.utf8), Array(" index ".utf8))
            guard let at = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else { return nil }
            return String(decoding: bytes[(at + mark.count)...], as: UTF8.self)
        }

        /// Takes over what `whole`, the lines of all tables, says of this table and its indexes.
        mutating func complete(from whole: Lines, table: String, indexes names: [String]) {
            for name in names.map(SQLName.folded) { indexes[name] = whole.indexes[name] ?? indexes[name] }
            if let count = whole.tables[table.exact] { disorder = count }
        }
    }

    /// As many lines as SQLite says of one table.
    private static let lineLimit = 100

    private func lines(_ indexes: [String]) throws -> Lines {
        // Of all tables, with all lines: the program does not know which page is whose, so damage counts for each such table.
        var lines = Lines()
        if Self.isNumber(table) {
            let whole = try reader.wholeCheck()
            lines.complete(from: whole, table: table, indexes: indexes)
            lines.damage = whole.damage
            return lines
        }
        let statement = try reader.connection.prepare("PRAGMA main.integrity_check(\(SQLName.literal(table)))")
        while try statement.step() { lines.read(statement.text(0)) }
        // Lines about honest rows can leave no room for others. Those about pages come first.
        if lines.all >= Self.lineLimit, lines.harmless > 0 {
            try lines.complete(from: reader.wholeCheck(), table: table, indexes: indexes)
        }
        return lines
    }

    /// Whether SQLite takes the name for a number of lines, which is what these pragmas do with whatever begins like one of 32 bits.
    static func isNumber(_ table: String) -> Bool {
        let sign = table.utf8.prefix(1).filter { "+-".utf8.contains($0) }
        let digits = table.utf8.dropFirst(sign.count).prefix { "0123456789".utf8.contains($0) }
        return Int32(String(decoding: sign + digits, as: UTF8.self)) != nil
    }

    /// What is the same to the index need not be the same value: texts by its collation, whole numbers as integers and reals. How
    /// many entries hold others than the row.
    private func differences(in indexes: [String], but known: [String: Lines.Count]) throws -> [(String, UInt64)] {
        var differences: [(String, UInt64)] = []
        var rows: (key: [String], way: String)?
        for index in indexes where known[SQLName.folded(index)] == nil {
            let columns = try IndexColumn.all(of: index, table, reader).filter { $0.name != nil }
            let entry = "main.\(SQLName.quoted(table)) AS b INDEXED BY \(SQLName.quoted(index))"
            let table = "main.\(SQLName.quoted(table)) AS a"
            let terms = try columns.compactMap { column -> String? in
                try isComparable(column, entry, table) ? column.isSame("a", "b") : nil
            }
            guard !terms.isEmpty else { continue }
            if rows == nil { rows = try rowsByKey() }
            guard let (key, way) = rows, !key.isEmpty else { continue }
            let statement = try? reader.connection.prepare(
                """
                SELECT count(*) FROM \(entry) CROSS JOIN \(table) \(way)
                WHERE \(key.map { "a.\($0) = b.\($0)" }.joined(separator: " AND ")) AND NOT (\(terms.joined(separator: " AND ")))
                """)
            // SQLite goes through no index over a part of the rows here.
            guard let statement, try statement.step(), statement.integer(0) > 0 else { continue }
            differences.append((index, UInt64(clamping: statement.integer(0))))
        }
        return differences
    }

    /// Whether rows must be compared one by one: for numbers only where the index, or the table, has such reals at all, or another
    /// number of NULLs.
    private func isComparable(_ column: IndexColumn, _ entry: String, _ table: String) throws -> Bool {
        guard column.isBinary else { return true }
        guard let name = column.name else { return false }
        // How entries of the file itself are written `SearchCheck` looks at.
        if try !reader.isFileWhole() {
            func nulls(_ source: String, _ alias: String) throws -> SQLValue? {
                // Without the sign SQLite would search for NULL.
                try? reader.connection.value("SELECT count(*) FROM \(source) WHERE +\(alias).\(name) IS NULL")
            }
            let found = try nulls(entry, "b")
            if try found != .integer(0) && found != nulls(table + " NOT INDEXED", "a") { return true }
        }
        guard let reals = column.reals else { return false }
        func has(_ source: String, _ alias: String) throws -> Bool {
            let value = "\(alias).\(name)"
            let whole = reals == .whole ? " AND \(value) = CAST(\(value) AS INTEGER)" : ""
            let statement = try? reader.connection.prepare(
                "SELECT 1 FROM \(source) WHERE typeof(\(value)) = 'real'\(whole) LIMIT 1")
            return try statement?.step() ?? true
        }
        if try has(entry, "b") { return true }
        return try reals == .any && has(table + " NOT INDEXED", "a")
    }

    /// The columns that name a row, its row id or the key of a table without, and how SQLite is told to go by them.
    private func rowsByKey() throws -> (key: [String], way: String) {
        let columns = try TableColumns(table, reader.connection).columns
        let key = columns.filter { $0.keyPosition != 0 }.map { SQLName.quoted($0.name) }
        guard try reader.objects().ordinaryTable(table)?.isWithoutRowID == false else {
            return (key, try reader.throughKey(of: table))
        }
        if let name = SQLName.rowIDs(besides: columns.map(\.name)).first { return ([name], "NOT INDEXED") }
        // Where its columns have all names of the row id, one is the row id, or nothing names it.
        let isRowID = try reader.throughKey(of: table) == "NOT INDEXED" && key.count == 1
        return (isRowID ? key : [], "NOT INDEXED")
    }

    func run() throws {
        let objects = try reader.objects()
        guard let found = objects.object("table", table), !found.isVirtual else { return }
        // (`SearchCheck` looks at tables with row ids.)
        let indexes = try reader.indexes(of: table).map(\.name)
        let isWithoutRowID = try objects.ordinaryTable(table)?.isWithoutRowID == true
        guard isContinued ? !isProbed && !indexes.isEmpty : isWithoutRowID || !indexes.isEmpty else { return }
        var lines = try lines(indexes)
        for (name, count) in try differences(in: indexes, but: lines.indexes) {
            lines.indexes[SQLName.folded(name)] = Lines.Count(
                count: count,
                example:
                    "values that are the same to the index, in other letters, with other spaces or as another kind of number"
            )
        }
        for (name, found) in lines.indexes.sorted(by: { $0.key < $1.key }) {
            let index = indexes.first { SQLName.folded($0).exact == name.exact } ?? name
            findings.report(Self.finding(index, of: table, found: found.example, count: found.count))
        }
        if lines.disorder.count > 0 {
            findings.report(
                Finding(
                    .indexDivergence, object: table, found: lines.disorder.example,
                    reason: "rows are not in the order of their keys: queries by key do not find them",
                    count: lines.disorder.count))
        }
        if lines.damage.count > 0 {
            findings.report(
                Finding(
                    .verifierBlocked, object: table, found: lines.damage.example,
                    reason: "the file is damaged: \(lines.damage.example)", count: lines.damage.count))
        }
    }

    static func finding(_ index: String, of table: String, found: String, count: UInt64) -> Finding {
        Finding(
            .indexDivergence, object: index, found: found,
            reason: "the index does not hold what \(table) holds: queries through it give other answers", count: count,
            repair: RepairProposal(.reindex, table: index, explanation: "builds the index again from the table"))
    }
}
