import SQLLedger

/// Looks whether the pages above the rows of a table lead to each row. Rows are read from one end of the table to the other, by the
/// pointers between pages; a search by row id goes by the numbers beside these pointers, which nothing else compares with the rows,
/// and steps over the length of each row instead of reading it.
///
/// Of indexes, and of tables without row ids, it looks how entries are written: a search compares the first column where it would be
/// in an entry as SQLite writes it, and reads the rest where the entry says that it is.
///
/// Of all it looks for values that SQLite never writes. A real that is no number (NaN) reads as NULL, compares as equal to every number,
/// and is a number to who asks for its type without reading it. An integer in a column of reals that no real equals reads as the next
/// real, and searches compare the integer: that is a note, because older builds of SQLite wrote such, and who did cannot be told.
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
        guard let pages = try FilePages(reader) else { return isOwn || !hasRowID ? () : try askSQLite() }
        let walk = Walk(check: self, pages: pages)
        if hasRowID {
            var walk = walk
            walk.reals = try reals(
                "pragma_table_xinfo(\(SQLName.literal(table)), 'main') AS c WHERE c.hidden <> 2 ORDER BY c.cid")
            try walk.visit(Self.root(found) ?? 0, above: nil, upTo: .max, depth: 0)
            if let first = walk.astray.first { report(first, walk.astray.count) }
            note(walk, table)
            if let first = walk.unusual.first {
                findings.report(
                    Finding(
                        .indexDivergence, object: table, found: first,
                        reason:
                            "rows hold values that SQLite never writes: queries can find another type or number than was verified",
                        count: walk.unusual.count))
            }
        } else {
            // A key may hold a column twice, with two collations. Rows that are older than a column lack it.
            let columns = try reals(
                """
                pragma_index_list(\(SQLName.literal(table)), 'main') AS l, pragma_index_xinfo(l.name, 'main') AS x
                LEFT JOIN pragma_table_xinfo(\(SQLName.literal(table)), 'main') AS c ON c.cid = x.cid
                WHERE l.origin = 'pk' ORDER BY x.seqno
                """)
            try visit(found, columns, fewest: 1, walk)
        }
        for index in try reader.indexes(of: table) {
            let columns = try reals(
                """
                pragma_index_xinfo(\(SQLName.literal(index.name)), 'main') AS x
                LEFT JOIN pragma_table_xinfo(\(SQLName.literal(table)), 'main') AS c ON c.cid = x.cid ORDER BY x.seqno
                """)
            for object in objects.named(index.name) where object.type == "index" {
                try visit(object, columns, fewest: columns.count, walk)
            }
        }
    }

    /// Which columns are ones of reals, in the order in which a record has them. `source`: SQL, with the table's columns as `c`.
    private func reals(_ source: String) throws -> [Bool] {
        try reader.connection.query("SELECT c.type FROM \(source)").map { IndexColumn.isReal($0[0].string ?? "") }
    }

    private static func root(_ object: SchemaObjects.Object) -> UInt32? { UInt32(exactly: object.rootPage) }

    private func visit(_ object: SchemaObjects.Object, _ columns: [Bool], fewest: Int, _ walk: Walk) throws {
        var walk = walk
        walk.reals = columns
        let fields = max(fewest, 1)...max(columns.count, 1)
        try walk.visitEntries(Self.root(object) ?? 0, fields, depth: 0)
        note(walk, object.name)
        guard let first = walk.unusual.first else { return }
        let isIndex = object.type == "index"
        findings.report(
            Finding(
                .indexDivergence, object: object.name, found: first,
                reason: "entries are not written as SQLite writes them: searches read other values than scans",
                count: walk.unusual.count,
                repair: isIndex
                    ? RepairProposal(.reindex, table: object.name, explanation: "builds the index again from the table")
                    : nil))
    }

    private func note(_ walk: Walk, _ object: String) {
        guard walk.largeCount > 0 else { return }
        findings.note(
            "\(object) has whole numbers in columns of reals that no real equals (\(walk.largeCount)): they read as the next real, and "
                + "searches compare the number. SQLite before 3.33 wrote such; UPDATE writes them as reals.")
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

    /// The first one of what was found, and how many there are.
    private struct Found {
        var first: String?
        var count: UInt64 = 0

        mutating func note(_ found: @autoclosure () -> String) {
            count += 1
            if first == nil { first = found() }
        }
    }

    /// A row or an entry: `here` bytes of it stand at `at` of its page, the rest on overflow pages.
    private struct Record {
        let page: UInt32
        let at: Int
        let length: Int64
        let here: Int
    }

    private struct Walk {
        let check: SearchCheck
        private let pages: FilePages
        private var pageSize: Int { pages.size }
        /// Pages that lead back to themselves would never end.
        private var pagesLeft: Int64
        private var page: [UInt8]
        /// An overflow page, and which one.
        private var overflow: (number: UInt32, bytes: [UInt8]) = (0, [])
        /// Whether the first column of a record is one of reals, the second, and so on.
        var reals: [Bool] = []
        /// Pages with rows where no search for them leads.
        var astray = Found()
        /// Entries and rows that SQLite writes in another way.
        var unusual = Found()
        /// Integers in columns of reals that no real equals.
        var largeCount: UInt64 = 0

        init(check: SearchCheck, pages: FilePages) {
            self.check = check
            self.pages = pages
            pagesLeft = pages.count
            page = [UInt8](repeating: 0, count: pages.size)
        }

        /// A search comes to page `number` for row ids above `low` and up to `high`.
        mutating func visit(_ number: UInt32, above low: Int64?, upTo high: Int64, depth: Int) throws {
            guard number > 0, depth <= SearchCheck.depthLimit, pagesLeft > 0 else {
                throw check.damaged("page \(number)")
            }
            pagesLeft -= 1
            try check.reader.readFile(into: &page, at: pages.offset(of: number))
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
                        astray.note("page \(number) has a length of nine bytes, which searches for \(id) misread")
                    }
                    ends = (min(ends.0, id), max(ends.1, id))
                }
                for cell in doubtful(0..<cells, start + 8) {
                    let length = try varint(number, try place(number, cell, start + 8))
                    let id = try varint(number, length.end)
                    guard !length.isUnending else { continue }
                    let record = try record(number, id.end, length.value, most: mostOfRow)
                    if try !isUsual(record, nil) { unusual.note("the row with the row id \(id.value)") }
                }
                if low.map({ ends.0 <= $0 }) ?? false || ends.1 > high {
                    astray.note(
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
            try check.reader.readFile(into: &page, at: pages.offset(of: number))
            let kind = page[0]
            guard kind == 2 || kind == 10 else { throw check.damaged("page \(number)") }
            let cells = try integer(number, at: 3, bytes: 2)
            let (pointers, before) = kind == 2 ? (12, 4) : (8, 0)
            for cell in longer(0..<cells, pointers, before, fields) {
                let length = try varint(number, try place(number, cell, pointers) + before)
                let record = try record(number, length.end, length.value, most: mostOfEntry)
                if try length.isUnending || !isUsual(record, fields) {
                    unusual.note("entry \(cell + 1) of page \(number)")
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
            let most = min(mostOfEntry, 127)
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
                        let type = UInt64(bytes[place])
                        guard type < 0x80 else { return true }
                        let value = at + 1 + length - left
                        left -= Self.size(of: type)
                        if isRare(type, place - at - 2) {
                            guard left >= 0, type < 8, !Self.isWrong(bytes, value, type) else { return true }
                        }
                    }
                    return left != 0 || !fields.contains(header - 1)
                }
            }
        }

        /// The cells of a page with rows that may hold a value that SQLite never writes. Nearly no row has one of these types, or has it
        /// elsewhere than on the page.
        private func doubtful(_ cells: Range<Int>, _ pointers: Int) -> [Int] {
            page.withUnsafeBufferPointer { bytes in
                cells.filter { cell in
                    let pointer = pointers + 2 * cell
                    guard pointer + 1 < bytes.count else { return true }
                    var at = Int(bytes[pointer]) << 8 | Int(bytes[pointer + 1])
                    // Lengths of one byte or two, and any row id.
                    guard at + 12 <= bytes.count else { return true }
                    var length = Int(bytes[at])
                    if length >= 0x80 {
                        at += 1
                        length = (length & 0x7F) << 7 | Int(bytes[at])
                        guard bytes[at] < 0x80 else { return true }
                    }
                    let id = at + 1
                    repeat { at += 1 } while bytes[at] >= 0x80 && at < id + 8
                    at += 1
                    let header = Int(bytes[at])
                    guard header < 0x80, header <= length, at + header <= bytes.count,
                        length <= mostOfRow || header <= 35
                    else {
                        return true
                    }
                    var (place, column, value) = (at + 1, 0, at + header)
                    while place < at + header {
                        var type = UInt64(bytes[place])
                        if type >= 0x80 {
                            place += 1
                            guard place < at + header, bytes[place] < 0x80 else { return true }
                            type = (type & 0x7F) << 7 | UInt64(bytes[place])
                        }
                        if isRare(type, column) {
                            guard type < 8, length <= mostOfRow, value + 8 <= min(at + length, bytes.count),
                                !Self.isWrong(bytes, value, type)
                            else { return true }
                        }
                        value += Self.size(of: type)
                        (place, column) = (place + 1, column + 1)
                    }
                    return false
                }
            }
        }

        /// Whether a value of a type must be looked at: there are ones in that column that SQLite never writes.
        @inline(__always)
        private func isRare(_ type: UInt64, _ column: Int) -> Bool {
            type == 7 || type == 10 || type == 11 || type == 6 && column < reals.count && reals[column]
        }

        /// As many bytes of a row are on its page.
        private var mostOfRow: Int { pages.usable - 35 }

        /// As many bytes of an entry are on its page.
        private var mostOfEntry: Int { (pages.usable - 12) * 64 / 255 - 23 }

        /// - Parameter most: as many bytes as all of a record may have on its page.
        private func record(_ number: UInt32, _ at: Int, _ length: Int64, most: Int) throws -> Record {
            guard length > Int64(most) else { return Record(page: number, at: at, length: length, here: Int(length)) }
            let least = (pages.usable - 12) * 32 / 255 - 23
            let rest = Int64(least) + (length - Int64(least)) % Int64(pages.usable - 4)
            return Record(page: number, at: at, length: length, here: rest <= Int64(most) ? Int(rest) : least)
        }

        /// Whether a record has only values that SQLite writes. With `fields` also whether it has the shortest header of that
        /// many, and nothing besides them. (https://www.sqlite.org/fileformat.html, sections 1.6 and 2.1)
        private mutating func isUsual(_ record: Record, _ fields: ClosedRange<Int>?) throws -> Bool {
            guard record.length > 0, record.length <= pages.count * Int64(pageSize), record.at + record.here <= pageSize
            else { return try unreadable(record, fields) }
            let header = try varint(record.page, record.at)
            // SQLite reads no longer header. Of an entry no column takes more than five bytes: texts have less than 2^31.
            let most = fields.map { Int64(5 * $0.upperBound + 3) } ?? 98_307
            guard header.value > 0, header.value <= min(most, record.length) else {
                return try unreadable(record, fields)
            }
            var further: [(offset: Int64, type: UInt64)]?
            var chain: (index: Int64, page: UInt32)?
            if header.value <= Int64(record.here) {
                further = page.withUnsafeBufferPointer {
                    let payload = UnsafeBufferPointer(rebasing: $0[record.at..<record.at + record.here])
                    return rareValues(payload, Int(header.value), record.length, fields)
                }
            } else {
                let bytes = try bytes(Int(header.value), of: record, at: 0, &chain)
                further = bytes.withUnsafeBufferPointer { rareValues($0, bytes.count, record.length, fields) }
            }
            guard let further else { return false }
            var begin = 0
            while begin < further.count {
                // Those that stand one after the other at once.
                var end = begin + 1
                while end < further.count, further[end].offset == further[end - 1].offset + 8 { end += 1 }
                let bytes = try bytes(8 * (end - begin), of: record, at: further[begin].offset, &chain)
                let wrong = bytes.withUnsafeBufferPointer { bytes in
                    (begin..<end).filter { Self.isWrong(bytes, 8 * ($0 - begin), further[$0].type) }
                }
                guard wrong.allSatisfy({ further[$0].type == 6 }) else { return false }
                largeCount += UInt64(wrong.count)
                begin = end
            }
            return true
        }

        /// What cannot be a record is no usual entry, and no row at all.
        private func unreadable(_ record: Record, _ fields: ClosedRange<Int>?) throws -> Bool {
            guard fields != nil else { throw check.damaged("page \(record.page)") }
            return false
        }

        /// Reads the header of a record. Answers what must be looked at and is not in `bytes`, its beginning, or is counted; `nil`
        /// where it is not a usual one.
        private func rareValues(
            _ bytes: UnsafeBufferPointer<UInt8>, _ end: Int, _ length: Int64, _ fields: ClosedRange<Int>?
        ) -> [(offset: Int64, type: UInt64)]? {
            var (place, count, body) = (0, -1, Int64(end))
            var further: [(offset: Int64, type: UInt64)] = []
            // The first number is the length of the header.
            while place < end {
                if fields != nil, bytes[place] == 0x80 { return nil }
                var (type, left) = (UInt64(0), 9)
                while true {
                    guard place < end else { return nil }
                    let byte = bytes[place]
                    (place, left) = (place + 1, left - 1)
                    if left == 0 {
                        type = type << 8 | UInt64(byte)
                        break
                    }
                    type = type << 7 | UInt64(byte & 0x7F)
                    if byte < 0x80 { break }
                }
                count += 1
                guard count > 0 else { continue }
                guard type <= UInt64(UInt32.max), type != 10, type != 11 else { return nil }
                if isRare(type, count - 1) {
                    if type == 6 || body + 8 > Int64(bytes.count) {
                        further.append((body, type))
                    } else if Self.isWrong(bytes, Int(body), type) {
                        return nil
                    }
                }
                body += Int64(Self.size(of: type))
                guard body <= length else { return nil }
            }
            return fields.map { body == length && $0.contains(count) } ?? true ? further : nil
        }

        /// As many bytes as a value of a type takes.
        @inline(__always)
        private static func size(of type: UInt64) -> Int {
            // Of types below 12 four bits each, from the lowest on.
            type < 12 ? Int(0x8864_3210 >> (4 * type) & 15) : Int((type - 12) / 2)
        }

        /// Whether the eight bytes at `at` are a real that is no number, or an integer (type 6) that no real equals.
        @inline(__always)
        private static func isWrong(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int, _ type: UInt64) -> Bool {
            var bits: UInt64 = 0
            for place in at..<at + 8 { bits = bits << 8 | UInt64(bytes[place]) }
            guard type == 6 else { return Double(bitPattern: bits).isNaN }
            let number = Int64(bitPattern: bits)
            return Int64(exactly: Double(number)) != number
        }

        /// `count` bytes of a record from `offset` on. `chain` is the overflow page that was come to, which is not behind them.
        private mutating func bytes(
            _ count: Int, of record: Record, at offset: Int64, _ chain: inout (index: Int64, page: UInt32)?
        ) throws -> [UInt8] {
            var found: [UInt8] = []
            let room = Int64(pages.usable - 4)
            while found.count < count {
                let at = offset + Int64(found.count) - Int64(record.here)
                guard at >= 0 else {
                    let begin = record.at + record.here + Int(at)
                    found += page[begin..<min(record.at + record.here, begin + count - found.count)]
                    continue
                }
                var (index, number) =
                    try chain ?? (0, UInt32(integer(record.page, at: record.at + record.here, bytes: 4)))
                while index < at / room {
                    var next = [UInt8](repeating: 0, count: 4)
                    if number == overflow.number {
                        next = Array(overflow.bytes[..<4])
                    } else if number > 0 {
                        try check.reader.readFile(into: &next, at: pages.offset(of: number))
                    }
                    (index, number) = (index + 1, next.reduce(0) { $0 << 8 | UInt32($1) })
                }
                chain = (index, number)
                guard number > 0 else { throw check.damaged("an overflow page of page \(record.page)") }
                if overflow.number != number {
                    if overflow.bytes.isEmpty { overflow.bytes = [UInt8](repeating: 0, count: pageSize) }
                    overflow.number = 0
                    try check.reader.readFile(into: &overflow.bytes, at: pages.offset(of: number))
                    overflow.number = number
                }
                let begin = 4 + Int(at % room)
                found += overflow.bytes[begin..<min(pages.usable, begin + count - found.count)]
            }
            return found
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
