import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerGRDB
import SQLLedgerSQLite

/// A second writer of ledger databases, without triggers and capture: what the format pages say, in plain SQL. What it
/// makes is what the engine would make; everything about it can be altered afterwards.
final class LedgerFixture {
    let directory: URL
    let path: String
    let db: SQLiteConnection
    let ledger: LedgerID
    var principal = "alice"
    /// One second a transaction, so that every run is the same.
    var clock: CommitTime

    private struct Table {
        var id: TableID
        var description: TableDescription
        var schema: Digest32
        var key: [String]

        var columns: [String] { description.columns.filter { $0.generation != .virtual }.map(\.name) }
    }

    private var tables: [String: Table] = [:]
    private var leaves: [TableID: (TableLeaves, [[UInt8]])] = [:]
    private var entries: [TransactionEntry] = []
    private var tree = BlockTree()
    private var previous: Block?
    private var number: UInt64 = 0
    private var inBlock: UInt64 = 0

    init(name: String = "fixture", wal: Bool = false) throws {
        try LinkedSQLite.load()
        directory = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.appending(path: "\(name).db").path()
        db = try SQLiteConnection(path: path, creates: true)
        ledger = LedgerID.random()
        clock = CommitTime("2026-01-01T00:00:00.000000Z") ?? .now()
        if wal { try db.execute("PRAGMA journal_mode = WAL") }
        try db.execute("PRAGMA synchronous = OFF")
        for statement in LedgerObjects.tables + LedgerObjects.views { try db.execute(statement) }
        try db.execute(
            """
            CREATE TABLE IF NOT EXISTS ledger_transaction_chunks(chunk_id INTEGER PRIMARY KEY, block_id INTEGER NOT NULL,
              chunk INTEGER NOT NULL, leaves BLOB NOT NULL, UNIQUE(block_id, chunk)) STRICT
            """)
        try db.execute("INSERT INTO ledger_rowid_canary(rowid, x) VALUES (1, 1), (3, 3)")
        try db.run(
            "INSERT INTO ledger_identity VALUES (1, ?, 2, ?, ?, 0)",
            [.blob(ledger.bytes), .text(name), .text(clock.description)])
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func tick() {
        clock = CommitTime(microseconds: clock.microseconds + 1_000_003) ?? clock
    }

    // MARK: Transactions

    /// Everything that `body` does is one transaction.
    func transaction(_ body: () throws -> Void) throws {
        tick()
        number += 1
        leaves = [:]
        try db.execute("BEGIN")
        try body()
        var hashes: [TableHash] = []
        let last = leaves.sorted { $0.key < $1.key }.map(\.value.0.partialChunk)
        // Every second transaction keeps its last chunks with the others, as a large one would.
        let kept = number.isMultiple(of: 2) ? EntryLeaves.encoded(last) : nil
        for (table, (list, chunks)) in leaves {
            guard let hash = list.tableHash(of: table) else { continue }
            hashes.append(hash)
            let isKept = kept != nil || list.partialChunk.isEmpty
            for (index, chunk) in (chunks + (isKept ? [] : [list.partialChunk])).enumerated() {
                try store(chunk, Int64(number), Int64(table.rawValue), index)
            }
        }
        guard let hashes = TableHashes(hashes) else {
            number -= 1
            try db.execute("COMMIT")
            return
        }
        let entry = TransactionEntry(
            ledger: ledger, id: TransactionNumber(number), commitTime: clock, principal: principal, login: "root",
            application: "fixture", tableHashes: hashes)
        try db.run(
            "INSERT INTO database_ledger_transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(Int64(number)), .integer(Int64(tree.blockCount)), .integer(Int64(entries.count)),
                .text(clock.description), .text(entry.principal), .text(entry.login), .text(entry.application),
                .blob(hashes.encoded()), kept.map { .blob($0) } ?? .null,
            ])
        entries.append(entry)
        try db.execute("COMMIT")
    }

    private func store(_ chunk: [UInt8], _ transaction: Int64, _ table: Int64, _ index: Int) throws {
        try db.run(
            "INSERT INTO ledger_leaf_chunks(transaction_id, table_id, chunk, leaves) VALUES (?, ?, ?, ?)",
            [.integer(transaction), .integer(table), .integer(Int64(index)), .blob(chunk)])
    }

    private func append(_ operation: RowOperation, _ table: Table?, _ values: [SQLValue], _ start: RowStart? = nil)
        -> RowStart
    {
        let id = table?.id ?? .schemaEvents
        var (list, chunks) = leaves[id] ?? (TableLeaves(), [])
        let place = RowStart(transaction: TransactionNumber(number), sequence: LeafNumber(list.leafCount))
        let leaf = RowLeaf(
            operation: operation, table: id, schema: table?.schema ?? TableSchema.schemaEventsDigest,
            transaction: place.transaction, sequence: place.sequence, start: start, values: values)
        var encoder = RowLeafEncoder(collectsChecks: true)
        for value in values { encoder.append(value) }
        if let chunk = list.append(leaf.hash, columnChecks: encoder.columnChecks) { chunks.append(chunk) }
        leaves[id] = (list, chunks)
        return place
    }

    // MARK: Schema

    /// Makes a ledger table in a transaction of its own.
    func create(_ sql: String, name: String, kind: TableKind = .updatable, indexes: [String] = []) throws {
        try transaction {
            try db.execute(sql)
            for index in indexes { try db.execute(index) }
            guard
                let description = try SchemaReader.describe(
                    name, kind: kind, view: "\(name)_Ledger", after: LeafNumber(0), on: db)
            else { throw VerificationError(object: name, reason: "no such table") }
            let id = TableID(UInt64(tables.count + 1))
            let made = TableSQL(id: id, description: description)
            try db.execute(made.createHistory)
            try db.execute(made.createStamps(collations: SchemaReader.keyCollations(of: name, on: db)))
            try event(.create, id, description)
        }
    }

    func triggers(of name: String) -> [(name: String, sql: String)] {
        tables[name].map { TableSQL(id: $0.id, description: $0.description).triggers } ?? []
    }

    /// Adds a column through the ledger.
    func addColumn(_ column: String, to name: String) throws {
        try transaction {
            try db.execute("ALTER TABLE \(name) ADD COLUMN \(column)")
            guard let table = tables[name],
                let description = try SchemaReader.describe(
                    name, kind: .updatable, view: table.description.view, after: LeafNumber(0), on: db)
            else { return }
            let added = description.columns.last?.name ?? ""
            try db.execute("ALTER TABLE ledger_history_\(table.id) ADD COLUMN \(added)")
            try event(.addColumn, table.id, description)
        }
    }

    /// Renames a column through the ledger.
    func renameColumn(_ old: String, to new: String, of name: String) throws {
        try transaction {
            guard let table = tables[name] else { return }
            try db.execute("ALTER TABLE \(name) RENAME COLUMN \(old) TO \(new)")
            try db.execute("ALTER TABLE ledger_history_\(table.id) RENAME COLUMN \(old) TO \(new)")
            guard
                var description = try SchemaReader.describe(
                    name, kind: .updatable, view: table.description.view, after: LeafNumber(0), on: db)
            else { return }
            description.previous = old
            try event(.renameColumn, table.id, description)
        }
    }

    /// Writes what comes last: triggers would want functions that this writer has not, views follow the last names.
    func install() throws {
        for table in tables.values {
            let made = TableSQL(id: table.id, description: table.description)
            for trigger in made.triggers { try db.execute(trigger.sql) }
            for sql in LedgerObjects.guards(of: made.history) { try db.execute(sql) }
            try db.execute(made.createView)
            try db.run(
                "INSERT INTO ledger_tables VALUES (?, ?, ?, ?, 0)",
                [
                    .integer(Int64(bitPattern: table.id.rawValue)), .text(table.description.table),
                    .text(table.description.view), .text(table.description.kind.rawValue),
                ])
        }
        for sql in LedgerObjects.guards { try db.execute(sql) }
    }

    /// What a privileged attacker does: takes the triggers away, writes, and puts them back.
    func attack(_ statements: String...) throws {
        let objects = try db.query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        func text(_ value: SQLValue) -> String {
            if case .text(let bytes) = value { String(decoding: bytes, as: UTF8.self) } else { "" }
        }
        for object in objects { try db.execute("DROP TRIGGER \"\(text(object[0]))\"") }
        for statement in statements { try db.execute(statement) }
        for object in objects { try db.execute(text(object[1])) }
    }

    /// Verifies the file.
    func verify(
        _ digests: [LedgerDigest], since: LedgerDigest? = nil, tables: [String]? = nil, jobs: Int = 2,
        memoryBudget: Int = 64 << 20, change: (inout VerificationOptions) -> Void = { _ in }
    ) throws -> VerificationReport {
        var options = VerificationOptions(
            tables: tables, digests: digests.map { StatedDigest($0, origin: "digests.json") }, since: since, jobs: jobs,
            now: clock, memoryBudget: memoryBudget)
        change(&options)
        return LedgerVerifier(options).verify(try SQLiteEvidence.open(path: path))
    }

    private func event(_ type: SchemaEventType, _ id: TableID, _ description: TableDescription) throws {
        let event = SchemaEvent(type, of: id, description)
        let place = append(.created, nil, event.values)
        try db.run(
            """
            INSERT INTO ledger_schema_events(transaction_id, sequence_number, event_type, table_id, body)
            VALUES (?, ?, ?, ?, ?)
            """,
            [
                .integer(Int64(place.transaction.rawValue)), .integer(Int64(place.sequence.rawValue)),
                .integer(type.rawValue), .integer(Int64(id.rawValue)), .text(event.encodedBody),
            ])
        let key =
            description.rowIDColumn.map { [$0] }
            ?? description.columns.filter { $0.primaryKeyPosition > 0 }
            .sorted { $0.primaryKeyPosition < $1.primaryKeyPosition }.map(\.name)
        tables[description.table] = Table(
            id: id, description: description, schema: description.schema(of: id).digest, key: key)
    }

    // MARK: Rows. Keys are row ids, or the key columns' values of a table without them.

    func insert(_ name: String, _ columns: String, _ values: [SQLValue]) throws {
        let marks = values.map { _ in "?" }.joined(separator: ", ")
        guard let table = tables[name] else { return }
        let key = try db.query(
            "INSERT INTO \(name)(\(columns)) VALUES (\(marks)) RETURNING \(table.key.joined(separator: ", "))", values)
        try stamp(table, key.first ?? [])
    }

    func update(_ name: String, key: [SQLValue], set: String) throws {
        guard let table = tables[name] else { return }
        try end(table, key)
        try db.run("UPDATE \(name) SET \(set) WHERE \(filter(table.key))", key)
        try stamp(table, key)
    }

    func delete(_ name: String, key: [SQLValue]) throws {
        guard let table = tables[name] else { return }
        try end(table, key)
        try db.run("DELETE FROM \(name) WHERE \(filter(table.key))", key)
    }

    private func filter(_ key: [String]) -> String { key.map { "\($0) = ?" }.joined(separator: " AND ") }

    private func values(_ table: Table, _ key: [SQLValue]) throws -> [SQLValue] {
        let columns = table.columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return try db.query(
            "SELECT \(columns) FROM \(table.description.table) WHERE \(filter(table.key))", key
        ).first ?? []
    }

    private func stamp(_ table: Table, _ key: [SQLValue]) throws {
        let place = append(.created, table, try values(table, key))
        let marks = key.map { _ in "?, " }.joined()
        try db.run(
            "INSERT INTO ledger_stamps_\(table.id) VALUES (\(marks)?, ?)",
            key + [.integer(Int64(place.transaction.rawValue)), .integer(Int64(place.sequence.rawValue))])
    }

    private func end(_ table: Table, _ key: [SQLValue]) throws {
        let keys = table.description.rowIDColumn == nil ? table.key : ["row_id"]
        let stamp = try db.query(
            "SELECT transaction_id, sequence_number FROM ledger_stamps_\(table.id) WHERE \(filter(keys))", key)
        guard case .integer(let transaction)? = stamp.first?.first, case .integer(let sequence)? = stamp.first?.last
        else { return }
        let start = RowStart(
            transaction: TransactionNumber(UInt64(transaction)), sequence: LeafNumber(UInt64(sequence)))
        let row = try values(table, key)
        let place = append(.ended, table, row, start)
        let columns = table.columns.map { ", \"\($0)\"" }.joined()
        try db.run(
            """
            INSERT INTO ledger_history_\(table.id)(ledger_start_transaction_id, ledger_start_sequence_number,
              ledger_end_transaction_id, ledger_end_sequence_number\(columns))
            VALUES (?, ?, ?, ?\(row.map { _ in ", ?" }.joined()))
            """,
            [
                .integer(transaction), .integer(sequence), .integer(Int64(place.transaction.rawValue)),
                .integer(Int64(place.sequence.rawValue)),
            ] + row)
        try db.run("DELETE FROM ledger_stamps_\(table.id) WHERE \(filter(keys))", key)
    }

    // MARK: Blocks

    /// Closes the open block. Returns its digest.
    @discardableResult
    func closeBlock() throws -> LedgerDigest {
        tick()
        var builder = try BlockBuilder(ledger: ledger, previous: previous, tree: tree)
        for entry in entries { try builder.append(entry) }
        guard let block = builder.close(at: clock), let last = entries.last else {
            throw VerificationError(object: "block", reason: "nothing to close")
        }
        try db.run(
            "INSERT INTO database_ledger_blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(Int64(block.id.rawValue)), .blob(block.transactionsRoot.bytes), .integer(Int64(block.size)),
                .integer(Int64(block.firstTransaction.rawValue)), block.previous.map { .blob($0.bytes) } ?? .null,
                .blob(block.historyRoot.bytes), .text(block.closeTime.description),
            ])
        for (index, chunk) in builder.transactionChunks.enumerated() {
            try db.run(
                "INSERT INTO ledger_transaction_chunks(block_id, chunk, leaves) VALUES (?, ?, ?)",
                [.integer(Int64(block.id.rawValue)), .integer(Int64(index)), .blob(chunk)])
        }
        var nodes: [(Int, UInt64, Digest32)] = []
        tree.append(blockHash: block.hash) { nodes.append(($0, $1, $2)) }
        for node in nodes {
            try db.run(
                "INSERT INTO ledger_block_nodes VALUES (?, ?, ?)",
                [.integer(Int64(node.0)), .integer(Int64(node.1)), .blob(node.2.bytes)])
        }
        previous = block
        entries = []
        return LedgerDigest(
            of: block, databaseName: "fixture", digestTime: clock, lastTransactionCommitTime: last.commitTime)
    }
}
