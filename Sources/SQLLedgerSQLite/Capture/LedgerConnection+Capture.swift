import CSQLiteLedger
import LedgerProofs
import SQLLedger

// Capture: what the triggers of ledger tables call, once for each row operation. This is the hot path: no memory is
// allocated for a row that is inserted, and every statement is prepared once.
extension LedgerConnection {
    static func capture(
        _ context: OpaquePointer?, _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?
    ) {
        guard let context, let data = ils_user_data(context) else { return }
        Unmanaged<LedgerConnection>.fromOpaque(data)._withUnsafeGuaranteedRef { connection in
            do throws(SQLiteLedgerError) {
                guard let values, count >= 2 else {
                    throw .refused("the capture function is for the triggers of ledger tables only")
                }
                guard connection.attached.isEmpty else {
                    let active = connection.findActive(Int(count), UnsafePointer(values))
                    try active.capture(Int(count), UnsafePointer(values))
                    if active.isStampDue { ils_result_int64(context, 1) }
                    return
                }
                try connection.capture(Int(count), UnsafePointer(values))
                // Tells the trigger of an INSERT whether to write the stamp.
                if connection.isStampDue { ils_result_int64(context, 1) }
            } catch {
                ils_result_error(context, error.message, -1)
                if error.code != SQLITE_ERROR { ils_result_error_code(context, error.code) }
                // An interrupt in a statement of ours rolls everything back at once; the hooks were told within ours.
                guard ils_txn_state(connection.db.handle, nil) == SQLITE_TXN_WRITE else {
                    return connection.all { $0.rolledBack() }
                }
                // Where SQLite keeps no statement journal the change itself stays: then only the whole transaction can
                // be rolled back, and must be.
                connection.poison = connection.poison ?? (error.message, connection.level)
                if !connection.isEnlisted { connection.takeCommitHooks() }
            }
        }
    }

    private func capture(_ count: Int, _ arguments: UnsafePointer<OpaquePointer?>) throws(SQLiteLedgerError) {
        let call = ils_value_int64(arguments[0])
        if call == 4 {
            let parts = self.parts ?? SavedValues()
            for index in 2..<max(2, count) { parts.append(copying: arguments[index]) }
            self.parts = parts
            return
        }
        guard !isInternal else { throw .refused("a ledger table cannot be written from within the ledger") }
        if isStampDue { throw missingStamp() }
        isInternal = true
        defer { isInternal = false }
        if !isReady { try prepareTransaction(isCapturing: true) }
        if !hasHook { try checkWithoutHook() }
        let parts = self.parts
        self.parts = nil
        let id = ils_value_int64(arguments[1])
        guard id > 0, id < Int64(slots.count), case let slot = slots[Int(id)], slot >= 0 else {
            throw .refused("ledger table \(id) is not known; the ledger of this database is damaged")
        }
        if hasHook {
            outstanding -= 1
            guard outstanding >= 0 else {
                outstanding = 0
                throw .refused(
                    """
                    a change of ledger table '\(tables[slot].description.table)' was not announced by SQLite: leave the \
                    connection's pre-update hook to the ledger (Tcl takes it with every hook that it sets; loading the \
                    extension again, or SELECT ledger_take_hooks(), takes it back)
                    """)
            }
        }
        try dispatch(call, slot, count, arguments, parts)
        // A change that was kept back may go on now.
        while !events.isEmpty, let deferred = nextDeferred() { try dispatchSaved(deferred) }
    }

    /// A capture call that was kept for later.
    func dispatchSaved(_ event: RowEvent) throws(SQLiteLedgerError) {
        guard let saved = event.deferred, saved.values.count >= 2, let first = saved.values[0] else { return }
        // The trigger that would write the stamp has gone on.
        let call = ils_value_int64(first) == 5 ? 1 : ils_value_int64(first)
        try saved.withValues { (base, count) throws(SQLiteLedgerError) in
            try dispatch(call, event.slot, count, base, nil, deferred: event)
        }
    }

    private func dispatch(
        _ call: Int64, _ slot: Int, _ count: Int, _ arguments: UnsafePointer<OpaquePointer?>, _ parts: SavedValues?,
        deferred: RowEvent? = nil
    ) throws(SQLiteLedgerError) {
        let table = tables[slot]
        if let drift = table.drift { throw .refused(drift) }
        // The header: the call, the table, and the row ids of tables that have them.
        var header = 2
        var oldRow: Int64 = 0
        var newRow: Int64 = 0
        if table.hasRowID {
            header = call == 2 ? 4 : 3
            guard count >= header else { throw .refused("a trigger of table \(table.id) is damaged") }
            oldRow = ils_value_int64(arguments[2])
            newRow = call == 2 ? ils_value_int64(arguments[3]) : oldRow
        }
        let operation = call == 1 || call == 5 ? SQLITE_INSERT : call == 2 ? SQLITE_UPDATE : SQLITE_DELETE
        var event = deferred
        // One announcement and its capture at once, and the trigger knows all: nearly always.
        if deferred == nil, events.isEmpty || !takesOnlyEvent(operation, table, slot, oldRow, newRow) {
            if !events.isEmpty {
                let taken = takeEvent(
                    operation, slot: slot, oldRow: oldRow, newRow: newRow, arguments: arguments, count: count,
                    parts: parts)
                guard let taken else { return }
                event = taken
            }
            // The trigger was compiled with another name for the row id, which a column may have now.
            if event == nil, table.hasStaleRowID {
                throw .refused(
                    """
                    the columns of ledger table '\(table.description.table)' gave its row id another name: run \
                    SELECT ledger_refresh() and try again
                    """)
            }
        }
        let given = parts?.values.count ?? (count - header)
        let whole = call == 2 ? 2 * table.storedCount : table.storedCount
        if given != whole, let event, event.old != nil || event.new != nil {
            // The trigger was made before columns were added: SQLite itself said what the row is.
            let values = table.completed(event)
            return try values.withValues { (base, count) throws(SQLiteLedgerError) in
                try perform(call, slot, oldRow, newRow, base, count, event)
            }
        }
        if let event, event.followsNested, let old = event.old {
            let given = parts ?? SavedValues(copying: arguments + header, count: count - header)
            let values = try updated(given, table, row: oldRow, to: table.recorded(old))
            return try values.withValues { (base, count) throws(SQLiteLedgerError) in
                try perform(call, slot, oldRow, newRow, base, count, event)
            }
        }
        if operation == SQLITE_DELETE, let old = event?.old, table.hasRowID, parts == nil,
            old.hasTexts(in: arguments + header, count: count - header)
        {
            // A foreign key whose child has another type: SQLite converts the parent's values before it tells triggers.
            return try table.recorded(old).withValues { (base, count) throws(SQLiteLedgerError) in
                try perform(call, slot, oldRow, newRow, base, count, event)
            }
        }
        guard let parts else {
            return try perform(call, slot, oldRow, newRow, arguments + header, count - header, event)
        }
        try parts.withValues { (base, count) throws(SQLiteLedgerError) in
            try perform(call, slot, oldRow, newRow, base, count, event)
        }
    }

    /// What a trigger brought, with the values `old` that the row really had before. What a BEFORE trigger changed is a
    /// whole record; of others the last columns may be missing, but are in no version of theirs either.
    private func updated(
        _ given: SavedValues, _ table: TableState, row: Int64, to old: SavedValues
    ) throws(SQLiteLedgerError) -> SavedValues {
        let all = SavedValues()
        try given.withKey(of: table, row: row) { (values, key) throws(SQLiteLedgerError) in
            let start = try readStamp(table, key)
            let known = min(start.map { table.version(at: $0).storedCount } ?? 0, old.values.count)
            for index in given.values.indices { all.append(copying: index < known ? old.values[index] : values[index]) }
        }
        return all
    }

    /// One row operation with its values: of the new row (1), the old and the new one (2), or the old one (3).
    private func perform(
        _ call: Int64, _ slot: Int, _ oldRow: Int64, _ newRow: Int64, _ values: UnsafePointer<OpaquePointer?>,
        _ count: Int, _ event: RowEvent?
    ) throws(SQLiteLedgerError) {
        let table = tables[slot]
        if table.leaves.leafCount == 0 { touch(slot) }
        switch call {
        case 1, 5:
            let new = RowKey(row: newRow, values: values)
            if !events.isEmpty { try drainDeletes(of: slot, replacing: new, was: nil, event: event) }
            // What is captured after this row may need its stamp before the trigger could write it.
            guard call == 5, hasHook, events.isEmpty else { return try create(table, new, values, count) }
            stampSequence = table.leaves.leafCount
            try create(table, new, values, count, isStamped: true)
            isStampDue = true
        case 2:
            let half = count / 2
            if table.hasVirtualColumns, let stored = try stored(values, half, table, row: newRow) {
                return try stored.withValues { (base, count) throws(SQLiteLedgerError) in
                    try update(slot, oldRow, newRow, base, count, event)
                }
            }
            try update(slot, oldRow, newRow, values, count, event)
        default:
            let old = RowKey(row: oldRow, values: values)
            // Without a stamp it was ledgered already, or never: nothing ends then.
            guard let start = try readStamp(table, old) else { return }
            try end(table, old, values, count: count, start: start, isComplete: count == table.storedCount)
            try deleteStamp(table, old)
        }
    }

    /// A changed row: its old values and then its new ones.
    private func update(
        _ slot: Int, _ oldRow: Int64, _ newRow: Int64, _ values: UnsafePointer<OpaquePointer?>, _ count: Int,
        _ event: RowEvent?
    ) throws(SQLiteLedgerError) {
        let table = tables[slot]
        let half = count / 2
        let old = RowKey(row: oldRow, values: values)
        let new = RowKey(row: newRow, values: values + half)
        if !events.isEmpty { try drainDeletes(of: slot, replacing: new, was: old, event: event) }
        // The ended leaf comes first, so the new version's number is known already.
        let sequence = table.leaves.leafCount + 1
        guard let start = try moveStamp(table, from: old, to: new, sequence: sequence) else {
            throw .refused(
                """
                a row of ledger table '\(table.description.table)' was not written through the ledger, so it \
                cannot be changed; verify the database
                """)
        }
        try end(table, old, values, count: half, start: start, isComplete: half == table.storedCount)
        try create(table, new, values + half, half, isStamped: true)
    }

    /// The same values with those that SQLite stores otherwise than it tells triggers, or `nil` when there are none: where a
    /// column without affinity takes a whole number from a virtual REAL column with an index, triggers are told of a real
    /// number and the table gets an integer (SQLite 3.40). `half`: where the new values begin.
    private func stored(
        _ values: UnsafePointer<OpaquePointer?>, _ half: Int, _ table: TableState, row: Int64
    ) throws(SQLiteLedgerError) -> SavedValues? {
        let new = values + half
        let doubtful = (0..<half).filter { new[$0].map(Self.isWholeReal) ?? false }
        guard !doubtful.isEmpty, half == table.storedCount,
            let read = try readRow(table, RowKey(row: row, values: new))
        else { return nil }
        let wrong = doubtful.filter { place in
            guard let value = read.values[place], ils_value_type(value) == SQLITE_INTEGER else { return false }
            return Double(ils_value_int64(value)) == ils_value_double(new[place])
        }
        guard !wrong.isEmpty else { return nil }
        let all = SavedValues(copying: values, count: half)
        for place in 0..<half { all.append(copying: wrong.contains(place) ? read.values[place] : new[place]) }
        return all
    }

    private static func isWholeReal(_ value: OpaquePointer) -> Bool {
        ils_value_type(value) == SQLITE_FLOAT && Int64(exactly: ils_value_double(value)) != nil
    }

    /// Nothing comes between a capture call and the stamp that its trigger writes, unless there is one already and the
    /// statement goes on past errors (`INSERT OR IGNORE`).
    func missingStamp() -> SQLiteLedgerError {
        isStampDue = false
        return .refused(
            """
            a new row of a ledger table could not be stamped, because the ledger knows a row in its place that was not \
            deleted through the ledger; verify the database
            """)
    }

    /// The table has leaves in this transaction.
    func touch(_ slot: Int) {
        if !touched.contains(slot) { touched.append(slot) }
    }

    // MARK: Leaves

    /// Ledgers a row version that begins. `isStamped`: its row has its stamp already.
    private func create(
        _ table: TableState, _ key: RowKey, _ values: UnsafePointer<OpaquePointer?>, _ count: Int,
        isStamped: Bool = false
    ) throws(SQLiteLedgerError) {
        guard count == table.storedCount else {
            // The trigger was made before columns were added: the row itself knows their values.
            guard let whole = try readRow(table, key) else { return }
            return try whole.withKey(of: table, row: key.row) { (values, wholeKey) throws(SQLiteLedgerError) in
                try create(table, wholeKey, values, table.storedCount, isStamped: isStamped)
            }
        }
        let sequence = table.leaves.leafCount
        encoder.begin(
            operation: .created, table: table.id, schema: table.current.digest, transaction: transaction,
            sequence: LeafNumber(sequence), columnCount: count)
        Self.encode(values, count, isUTF8, into: &encoder)
        try append(table, encoder.finish())
        if !isStamped { try insertStamp(table, key, sequence: sequence) }
    }

    /// Ledgers a row that was there before its table was a ledger table.
    func adopt(
        _ table: TableState, _ key: RowKey, _ values: UnsafePointer<OpaquePointer?>, _ count: Int
    ) throws(SQLiteLedgerError) {
        if table.leaves.leafCount == 0, slots.indices.contains(Int(table.id.rawValue)) {
            touch(slots[Int(table.id.rawValue)])
        }
        try create(table, key, values, count)
    }

    /// Ledgers a row version that ends and moves it to the history. The stamp stays.
    /// `isComplete`: `values` has a value for each stored column; otherwise the last ones may be missing or unknown.
    func end(
        _ table: TableState, _ key: RowKey, _ values: UnsafePointer<OpaquePointer?>, count: Int, start: RowStart,
        isComplete: Bool
    ) throws(SQLiteLedgerError) {
        let version = table.version(at: start)
        guard version.storedCount <= count else {
            // A statement that was compiled before columns were added, and changes a row twice: only the hook knows what the
            // row was in between.
            if !hasHook, table.hasStaleTriggers {
                throw .refused(
                    """
                    columns were added to ledger table '\(table.description.table)' and this SQLite library has no \
                    pre-update hook: run SELECT ledger_refresh() and try again
                    """)
            }
            throw .refused("a trigger of ledger table '\(table.description.table)' is damaged; verify the database")
        }
        if table.leaves.leafCount == 0, slots.indices.contains(Int(table.id.rawValue)) {
            touch(slots[Int(table.id.rawValue)])
        }
        let sequence = table.leaves.leafCount
        encoder.begin(
            operation: .ended, table: table.id, schema: version.digest, transaction: transaction,
            sequence: LeafNumber(sequence), start: start, columnCount: version.storedCount)
        Self.encode(values, version.storedCount, isUTF8, into: &encoder)
        try append(table, encoder.finish())
        // Values that are not known are the history's defaults.
        let kept = isComplete && table.hasHistory(of: count) ? count : version.storedCount
        try insertHistory(table, values, kept, start: start, sequence: sequence)
    }

    @inline(__always)
    private func append(_ table: TableState, _ leaf: Digest32) throws(SQLiteLedgerError) {
        let full = table.append(leaf, stored: encoder.storedLeaf(leaf), level: level)
        if let full { try store(full, of: table) }
    }

    @inline(never)
    private func store(
        _ full: (chunk: UInt64, bytes: [UInt8]), of table: TableState
    ) throws(SQLiteLedgerError) {
        try store(chunk: full.chunk, of: Int64(bitPattern: table.id.rawValue), full.bytes)
        guard let roots = table.leaves.takeRootChunk() else { return }
        try store(chunk: roots.number, of: LeafChunk.rootsKey(of: table.id), roots.bytes)
    }

    /// Ledgers a row of the built-in table of schema events.
    func append(event: SchemaEvent) throws(SQLiteLedgerError) {
        let sequence = eventLeaves.leaves.leafCount
        let values = event.values
        encoder.begin(
            operation: .created, table: .schemaEvents, schema: TableSchema.schemaEventsDigest,
            transaction: transaction, sequence: LeafNumber(sequence), columnCount: values.count)
        for value in values { encoder.append(value) }
        try append(eventLeaves, encoder.finish())
        try db.run(
            """
            INSERT INTO \(db.schema).ledger_schema_events(transaction_id, sequence_number, event_type, table_id, body)
            VALUES(?, ?, ?, ?, ?)
            """,
            [.integer(Int64(bitPattern: transaction.rawValue)), .integer(Int64(bitPattern: sequence))] + values)
        hasEvents = true
    }

    /// Chunks are replaced when a commit did not succeed and the transaction went on.
    func store(chunk: UInt64, of table: Int64, _ bytes: [UInt8]) throws(SQLiteLedgerError) {
        let statement: SQLiteStatement
        if let insertChunk {
            statement = insertChunk
        } else {
            statement = try kept(
                """
                INSERT INTO \(db.schema).ledger_leaf_chunks(transaction_id, table_id, chunk, leaves) VALUES(?, ?, ?, ?)
                ON CONFLICT(transaction_id, table_id, chunk) DO UPDATE SET leaves = excluded.leaves
                """)
            insertChunk = statement
        }
        let handle = statement.handle
        ils_bind_int64(handle, 1, Int64(bitPattern: transaction.rawValue))
        ils_bind_int64(handle, 2, table)
        ils_bind_int64(handle, 3, Int64(bitPattern: chunk))
        let code = bytes.withUnsafeBytes { buffer in
            ils_bind_blob_static(handle, 4, buffer.baseAddress, UInt64(buffer.count))
            return ils_step(handle)
        }
        try finish(handle, code)
        // Inserts run no other statement of ours that would notice a change of the schema within the transaction.
        if try readSchemaCookie() != cookie { isReady = false }
    }

    @inline(__always)
    static func encode(
        _ values: UnsafePointer<OpaquePointer?>, _ count: Int, _ isUTF8: Bool, into encoder: inout RowLeafEncoder
    ) {
        guard isUTF8 else {
            // Texts are converted as copies: the history gets what is no Unicode as it is.
            let copies = SavedValues(copying: values, count: count)
            return withExtendedLifetime(copies) { for value in copies.values { encoder.append(value) } }
        }
        for index in 0..<count { encoder.append(values[index], isUTF8: true) }
    }

    /// Ends one execution of a kept statement that returns no rows.
    @inline(__always)
    func finish(_ handle: OpaquePointer, _ code: Int32) throws(SQLiteLedgerError) {
        if code != SQLITE_DONE && code != SQLITE_ROW { try failed(handle, code) }
        ils_reset(handle)
    }

    @inline(never)
    private func failed(_ handle: OpaquePointer, _ code: Int32) throws(SQLiteLedgerError) {
        let error = SQLiteLedgerError.last(of: db.handle, code: code)
        ils_reset(handle)
        throw SQLiteLedgerError(code: error.code, message: "the ledger could not be written: \(error.message)")
    }
}
