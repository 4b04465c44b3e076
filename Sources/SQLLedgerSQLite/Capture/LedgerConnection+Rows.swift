import CSQLiteLedger
import SQLLedger

// Stamps (where each live row version was created) and history rows.
extension LedgerConnection {
    /// Binds a key from parameter `first` on. Returns the next free parameter.
    @inline(__always)
    private func bind(_ key: RowKey, of table: TableState, to handle: OpaquePointer, from first: Int32) -> Int32 {
        if table.hasRowID {
            ils_bind_int64(handle, first, key.row)
            return first + 1
        }
        var place = first
        for index in table.keyIndices {
            Self.bind(key.values[index], to: handle, at: place, isUTF8)
            place += 1
        }
        return place
    }

    /// Binds without copying where the database's encoding is UTF-8: the statement must be run and bound anew before the value goes away.
    @inline(__always)
    private static func bind(_ value: OpaquePointer?, to handle: OpaquePointer, at place: Int32, _ isUTF8: Bool) {
        guard let value else {
            ils_bind_null(handle, place)
            return
        }
        switch ils_value_type(value) {
        case SQLITE_INTEGER: ils_bind_int64(handle, place, ils_value_int64(value))
        case SQLITE_FLOAT: ils_bind_double(handle, place, ils_value_double(value))
        case SQLITE_TEXT where !isUTF8: ils_bind_utf16(handle, place, value)
        case SQLITE_TEXT:
            let text = ils_value_text(value)
            ils_bind_text_static(handle, place, text, UInt64(UInt32(bitPattern: ils_value_bytes(value))))
        case SQLITE_BLOB:
            let blob = ils_value_blob(value)
            ils_bind_blob_static(handle, place, blob, UInt64(UInt32(bitPattern: ils_value_bytes(value))))
        default: ils_bind_null(handle, place)
        }
    }

    /// Binds the number of the running transaction at `place`, always the same one for a statement.
    @inline(__always)
    private func bindTransaction(_ statement: SQLiteStatement, at place: Int32) {
        guard statement.boundTransaction != transaction.rawValue else { return }
        ils_bind_int64(statement.handle, place, Int64(bitPattern: transaction.rawValue))
        statement.boundTransaction = transaction.rawValue
    }

    /// Finds a stamp.
    private func stamp(_ table: TableState, from first: Int) -> String {
        condition(table.hasRowID ? ["row_id"] : table.stampKeys, from: first)
    }

    /// Finds a row of the table itself.
    private func row(_ table: TableState, from first: Int) -> String {
        condition(table.description.rowIDColumn.map { [$0] } ?? table.sql.keyColumns.map(\.name), from: first)
    }

    private func condition(_ names: [String], from first: Int) -> String {
        names.enumerated().map { "\(SQLName.quoted($0.element)) = ?\(first + $0.offset)" }.joined(separator: " AND ")
    }

    /// Where the live version of a row was created, or `nil` when the ledger knows no such row.
    func readStamp(_ table: TableState, _ key: RowKey) throws(SQLiteLedgerError) -> RowStart? {
        let statement: SQLiteStatement
        if let kept = table.statements.readStamp {
            statement = kept
        } else {
            statement = try kept(
                """
                SELECT transaction_id, sequence_number FROM \(db.schema).\(table.sql.stamps)
                WHERE \(stamp(table, from: 1))
                """)
            table.statements.readStamp = statement
        }
        let handle = statement.handle
        _ = bind(key, of: table, to: handle, from: 1)
        let code = ils_step(handle)
        guard code == SQLITE_ROW else {
            try finish(handle, code)
            return nil
        }
        let start = RowStart(
            transaction: TransactionNumber(UInt64(bitPattern: ils_column_int64(handle, 0))),
            sequence: LeafNumber(UInt64(bitPattern: ils_column_int64(handle, 1))))
        ils_reset(handle)
        return start
    }

    func insertStamp(_ table: TableState, _ key: RowKey, sequence: UInt64) throws(SQLiteLedgerError) {
        let statement: SQLiteStatement
        if let kept = table.statements.insertStamp {
            statement = kept
        } else {
            let marks = table.hasRowID ? "?" : table.keyIndices.map { _ in "?" }.joined(separator: ", ")
            statement = try kept("INSERT INTO \(db.schema).\(table.sql.stamps) VALUES(\(marks), ?, ?)")
            table.statements.insertStamp = statement
        }
        let handle = statement.handle
        let next = bind(key, of: table, to: handle, from: 1)
        bindTransaction(statement, at: next)
        ils_bind_int64(handle, next + 1, Int64(bitPattern: sequence))
        try finish(handle, ils_step(handle))
        noticeSchemaChange(table, handle)
    }

    /// Gives the stamp of the row `old` to `new`, with the number `sequence` of the running transaction. Returns what the
    /// stamp said before, or `nil` when the ledger knows no such row.
    ///
    /// One statement reads and writes: SQLite hands the old values to a function of ours.
    func moveStamp(
        _ table: TableState, from old: RowKey, to new: RowKey, sequence: UInt64
    ) throws(SQLiteLedgerError) -> RowStart? {
        let keepsKey = table.hasRowID && old.row == new.row
        let statement: SQLiteStatement
        if keepsKey, let kept = table.statements.renewStamp {
            statement = kept
        } else if !keepsKey, let kept = table.statements.moveStamp {
            statement = kept
        } else {
            statement = try prepareMove(table, keepsKey: keepsKey)
        }
        let handle = statement.handle
        swapped = nil
        bindTransaction(statement, at: 1)
        ils_bind_int64(handle, 2, Int64(bitPattern: sequence))
        let next = bind(old, of: table, to: handle, from: 3)
        if !keepsKey { _ = bind(new, of: table, to: handle, from: next) }
        try finish(handle, ils_step(handle))
        noticeSchemaChange(table, handle)
        return swapped
    }

    private func prepareMove(_ table: TableState, keepsKey: Bool) throws(SQLiteLedgerError) -> SQLiteStatement {
        let keys = table.hasRowID ? ["row_id"] : table.stampKeys.map(SQLName.quoted)
        let moves = keys.enumerated().map { ", \($0.element) = ?\($0.offset + 3 + keys.count)" }.joined()
        let statement = try kept(
            """
            UPDATE \(db.schema).\(table.sql.stamps) SET
            transaction_id = ledger_swap_stamp(transaction_id, sequence_number, ?1), sequence_number = ?2\
            \(keepsKey ? "" : moves) WHERE \(stamp(table, from: 3))
            """)
        if keepsKey { table.statements.renewStamp = statement } else { table.statements.moveStamp = statement }
        return statement
    }

    /// What the stamp that is being updated said, on its way through `moveStamp`.
    func swapStamp(_ transaction: Int64, _ sequence: Int64) {
        guard isInternal else { return }
        swapped = RowStart(
            transaction: TransactionNumber(UInt64(bitPattern: transaction)),
            sequence: LeafNumber(UInt64(bitPattern: sequence)))
    }

    func deleteStamp(_ table: TableState, _ key: RowKey) throws(SQLiteLedgerError) {
        let statement: SQLiteStatement
        if let kept = table.statements.deleteStamp {
            statement = kept
        } else {
            statement = try kept(
                "DELETE FROM \(db.schema).\(table.sql.stamps) WHERE \(stamp(table, from: 1))")
            table.statements.deleteStamp = statement
        }
        _ = bind(key, of: table, to: statement.handle, from: 1)
        try finish(statement.handle, ils_step(statement.handle))
        noticeSchemaChange(table, statement.handle)
    }

    func insertHistory(
        _ table: TableState, _ values: UnsafePointer<OpaquePointer?>, _ count: Int, start: RowStart, sequence: UInt64
    ) throws(SQLiteLedgerError) {
        guard table.hasHistory(of: count) else {
            return try insertPending(table, values, count, start: start, sequence: sequence)
        }
        let isFull = count == table.storedCount
        let statement: SQLiteStatement
        if isFull, let kept = table.statements.insertFullHistory {
            statement = kept
        } else if let kept = table.statements.insertHistory[count] {
            statement = kept
        } else {
            statement = try prepareHistory(table, count)
            table.statements.insertHistory[count] = statement
            if isFull { table.statements.insertFullHistory = statement }
        }
        let handle = statement.handle
        ils_bind_int64(handle, 1, Int64(bitPattern: start.transaction.rawValue))
        ils_bind_int64(handle, 2, Int64(bitPattern: start.sequence.rawValue))
        bindTransaction(statement, at: 3)
        ils_bind_int64(handle, 4, Int64(bitPattern: sequence))
        for index in 0..<count {
            Self.bind(values[index], to: handle, at: Int32(truncatingIfNeeded: index + 5), isUTF8)
        }
        try finish(handle, ils_step(handle))
    }

    /// The history table gets its new columns when nothing is being written; until then the row waits.
    private func insertPending(
        _ table: TableState, _ values: UnsafePointer<OpaquePointer?>, _ count: Int, start: RowStart, sequence: UInt64
    ) throws(SQLiteLedgerError) {
        let places = [
            start.transaction.rawValue, start.sequence.rawValue, transaction.rawValue, sequence,
        ].map { SQLValue.integer(Int64(bitPattern: $0)) }
        let row = places + (0..<count).map { SQLValue(copying: values[$0]) }
        for (place, value) in row.enumerated() {
            try db.run(
                "INSERT INTO \(db.schema).ledger_pending VALUES(?, ?, ?, ?)",
                [
                    .integer(Int64(bitPattern: table.id.rawValue)), .integer(Int64(bitPattern: sequence)),
                    .integer(Int64(place)), value,
                ])
        }
    }

    private func prepareHistory(_ table: TableState, _ count: Int) throws(SQLiteLedgerError) -> SQLiteStatement {
        let marks = String(repeating: ", ?", count: count)
        let columns = table.historyPlaces.prefix(count)
            .map { ", " + SQLName.quoted(table.physicalHistory[$0]) }.joined()
        return try kept(
            """
            INSERT INTO \(db.schema).\(table.sql.history)(ledger_start_transaction_id, ledger_start_sequence_number,
            ledger_end_transaction_id, ledger_end_sequence_number\(columns)) VALUES(?, ?, ?, ?\(marks))
            """)
    }

    /// Whether the table itself has a row with that key.
    func rowExists(_ table: TableState, _ key: RowKey) throws(SQLiteLedgerError) -> Bool {
        let statement: SQLiteStatement
        if let kept = table.statements.rowExists {
            statement = kept
        } else {
            statement = try kept(
                """
                SELECT 1 FROM \(db.schema).\(SQLName.quoted(table.description.table))
                WHERE \(row(table, from: 1))
                """)
            table.statements.rowExists = statement
        }
        _ = bind(key, of: table, to: statement.handle, from: 1)
        let code = ils_step(statement.handle)
        try finish(statement.handle, code)
        return code == SQLITE_ROW
    }

    /// Whether the table has a row that the ledger does not know, with an id in `rows` where its rows have ids.
    func hasUnstamped(_ table: TableState, _ rows: ClosedRange<Int64>) throws(SQLiteLedgerError) -> Bool {
        let keys = table.description.rowIDColumn.map { [$0] } ?? table.sql.keyColumns.map(\.name)
        let stampKeys = table.hasRowID ? ["row_id"] : table.stampKeys
        // The plus: without the column's affinity SQLite can use the key of the stamps, whose columns have none.
        let isSame = zip(stampKeys, keys)
            .map { "s.\(SQLName.quoted($0)) = +t.\(SQLName.quoted($1))" }.joined(separator: " AND ")
        let range = table.description.rowIDColumn.map { "t.\(SQLName.quoted($0)) BETWEEN ?1 AND ?2 AND " } ?? ""
        return try db.value(
            """
            SELECT 1 FROM \(db.schema).\(SQLName.quoted(table.description.table)) AS t WHERE \(range)NOT EXISTS
            (SELECT 1 FROM \(db.schema).\(table.sql.stamps) AS s WHERE \(isSame)) LIMIT 1
            """, table.hasRowID ? [.integer(rows.lowerBound), .integer(rows.upperBound)] : []) != nil
    }

    /// All stored values of a row of the table.
    func readRow(_ table: TableState, _ key: RowKey) throws(SQLiteLedgerError) -> SavedValues? {
        let columns = table.sql.stored.map { SQLName.quoted($0.name) }.joined(separator: ", ")
        let statement = try db.prepare(
            """
            SELECT \(columns) FROM \(db.schema).\(SQLName.quoted(table.description.table))
            WHERE \(row(table, from: 1))
            """)
        _ = bind(key, of: table, to: statement.handle, from: 1)
        guard try statement.step() else { return nil }
        let saved = SavedValues()
        for column in 0..<table.storedCount {
            saved.append(copying: ils_column_value(statement.handle, Int32(truncatingIfNeeded: column)))
        }
        return saved
    }

    /// SQLite compiled a kept statement again, so the schema changed: look at it before the next row.
    @inline(__always)
    private func noticeSchemaChange(_ table: TableState, _ handle: OpaquePointer) {
        let now = ils_reprepares(handle)
        if now > table.reprepares {
            table.reprepares = now
            isReady = false
        }
    }
}
