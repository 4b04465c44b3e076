import CSQLiteLedger
import LedgerProofs
import SQLLedger

/// Reads the rows of one table and computes their leaves: the hot path of verification. Values go from SQLite's memory
/// into the encoder's buffer; nothing is allocated for a row.
struct RowScan {
    let reader: SQLiteEvidenceReader
    let layout: TableLayout
    let sink: LeafSink

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
        let stamps = try stampStatement(rows)
        let last = rows?.upperBound ?? .max
        var stamp = try Self.next(stamps, through: last)
        guard layout.hasTable else {
            while stamp { stamp = try stray(stamps, through: last) }
            return
        }
        let range = rows == nil ? "" : " WHERE t.\(name) >= ?"
        let statement = try connection.prepare(
            "SELECT t.\(name)\(list(layout.liveColumns, of: "t")) FROM \(table) AS t NOT INDEXED\(range) ORDER BY t.\(name)"
        )
        if let rows { try statement.bind(.integer(rows.lowerBound), at: 1) }
        if layout.isRenumbered { return try liveByRank(statement, stamps, stamp) }
        var encoder = RowLeafEncoder()
        let (from, beside) = (statement.handle, stamps.handle)
        var stampRow = stamp ? ils_column_int64(beside, 0) : 0
        while try statement.step() {
            let row = ils_column_int64(from, 0)
            guard row <= last else { break }
            sink.row()
            while stamp, stampRow < row {
                stamp = try stray(stamps, through: last)
                stampRow = ils_column_int64(beside, 0)
            }
            guard stamp, stampRow == row else {
                reportUnstamped(statement)
                continue
            }
            created(
                from, 1, transaction: UInt64(bitPattern: ils_column_int64(beside, 1)),
                sequence: UInt64(bitPattern: ils_column_int64(beside, 2)), &encoder)
            stamp = try stamps.step()
            stampRow = stamp ? ils_column_int64(beside, 0) : 0
            if stampRow > last { stamp = false }
        }
        while stamp { stamp = try stray(stamps, through: last) }
    }

    /// Goes to the next row of a part that ends with row id `last`. Where a part ends is asked here: in the statement it
    /// would cost two instructions of SQLite's for each row.
    private static func next(_ statement: SQLiteStatement, through last: Int64) throws -> Bool {
        try statement.step() && ils_column_int64(statement.handle, 0) <= last
    }

    private func stampStatement(_ rows: ClosedRange<Int64>?) throws -> SQLiteStatement {
        let range = rows == nil ? "" : " WHERE row_id >= ?"
        let statement = try reader.prepareOwn(
            layout.stamps,
            "SELECT row_id, transaction_id, sequence_number FROM main.\(layout.stamps) NOT INDEXED\(range) ORDER BY row_id"
        )
        if let rows { try statement.bind(.integer(rows.lowerBound), at: 1) }
        return statement
    }

    /// Row ids were given anew, in order: the n-th row belongs to the n-th stamp. Where rows or stamps are missing, the
    /// stored leaves tell which ones belong together.
    private func liveByRank(_ statement: SQLiteStatement, _ stamps: SQLiteStatement, _ first: Bool) throws {
        reader.shared.note(
            "The rows of \(layout.table.name) were moved (VACUUM, or dumped and loaded): versions were matched in order."
        )
        var matcher = RankMatcher(reader: reader, table: layout.table.id, stamps: stamps, hasStamp: first)
        var encoder = RowLeafEncoder()
        while try statement.step() {
            sink.row()
            let stamp = try matcher.next { transaction, sequence in
                encode(.created, statement.handle, 1, transaction, sequence, nil, &encoder)
            } skipped: { row, transaction, sequence in
                sink.strayStamp(transaction: transaction, sequence: sequence, key: [NamedValue("rowid", .integer(row))])
            }
            guard let stamp else {
                reportUnstamped(statement)
                continue
            }
            created(statement.handle, 1, transaction: stamp.0, sequence: stamp.1, &encoder)
        }
        try matcher.finish { row, transaction, sequence in
            sink.strayStamp(transaction: transaction, sequence: sequence, key: [NamedValue("rowid", .integer(row))])
        }
    }

    private func liveByKey(_ key: [String]) throws {
        guard layout.hasTable else { return try strayKeys(key) }
        try reader.objects().requireTable(layout.stamps)
        let columns = layout.liveColumns
        // The plus takes the column's affinity away. With it SQLite could not use the key of the stamps, whose columns have
        // none, and would read all of them for every row.
        let join = key.map { "s.\(SQLName.quoted($0)) = +t.\(SQLName.quoted($0))" }.joined(separator: " AND ")
        let statement = try connection.prepare(
            """
            SELECT s.transaction_id, s.sequence_number\(list(columns, of: "t")) FROM \(table) AS t NOT INDEXED
            LEFT JOIN main.\(layout.stamps) AS s ON \(join)
            """)
        var encoder = RowLeafEncoder()
        var matched: Int64 = 0
        while try statement.step() {
            sink.row()
            guard ils_column_type(statement.handle, 0) != SQLITE_NULL else {
                reportUnstamped(statement, offset: 2)
                continue
            }
            matched += 1
            created(
                statement.handle, 2, transaction: UInt64(bitPattern: ils_column_int64(statement.handle, 0)),
                sequence: UInt64(bitPattern: ils_column_int64(statement.handle, 1)), &encoder)
        }
        let count = try connection.value("SELECT count(*) FROM main.\(layout.stamps)")
        if count != .integer(matched) { try strayKeys(key) }
    }

    private func strayKeys(_ key: [String]) throws {
        try reader.objects().requireTable(layout.stamps)
        let names =
            key.isEmpty
            ? try TableColumns(layout.stamps, connection).columns.map(\.name).filter {
                !$0.hasSuffix("_id") && $0 != "sequence_number"
            } : key
        let filter = names.map { "t.\(SQLName.quoted($0)) = s.\(SQLName.quoted($0))" }.joined(separator: " AND ")
        let missing = layout.hasTable ? " WHERE NOT EXISTS (SELECT 1 FROM \(table) AS t WHERE \(filter))" : ""
        let statement = try connection.prepare(
            "SELECT transaction_id, sequence_number\(list(names, of: "s")) FROM main.\(layout.stamps) AS s\(missing)")
        while try statement.step() {
            sink.strayStamp(
                transaction: UInt64(bitPattern: statement.integer(0)),
                sequence: UInt64(bitPattern: statement.integer(1)),
                key: names.indices.map { NamedValue(names[$0], statement.value($0 + 2)) })
        }
    }

    /// Reports the current stamp and goes to the next one.
    private func stray(_ stamps: SQLiteStatement, through last: Int64) throws -> Bool {
        sink.strayStamp(
            transaction: UInt64(bitPattern: stamps.integer(1)), sequence: UInt64(bitPattern: stamps.integer(2)),
            key: [NamedValue(keyName, stamps.value(0))])
        return try Self.next(stamps, through: last)
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
            return column < 0 ? nil : NamedValue(version.names[place], statement.value(Int(column) + offset))
        }
        if key.isEmpty, offset == 1 { key = [NamedValue("rowid", statement.value(0))] }
        sink.findings.report(
            Finding(
                .rowExtra, object: layout.table.name, key: key, certainty: .proven,
                reason: "the row has no stamp: it was written past the ledger",
                repair: RepairProposal(
                    .delete, table: layout.table.name, key: key,
                    explanation: "takes the row away; `sql repair` records first what it held, a DELETE alone does not")
            ))
    }

    // MARK: Leaves

    @inline(__always)
    private func created(
        _ statement: OpaquePointer, _ offset: Int32, transaction: UInt64, sequence: UInt64,
        _ encoder: inout RowLeafEncoder
    ) {
        let leaf = encode(.created, statement, offset, transaction, sequence, nil, &encoder)
        sink.created(transaction: transaction, sequence: sequence, leaf: leaf)
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
            for place in places {
                if place < 0 { encoder.appendNull() } else { Self.append(statement, place + offset, to: &encoder) }
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
            // A version that ended before the column was added has nothing in it.
            if found == later.value || (isHistory && found == .null) { continue }
            let places = isHistory ? version.history : version.live
            let key = version.key.compactMap { index in
                places[index] < 0
                    ? nil : NamedValue(version.names[index], Self.value(statement, places[index] + offset))
            }
            sink.findings.report(
                Finding(
                    .rowAltered, object: isHistory ? layout.history : layout.table.name, key: key,
                    columns: [later.name],
                    transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence),
                    expected: later.value.literal(limit: 200), found: found.literal(limit: 200), certainty: .proven,
                    reason: "the column was added after the row was written, so the row must hold its default",
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

    func history(_ rows: ClosedRange<Int64>?) throws {
        let range = rows == nil ? "" : " WHERE h.\(layout.historyRowID) BETWEEN ? AND ?"
        let statement = try reader.prepareOwn(
            layout.history,
            "SELECT \(Self.links)\(list(layout.historyColumns, of: "h")) FROM main.\(layout.history) AS h NOT INDEXED\(range)"
        )
        if let rows { try statement.bind([.integer(rows.lowerBound), .integer(rows.upperBound)]) }
        var encoder = RowLeafEncoder()
        while try statement.step() {
            sink.row()
            version(statement.handle, after: 0, &encoder)
        }
    }

    /// Rows are appended to the history when they end, so the newest ones are at its end.
    func history(after: UInt64) throws {
        let statement = try reader.prepareOwn(
            layout.history,
            "SELECT \(Self.links)\(list(layout.historyColumns, of: "h")) FROM main.\(layout.history) AS h NOT INDEXED ORDER BY h.\(layout.historyRowID) DESC"
        )
        var encoder = RowLeafEncoder()
        while try statement.step(), UInt64(bitPattern: ils_column_int64(statement.handle, 2)) > after {
            sink.row()
            version(statement.handle, after: after, &encoder)
        }
    }

    @inline(__always)
    private func version(_ row: OpaquePointer, after: UInt64, _ encoder: inout RowLeafEncoder) {
        let start = RowStart(
            transaction: TransactionNumber(UInt64(bitPattern: ils_column_int64(row, 0))),
            sequence: LeafNumber(UInt64(bitPattern: ils_column_int64(row, 1))))
        let end = (UInt64(bitPattern: ils_column_int64(row, 2)), UInt64(bitPattern: ils_column_int64(row, 3)))
        if start.transaction.rawValue > after {
            let leaf = encode(
                .created, row, Self.historyOffset, start.transaction.rawValue, start.sequence.rawValue, nil, &encoder)
            sink.created(transaction: start.transaction.rawValue, sequence: start.sequence.rawValue, leaf: leaf)
        }
        let leaf = encode(.ended, row, Self.historyOffset, end.0, end.1, start, &encoder)
        sink.ended(transaction: end.0, sequence: end.1, leaf: leaf)
    }

    // MARK: Continuing

    /// Only rows that later transactions wrote. New rows have the highest row ids, so the stamps are read from the end
    /// until as many were found as the transactions say there are.
    func live(after: UInt64) throws {
        var wanted = try createdSince(after)
        switch layout.identity {
        case .key(let names):
            let join = names.map { "t.\(SQLName.quoted($0)) = s.\(SQLName.quoted($0))" }.joined(separator: " AND ")
            try reader.objects().requireTable(layout.stamps)
            guard layout.hasTable else { return try strayKeys(names) }
            let key = names.first.map { "t.\(SQLName.quoted($0))" } ?? "NULL"
            try liveAfter(
                """
                SELECT s.transaction_id, s.sequence_number, \(key) IS NOT NULL\(list(layout.liveColumns, of: "t"))
                FROM main.\(layout.stamps) AS s LEFT JOIN \(table) AS t ON \(join) WHERE s.transaction_id > ?
                """, after, &wanted)
        case .rowID(let name):
            guard layout.hasTable, !layout.isRenumbered else {
                reader.shared.note("\(layout.table.name) was read as a whole, because its rows were moved.")
                return try liveByRowID(name, nil)
            }
            try reader.objects().requireTable(layout.stamps)
            try liveAfter(
                """
                SELECT s.transaction_id, s.sequence_number, t.\(name) IS NOT NULL\(list(layout.liveColumns, of: "t"))
                FROM main.\(layout.stamps) AS s LEFT JOIN \(table) AS t NOT INDEXED ON t.\(name) = s.row_id
                WHERE s.transaction_id > ? ORDER BY s.row_id DESC
                """, after, &wanted)
            try reportAppended(name, after)
        }
    }

    /// Rows behind the last one that older transactions wrote are new, so each has a stamp. Reads as many rows as there
    /// are behind it; a row without a stamp at a lower row id would take a pass over the whole table.
    private func reportAppended(_ name: String, _ after: UInt64) throws {
        let stamps = try reader.prepareOwn(
            layout.stamps, "SELECT row_id, transaction_id FROM main.\(layout.stamps) NOT INDEXED ORDER BY row_id DESC")
        var last = Int64.min
        while try stamps.step() {
            guard UInt64(bitPattern: stamps.integer(1)) <= after else { continue }
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

    private func liveAfter(_ sql: String, _ after: UInt64, _ wanted: inout UInt64) throws {
        guard wanted > 0 else { return }
        let statement = try connection.prepare(sql)
        try statement.bind(.integer(Int64(bitPattern: after)), at: 1)
        var encoder = RowLeafEncoder()
        while wanted > 0, try statement.step() {
            sink.row()
            let transaction = UInt64(bitPattern: ils_column_int64(statement.handle, 0))
            let sequence = UInt64(bitPattern: ils_column_int64(statement.handle, 1))
            if ils_column_int64(statement.handle, 2) == 0 {
                sink.strayStamp(transaction: transaction, sequence: sequence, key: [])
            } else {
                created(statement.handle, 3, transaction: transaction, sequence: sequence, &encoder)
            }
            wanted -= 1
        }
    }

    /// How many rows that later transactions created must still be current.
    private func createdSince(_ after: UInt64) throws -> UInt64 {
        var leaves: UInt64 = 0
        let next = try reader.transactions(from: TransactionNumber(after + 1))
        while let stored = try next() {
            guard let blob = stored.tableHashes, let hashes = try? TableHashes(decoding: blob) else { return .max }
            leaves += hashes[layout.table.id]?.leafCount ?? 0
        }
        guard try reader.objects().contains(layout.history) else { return leaves }
        let statement = try reader.prepareOwn(
            layout.history,
            "SELECT \(Self.links) FROM main.\(layout.history) AS h NOT INDEXED ORDER BY h.\(layout.historyRowID) DESC")
        var inHistory: UInt64 = 0
        while try statement.step(), UInt64(bitPattern: statement.integer(2)) > after {
            inHistory += UInt64(bitPattern: statement.integer(0)) > after ? 2 : 1
        }
        return leaves > inHistory ? leaves - inHistory : 0
    }
}
