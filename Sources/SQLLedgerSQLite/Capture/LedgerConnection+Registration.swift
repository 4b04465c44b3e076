import CSQLiteLedger
import SQLLedger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension LedgerConnection {
    /// Registers the ledger with a connection. On a connection that has it, only the options are set.
    /// - Returns: what was registered; `nil` on a connection that had it.
    @discardableResult
    static func attach(
        to handle: OpaquePointer, principal: String?, application: String?, guardsObjects: Bool, usesHook: Bool = true
    ) throws(SQLiteLedgerError) -> LedgerConnection? {
        guard ils_is_adopted() != 0 else { throw .refused("SQLite has not been loaded into this process") }
        guard ils_libversion_number() >= 3_038_000 else {
            throw .refused("the ledger needs SQLite 3.38 or newer; this is \(String(cString: ils_libversion()))")
        }
        let db = SQLiteConnection(borrowing: handle)
        if (try? db.prepare("SELECT ledger_version()")) != nil {
            if let principal { try db.run("SELECT ledger_set_principal(?)", [.text(principal)]) }
            if let application { try db.run("SELECT ledger_set_application(?)", [.text(application)]) }
            return nil
        }
        let connection = LedgerConnection(
            handle, principal: principal, application: application, guardsObjects: guardsObjects, usesHook: usesHook)
        let context = Unmanaged.passRetained(connection).toOpaque()
        // SQLite retains what it registers, and releases it when that fails.
        defer { Unmanaged<LedgerConnection>.fromOpaque(context).release() }
        var code = ils_register(handle, Self.callbacks, context)
        for function in SQLFunction.all where code == SQLITE_OK {
            code = ils_function(
                handle, function.name, function.argumentCount, function.isDirectOnly ? 1 : 0, Self.callbacks, context,
                function.body)
        }
        guard code == SQLITE_OK else { throw .last(of: handle, code: code) }
        if connection.hasHook {
            connection.takePreupdateHook()
        } else {
            // Without the hook only delete triggers tell what a REPLACE deletes.
            try db.execute("PRAGMA recursive_triggers = ON")
        }
        // A database that is locked or no database at all: what there is to know is read before the first write.
        try? connection.withInternal { () throws(SQLiteLedgerError) in try connection.load() }
        guard guardsObjects, connection.ledger != nil else { return connection }
        if connection.allTables { connection.takeWALHook() }
        // Naming it connects it: definitions that are changed last of all are ledgered when the connection closes.
        _ = try? db.prepare("SELECT 1 FROM main.\(ILS_CLOSING)")
        return connection
    }

    /// The connection that a callback's context is.
    @inline(__always)
    static func of(_ context: UnsafeMutableRawPointer?) -> LedgerConnection? {
        context.map { Unmanaged<LedgerConnection>.fromOpaque($0).takeUnretainedValue() }
    }

    // Written once, before the first use, and only read afterwards.
    nonisolated(unsafe) static let callbacks: UnsafePointer<ils_callbacks> = {
        let made = UnsafeMutablePointer<ils_callbacks>.allocate(capacity: 1)
        made.initialize(
            to: ils_callbacks(
                retain: { context in
                    if let context { _ = Unmanaged<LedgerConnection>.fromOpaque(context).retain() }
                },
                release: { context in
                    if let context { Unmanaged<LedgerConnection>.fromOpaque(context).release() }
                },
                capture: { context, count, values in LedgerConnection.capture(context, count, values) },
                connected: { LedgerConnection.of($0)?.knowsClosing = true },
                disconnected: { context in
                    guard let connection = LedgerConnection.of(context) else { return }
                    connection.knowsClosing = false
                    connection.all { $0.dropStatements() }
                    connection.endWatch()
                    connection.lookAtAttachedBeforeClosing()
                    connection.all { $0.noticeBeforeClosing() }
                },
                begin: { context in
                    LedgerConnection.of(context)?.isEnlisted = true
                    return SQLITE_OK
                },
                sync: { context, message in
                    guard let connection = LedgerConnection.of(context) else { return SQLITE_OK }
                    do throws(SQLiteLedgerError) {
                        connection.activePlace = nil
                        try connection.sync()
                        for place in connection.attached.indices {
                            connection.activePlace = place
                            try connection.attached[place].sync()
                        }
                        return SQLITE_OK
                    } catch {
                        message?.pointee = ils_message(error.message)
                        return error.code == SQLITE_OK ? SQLITE_ERROR : error.code
                    }
                },
                commit: { LedgerConnection.of($0)?.all { $0.committed() } },
                rollback: { LedgerConnection.of($0)?.all { $0.rolledBack() } },
                // These two for every statement inside of a transaction, so without counting references.
                savepoint: { context, level in
                    guard let context else { return }
                    Unmanaged<LedgerConnection>.fromOpaque(context)._withUnsafeGuaranteedRef {
                        $0.began(Int(level))
                        for ledger in $0.attached { ledger.began(Int(level)) }
                    }
                },
                release_savepoint: { context, level in
                    guard let context else { return }
                    Unmanaged<LedgerConnection>.fromOpaque(context)._withUnsafeGuaranteedRef {
                        $0.released(Int(level))
                        for ledger in $0.attached { ledger.released(Int(level)) }
                    }
                },
                rollback_to: { context, level in LedgerConnection.of(context)?.all { $0.rolledBack(to: Int(level)) } }))
        return UnsafePointer(made)
    }()

    /// The ledgers of all databases of the connection.
    func all(_ body: (LedgerConnection) -> Void) {
        body(self)
        for ledger in attached { body(ledger) }
    }

    // MARK: Transactions

    func committed() {
        // Another file may be attached under the same name before the next one.
        left = root == nil ? written : nil
        let version = ils_data_version(db.handle, db.schemaName)
        if version == 0 { left = nil } else { left?.version = version }
        if enlistedFile != nil { enlistedVersion = version }
        endTransaction()
    }

    func rolledBack() {
        // `sqlite3_close` says that everything was rolled back before it looks whether statements are still under way, and nothing
        // was: what they wrote must not be committed later on, because nobody is told of that.
        let isOpen = ils_txn_state(db.handle, db.schemaName) == SQLITE_TXN_WRITE
        if !isOpen {
            veto = nil
        } else if isEnlisted {
            // No savepoint takes this back.
            forbid("the connection was closed in the middle of a transaction, which must be rolled back", Int.min)
        }
        if hasEvents { isStale = true }
        endTransaction()
    }

    func began(_ level: Int) {
        if isStampDue { poisonMissingStamp() }
        self.level = level
    }

    /// A row without its stamp stays unless the savepoint that it was written in is taken back.
    func poisonMissingStamp() {
        poison = poison ?? (missingStamp().message, level)
    }

    func released(_ level: Int) {
        if isStampDue { poisonMissingStamp() }
        for index in touched.indices where touched[index] < tables.count { tables[touched[index]].release(level) }
        if eventLeaves.hasMarks { eventLeaves.release(level) }
        if let poison, poison.level >= level { self.poison?.level = level - 1 }
        if let veto, veto.level >= level { self.veto?.level = level - 1 }
        if !events.isEmpty {
            for place in events.indices where events[place].level >= level { events[place].level = level - 1 }
        }
        if !missed.isEmpty { for slot in missed.keys { missed[slot]?.release(level) } }
        self.level = level - 1
    }

    func rolledBack(to level: Int) {
        for slot in touched where slot < tables.count { tables[slot].rollBack(to: level) }
        eventLeaves.rollBack(to: level)
        if hasEvents {
            isStale = true
            isReady = false
            // Histories may have been altered in what was rolled back.
            altersHistories = true
            rereadSchema()
        }
        // No row operation is under way when a savepoint or a statement is taken back; what waits for the capture of
        // others from before it stays.
        events.removeAll { $0.level >= level }
        for slot in missed.keys { missed[slot]?.rollBack(to: level) }
        parts = nil
        isStampDue = false
        outstanding = 0
        if let veto, veto.level >= level { self.veto = nil }
        if let poison, poison.level >= level { self.poison = nil }
        self.level = level
    }

    /// What SQLite has in memory of the schema can be ahead of the file when definitions of a statement are taken back. Where it
    /// notices that while a row is captured, it frees the names that it goes on telling the pre-update hook: so it shall
    /// notice now, while no statement changes rows.
    private func rereadSchema() {
        let wasInternal = isInternal
        isInternal = true
        ils_exec(db.handle, "SELECT 1 FROM \(db.schema).sqlite_schema LIMIT 1")
        isInternal = wasInternal
    }

    // MARK: Hooks of connections that are ours alone

    /// SQLite has one of each hook and does not say whose it is, so they are taken only when they are needed: the authorizer
    /// where a database of the connection has a ledger.
    func takeAuthorizer() {
        guard guardsObjects, !hasAuthorizer else { return }
        hasAuthorizer = true
        ils_set_authorizer(db.handle, Self.authorize, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Those of the commit and the rollback, where a transaction that the virtual table is not told of may not be committed.
    func takeCommitHooks() {
        guard guardsObjects else { return }
        _ = ils_commit_hook(db.handle, Self.commitHook, hookContext)
        _ = ils_rollback_hook(db.handle, Self.rollbackHook, hookContext)
    }

    func takePreupdateHook() {
        guard hasHook else { return }
        _ = ils_preupdate_hook(db.handle, Self.preupdate, hookContext)
    }

    /// Where the host has set hooks anew.
    func takeHooksBack() {
        takePreupdateHook()
        if guardsObjects, allTables { takeWALHook() }
    }

    private static let commitHook: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
        guard let connection = context.flatMap({ LedgerConnection.of(ils_hooked($0)) }) else { return 0 }
        // Of a transaction that the virtual table is told of, the table refuses the commit, and says why.
        var isRefused = connection.poison != nil && !connection.isEnlisted
        connection.all { if $0.currentVeto != nil { isRefused = true } }
        // SQLite rolls the transaction back now, and whose hook is told of that is not certain.
        if isRefused { connection.forgetRefused() }
        return isRefused ? 1 : 0
    }

    private static let rollbackHook: @convention(c) (UnsafeMutableRawPointer?) -> Void = { context in
        context.flatMap { LedgerConnection.of(ils_hooked($0)) }?.forgetRefused()
    }

    private func forgetRefused() {
        all { $0.veto = nil }
        // Otherwise the virtual table is told.
        if !isEnlisted, !isAnyInternal { all { $0.endTransaction() } }
    }

    /// The veto of the running transaction.
    var currentVeto: (message: String, level: Int, version: UInt32)? {
        // There is nobody to tell of the end of a transaction where the application has the hooks.
        if let known = veto, known.version != ils_data_version(db.handle, db.schemaName) { veto = nil }
        return veto
    }

    /// What was done may not be committed, unless savepoint `level` is taken back.
    @inline(never)
    func forbid(_ reason: String, _ level: Int) {
        if let known = currentVeto, known.level <= level { return }
        veto = (reason, level, ils_data_version(db.handle, db.schemaName))
        (root ?? self).takeCommitHooks()
    }

    func takeWALHook() {
        let before = ils_wal_hook(db.handle, Self.walHook, hookContext)
        guard before != hookContext else { return }
        // SQLite's own use of the hook: a checkpoint from so many frames on, never with 0.
        let frames = Int(bitPattern: before)
        checkpointFrames = (0...1 << 30).contains(frames) ? Int32(frames) : 1_000
    }

    private static let walHook:
        @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, Int32) -> Int32 = {
            context, handle, name, frames in
            guard let connection = context.flatMap({ LedgerConnection.of(ils_hooked($0)) }) else { return SQLITE_OK }
            let limit = connection.checkpointFrames
            if limit > 0, frames >= limit, let handle { ils_wal_checkpoint(handle, name) }
            guard !connection.isAnyInternal, let ledger = name.map(connection.ledger) ?? connection,
                ledger.allTables || ledger.sawDefinition
            else { return SQLITE_OK }
            try? ledger.enrollIfSchemaChanged()
            return SQLITE_OK
        }

    private static let authorize:
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
            UnsafePointer<CChar>?
        ) -> Int32 = { context, action, first, second, database, trigger in
            guard let connection = LedgerConnection.of(context), !connection.isAnyInternal else { return SQLITE_OK }
            connection.noteDefinition(action, in: action == SQLITE_ALTER_TABLE ? first : database)
            switch action {
            case SQLITE_DROP_TABLE, SQLITE_DROP_TRIGGER, SQLITE_DROP_VIEW, SQLITE_DROP_INDEX:
                guard let first, let ledger = connection.known(database) else { return SQLITE_OK }
                return ledger.isOurs(String(cString: first), action) ? deny(action, first) : SQLITE_OK
            case SQLITE_CREATE_TRIGGER, SQLITE_CREATE_TEMP_TRIGGER:
                // Their names let them write stamps.
                guard let first, connection.ledger != nil || !connection.attached.isEmpty else { return SQLITE_OK }
                if SQLName.folded(String(cString: first)).hasPrefix("ledger_insert_") { return SQLITE_DENY }
                guard action == SQLITE_CREATE_TRIGGER, let second, let ledger = connection.known(database) else {
                    return SQLITE_OK
                }
                return ledger.isOurs(String(cString: second), SQLITE_DROP_VIEW) ? deny(action, second) : SQLITE_OK
            case SQLITE_ALTER_TABLE:
                guard let second, connection.known(first) != nil else { return SQLITE_OK }
                return SQLName.isLedgerTable(String(cString: second)) ? SQLITE_DENY : SQLITE_OK
            case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE:
                // They have no guards of their own against this, because they are written with every row.
                guard let first, connection.known(database) != nil else { return SQLITE_OK }
                // The capture of an INSERT writes its stamp.
                if action == SQLITE_INSERT, let trigger, strncmp(trigger, "ledger_insert_", 14) == 0 {
                    return SQLITE_OK
                }
                if action == SQLITE_INSERT, LedgerObjects.withoutInsertGuard.withCString({ strcmp(first, $0) }) == 0 {
                    return SQLITE_DENY
                }
                let isHistory = action == SQLITE_INSERT && strncmp(first, "ledger_history_", 15) == 0
                guard isHistory || strncmp(first, "ledger_stamps_", 14) == 0 else { return SQLITE_OK }
                return SQLName.companion(String(cString: first)) != nil ? SQLITE_DENY : SQLITE_OK
            default:
                return SQLITE_OK
            }
        }

    /// All that SQLite says is "not authorized"; whoever has an error log finds more in it.
    private static func deny(_ action: Int32, _ name: UnsafePointer<CChar>) -> Int32 {
        let name = String(cString: name)
        ils_log(
            SQLITE_AUTH,
            action == SQLITE_DROP_TABLE && !SQLName.isLedgerTable(name)
                ? "ledger table '\(name)' is dropped with SELECT ledger_drop_table(\(SQLName.literal(name)))"
                : "'\(name)' is the ledger's; only the ledger changes it")
        return SQLITE_DENY
    }

    /// SQLite tells nobody that a schema was changed, so what leads to it is remembered.
    private func noteDefinition(_ action: Int32, in database: UnsafePointer<CChar>?) {
        let concernsTables: Bool
        switch action {
        case SQLITE_ALTER_TABLE, SQLITE_CREATE_INDEX, SQLITE_DROP_INDEX, SQLITE_CREATE_TRIGGER, SQLITE_DROP_TRIGGER:
            concernsTables = false
        case SQLITE_CREATE_TABLE, SQLITE_DROP_TABLE: concernsTables = true
        default: return
        }
        guard let ledger = database.map(ledger) ?? self else { return }
        // Of an attached database nothing is known before something was written or changed in it.
        guard ledger.isUnread || ledger.ledger != nil && (ledger.allTables || !concernsTables) else { return }
        // Within a transaction the next row looks at the schema again.
        ledger.isReady = false
        guard !ledger.sawDefinition else { return }
        ledger.sawDefinition = true
        // In WAL mode it is ledgered behind the commit.
        takeWALHook()
    }

    private var isUnread: Bool { root != nil && cookie == -1 }

    /// In other journal modes nothing is called behind a commit: the last chance is here, while SQLite still has the
    /// connection open as before.
    func noticeBeforeClosing() {
        guard sawDefinition, ledger != nil || isUnread, !isClosing, !isInternal, ils_autocommit(db.handle) != 0,
            ils_is_readonly(db.handle, db.schemaName) == 0
        else { return }
        sawDefinition = false
        (root ?? self).closing { try? enrollIfSchemaChanged() }
    }

    /// Where no database was known to have a ledger, nobody noticed definitions of attached ones.
    private func lookAtAttachedBeforeClosing() {
        guard guardsObjects, !hasAuthorizer, !isClosing, !isInternal, ils_autocommit(db.handle) != 0,
            ils_database_name(db.handle, 2) != nil
        else { return }
        closing {
            // To look is worth no wait.
            ils_busy_timeout(db.handle, 0)
            var place: Int32 = 2
            while let name = ils_database_name(db.handle, place) {
                place += 1
                guard let ledger = ledger(of: name), (try? ledger.hasUnrecordedDefinitions()) == true else { continue }
                ledger.sawDefinition = true
            }
        }
    }

    /// Runs `body` while SQLite closes the connection, and lets go of the statements that it keeps.
    private func closing(_ body: () -> Void) {
        all { $0.isClosing = true }
        // Applications free what their callbacks use before they close the connection, so none of theirs may be called.
        ils_forget_callbacks(db.handle)
        hasAuthorizer = false
        takeAuthorizer()
        takeCommitHooks()
        ils_busy_timeout(db.handle, 500)
        body()
        all { $0.dropStatements() }
        endWatch()
        all { $0.isClosing = false }
    }

    /// The ledger of a database that is known to have one. Without a name `main` is meant.
    private func known(_ database: UnsafePointer<CChar>?) -> LedgerConnection? {
        guard let ledger = database.map(ledger) ?? self, ledger.ledger != nil else { return nil }
        return ledger
    }

    private func isOurs(_ name: String, _ action: Int32) -> Bool {
        let folded = SQLName.folded(name)
        return switch action {
        case SQLITE_DROP_TABLE: SQLName.isLedgerTable(name) || slotsByName[folded] != nil
        case SQLITE_DROP_VIEW:
            SQLName.isOwnView(name) || liveTables.contains { SQLName.same($0.description.view, name) }
        case SQLITE_DROP_TRIGGER: SQLName.isReservedTrigger(name)
        default: false
        }
    }
}
