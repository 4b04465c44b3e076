import SQLLedger

/// Looks whether the pages above the rows of a table lead to each row. Rows are read from one end of the table to the other, by the
/// pointers between pages; a search by row id goes by the numbers beside these pointers, which nothing else compares with the rows,
/// and steps over the length of each row instead of reading it.
///
/// Reads the file itself: its b-tree pages as they are at https://www.sqlite.org/fileformat.html, section 1.6. Costs one read of each
/// page that has rows, about 2 % of a verification.
struct SearchCheck {
    let table: String
    let reader: SQLiteEvidenceReader
    let findings: FindingCollector
    /// Whether the table is one of the ledger's own. While a log is in use these are left alone: to search for each of their rows
    /// would cost as much as for those of the ledger tables.
    var isOwn = false

    /// As deep as SQLite follows pages.
    private static let depthLimit = 20

    func run() throws {
        let objects = try reader.objects()
        guard let found = objects.object("table", table), !found.isVirtual,
            // `IndexCheck` has SQLite look at the tables without row ids.
            try objects.ordinaryTables()[SQLName.folded(table)]?.isWithoutRowID == false
        else { return }
        guard try reader.isFileWhole() else { return isOwn ? () : try askSQLite() }
        var header = [UInt8](repeating: 0, count: 100)
        try reader.readFile(into: &header, at: 0)
        let size = Int(header[16]) << 8 | Int(header[17])
        guard case .integer(let pages)? = try reader.connection.value("PRAGMA main.page_count") else { return }
        var walk = Walk(check: self, pageSize: size == 1 ? 65_536 : size, pagesLeft: pages)
        guard walk.pageSize >= 512, let root = UInt32(exactly: found.rootPage) else { throw damaged("its header") }
        try walk.visit(root, above: nil, upTo: .max, depth: 0)
        if let first = walk.first { report(first, walk.count) }
    }

    /// In a log, newer pages than those of the file are where only SQLite finds them. It searches for each row, from the last one to
    /// the first: on the way up it would go from one row to the next without a search.
    private func askSQLite() throws {
        let columns = try reader.connection.query(
            "SELECT name FROM pragma_table_xinfo(\(SQLName.literal(table)), 'main')"
        ).compactMap { $0.first?.string }
        guard let id = SQLName.rowIDs(besides: columns).first else { return try quickCheck() }
        let name = "main.\(SQLName.quoted(table))"
        let statement = try reader.connection.prepare(
            """
            SELECT a.\(id) FROM \(name) AS a NOT INDEXED
            WHERE NOT EXISTS (SELECT 1 FROM \(name) AS b NOT INDEXED WHERE b.\(id) = a.\(id)) ORDER BY a.\(id) DESC
            """)
        var first: String?
        var count: UInt64 = 0
        while try statement.step() {
            first = first ?? "no search finds the row id \(statement.integer(0))"
            count += 1
        }
        if let first { report(first, count) }
    }

    /// For a table whose columns have all names of the row id.
    private func quickCheck() throws {
        let statement = try reader.connection.prepare("PRAGMA main.quick_check(\(SQLName.literal(table)))")
        var first: String?
        var count: UInt64 = 0
        while try statement.step() {
            let line = statement.text(0)
            // What the rows themselves hold is not the question.
            guard line.hasPrefix("***") else { continue }
            first = first ?? line
            count += 1
        }
        if let first { report(first, count) }
    }

    private func report(_ found: String, _ count: UInt64) {
        findings.report(
            Finding(
                .indexDivergence, object: table, found: found,
                reason: "pages above the rows lead elsewhere: queries by row id do not find rows that are there",
                count: count))
    }

    private func damaged(_ what: String) -> VerificationError {
        VerificationError(object: table, reason: "the file is damaged: \(what) cannot be read")
    }

    private struct Walk {
        let check: SearchCheck
        let pageSize: Int
        /// Pages that lead back to themselves would never end.
        private var pagesLeft: Int64
        private var page: [UInt8]
        /// The first page with rows where no search for them leads, and how many there are.
        var first: String?
        var count: UInt64 = 0

        init(check: SearchCheck, pageSize: Int, pagesLeft: Int64) {
            self.check = check
            self.pageSize = pageSize
            self.pagesLeft = pagesLeft
            page = [UInt8](repeating: 0, count: pageSize)
        }

        /// A search comes to page `number` for row ids above `low` and up to `high`.
        mutating func visit(_ number: UInt32, above low: Int64?, upTo high: Int64, depth: Int) throws {
            guard number > 0, depth <= SearchCheck.depthLimit, pagesLeft > 0 else {
                throw check.damaged("page \(number)")
            }
            pagesLeft -= 1
            try check.reader.readFile(into: &page, at: Int64(number - 1) * Int64(pageSize))
            let start = number == 1 ? 100 : 0
            let cells = try integer(number, at: start + 3, bytes: 2)
            switch page[start] {
            case 13:
                guard cells > 0 else { return }
                var ends = (Int64.max, Int64.min)
                for cell in 0..<cells {
                    let length = try varint(number, try place(number, cell, start + 8))
                    let id = try varint(number, length.end).value
                    if length.isUnending {
                        note("page \(number) has a length of nine bytes, which searches for \(id) misread")
                    }
                    ends = (min(ends.0, id), max(ends.1, id))
                }
                if low.map({ ends.0 <= $0 }) ?? false || ends.1 > high {
                    note(
                        "page \(number) has row ids \(ends.0) to \(ends.1), searches come there for those "
                            + "above \(low.map(String.init) ?? "all"), up to \(high)")
                }
            case 5:
                var children: [(page: UInt32, high: Int64)] = []
                for cell in 0..<cells {
                    let at = try place(number, cell, start + 12)
                    let key = try varint(number, at + 4).value
                    children.append((UInt32(try integer(number, at: at, bytes: 4)), key))
                }
                children.append((UInt32(try integer(number, at: start + 8, bytes: 4)), high))
                var low = low
                for child in children {
                    try visit(child.page, above: low, upTo: min(child.high, high), depth: depth + 1)
                    low = max(low ?? child.high, child.high)
                }
            default: throw check.damaged("page \(number)")
            }
        }

        private mutating func note(_ found: @autoclosure () -> String) {
            count += 1
            if first == nil { first = found() }
        }

        /// Where a cell begins.
        private func place(_ number: UInt32, _ cell: Int, _ pointers: Int) throws -> Int {
            try integer(number, at: pointers + 2 * cell, bytes: 2)
        }

        private func integer(_ number: UInt32, at: Int, bytes: Int) throws -> Int {
            guard at + bytes <= pageSize else { throw check.damaged("page \(number)") }
            return page[at..<at + bytes].reduce(0) { $0 << 8 | Int($1) }
        }

        /// Seven bits a byte, the highest first; of the ninth byte all eight. `isUnending`: whether the last byte looks as if another
        /// one followed, which is where a search goes on and a scan does not.
        private func varint(_ number: UInt32, _ at: Int) throws -> (value: Int64, end: Int, isUnending: Bool) {
            var value: UInt64 = 0
            for count in 0..<9 {
                guard at + count < pageSize else { throw check.damaged("page \(number)") }
                let byte = page[at + count]
                if count == 8 { return (Int64(bitPattern: value << 8 | UInt64(byte)), at + 9, byte >= 0x80) }
                value = value << 7 | UInt64(byte & 0x7F)
                if byte < 0x80 { return (Int64(bitPattern: value), at + count + 1, false) }
            }
            throw check.damaged("page \(number)")
        }
    }
}
