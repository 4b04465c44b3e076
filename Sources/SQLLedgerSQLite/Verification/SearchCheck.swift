import SQLLedger

/// Looks whether the pages above the rows of a table lead to each row. Rows are read from one end of the table to the other, by the
/// pointers between pages; a search by row id goes by the numbers beside these pointers, which nothing else compares with the rows,
/// and steps over the length of each row instead of reading it.
///
/// Of indexes, and of tables without row ids, it looks how entries are written: a search compares the first column where it would be
/// in an entry as SQLite writes it, and reads the rest where the entry says that it is.
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
            let hasRowID = try objects.ordinaryTable(table).map({ !$0.isWithoutRowID })
        else { return }
        // `IndexCheck` has SQLite look at the order of keys.
        guard try reader.isFileWhole() else { return isOwn || !hasRowID ? () : try askSQLite() }
        var header = [UInt8](repeating: 0, count: 100)
        try reader.readFile(into: &header, at: 0)
        let size = Int(header[16]) << 8 | Int(header[17])
        guard case .integer(let pages)? = try reader.connection.value("PRAGMA main.page_count") else { return }
        let walk = Walk(check: self, pageSize: size == 1 ? 65_536 : size, reserved: Int(header[20]), pagesLeft: pages)
        guard walk.pageSize >= 512 else { throw damaged("its header") }
        if hasRowID {
            var walk = walk
            try walk.visit(Self.root(found) ?? 0, above: nil, upTo: .max, depth: 0)
            if let first = walk.first { report(first, walk.count) }
        } else {
            // A key may hold a column twice, with two collations. Rows that are older than a column lack it.
            let fields = try reader.connection.query(
                """
                SELECT 1 FROM pragma_index_list(\(SQLName.literal(table)), 'main') AS l, pragma_index_xinfo(l.name, 'main')
                WHERE l.origin = 'pk'
                """
            ).count
            try visit(found, 1...max(fields, 1), walk)
        }
        for index in try reader.indexes(of: table) {
            let columns = try reader.connection.query(
                "SELECT 1 FROM pragma_index_xinfo(\(SQLName.literal(index.name)), 'main')"
            ).count
            for object in objects.named(index.name) where object.type == "index" {
                try visit(object, max(columns, 1)...max(columns, 1), walk)
            }
        }
    }

    private static func root(_ object: SchemaObjects.Object) -> UInt32? { UInt32(exactly: object.rootPage) }

    private func visit(_ object: SchemaObjects.Object, _ fields: ClosedRange<Int>, _ walk: Walk) throws {
        var walk = walk
        try walk.visitEntries(Self.root(object) ?? 0, fields, depth: 0)
        guard let first = walk.first else { return }
        let isIndex = object.type == "index"
        findings.report(
            Finding(
                .indexDivergence, object: object.name, found: first,
                reason: "entries are not written as SQLite writes them: searches read other values than scans",
                count: walk.count,
                repair: isIndex
                    ? RepairProposal(.reindex, table: object.name, explanation: "builds the index again from the table")
                    : nil))
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
        if IndexCheck.isNumber(table) {
            let damage = try reader.wholeCheck().damage
            if damage.count > 0 { report(damage.example, damage.count) }
            return
        }
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
        /// Bytes of a page that SQLite uses.
        private let usable: Int
        /// Pages that lead back to themselves would never end.
        private var pagesLeft: Int64
        private var page: [UInt8]
        /// The first page with rows where no search for them leads, and how many there are.
        var first: String?
        var count: UInt64 = 0

        init(check: SearchCheck, pageSize: Int, reserved: Int, pagesLeft: Int64) {
            self.check = check
            self.pageSize = pageSize
            usable = pageSize - reserved
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

        /// Looks at all entries of an index, or of a table without row ids, that have `fields` columns.
        mutating func visitEntries(_ number: UInt32, _ fields: ClosedRange<Int>, depth: Int) throws {
            guard number > 0, depth <= SearchCheck.depthLimit, pagesLeft > 0 else {
                throw check.damaged("page \(number)")
            }
            pagesLeft -= 1
            try check.reader.readFile(into: &page, at: Int64(number - 1) * Int64(pageSize))
            let kind = page[0]
            guard kind == 2 || kind == 10 else { throw check.damaged("page \(number)") }
            let cells = try integer(number, at: 3, bytes: 2)
            let (pointers, before) = kind == 2 ? (12, 4) : (8, 0)
            for cell in longer(0..<cells, pointers, before, fields) {
                let length = try varint(number, try place(number, cell, pointers) + before)
                if try length.isUnending || !isUsual(number, length.end, length.value, fields) {
                    note("entry \(cell + 1) of page \(number)")
                }
            }
            guard kind == 2 else { return }
            var children = try (0..<cells).map {
                UInt32(try integer(number, at: try place(number, $0, pointers), bytes: 4))
            }
            children.append(UInt32(try integer(number, at: 8, bytes: 4)))
            for child in children { try visitEntries(child, fields, depth: depth + 1) }
        }

        /// The cells whose entries are not usual ones with numbers of one byte each, as nearly all are. `before`: bytes of a cell
        /// before its entry.
        private func longer(_ cells: Range<Int>, _ pointers: Int, _ before: Int, _ fields: ClosedRange<Int>) -> [Int] {
            let most = min((usable - 12) * 64 / 255 - 23, 127)
            // Of types below 12 the number of bytes, four bits each, from the lowest on; 15 for those that there are not.
            let sizes: UInt64 = 0xFF00_8864_3210
            return page.withUnsafeBufferPointer { bytes in
                cells.filter { cell in
                    let pointer = pointers + 2 * cell
                    guard pointer + 1 < bytes.count else { return true }
                    let at = (Int(bytes[pointer]) << 8 | Int(bytes[pointer + 1])) + before
                    guard at + 1 < bytes.count else { return true }
                    let (length, header) = (Int(bytes[at]), Int(bytes[at + 1]))
                    guard length <= most, header >= 1, header <= length, at + 1 + length <= bytes.count else {
                        return true
                    }
                    var left = length - header
                    for place in at + 2..<at + 1 + header {
                        let type = Int(bytes[place])
                        guard type < 0x80 else { return true }
                        left -= type < 12 ? Int(sizes >> UInt64(4 * type) & 15) : (type - 12) / 2
                        if type == 10 || type == 11 { return true }
                    }
                    return left != 0 || !fields.contains(header - 1)
                }
            }
        }

        /// Whether the entry at `at` has the shortest header of its columns and nothing besides them.
        /// (https://www.sqlite.org/fileformat.html, sections 1.6 and 2.1)
        private func isUsual(_ number: UInt32, _ at: Int, _ length: Int64, _ fields: ClosedRange<Int>) throws -> Bool {
            let most = (usable - 12) * 64 / 255 - 23
            let least = (usable - 12) * 32 / 255 - 23
            let here: Int
            if length <= Int64(most) {
                here = Int(length)
            } else {
                let rest = Int64(least) + (length - Int64(least)) % Int64(usable - 4)
                here = rest <= Int64(most) ? Int(rest) : least
            }
            guard length > 0, page.indices.contains(at), page[at] != 0x80 else { return false }
            let header = try varint(number, at)
            var (place, count, body) = (header.end, 0, header.value)
            // No column takes more than five bytes there: texts have less than 2^31.
            guard header.value <= Int64(5 * fields.upperBound + 3) else { return false }
            let end = at + Int(header.value)
            while place < end {
                // The rest is on other pages.
                guard place + 9 <= at + here || end <= at + here else { return count < fields.upperBound }
                guard page.indices.contains(place), page[place] != 0x80 else { return false }
                let type = try varint(number, place)
                switch type.value {
                case 0, 8, 9: break
                case 1...4: body += type.value
                case 5: body += 6
                case 6, 7: body += 8
                case 12...Int64(UInt32.max): body += (type.value - 12) / 2
                default: return false
                }
                count += 1
                place = type.end
            }
            return place == end && body == length && fields.contains(count)
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
