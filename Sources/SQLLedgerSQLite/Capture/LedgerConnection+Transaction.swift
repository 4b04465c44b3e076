import CSQLiteLedger
import Foundation
import LedgerProofs
import SQLLedger

// The transaction entry: numbered when the first leaf is made, written when SQLite is about to commit.
extension LedgerConnection {
    /// Before the first leaf of a transaction, and again when its schema may have changed. `isCapturing`: for a row that a
    /// statement is writing.
    func prepareTransaction(isCapturing: Bool = false) throws(SQLiteLedgerError) {
        // A single statement behind this connection's own commit, and nobody has written since: what held then holds.
        if let left, transaction.rawValue == 0, !isStale, ils_autocommit(db.handle) != 0,
            ils_data_version(db.handle, "main") == left.version
        {
            try enlistIfNeeded(left.version)
            last = left.last
            closedBlock = left.closedBlock
            transaction = TransactionNumber(left.last.number + 1)
            isReady = true
            return
        }
        guard ils_is_readonly(db.handle, db.schemaName) == 0 else { throw .refused("the database is read-only") }
        try noticeReattachment()
        // A kept statement that finds out by itself that the schema changed ends with an error inside the statement that is
        // writing, and SQLite may roll that back.
        let now = try readSchemaCookie()
        if isStale || now != cookie { dropStatements() }
        try enlistIfNeeded()
        if ledger == nil {
            try load()
            guard ledger != nil else {
                throw .refused(
                    "database '\(db.schemaName)' of this connection has no ledger: make one with SELECT ledger_init()")
            }
        }
        if transaction.rawValue == 0 {
            last = try lastTransaction()
            transaction = TransactionNumber((last?.number ?? 0) + 1)
        }
        try lookAtSchema(isCapturing: isCapturing)
        isReady = true
    }

    /// From here on SQLite tells us about savepoints and the end of the transaction. `known`: the database's version.
    private func enlistIfNeeded(_ known: UInt32? = nil) throws(SQLiteLedgerError) {
        guard !isEnlisted else { return }
        if let root {
            do throws(SQLiteLedgerError) {
                try root.withInternal { () throws(SQLiteLedgerError) in try root.enlistIfNeeded() }
            } catch {
                // SQLite tells virtual tables of `main` only.
                throw SQLiteLedgerError(
                    code: error.code,
                    message: "\(error.message) (a ledger table of an attached database is written with a write lock on "
                        + "the connection's main database, too)")
            }
            isEnlisted = true
            level = root.level
            for place in events.indices { events[place].level = level }
            return
        }
        // SQLite keeps what it knows of virtual tables beyond `sqlite3_deserialize`, with a schema that it has freed.
        let (file, version) = (ils_file(db.handle), known ?? ils_data_version(db.handle, db.schemaName))
        guard enlistedFile == nil || enlistedFile == file && version >= enlistedVersion else {
            throw .refused("this connection's database was replaced by another one; open a new connection for it")
        }
        (enlistedFile, enlistedVersion) = (file, version)
        let statement: SQLiteStatement
        if let enlist {
            statement = enlist
        } else {
            statement = try kept(ILS_ENLIST)
            enlist = statement
        }
        try finish(statement.handle, ils_step(statement.handle))
        guard isEnlisted else { throw .refused("SQLite does not tell the ledger about this transaction") }
        // What was announced before is of the statement that is running, whose savepoint SQLite has told just now.
        for place in events.indices { events[place].level = level }
    }

    /// Without the pre-update hook only delete triggers tell what a REPLACE deletes.
    func checkWithoutHook() throws(SQLiteLedgerError) {
        guard try db.value("PRAGMA recursive_triggers") == .integer(1) else {
            throw .refused(
                """
                this SQLite library has no pre-update hook, or hides it, so ledger tables can be written only with \
                PRAGMA recursive_triggers = ON; run it on this connection and try again
                """)
        }
        guard try db.value("SELECT 1 FROM pragma_database_list WHERE name NOT IN ('main', 'temp')") == nil else {
            throw .refused(
                """
                this SQLite library has no pre-update hook, or hides it, so ledger tables can be written only while no other \
                database is attached
                """)
        }
        // Nothing announces added columns: look each time.
        if try readSchemaCookie() != cookie { try lookAtSchema(isCapturing: true) }
    }

    /// SQLite commits: write what is left of the chunks, and the entry. May be called again when the commit fails.
    func sync() throws(SQLiteLedgerError) {
        if let poison {
            throw .refused("a change could not be ledgered, so the transaction must be rolled back: \(poison.message)")
        }
        if veto != nil, let currentVeto { throw .refused(currentVeto.message) }
        if isStampDue { throw missingStamp() }
        guard isEnlisted else { return }
        let row = ils_last_insert_rowid(db.handle)
        defer { ils_set_last_insert_rowid(db.handle, row) }
        try withInternal { () throws(SQLiteLedgerError) in
            // A change of definitions after that must not be taken for what the altering below does.
            if altersHistories || hasNewTables || missesChanges {
                let now = try readSchemaCookie()
                if hasNewTables || isStale || now != cookie { try lookAgain() }
            }
            while let deferred = nextDeferred(evenIfBlocked: true) { try dispatchSaved(deferred) }
            if !events.isEmpty, isReady {
                for slot in Set(events.map(\.slot)).sorted() where slots.contains(slot) {
                    try drainDeletes(of: slot, replacing: nil, was: nil)
                }
            }
            try alterHistories()
            try checkMissed()
            try writeEntry()
        }
    }

    /// Before a commit that alters histories, when schema events were rolled back or definitions changed once more, so what
    /// is known of the tables may be wrong; before one that new tables join with; and before one with changes that nothing
    /// captured, which may be of a new table that has the name of one that was renamed.
    private func lookAgain() throws(SQLiteLedgerError) {
        let known = cookie
        try load()
        // As long as nothing is ledgered in the transaction, the next one looks.
        isStale = true
        cookie = known
        if ledger != nil, transaction.rawValue != 0 { try lookAtSchema() }
    }

    private func writeEntry() throws(SQLiteLedgerError) {
        written = nil
        entry.begin()
        if eventLeaves.leaves.leafCount > 0 { eventLeaves.leaves.encode(as: .schemaEvents, into: &entry) }
        if touched.count > 1 { touched.sort { tables[$0].id < tables[$1].id } }
        for slot in touched { tables[slot].leaves.encode(as: tables[slot].id, into: &entry) }
        if !entry.holdsLeaves { try storePartialChunks() }
        // A commit that failed may have left an entry, whose leaves may have been rolled back since.
        if isEntryWritten { try removeEntry() }
        guard ledger != nil, entry.tableCount > 0 else { return }
        let closed: Int64
        if let closedBlock { closed = closedBlock } else { closed = try newestClosedBlock() }
        let (block, ordinal) = Self.nextPlace(after: last, closed: closed)
        let time = CommitTime.now(notBefore: last?.time)
        let statement: SQLiteStatement
        if let insertEntry {
            statement = insertEntry
        } else {
            statement = try kept(
                "INSERT INTO \(db.schema).database_ledger_transactions VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
            insertEntry = statement
            areNamesBound = false
        }
        // They stay bound from one transaction to the next.
        if !areNamesBound { try bindNames(to: statement) }
        let handle = statement.handle
        ils_bind_int64(handle, 1, Int64(bitPattern: transaction.rawValue))
        ils_bind_int64(handle, 2, block)
        ils_bind_int64(handle, 3, ordinal)
        let text = entry.text(of: time)
        var code = ils_bind_text_static(
            handle, 4, text.baseAddress?.assumingMemoryBound(to: CChar.self), UInt64(text.count))
        let hashes = entry.tableHashes()
        code |= ils_bind_blob_static(handle, 8, hashes.baseAddress, UInt64(hashes.count))
        if let leaves = entry.leaves {
            code |= ils_bind_blob_static(handle, 9, leaves.baseAddress, UInt64(leaves.count))
        } else {
            code |= ils_bind_null(handle, 9)
        }
        guard code == SQLITE_OK else { throw .refused("the transaction's entry is too long for this connection") }
        try finish(handle, ils_step(handle))
        isEntryWritten = true
        // Definitions may have been changed since the transaction looked at them.
        if sawDefinition { return }
        if !guardsObjects, try readSchemaCookie() != cookie { return }
        written = Left(
            version: 0, last: Last(number: transaction.rawValue, block: block, ordinal: ordinal, time: time),
            closedBlock: closed)
    }

    /// The last chunks of a transaction that changed too much for its entry to hold them.
    @inline(never)
    private func storePartialChunks() throws(SQLiteLedgerError) {
        for table in [eventLeaves] + touched.map({ tables[$0] }) {
            let bytes = table.leaves.partialChunk
            guard !bytes.isEmpty else { continue }
            try store(chunk: table.leaves.chunkIndex, of: Int64(bitPattern: table.id.rawValue), bytes)
        }
    }

    @inline(never)
    private func bindNames(to statement: SQLiteStatement) throws(SQLiteLedgerError) {
        let main = root ?? self
        try statement.bind(bytes(main.principal ?? Self.login), at: 5)
        try statement.bind(bytes(Self.login), at: 6)
        try statement.bind(bytes(main.application ?? Self.processName), at: 7)
        areNamesBound = true
    }

    private func removeEntry() throws(SQLiteLedgerError) {
        try db.run(
            "DELETE FROM \(db.schema).database_ledger_transactions WHERE transaction_id = ?",
            [.integer(Int64(bitPattern: transaction.rawValue))])
        isEntryWritten = false
    }

    /// What a commit of this connection left behind.
    struct Left {
        /// SQLite's count of changes just after the commit.
        var version: UInt32
        var last: Last
        var closedBlock: Int64
    }

    struct Last {
        var number: UInt64
        var block: Int64
        var ordinal: Int64
        var time: CommitTime?
    }

    /// The newest transaction entry.
    func lastTransaction() throws(SQLiteLedgerError) -> Last? {
        let statement: SQLiteStatement
        if let readLast {
            statement = readLast
        } else {
            statement = try kept(
                """
                SELECT transaction_id, block_id, transaction_ordinal, commit_time
                FROM \(db.schema).database_ledger_transactions ORDER BY transaction_id DESC LIMIT 1
                """)
            readLast = statement
        }
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        return Last(
            number: UInt64(bitPattern: statement.integer(0)), block: statement.integer(1),
            ordinal: statement.integer(2), time: CommitTime(utf8: statement.bytes(3)))
    }

    /// -1 when no block is closed.
    private func newestClosedBlock() throws(SQLiteLedgerError) -> Int64 {
        let statement: SQLiteStatement
        if let readClosed {
            statement = readClosed
        } else {
            statement = try kept("SELECT max(block_id) FROM \(db.schema).database_ledger_blocks")
            readClosed = statement
        }
        defer { statement.reset() }
        return try statement.step() && !statement.isNull(0) ? statement.integer(0) : -1
    }

    /// The block and the place in it for the next transaction.
    private static func nextPlace(after last: Last?, closed: Int64) -> (block: Int64, ordinal: Int64) {
        guard let last, last.block > closed else { return (closed + 1, 0) }
        let isFull = last.ordinal + 1 >= Int64(Block.maximumSize)
        return isFull ? (last.block + 1, 0) : (last.block, last.ordinal + 1)
    }

    // MARK: Who

    /// The name of the user that the process runs as, `uid:` and the number without one.
    static let login: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        guard ils_login(&buffer, 256) == 1 else { return "uid:\(geteuid())" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    static let processName: String = ProcessInfo.processInfo.processName
}
