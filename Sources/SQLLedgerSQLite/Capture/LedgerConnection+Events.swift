import CSQLiteLedger
import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Row events: what the pre-update hook announces before triggers run.
//
// Triggers bring the values; the hook adds what they cannot know: rows that a REPLACE deletes without a trigger's being
// told, which database a call of the capture function is for, and the order of changes when a
// trigger of the user's runs before ours and changes the same row again.
extension LedgerConnection {
    static let preupdate: ils_preupdate = { context, handle, operation, database, table, oldRow, newRow in
        guard let context, let handle, let database, let table else { return }
        Unmanaged<LedgerConnection>.fromOpaque(ils_hooked(context))._withUnsafeGuaranteedRef {
            guard isMain(database) else {
                return $0.announcedElsewhere(handle, operation, database, table, oldRow, newRow)
            }
            guard !$0.isInternal else { return }
            if $0.announced(handle, operation, table, oldRow, newRow) { $0.announcer = nil }
        }
    }

    /// A row operation of the ledger's own database. Returns whether it may be one of a ledger table.
    func announced(
        _ handle: OpaquePointer, _ operation: Int32, _ name: UnsafePointer<CChar>, _ oldRow: Int64, _ newRow: Int64
    ) -> Bool {
        if isStampDue, strncmp(name, "ledger_stamps_", 14) == 0 {
            // An INSERT OR REPLACE deletes the stamp that must not be there.
            if operation == SQLITE_INSERT { isStampDue = false } else { poisonMissingStamp() }
            return false
        }
        let slot = slot(of: name)
        guard slot >= 0 else {
            guard !isReady else { return false }
            stranger(handle, operation, name, oldRow, newRow)
            return true
        }
        if !isEnlisted { forgetEarlier(handle) }
        let table = tables[slot]
        outstanding += 1
        // Asked now, because they may be on again when the transaction ends.
        if ils_is_triggers_enabled(handle) == 0 {
            forbid("ledger table '\(table.description.table)' was changed with triggers switched off", level)
        }
        let depth = ils_preupdate_depth(handle)
        if !events.isEmpty { settle(operation, depth) }
        let followsNested =
            (depth > 0 || table.nestedDepth > 0)
            && table.follows(operation, depth: depth, oldRow: oldRow, newRow: newRow)
        // Columns were added or dropped since the table was looked at.
        let count = Int(ils_preupdate_count(handle))
        if count != table.storedCount {
            isStale = true
            isReady = false
        }
        guard operation == SQLITE_DELETE else {
            var event = RowEvent(
                operation: operation, slot: slot, oldRow: oldRow, newRow: newRow, depth: depth, level: level,
                isCertain: operation == SQLITE_UPDATE && isEnlisted && isReady)
            if followsNested, !table.hasVirtualColumns {
                event.followsNested = true
                event.old = save(handle, count: count, byColumn: !table.hasRowID)
            }
            if count != table.storedCount || table.hasStaleTriggers || isStale {
                if operation == SQLITE_UPDATE { event.old = save(handle, count: count, byColumn: !table.hasRowID) }
                event.new = save(
                    handle, count: count, isNew: true, byColumn: !table.hasRowID && operation == SQLITE_INSERT)
            }
            events.append(event)
            return true
        }
        guard ils_preupdate_blobwrite(handle) < 0 else {
            outstanding -= 1
            forbid("incremental writing of blobs is not possible in ledger table '\(table.description.table)'", level)
            return false
        }
        if events.count >= 4_096 { events.removeFirst(2_048) }
        let saved = save(handle, count: count, byColumn: !table.hasRowID)
        events.append(
            RowEvent(
                operation: operation, slot: slot, oldRow: oldRow, newRow: newRow, depth: depth, level: level,
                followsNested: followsNested && !table.hasVirtualColumns, old: saved))
        return true
    }

    /// What was announced in a transaction that captured nothing is no matter of the next one, and nobody is told of its
    /// commit.
    private func forgetEarlier(_ handle: OpaquePointer) {
        if parts != nil { parts = nil }
        let version = ils_data_version(handle, db.schemaName)
        guard version != eventsVersion else { return }
        eventsVersion = version
        if !events.isEmpty { events.removeAll() }
        if !missed.isEmpty { missed.removeAll() }
        outstanding = 0
    }

    /// A new row operation: whatever is left of earlier ones beside or within it but what it deletes itself was undone, or
    /// is missed.
    private func settle(_ operation: Int32, _ depth: Int32) {
        for event in events where event.depth >= depth { miss(event) }
        events.removeAll { $0.depth >= depth && Self.isUncaptured($0) }
        guard operation != SQLITE_DELETE else { return }
        for place in events.indices where events[place].depth >= depth { events[place].isUntold = true }
    }

    private static func isUncaptured(_ event: RowEvent) -> Bool {
        event.operation != SQLITE_DELETE && event.deferred == nil
    }

    private func miss(_ event: RowEvent) {
        guard Self.isUncaptured(event) else { return }
        let changes = MissedChanges(event, hasRowID: tables[event.slot].hasRowID)
        missed[event.slot, default: changes].add(changes)
    }

    var missesChanges: Bool { !missed.isEmpty || events.contains(where: Self.isUncaptured) }

    /// Before the commit: throws when a change that was announced is in a ledger table, and nothing captured it.
    func checkMissed() throws(SQLiteLedgerError) {
        for event in events { miss(event) }
        guard !missed.isEmpty else { return }
        for (slot, changes) in missed where slots.contains(slot) && tables[slot].drift == nil {
            let table = tables[slot]
            let isCertain = changes.level == nil ? false : try readSchemaCookie() == cookie
            guard isCertain ? true : try hasUnstamped(table, changes.rows) else { continue }
            throw .refused(
                """
                a change of ledger table '\(table.description.table)' was not recorded, because the statement ended before the \
                ledger's trigger, so the transaction must be rolled back
                """)
        }
    }

    /// Byte by byte, because a string literal would be made into a C string for every row.
    @inline(__always)
    static func isMain(_ name: UnsafePointer<CChar>) -> Bool {
        name[0] == 0x6D && name[1] == 0x61 && name[2] == 0x69 && name[3] == 0x6E && name[4] == 0
    }

    /// The old or the new values of the announced row, of stored columns only.
    /// - Parameter byColumn: SQLite wants the columns' own numbers, those of virtual columns among them, which it refuses.
    private func save(
        _ handle: OpaquePointer, count: Int, isNew: Bool = false, byColumn: Bool = false
    ) -> SavedValues {
        let saved = SavedValues()
        var place: Int32 = 0
        let end = byColumn ? Self.columnLimit : Int32(truncatingIfNeeded: count)
        while saved.values.count < count, place < end {
            var value: OpaquePointer?
            let code = isNew ? ils_preupdate_new(handle, place, &value) : ils_preupdate_old(handle, place, &value)
            place += 1
            if code == SQLITE_OK, !isNew, value == ils_missing_value() {
                saved.appendMissing()
            } else if code == SQLITE_OK || !byColumn {
                saved.append(copying: code == SQLITE_OK ? value : nil)
            }
        }
        return saved
    }

    /// No table has more columns.
    private static let columnLimit: Int32 = 32_767

    private func slot(of name: UnsafePointer<CChar>) -> Int {
        if let lastName, strcmp(lastName, name) == 0 { return lastSlot }
        if let lastStranger, strcmp(lastStranger, name) == 0 { return -1 }
        if let slot = slotsByName[SQLName.folded(String(cString: name))] {
            lastSlot = slot
            lastName = names[slot]
            return slot
        }
        free(lastStranger)
        lastStranger = strdup(name)
        lastStrangerChanges = 0
        return -1
    }

    /// A change of a table that is no ledger table as far as is known, before the schema of the transaction has been
    /// looked at: a plain one, or one that another connection has made a ledger table or renamed since.
    private func stranger(
        _ handle: OpaquePointer, _ operation: Int32, _ name: UnsafePointer<CChar>, _ oldRow: Int64, _ newRow: Int64
    ) {
        // It counts commits, of which the ledger is not told while none of its tables is written.
        let version = ils_data_version(handle, db.schemaName)
        if version != strangersVersion {
            strangersVersion = version
            strangers.removeAll()
            lastStrangerChanges = 0
        }
        // The trigger of a ledger table would have called long ago.
        guard lastStrangerChanges < 64 else { return }
        lastStrangerChanges += 1
        let depth = ils_preupdate_depth(handle)
        strangers.removeAll { $0.event.depth >= depth && $0.event.operation != SQLITE_DELETE }
        let saved = operation == SQLITE_DELETE ? save(handle, count: Int(ils_preupdate_count(handle))) : nil
        if strangers.count >= 256 { strangers.removeFirst(128) }
        let event = RowEvent(
            operation: operation, slot: -1, oldRow: oldRow, newRow: newRow, depth: depth, level: level, old: saved)
        strangers.append((String(cString: name), event))
    }

    /// Strangers that turned out to be ledger tables become events.
    func resolveStrangers() {
        defer { strangers.removeAll() }
        for stranger in strangers {
            guard let slot = slotsByName[SQLName.folded(stranger.name)] else { continue }
            var event = stranger.event
            event.slot = slot
            // SQLite has told of no savepoint before.
            event.level = level
            _ = tables[slot].follows(event.operation, depth: event.depth, oldRow: event.oldRow, newRow: event.newRow)
            settle(event.operation, event.depth)
            events.append(event)
            outstanding += 1
        }
    }

    /// Takes the event of a capture call out of the list, if it is the only one there and says nothing that the call does
    /// not say.
    @inline(__always)
    func takesOnlyEvent(_ operation: Int32, _ table: TableState, _ slot: Int, _ oldRow: Int64, _ newRow: Int64) -> Bool
    {
        guard events.count == 1, table.hasRowID else { return false }
        let isPlain = events.withUnsafeBufferPointer { events in
            events[0].operation == operation && events[0].slot == slot && events[0].depth == 0
                && !events[0].followsNested && events[0].old == nil && events[0].new == nil && events[0].deferred == nil
                && (operation == SQLITE_DELETE || events[0].newRow == newRow)
                && (operation == SQLITE_INSERT || events[0].oldRow == oldRow)
        }
        if isPlain { events.removeLast() }
        return isPlain
    }

    /// Takes the event of a capture call out of the list; there is none when the row was ledgered already. Returns `nil`
    /// when an earlier change of the same row must be captured first; then the call's arguments are kept with its event.
    func takeEvent(
        _ operation: Int32, slot: Int, oldRow: Int64, newRow: Int64, arguments: UnsafePointer<OpaquePointer?>,
        count: Int, parts: SavedValues?
    ) -> RowEvent?? {
        // One announcement and its capture at once: nearly always.
        if events.count == 1, tables[slot].hasRowID, events[0].operation == operation, events[0].slot == slot,
            events[0].deferred == nil, operation == SQLITE_DELETE || events[0].newRow == newRow,
            operation == SQLITE_INSERT || events[0].oldRow == oldRow
        {
            return events.removeLast()
        }
        let hasRowID = tables[slot].hasRowID
        let place = events.lastIndex { event in
            guard event.operation == operation, event.slot == slot, event.deferred == nil, !event.isUntold else {
                return false
            }
            guard hasRowID else { return true }
            return switch operation {
            case SQLITE_INSERT: event.newRow == newRow
            case SQLITE_DELETE: event.oldRow == oldRow
            default: event.oldRow == oldRow && event.newRow == newRow
            }
        }
        guard let place else { return .some(nil) }
        if place > 0, isBlocked(place) {
            let saved = SavedValues(copying: arguments, count: count)
            for value in parts?.values ?? [] { saved.append(copying: value) }
            events[place].deferred = saved
            return nil
        }
        return take(place)
    }

    private func take(_ place: Int) -> RowEvent {
        var event = events.remove(at: place)
        event.place = place
        return event
    }

    /// Whether an earlier change of the same row has not been captured yet, or one of a row that this one replaced.
    private func isBlocked(_ place: Int) -> Bool {
        let event = events[place]
        let hasRowID = tables[event.slot].hasRowID
        return events.indices.prefix(place).contains { index in
            let earlier = events[index]
            guard earlier.slot == event.slot else { return false }
            // What a REPLACE deleted is captured with the row that replaces it.
            if earlier.isUntold, earlier.deferred == nil, earlier.depth >= event.depth { return isBlocked(index) }
            return !hasRowID || earlier.sharesRow(with: event)
        }
    }

    /// The first kept capture call that nothing is in the way of any more.
    func nextDeferred(evenIfBlocked: Bool = false) -> RowEvent? {
        guard
            let place = events.indices.first(where: { events[$0].deferred != nil && (evenIfBlocked || !isBlocked($0)) })
        else { return nil }
        return take(place)
    }

    /// Ledgers the rows of `slot` that were deleted without a trigger's being told. `replacing`: the row that is being
    /// captured, and for an UPDATE the one that it was before; `event` announced it.
    func drainDeletes(
        of slot: Int, replacing new: RowKey?, was old: RowKey?, event: RowEvent? = nil
    ) throws(SQLiteLedgerError) {
        let table = tables[slot]
        // What is further out is still under way, and what came later is captured later.
        let depth = event?.depth ?? 0
        var end = event?.place ?? events.count
        // Newest first: of several events on one row only the newest has its last values.
        while let place = events.prefix(end).lastIndex(where: {
            $0.slot == slot && $0.operation == SQLITE_DELETE && $0.old != nil && $0.deferred == nil && $0.depth >= depth
        }) {
            end = place
            let event = events.remove(at: place)
            guard let saved = event.old.map(table.recorded) else { continue }
            try saved.withKey(of: table, row: event.oldRow) { (values, key) throws(SQLiteLedgerError) in
                guard let start = try readStamp(table, key) else { return }
                var isReplaced = false
                if let new, let newStart = try readStamp(table, new), newStart == start {
                    // The version of the row being written is the deleted one, unless it is what an UPDATE changes.
                    isReplaced = true
                    if let old, let oldStart = try readStamp(table, old), oldStart == start { isReplaced = false }
                }
                if !isReplaced, !isMadeAgain(key, in: slot, from: end), try rowExists(table, key) { return }
                guard table.description.kind == .updatable else {
                    throw .refused(
                        """
                        Updates are not allowed for the append only Ledger table '\(table.description.table)'. \
                        (REPLACE would delete a row.)
                        """)
                }
                guard !table.hasVirtualColumns else {
                    throw .refused(
                        """
                        REPLACE in ledger table '\(table.description.table)', which has generated columns, needs \
                        PRAGMA recursive_triggers = ON; run it on this connection and try again
                        """)
                }
                let count = saved.values.count
                try self.end(table, key, values, count: count, start: start, isComplete: count == table.storedCount)
                try deleteStamp(table, key)
            }
        }
    }

    /// Whether a change that is kept back, among the events from `place` on, makes a row with that key.
    private func isMadeAgain(_ key: RowKey, in slot: Int, from place: Int) -> Bool {
        let table = tables[slot]
        return events.suffix(from: place).contains { event in
            guard let call = event.deferred, event.slot == slot, event.operation != SQLITE_DELETE else { return false }
            guard !table.hasRowID else { return event.newRow == key.row }
            // The new row's values are the last ones of the call.
            let first = call.values.count - table.storedCount
            return first >= 0 && table.keyIndices.allSatisfy { call.isSame(at: first + $0, as: key.values[$0]) }
        }
    }
}
