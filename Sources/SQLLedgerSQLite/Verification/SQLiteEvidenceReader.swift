import CSQLiteLedger
import LedgerProofs
import SQLLedger
import Synchronization

/// One read-only connection to the evidence. Used by one thread at a time.
final class SQLiteEvidenceReader: LedgerEvidenceReader, @unchecked Sendable {
    let connection: SQLiteConnection
    let shared: SharedEvidence
    let source: String
    private let handle: OpaquePointer
    private let isOwner: Bool
    private var nodeStatement: SQLiteStatement?
    private var chunkStatement: SQLiteStatement?
    private var entryStatement: SQLiteStatement?
    private var blockChunkStatement: SQLiteStatement?
    private var knownEntryLeaves: (transaction: TransactionNumber, leaves: (hashes: TableHashes, leaves: [UInt8])?)?
    private var knownObjects: SchemaObjects?
    private var knownRowLimit: Int64?
    private var layouts: [TableID: TableLayout] = [:]

    init(_ uri: String, _ access: Int32, _ shared: SharedEvidence, _ source: String) throws(VerificationError) {
        var opened: OpaquePointer?
        let code = ils_open(uri, &opened, access | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX)
        guard code == SQLITE_OK, let opened else {
            let reason = opened.map { String(cString: ils_errmsg($0)) } ?? String(cString: ils_errstr(code))
            if let opened { ils_close(opened) }
            throw VerificationError(object: source, reason: reason)
        }
        handle = opened
        isOwner = true
        self.shared = shared
        self.source = source
        connection = SQLiteConnection(borrowing: opened)
        ils_extended_result_codes(opened, 1)
        ils_busy_timeout(opened, 5_000)
        // Nothing that the schema brings along may run, and damaged cells are errors, not answers.
        for pragma in [
            "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", "PRAGMA query_only = ON",
            "PRAGMA mmap_size = 0",
        ] { ils_exec(opened, pragma) }
        // The first look at the file waits for a lock; all that follows would wait as long once more.
        if ils_exec(opened, "SELECT 1 FROM main.sqlite_schema") & 0xFF == SQLITE_BUSY {
            throw VerificationError(object: source, reason: "another connection keeps the database locked")
        }
        allowOwnFunctions()
        ils_exec(opened, "PRAGMA cache_size = -2048")
    }

    /// SQLite 3.40 counts its own JSON functions among those that a schema may not use, and refuses to read a database that
    /// uses them in a column, a constraint or an index. Then all functions may be used, and those that are neither SQLite's own
    /// nor harmless by their own account are taken away instead.
    private func allowOwnFunctions() {
        guard ils_exec(handle, "SELECT 1 FROM main.sqlite_schema") != SQLITE_OK,
            String(cString: ils_errmsg(handle)).contains("unsafe use of"),
            let functions = try? connection.query("PRAGMA function_list")
        else { return }
        let harmless: Int64 = 0x20_0000
        for function in functions where function[1] == .integer(0) {
            guard case .integer(let count) = function[4], case .integer(let flags) = function[5], flags & harmless == 0
            else { continue }
            ils_forget_function(handle, function[0].string ?? "", Int32(clamping: count))
        }
        ils_exec(handle, "PRAGMA trusted_schema = ON")
    }

    deinit {
        nodeStatement = nil
        chunkStatement = nil
        entryStatement = nil
        blockChunkStatement = nil
        if isOwner { ils_close(handle) }
    }

    /// Reads through a connection that somebody else opened, in whatever transaction that is.
    init(borrowing connection: SQLiteConnection) {
        handle = connection.handle
        isOwner = false
        self.connection = connection
        shared = SharedEvidence()
        source = "main"
    }

    // MARK: Snapshot

    func begin() throws {
        knownEntryLeaves = nil
        knownRowLimit = nil
        try connection.execute("BEGIN")
        _ = try connection.value("SELECT count(*) FROM main.sqlite_schema")
    }

    func end() {
        nodeStatement = nil
        chunkStatement = nil
        entryStatement = nil
        blockChunkStatement = nil
        ils_exec(handle, "ROLLBACK")
    }

    func dataVersion() throws -> SQLValue? { try connection.value("PRAGMA main.data_version") }

    /// The indexes of a table as SQLite knows them, without the key of a table without row ids, which is the table itself.
    func indexes(of table: String) throws -> [(name: String, isPartial: Bool)] {
        let isWithoutRowID = try objects().ordinaryTable(table)?.isWithoutRowID == true
        return try connection.query(
            "SELECT name, partial, origin FROM pragma_index_list(\(SQLName.literal(table)), 'main') ORDER BY seq"
        ).compactMap { row in
            guard let name = row[0].string, !isWithoutRowID || row[2].string != "pk" else { return nil }
            return (name, row[1] != .integer(0))
        }
    }

    /// Everything that the schema defines.
    func objects() throws -> SchemaObjects {
        if let knownObjects { return knownObjects }
        let objects = try SchemaObjects(connection)
        knownObjects = objects
        return objects
    }

    /// More rows than any table of the file can have: each takes a pointer of two bytes and a cell of at least four.
    func rowLimit() throws -> Int64 {
        if let knownRowLimit { return knownRowLimit }
        func number(_ name: String) throws -> Int64 {
            if case .integer(let number)? = try connection.value("PRAGMA main.\(name)") { number } else { 0 }
        }
        let limit = try number("page_count") * number("page_size") / 6 + 1
        knownRowLimit = limit
        return limit
    }

    /// What follows the name of a table without row ids for SQLite to read the table itself: `NOT INDEXED` lets it read an index that
    /// has all columns.
    func throughKey(of table: String) throws -> String {
        let index = try connection.value(
            "SELECT name FROM pragma_index_list(\(SQLName.literal(table)), 'main') WHERE origin = 'pk'")?.string
        return index.map { "INDEXED BY \(SQLName.quoted($0))" } ?? "NOT INDEXED"
    }

    /// Whether all pages of the snapshot are in the database file itself, none in a log.
    func isFileWhole() throws -> Bool {
        guard isOwner else { return false }
        if shared.isImmutable { return true }
        return try connection.value("PRAGMA main.journal_mode") != .text(Array("wal".utf8))
    }

    /// - Throws: `VerificationError` where the file ends before.
    func readFile(into bytes: inout [UInt8], at offset: Int64) throws {
        let count = Int32(truncatingIfNeeded: bytes.count)
        let code = bytes.withUnsafeMutableBytes { ils_read_file(handle, $0.baseAddress, count, offset) }
        guard code == SQLITE_OK else {
            throw VerificationError(
                object: source,
                reason: "\(count) bytes at \(offset) cannot be read: \(String(cString: ils_errstr(code)))")
        }
    }

    /// A statement over one of the ledger's own tables, after making sure that it is a table.
    func prepareOwn(_ table: String, _ sql: String) throws -> SQLiteStatement {
        try objects().requireTable(table)
        return try connection.prepare(sql)
    }

    // MARK: Ledger

    func identity() throws -> EvidenceIdentity? {
        guard try objects().contains("ledger_identity") else { return nil }
        let statement = try prepareOwn(
            "ledger_identity",
            "SELECT ledger_id, format, database_name, all_tables, create_time FROM main.ledger_identity WHERE id = 1")
        guard try statement.step() else { return nil }
        // SQLite would convert what is of another class, and what compares with it in SQL would not find it.
        var unreadable: [String] = []
        func read<Value>(_ column: Int, _ name: String, _ read: (SQLValue) -> Value?) -> Value? {
            let value = read(statement.value(column))
            if value == nil { unreadable.append(name) }
            return value
        }
        func number(_ value: SQLValue) -> Int64? { if case .integer(let number) = value { number } else { nil } }
        func text(_ value: SQLValue) -> String? {
            if case .text(let bytes) = value { String(validating: bytes, as: UTF8.self) } else { nil }
        }
        let ledger = read(0, "ledger_id") { if case .blob(let bytes) = $0 { LedgerID(bytes) } else { nil } }
        let format = read(1, "format", number)
        let name = read(2, "database_name", text)
        let allTables: Bool? =
            switch statement.value(3) {
            case .integer(0): false
            case .integer(1): true
            default: nil
            }
        let createTime = read(4, "create_time") { text($0).flatMap { CommitTime($0) } }
        return EvidenceIdentity(
            ledger: ledger, format: format ?? 0, databaseName: name ?? "", allTables: allTables, createTime: createTime,
            unreadable: unreadable)
    }

    func blocks(from first: BlockID) throws -> () throws -> StoredBlock? {
        let statement = try prepareOwn(
            "database_ledger_blocks",
            """
            SELECT block_id, transactions_root_hash, block_size, first_transaction_id, previous_block_hash,
              history_root_hash, close_time FROM main.database_ledger_blocks NOT INDEXED
            WHERE block_id >= ? ORDER BY block_id
            """)
        try statement.bind(.integer(first.rawValue == 0 ? .min : Int64(bitPattern: first.rawValue)), at: 1)
        var limit = RowLimit(try rowLimit(), "database_ledger_blocks")
        return {
            guard try statement.step() else { return nil }
            try limit.count()
            return Self.block(statement)
        }
    }

    private static func block(_ statement: SQLiteStatement) -> StoredBlock {
        var unreadable: [String] = []
        func digest(_ column: Int, _ name: String) -> Digest32? {
            if case .blob(let bytes) = statement.value(column), let digest = Digest32(bytes) { return digest }
            if column != 4 || !statement.isNull(column) { unreadable.append(name) }
            return nil
        }
        func number(_ column: Int, _ name: String) -> UInt64? {
            if case .integer(let value) = statement.value(column), value > 0 { return UInt64(value) }
            unreadable.append(name)
            return nil
        }
        let root = digest(1, "transactions_root_hash")
        let size = number(2, "block_size")
        let firstTransaction = number(3, "first_transaction_id")
        let previous = digest(4, "previous_block_hash")
        let history = digest(5, "history_root_hash")
        let time = statement.value(6).string.flatMap { CommitTime($0) }
        if time == nil { unreadable.append("close_time") }
        return StoredBlock(
            id: BlockID(UInt64(bitPattern: statement.integer(0))), transactionsRoot: root, size: size,
            firstTransaction: firstTransaction.map { TransactionNumber($0) }, previous: previous, historyRoot: history,
            closeTime: time, unreadable: unreadable)
    }

    func blockNode(level: Int, position: UInt64) throws -> Digest32? {
        if nodeStatement == nil {
            guard try objects().contains("ledger_block_nodes") else { return nil }
            nodeStatement = try prepareOwn(
                "ledger_block_nodes", "SELECT hash FROM main.ledger_block_nodes WHERE level = ? AND position = ?")
        }
        guard let statement = nodeStatement else { return nil }
        defer { statement.reset() }
        try statement.bind([.integer(Int64(level)), .integer(Int64(bitPattern: position))])
        guard try statement.step(), case .blob(let bytes) = statement.value(0) else { return nil }
        return Digest32(bytes)
    }

    func transactions(from first: TransactionNumber) throws -> () throws -> StoredTransaction? {
        func select(_ leaves: String) throws -> SQLiteStatement {
            try prepareOwn(
                "database_ledger_transactions",
                """
                SELECT transaction_id, block_id, transaction_ordinal, commit_time, principal_name, login_name,
                  application_name, table_hashes, \(leaves) FROM main.database_ledger_transactions NOT INDEXED
                WHERE transaction_id >= ? ORDER BY transaction_id
                """)
        }
        // Without the column the entries can be verified all the same. (In quotes a missing name would be a text.)
        let statement = try (try? select("database_ledger_transactions.leaves")) ?? select("NULL")
        let low = first.rawValue <= 1 ? Int64.min : Int64(bitPattern: first.rawValue)
        try statement.bind(.integer(low), at: 1)
        var limit = RowLimit(try rowLimit(), "database_ledger_transactions")
        return {
            guard try statement.step() else { return nil }
            try limit.count()
            func number(_ column: Int) -> Int64? {
                if case .integer(let value) = statement.value(column) { value } else { nil }
            }
            func text(_ column: Int) -> String? {
                guard case .text(let bytes) = statement.value(column) else { return nil }
                return String(validating: bytes, as: UTF8.self)
            }
            var hashes: [UInt8]?
            if case .blob(let bytes) = statement.value(7) { hashes = bytes }
            var leaves: [UInt8]?
            switch statement.value(8) {
            case .null: break
            case .blob(let bytes): leaves = bytes
            default: leaves = []
            }
            return StoredTransaction(
                id: statement.integer(0), block: number(1), ordinal: number(2), commitTime: text(3),
                principal: text(4), login: text(5), application: text(6), tableHashes: hashes, leaves: leaves)
        }
    }

    func schemaEvents() throws -> () throws -> StoredSchemaEvent? {
        let statement = try prepareOwn(
            "ledger_schema_events",
            """
            SELECT transaction_id, sequence_number, event_type, table_id, body, event_id
            FROM main.ledger_schema_events NOT INDEXED ORDER BY event_id
            """)
        var walk = RowWalk(statement, of: "ledger_schema_events", column: 5, part: nil, shared)
        return {
            guard try walk.next() != nil else { return nil }
            return StoredSchemaEvent(
                transaction: statement.value(0), sequence: statement.value(1), type: statement.value(2),
                table: statement.value(3), body: statement.value(4))
        }
    }

    func leafChunk(_ transaction: TransactionNumber, _ table: TableID, chunk: UInt64) throws -> [UInt8]? {
        if let (hashes, leaves) = try entryLeaves(of: transaction), let hash = hashes[table],
            EntryLeaves.chunkNumber(of: hash) == chunk
        {
            return (try? EntryLeaves(decoding: leaves, of: hashes))?[table]?.encoded()
        }
        return try storedChunk(transaction, Int64(bitPattern: table.rawValue), chunk)
    }

    func rootChunk(_ transaction: TransactionNumber, _ table: TableID, chunk: UInt64) throws -> [UInt8]? {
        try storedChunk(transaction, LeafChunk.rootsKey(of: table), chunk)
    }

    private func storedChunk(_ transaction: TransactionNumber, _ key: Int64, _ chunk: UInt64) throws -> [UInt8]? {
        if chunkStatement == nil {
            guard try objects().contains("ledger_leaf_chunks") else { return nil }
            chunkStatement = try prepareOwn(
                "ledger_leaf_chunks",
                """
                SELECT leaves FROM main.ledger_leaf_chunks WHERE transaction_id = ? AND table_id = ? AND chunk = ?
                """)
        }
        guard let statement = chunkStatement else { return nil }
        defer { statement.reset() }
        try statement.bind(.integer(Int64(bitPattern: transaction.rawValue)), at: 1)
        try statement.bind(.integer(key), at: 2)
        try statement.bind(.integer(Int64(bitPattern: chunk)), at: 3)
        guard try statement.step() else { return nil }
        if case .blob(let bytes) = statement.value(0) { return bytes }
        return []
    }

    /// The last chunks of a transaction where its entry keeps them.
    private func entryLeaves(of transaction: TransactionNumber) throws -> (hashes: TableHashes, leaves: [UInt8])? {
        // Chunks are asked for one after the other. In a snapshot, that is: others' connections may write in between.
        if isOwner, let known = knownEntryLeaves, known.transaction == transaction { return known.leaves }
        if entryStatement == nil {
            // Without the column the entries can be verified all the same.
            entryStatement = try? prepareOwn(
                "database_ledger_transactions",
                """
                SELECT table_hashes, leaves FROM main.database_ledger_transactions NOT INDEXED
                WHERE transaction_id = ? AND leaves IS NOT NULL
                """)
        }
        guard let statement = entryStatement else { return nil }
        defer { statement.reset() }
        try statement.bind(.integer(Int64(bitPattern: transaction.rawValue)), at: 1)
        var found: (TableHashes, [UInt8])?
        if try statement.step(), case .blob(let bytes) = statement.value(0),
            let hashes = try? TableHashes(decoding: bytes)
        {
            if case .blob(let leaves) = statement.value(1) { found = (hashes, leaves) } else { found = (hashes, []) }
        }
        knownEntryLeaves = (transaction, found)
        return found
    }

    func transactionChunk(_ block: BlockID, chunk: UInt64) throws -> [UInt8]? {
        if blockChunkStatement == nil {
            guard try objects().contains("ledger_transaction_chunks") else { return nil }
            blockChunkStatement = try prepareOwn(
                "ledger_transaction_chunks",
                "SELECT leaves FROM main.ledger_transaction_chunks WHERE block_id = ? AND chunk = ?")
        }
        guard let statement = blockChunkStatement else { return nil }
        defer { statement.reset() }
        try statement.bind([.integer(Int64(bitPattern: block.rawValue)), .integer(Int64(bitPattern: chunk))])
        guard try statement.step(), case .blob(let bytes) = statement.value(0) else { return nil }
        return bytes
    }

    func digestLocations() throws -> [StoredDigestLocation] {
        guard try objects().contains("database_ledger_digest_locations") else { return [] }
        let statement = try prepareOwn(
            "database_ledger_digest_locations",
            "SELECT path, last_digest_block_id, is_current FROM main.database_ledger_digest_locations NOT INDEXED")
        var locations: [StoredDigestLocation] = []
        while try statement.step() {
            locations.append(
                StoredDigestLocation(
                    path: statement.text(0), lastBlock: statement.isNull(1) ? nil : statement.integer(1),
                    isCurrent: statement.integer(2) != 0))
        }
        return locations
    }

    // MARK: Tables

    /// All schema events, read once for all readers.
    func schemaHistory() throws -> SchemaHistory {
        if let known = shared.history.withLock({ $0 }) { return known }
        let history = try SchemaHistory(reading: schemaEvents())
        shared.history.withLock { $0 = history }
        return history
    }

    /// What SQLite says of all tables together, where its hundred lines of one table are not enough.
    func wholeCheck() throws -> IndexCheck.Lines {
        try shared.wholeCheck.withLock { known in
            if let known { return known }
            var lines = IndexCheck.Lines()
            let statement = try connection.prepare("PRAGMA main.integrity_check(\(Int32.max))")
            while try statement.step() { lines.read(statement.text(0)) }
            known = lines
            return lines
        }
    }

    func indexProbes(of table: EvidenceTable) throws -> [IndexProbe]? {
        try IndexProbe.all(of: layout(of: table), self)
    }

    /// How the versions of a table are laid out in its columns.
    func layout(of table: EvidenceTable) throws -> TableLayout {
        if let known = layouts[table.id] { return known }
        let versions = try schemaHistory().versions[table.id] ?? []
        let layout = try TableLayout(table, versions, objects: objects(), connection: connection)
        layouts[table.id] = layout
        return layout
    }
}
