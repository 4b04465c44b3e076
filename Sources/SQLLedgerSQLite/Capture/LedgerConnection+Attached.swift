import CSQLiteLedger
import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Attached databases: each that is written to has a `LedgerConnection` of its own beside the one of `main`, which is what
// SQLite knows and passes everything on. Its functions and its virtual table are the connection's, so the triggers of all
// ledgers call the same capture function; which ledger a call is for is what the pre-update hook announced.
extension LedgerConnection {
    /// The ledger of the database `name`, made when it is not known yet; `nil` for `temp`, which has none. Reads nothing.
    func ledger(of name: UnsafePointer<CChar>) -> LedgerConnection? {
        if strcmp(name, "main") == 0 { return self }
        if let place = place(of: name) { return attached[place] }
        guard strcmp(name, "temp") != 0 else { return nil }
        let ledger = LedgerConnection(attached: String(cString: name), to: self)
        attached.append(ledger)
        attachedNames.append(strdup(name))
        return ledger
    }

    private func place(of name: UnsafePointer<CChar>) -> Int? {
        attachedNames.firstIndex { known in known.map { strcmp($0, name) == 0 } ?? false }
    }

    /// A row operation of another database than `main`.
    @inline(never)
    func announcedElsewhere(
        _ handle: OpaquePointer, _ operation: Int32, _ database: UnsafePointer<CChar>,
        _ name: UnsafePointer<CChar>, _ oldRow: Int64, _ newRow: Int64
    ) {
        // Our own statements write in one database only.
        guard let ledger = ledger(of: database), !ledger.isInternal else { return }
        if ledger.announced(handle, operation, name, oldRow, newRow) { announcer = place(of: database) }
    }

    /// Some ledger of the connection runs SQL of its own.
    var isAnyInternal: Bool { isInternal || attached.contains { $0.isInternal } }

    /// The ledger whose trigger called last.
    var active: LedgerConnection { activePlace.map { attached[$0] } ?? self }

    /// The same, at no cost where nothing is attached.
    @inline(__always)
    var calling: LedgerConnection { attached.isEmpty ? self : active }

    /// Which ledger a capture call is for: the one whose announcement was the last, unless it announced no such thing and
    /// another did. (Temporary triggers write to other databases than their own.)
    @inline(never)
    func findActive(_ count: Int, _ arguments: UnsafePointer<OpaquePointer?>) -> LedgerConnection {
        activePlace = announcer
        let newest = active
        guard !newest.expects(count, arguments) else { return newest }
        for place in [nil] + attached.indices.map(Optional.some) where place != announcer {
            activePlace = place
            if active.expects(count, arguments) { return active }
        }
        activePlace = announcer
        return newest
    }

    /// Whether the operation of a capture call was announced for this ledger and not captured yet.
    private func expects(_ count: Int, _ arguments: UnsafePointer<OpaquePointer?>) -> Bool {
        guard !events.isEmpty || !strangers.isEmpty, !isInternal else { return false }
        try? withInternal { () throws(SQLiteLedgerError) in try noticeReattachment() }
        if isStale {
            try? withInternal { () throws(SQLiteLedgerError) in try load() }
            // For whoever writes: nothing was compared.
            isStale = true
        }
        let id = ils_value_int64(arguments[1])
        guard id > 0, id < Int64(slots.count), case let slot = slots[Int(id)], slot >= 0 else { return false }
        let call = ils_value_int64(arguments[0])
        // The first parts of a wide row say no more.
        guard call != 4 else { return true }
        let operation = call == 1 || call == 5 ? SQLITE_INSERT : call == 2 ? SQLITE_UPDATE : SQLITE_DELETE
        let table = tables[slot]
        let oldRow = table.hasRowID && count > 2 ? ils_value_int64(arguments[2]) : 0
        let newRow = table.hasRowID && count > 3 && call == 2 ? ils_value_int64(arguments[3]) : oldRow
        func isSame(_ event: RowEvent) -> Bool {
            event.operation == operation && event.deferred == nil
                && (!table.hasRowID
                    || (operation == SQLITE_DELETE || event.newRow == newRow)
                        && (operation == SQLITE_INSERT || event.oldRow == oldRow))
        }
        return events.contains { $0.slot == slot && isSame($0) }
            || strangers.contains { slotsByName[SQLName.folded($0.name)] == slot && isSame($0.event) }
    }

    /// What was attached may be another file now: SQLite compiles statements anew after each DETACH.
    func noticeReattachment() throws(SQLiteLedgerError) {
        guard root != nil, transaction.rawValue == 0 else { return }
        let isNew = readCookie == nil
        _ = try readSchemaCookie()
        let count = readCookie.map { ils_reprepares($0.handle) } ?? 0
        guard isNew || count != cookieReprepares else { return }
        cookieReprepares = count
        isStale = true
        guard let known = ledger else { return }
        let found = try? db.value("SELECT ledger_id FROM \(db.schema).ledger_identity WHERE id = 1")
        guard found != .blob(known.bytes) else { return }
        // Another ledger: what was announced keeps its name only, because the numbers of tables are not the same.
        for event in events where event.slot < tables.count {
            strangers.append((tables[event.slot].description.table, event))
            outstanding -= 1
        }
        events.removeAll()
        missed.removeAll()
        ledger = nil
        hasLooked = false
        tables = []
        slots = []
        slotsByName = [:]
        forgetNames()
    }
}
