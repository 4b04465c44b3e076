import CSQLiteLedger
import LedgerProofs
import SQLLedger

/// Reads the rows of one table and computes their leaves: the hot path of verification. Values go from SQLite's memory
/// into the encoder's buffer; nothing is allocated for a row.
struct RowScan {
    let reader: SQLiteEvidenceReader
    let layout: TableLayout
    let sink: LeafSink
    /// Only versions of later transactions are handed over.
    var after: UInt64 = 0

    private var connection: SQLiteConnection { reader.connection }
    private var table: String { "main.\(SQLName.quoted(layout.table.name))" }

    private static let links = """
        ledger_start_transaction_id, ledger_start_sequence_number, ledger_end_transaction_id, ledger_end_sequence_number
        """

    // MARK: Live rows

    func live(_ rows: ClosedRange<Int64>?) throws {
        switch layout.identity {
        case .rowID(let name): try liveByRowID(name, rows)
        case .key(let names): try liveByKey(names)
        }
    }

    private func list(_ columns: [String], of alias: String) -> String {
        columns.map { ", \(alias).\(SQLName.quoted($0))" }.joined()
    }

    /// Walks the table and its stamps side by side, both in the order of row ids.
    private func liveByRowID(_ name: String, _ rows: ClosedRange<Int64>?) throws {
        var stamps = try stampWalk(rows)
        var stamp = try stamps.next()
        guard layout.hasTable else {
            while let row = stamp { stamp = try stray(&stamps, row) }
            return
        }
        let range = rows == nil ? "" : " WHERE t.\(name) >= ?"
        let statement = try connection.prepare(
            "SELECT t.\(name)\(list(layout.liveColumns, of: "t")) FROM \(table) AS t NOT INDEXED\(range) ORDER BY t.\(name)"
        )
        if let rows { try statement.bind(.integer(rows.lowerBound), at: 1) }
        var live = RowWalk(statement, of: layout.table.name, column: 0, part: rows, reader.shared)
        if layout.isRenumbered { return try liveByRank(&live, stamps.statement, stamp != nil) }
        var encoder = RowLeafEncoder()
        let (from, beside) = (statement.handle, stamps.statement.handle)
        while let row = try live.next() {
            sink.row()
            while let stray = stamp, stray < row { stamp = try self.stray(&stamps, stray) }
            guard stamp == row else {
                reportUnstamped(statement)
                continue
            }
            created(from, 1, at: place(beside, 1), &encoder)
            stamp = try stamps.next()
        }
        while let row = stamp { stamp = try stray(&stamps, row) }
    }

    private func stampWalk(_ rows: ClosedRange<Int64>?) throws -> RowWalk {
        let range = rows == nil ? "" : " WHERE row_id >= ?"
        let statement = try reader.prepareOwn(
            layout.stamps,
            "SELECT row_id, transaction_id, sequence_number FROM main.\(layout.stamps) NOT INDEXED\(range) ORDER BY row_id"
        )
        if let rows { try statement.bind(.integer(rows.lowerBound), at: 1) }
        return RowWalk(statement, of: layout.stamps, column: 0, part: rows, reader.shared)
    }

    /// Row ids were given anew, in order: the n-th row belongs to the n-th stamp. Where rows or stamps are missing, the
    /// stored leaves tell which ones belong together.
    private func liveByRank(_ live: inout RowWalk, _ stamps: SQLiteStatement, _ first: Bool) throws {
        var matcher = RankMatcher(reader: reader, table: layout.table.id, stamps: stamps, hasStamp: first)
        var encoder = RowLeafEncoder()
        let statement = live.statement
        var (rank, moved, isNumbered, isWhole): (Int64, UInt64, Bool, Bool) = (0, 0, true, true)
        while let row = try live.next() {
            sink.row()
            rank += 1
            isNumbered = isNumbered && row == rank
            let stamp = try matcher.next { transaction, sequence in
                encode(.created, statement.handle, 1, transaction, sequence, nil, &encoder)
            } skipped: { row, transaction, sequence in
                isWhole = false
                strayStamp((transaction, sequence), key: [NamedValue("rowid", .integer(row))])
            }
            guard let stamp else {
                isWhole = false
                reportUnstamped(statement)
                continue
            }
            if stamp.row != row { moved += 1 }
            created(statement.handle, 1, at: (stamp.transaction, stamp.sequence), &encoder)
        }
        try matcher.finish { row, transaction, sequence in
            isWhole = false
            strayStamp((transaction, sequence), key: [NamedValue("rowid", .integer(row))])
        }
        // Where rows are missing or too many, that is what the findings say.
        reportMoved(moved, isHonest: isNumbered || !isWhole)
    }

    /// The ledger view joins rows and stamps by their row ids, so it is wrong where these differ. VACUUM and loading a dump
    /// either keep row ids or count them from 1.
    private func reportMoved(_ count: UInt64, isHonest: Bool) {
        guard count > 0 else { return }
        guard isHonest else {
            return sink.findings.report(
                Finding(
                    .versionLink, object: layout.table.name, certainty: .proven,
                    reason: """
                        row ids are others than when the rows were ledgered, and not those that VACUUM or loading a dump \
                        gives: the ledger view shows rows with the transactions of others
                        """,
                    count: count,
                    repair: RepairProposal(
                        .reinstall, table: layout.table.name,
                        explanation: "gives the stamps the row ids of their rows again")))
        }
        reader.shared.note(
            "The rows of \(layout.table.name) were moved (VACUUM, or dumped and loaded): versions were matched in order. Its "
                + "ledger view shows rows with the transactions of others, or not at all, until the next write or "
                + "SELECT ledger_refresh().")
    }

    private func liveByKey(_ key: [String]) throws {
        guard layout.hasTable else { return try strayKeys(key) }
        try reader.objects().requireTable(layout.stamps)
        let columns = layout.liveColumns
        let join = TableLayout.stampJoin(key)
        let way = try reader.throughKey(of: layout.table.name)
        let statement = try connection.prepare(
            """
            SELECT s.transaction_id, s.sequence_number\(list(columns, of: "t")) FROM \(table) AS t \(way)
            LEFT JOIN main.\(layout.stamps) AS s ON \(join)
            """)
        var encoder = RowLeafEncoder()
        var matched: Int64 = 0
        var limit = RowLimit(try reader.rowLimit(), layout.table.name)
        while try statement.step() {
            sink.row()
            try limit.count()
            guard ils_column_type(statement.handle, 0) != SQLITE_NULL else {
                reportUnstamped(statement, offset: 2)
                continue
            }
            matched += 1
            created(statement.handle, 2, at: place(statement.handle, 0), &encoder)
        }
        let count = try connection.value(
            "SELECT count(*) FROM (SELECT 1 FROM main.\(layout.stamps) LIMIT \(reader.rowLimit()))")
        if count != .integer(matched) { try strayKeys(key) }
    }

    private func strayKeys(_ key: [String]) throws {
        try reader.objects().requireTable(layout.stamps)
        let names =
            key.isEmpty
            ? try TableColumns(layout.stamps, connection).columns.map(\.name).filter {
                !$0.hasSuffix("_id") && $0 != "sequence_number"
            } : key
        let filter = layout.rowJoin(names)
        let missing = layout.hasTable ? " WHERE NOT EXISTS (SELECT 1 FROM \(table) AS t WHERE \(filter))" : ""
        let statement = try connection.prepare(
            "SELECT transaction_id, sequence_number\(list(names, of: "s")) FROM main.\(layout.stamps) AS s\(missing)")
        var limit = RowLimit(try reader.rowLimit(), layout.stamps)
        while try statement.step() {
            try limit.count()
            strayStamp(
                place(statement.handle, 0),
                key: names.indices.map { NamedValue(names[$0], statement.value($0 + 2)) })
        }
    }

    /// Reports the current stamp, of the row `row`, and goes to the next one.
    private func stray(_ stamps: inout RowWalk, _ row: Int64) throws -> Int64? {
        strayStamp(place(stamps.statement.handle, 1), key: [NamedValue(keyName, .integer(row))])
        return try stamps.next()
    }

    /// Whether a version's transaction is to be handed over: a later one, or 0, which is none.
    @inline(__always)
    private func isNew(_ transaction: UInt64) -> Bool { transaction &- 1 >= after }

    private func strayStamp(_ place: (UInt64, UInt64), key: [NamedValue]) {
        guard isNew(place.0) else { return }
        sink.strayStamp(transaction: place.0, sequence: place.1, key: key)
    }

    /// The transaction and the sequence number that stand from `column` on. What is no integer counts as 0, and is a finding of
    /// its own: whoever reads the ledger view takes it for something else, or for nothing.
    @inline(__always)
    private func place(_ statement: OpaquePointer, _ column: Int32, isHistory: Bool = false) -> (UInt64, UInt64) {
        // One call that finds the column, then the value's own.
        guard let transaction = ils_column_value(statement, column), ils_value_type(transaction) == SQLITE_INTEGER,
            let sequence = ils_column_value(statement, column + 1), ils_value_type(sequence) == SQLITE_INTEGER
        else { return damagedPlace(statement, column, isHistory) }
        return (UInt64(bitPattern: ils_value_int64(transaction)), UInt64(bitPattern: ils_value_int64(sequence)))
    }

    @inline(never)
    private func damagedPlace(_ statement: OpaquePointer, _ column: Int32, _ isHistory: Bool) -> (UInt64, UInt64) {
        let values = (Self.value(statement, column), Self.value(statement, column + 1))
        sink.findings.report(
            Finding(
                .versionLink, object: isHistory ? layout.history : layout.stamps,
                found: "\(values.0.literal(limit: 60)), \(values.1.literal(limit: 60))", certainty: .proven,
                reason: "a transaction or sequence number of a row version is not an integer"))
        func number(_ value: SQLValue) -> UInt64 {
            if case .integer(let number) = value { UInt64(bitPattern: number) } else { 0 }
        }
        return (number(values.0), number(values.1))
    }

    /// The column that the row id is, or `rowid`.
    private var keyName: String {
        guard layout.hasKeyedRowID, let version = layout.versions.last, version.key.count == 1 else { return "rowid" }
        return version.names[version.key[0]]
    }

    private func reportUnstamped(_ statement: SQLiteStatement, offset: Int = 1) {
        guard let version = layout.versions.last else { return }
        var key = version.key.compactMap { place -> NamedValue? in
            let column = version.live[place]
            guard column >= 0 else { return nil }
            let name = version.names[place]
            return NamedValue(name, statement.value(Int(column) + offset), collation: layout.collation(of: name))
        }
        if key.isEmpty, offset == 1 { key = [NamedValue("rowid", statement.value(0))] }
        let versions = layout.versions.map { version in
            RowVersion(
                object: layout.table.name, isLive: true,
                links: VersionLinks(
                    start: RowStart(transaction: TransactionNumber(0), sequence: LeafNumber(0)), end: nil),
                key: key, schema: version.digest, columns: version.names,
                values: version.live.map { $0 < 0 ? .null : statement.value(Int($0) + offset) })
        }
        sink.unstamped(UnstampedRow(key: key, versions: versions))
    }

    // MARK: Leaves

    @inline(__always)
    private func created(
        _ statement: OpaquePointer, _ offset: Int32, at place: (UInt64, UInt64), _ encoder: inout RowLeafEncoder
    ) {
        guard isNew(place.0) else { return }
        let leaf = encode(.created, statement, offset, place.0, place.1, nil, &encoder)
        sink.created(transaction: place.0, sequence: place.1, leaf: leaf)
    }

    @inline(__always)
    private func encode(
        _ operation: RowOperation, _ statement: OpaquePointer, _ offset: Int32, _ transaction: UInt64,
        _ sequence: UInt64, _ start: RowStart?, _ encoder: inout RowLeafEncoder
    ) -> Digest32 {
        let index = layout.version(
            transaction: start?.transaction.rawValue ?? transaction, sequence: start?.sequence.rawValue ?? sequence)
        return layout.versions.withUnsafeBufferPointer { versions in
            let isHistory = offset == Self.historyOffset
            let places = isHistory ? versions[index].history : versions[index].live
            encoder.begin(
                operation: operation, table: layout.table.id, schema: versions[index].digest,
                transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence), start: start,
                columnCount: places.count)
            if isHistory, !layout.convertedColumns.isEmpty {
                let values = places.map { $0 < 0 ? SQLValue.null : Self.value(statement, $0 + offset) }
                let began =
                    start ?? RowStart(transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence))
                for value in reader.recorded(values, at: places, in: layout, began) { encoder.append(value) }
            } else {
                for place in places {
                    if place < 0 { encoder.appendNull() } else { Self.append(statement, place + offset, to: &encoder) }
                }
            }
            if operation == .created, !versions[index].later.isEmpty {
                checkLater(versions[index], statement, offset, transaction, sequence)
            }
            return encoder.finish()
        }
    }

    @inline(__always)
    private static func append(_ statement: OpaquePointer, _ column: Int32, to encoder: inout RowLeafEncoder) {
        // One call that finds the column, then the value's own.
        encoder.append(ils_column_value(statement, column))
    }

    /// A column that did not exist when the row was written must hold its default.
    @inline(never)
    private func checkLater(
        _ version: TableLayout.Version, _ statement: OpaquePointer, _ offset: Int32, _ transaction: UInt64,
        _ sequence: UInt64
    ) {
        let isHistory = offset == Self.historyOffset
        for later in version.later {
            let place = isHistory ? later.history : later.live
            guard place >= 0 else { continue }
            let found = Self.value(statement, place + offset)
            // A version that began after the column was dropped may have nothing in it.
            if found == later.value || isHistory && (found == later.inserted || later.isDropped && found == .null) {
                continue
            }
            let places = isHistory ? version.history : version.live
            let key = version.key.compactMap { index in
                places[index] < 0
                    ? nil
                    : NamedValue(
                        version.names[index], Self.value(statement, places[index] + offset),
                        collation: layout.collation(of: version.names[index]))
            }
            sink.findings.report(
                Finding(
                    .rowAltered, object: isHistory ? layout.history : layout.table.name, key: key,
                    columns: [later.name],
                    transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence),
                    expected: later.value.literal(limit: 200), found: found.literal(limit: 200), certainty: .proven,
                    reason: later.isDropped
                        ? "the column was dropped before the row was written, so the row must hold nothing in it"
                        : "the column was added after the row was written, so the row must hold its default",
                    repair: isHistory
                        ? .history(layout.table.name)
                        : RepairProposal(
                            .update, table: layout.table.name, key: key, values: [NamedValue(later.name, later.value)],
                            explanation: "sets the default as a new version")))
        }
    }

    private static func value(_ statement: OpaquePointer, _ column: Int32) -> SQLValue {
        switch ils_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(ils_column_int64(statement, column))
        case SQLITE_FLOAT: return .real(ils_column_double(statement, column))
        case SQLITE_TEXT:
            let text = ils_column_text(statement, column)
            return .text(Array(UnsafeRawBufferPointer(start: text, count: Int(ils_column_bytes(statement, column)))))
        case SQLITE_BLOB:
            let blob = ils_column_blob(statement, column)
            return .blob(Array(UnsafeRawBufferPointer(start: blob, count: Int(ils_column_bytes(statement, column)))))
        default: return .null
        }
    }

    // MARK: History

    /// Columns before the table's own in history statements. No statement over live rows has as many.
    private static let historyOffset: Int32 = 4

    private func historyStatement(_ rest: String) throws -> SQLiteStatement {
        for place in layout.convertedColumns {
            reader.shared.note(
                "A former build, or somebody who rewrote the definition, made column \(layout.historyColumns[Int(place)]) of \(layout.history) REAL: of whole numbers "
                    + "and texts SQLite made fractional numbers there, which were read as the stored leaves say.")
        }
        return try reader.prepareOwn(
            layout.history,
            """
            SELECT \(Self.links)\(list(layout.historyColumns, of: "h")), h.\(layout.historyRowID)
            FROM main.\(layout.history) AS h NOT INDEXED\(rest)
            """)
    }

    private var historyRowColumn: Int32 { Self.historyOffset + Int32(truncatingIfNeeded: layout.historyColumns.count) }

    func history(_ rows: ClosedRange<Int64>?) throws {
        let name = "h.\(layout.historyRowID)"
        let statement = try historyStatement("\(rows == nil ? "" : " WHERE \(name) >= ?") ORDER BY \(name)")
        if let rows { try statement.bind(.integer(rows.lowerBound), at: 1) }
        var walk = RowWalk(statement, of: layout.history, column: historyRowColumn, part: rows, reader.shared)
        var encoder = RowLeafEncoder()
        while try walk.next() != nil {
            sink.row()
            version(statement.handle, &encoder)
        }
    }

    /// Rows are appended to the history when they end, so the newest ones are at its end.
    func historyAfter() throws {
        let statement = try historyStatement(" ORDER BY h.\(layout.historyRowID) DESC")
        var encoder = RowLeafEncoder()
        var limit = RowLimit(try reader.rowLimit(), layout.history)
        while try statement.step(), isNew(UInt64(bitPattern: ils_column_int64(statement.handle, 2))) {
            sink.row()
            try limit.count()
            version(statement.handle, &encoder)
        }
    }

    @inline(__always)
    private func version(_ row: OpaquePointer, _ encoder: inout RowLeafEncoder) {
        let began = place(row, 0, isHistory: true)
        let end = place(row, 2, isHistory: true)
        let start = RowStart(transaction: TransactionNumber(began.0), sequence: LeafNumber(began.1))
        created(row, Self.historyOffset, at: began, &encoder)
        let leaf = encode(.ended, row, Self.historyOffset, end.0, end.1, start, &encoder)
        sink.ended(transaction: end.0, sequence: end.1, leaf: leaf)
    }

    // MARK: Continuing

    /// Only rows that later transactions wrote. New rows have the highest row ids, so the stamps are read from the end
    /// until as many were found as the transactions say there are.
    func liveAfter() throws {
        var wanted = try createdSince()
        let probes = try reader.indexProbes(of: layout.table) ?? []
        switch layout.identity {
        case .key(let names):
            let join = layout.rowJoin(names)
            try reader.objects().requireTable(layout.stamps)
            guard layout.hasTable else { return try strayKeys(names) }
            let key = names.first.map { "t.\(SQLName.quoted($0))" } ?? "NULL"
            let way = try reader.throughKey(of: layout.table.name)
            try liveAfter(
                """
                SELECT s.transaction_id, s.sequence_number, \(state(key, probes))\(list(layout.liveColumns, of: "t"))
                FROM main.\(layout.stamps) AS s LEFT JOIN \(table) AS t \(way) ON \(join)
                WHERE s.transaction_id > ?
                """, &wanted, probes)
        case .rowID(let name):
            guard layout.hasTable, !layout.isRenumbered else {
                reader.shared.note("\(layout.table.name) was read as a whole, because its rows were moved.")
                return try liveByRowID(name, nil)
            }
            try reader.objects().requireTable(layout.stamps)
            try liveAfter(
                """
                SELECT s.transaction_id, s.sequence_number, \(state("t.\(name)", probes))\(list(layout.liveColumns, of: "t"))
                FROM main.\(layout.stamps) AS s LEFT JOIN \(table) AS t NOT INDEXED ON t.\(name) = s.row_id
                WHERE s.transaction_id > ? ORDER BY s.row_id DESC
                """, &wanted, probes)
            try reportAppended(name)
        }
    }

    /// Rows behind the last one that older transactions wrote are new, so each has a stamp. Reads as many rows as there
    /// are behind it; a row without a stamp at a lower row id would take a pass over the whole table.
    private func reportAppended(_ name: String) throws {
        let stamps = try reader.prepareOwn(
            layout.stamps, "SELECT row_id, transaction_id FROM main.\(layout.stamps) NOT INDEXED ORDER BY row_id DESC")
        var last = Int64.min
        var limit = RowLimit(try reader.rowLimit(), layout.stamps)
        while try stamps.step() {
            try limit.count()
            let transaction = stamps.integer(1)
            if transaction < 1 { try reportPlaceless(stamps.integer(0), UInt64(bitPattern: transaction), name) }
            guard transaction > 0, UInt64(bitPattern: transaction) <= after else { continue }
            last = stamps.integer(0)
            break
        }
        let statement = try connection.prepare(
            """
            SELECT t.\(name)\(list(layout.liveColumns, of: "t")) FROM \(table) AS t NOT INDEXED WHERE t.\(name) >= ?
            AND NOT EXISTS (SELECT 1 FROM main.\(layout.stamps) AS s WHERE s.row_id = t.\(name))
            """)
        try statement.bind(.integer(last), at: 1)
        while try statement.step() { reportUnstamped(statement) }
    }

    /// A stamp that names no transaction: of new rows the others are counted by what transactions say, and this one is of none.
    private func reportPlaceless(_ row: Int64, _ transaction: UInt64, _ name: String) throws {
        let found = try connection.query("SELECT 1 FROM \(table) AS t NOT INDEXED WHERE t.\(name) = ?", [.integer(row)])
        guard !found.isEmpty else { return }
        let key = [NamedValue(keyName, .integer(row))]
        sink.findings.report(
            Finding(
                .rowExtra, object: layout.table.name, key: key, transaction: TransactionNumber(transaction),
                certainty: .proven, reason: "the row's stamp names a transaction that none can be",
                repair: RepairProposal(
                    .delete, table: layout.table.name, key: key,
                    explanation: "takes the row away; that it was there stays visible in history")))
    }

    /// SQL: 0 where there is no row, the number of the first index (from 1) that does not hold it, otherwise -1.
    private func state(_ key: String, _ probes: [IndexProbe]) -> String {
        let lacking = probes.indices.map { " WHEN NOT \(probes[$0].condition) THEN \($0 + 1)" }
        return "CASE WHEN \(key) IS NULL THEN 0\(lacking.joined()) ELSE -1 END"
    }

    private func liveAfter(_ sql: String, _ wanted: inout UInt64, _ probes: [IndexProbe]) throws {
        guard wanted > 0 else { return }
        var lacking = [UInt64](repeating: 0, count: probes.count)
        let statement = try connection.prepare(sql)
        try statement.bind(.integer(Int64(bitPattern: after)), at: 1)
        var encoder = RowLeafEncoder()
        var limit = RowLimit(try reader.rowLimit(), layout.stamps)
        // Of a key there can be further stamps among those of other rows.
        var isKeyed = false
        if case .key = layout.identity { isKeyed = true }
        while wanted > 0 || isKeyed, try statement.step() {
            sink.row()
            try limit.count()
            let place = place(statement.handle, 0)
            let state = Int(ils_column_int64(statement.handle, 2))
            if state == 0 {
                strayStamp(place, key: [])
            } else {
                if state > 0 { lacking[state - 1] += 1 }
                created(statement.handle, 3, at: place, &encoder)
            }
            wanted -= min(wanted, 1)
        }
        for (probe, count) in zip(probes, lacking) where count > 0 {
            sink.findings.report(
                IndexCheck.finding(
                    probe.index, of: layout.table.name, found: "new rows are missing from index \(probe.index)",
                    count: count))
        }
    }

    /// How many rows that later transactions created must still be current.
    private func createdSince() throws -> UInt64 {
        var leaves: UInt64 = 0
        let next = try reader.transactions(from: TransactionNumber(after + 1))
        while let stored = try next() {
            guard let blob = stored.tableHashes, let hashes = try? TableHashes(decoding: blob) else { return .max }
            let (sum, overflows) = leaves.addingReportingOverflow(hashes[layout.table.id]?.leafCount ?? 0)
            guard !overflows else { return .max }
            leaves = sum
        }
        guard try reader.objects().contains(layout.history) else { return leaves }
        let statement = try reader.prepareOwn(
            layout.history,
            "SELECT \(Self.links) FROM main.\(layout.history) AS h NOT INDEXED ORDER BY h.\(layout.historyRowID) DESC")
        var inHistory: UInt64 = 0
        var limit = RowLimit(try reader.rowLimit(), layout.history)
        while try statement.step(), UInt64(bitPattern: statement.integer(2)) > after {
            try limit.count()
            inHistory += UInt64(bitPattern: statement.integer(0)) > after ? 2 : 1
        }
        return leaves > inHistory ? leaves - inHistory : 0
    }
}
