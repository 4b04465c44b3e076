import LedgerProofs
import SQLLedger

/// Reads what proves rows: the rows themselves by their keys, and of everything else stored hashes only. What it
/// returns was checked to lead to the stored block, which proves nothing yet.
public final class EvidenceExporter {
    public let ledger: LedgerID
    public let databaseName: String

    private let connection: SQLiteConnection
    private let history: SchemaHistory
    private let chunkQuery: SQLiteStatement
    private let transactionChunkQuery: SQLiteStatement?
    private var entries: [TransactionNumber: (entry: TransactionEntry, block: BlockID, path: InclusionProof)] = [:]

    /// One version as it is stored.
    private struct Version {
        var start: RowStart
        var end: RowStart?
        /// By the names that the columns have now, or in history.
        var values: [ExactText: SQLValue]
    }

    /// - Throws: `SQLiteLedgerError` when the database has no ledger or cannot be read.
    public init(_ connection: SQLiteConnection) throws {
        self.connection = connection
        let identity = try connection.query(
            "SELECT ledger_id, database_name, format FROM main.ledger_identity WHERE id = 1")
        guard let row = identity.first, case .blob(let bytes) = row[0], let ledger = LedgerID(bytes),
            case .text(let name) = row[1], case .integer(let format) = row[2]
        else { throw SQLiteLedgerError.refused("the database has no ledger") }
        try LedgerConnection.checkFormat(format)
        self.ledger = ledger
        databaseName = String(decoding: name, as: UTF8.self)
        let statement = try connection.prepare(
            "SELECT transaction_id, sequence_number, event_type, table_id, body FROM main.ledger_schema_events "
                + "ORDER BY transaction_id, sequence_number")
        history = try SchemaHistory {
            guard try statement.step() else { return nil }
            return StoredSchemaEvent(
                transaction: statement.value(0), sequence: statement.value(1), type: statement.value(2),
                table: statement.value(3), body: statement.value(4))
        }
        chunkQuery = try connection.prepare(
            "SELECT leaves FROM main.ledger_leaf_chunks WHERE transaction_id = ? AND table_id = ? AND chunk = ?")
        let hasTransactionChunks = try connection.value(
            "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'ledger_transaction_chunks'")
        transactionChunkQuery =
            hasTransactionChunks == nil
            ? nil
            : try connection.prepare(
                "SELECT leaves FROM main.ledger_transaction_chunks WHERE block_id = ? AND chunk = ?")
    }

    /// The operations on a row's versions, oldest first: the creation of each, and its end if it ended.
    /// - Parameters:
    ///   - key: columns, and the values that each may have; at least one column.
    ///   - withSchema: whether the schema events come along that prove the name of the table.
    /// - Throws: `SQLiteLedgerError` for an unknown table, for no or more than one row (where the table has no key, rows of the
    ///   past cannot be told apart: every version that fits is taken), and for versions that are in no closed block yet.
    public func rows(
        table name: String, key: [(column: String, values: [SQLValue])], versions: VersionSelection,
        withSchema: Bool = false
    ) throws -> [EvidenceRow] {
        let candidates = history.tables.filter { SQLName.same($0.name, name) }
        guard let table = candidates.first(where: { !$0.isDropped }) ?? candidates.last,
            let states = history.versions[table.id], let newest = states.last
        else { throw SQLiteLedgerError.refused("\(name) is not a ledger table") }
        guard !key.isEmpty else {
            throw SQLiteLedgerError.refused("a row of \(name) is named by its key; none was given")
        }
        var rows: [EvidenceRow] = []
        var events: Set<Int> = []
        for version in try chosen(versions, name, newest.description, table, key) {
            guard let index = SchemaHistory.index(at: version.start, in: states) else {
                throw SQLiteLedgerError.refused(
                    "\(name) had no recorded schema in transaction \(version.start.transaction)")
            }
            let values = try values(version, states, index)
            let schema = states[index].description.schema(of: table.id)
            for operation in version.end == nil ? [RowOperation.created] : [.created, .ended] {
                rows.append(
                    try row(
                        table.name, operation, schema,
                        operation == .ended ? version.end ?? version.start : version.start,
                        start: operation == .ended ? version.start : nil, values, isLive: version.end == nil))
            }
            if withSchema, events.insert(index).inserted { rows.append(try event(states[index], of: table.id)) }
        }
        return rows
    }

    /// The blocks of `rows` with their paths to digests, and the digests that are needed. The oldest digest that covers a
    /// block is taken, one with a receipt before others.
    /// - Throws: `SQLiteLedgerError` when no digest that the database reproduces covers a row.
    public func cover(
        _ rows: [EvidenceRow], with digests: [StoredDigest]
    ) throws -> (blocks: [EvidenceBlock], digests: [EvidenceDigest]) {
        var usable: [(stored: StoredDigest, block: Block)] = []
        for stored in digests where stored.digest.ledger == ledger {
            guard let block = try? block(stored.digest.block), block.hash == stored.digest.hash else { continue }
            usable.append((stored, block))
        }
        func hasReceipt(_ stored: StoredDigest) -> Bool { if case .verified = stored.receipt { true } else { false } }
        var blocks: [BlockID: EvidenceBlock] = [:]
        var used: [BlockID: StoredDigest] = [:]
        for id in Set(rows.map(\.block)).sorted() {
            let covering = usable.filter { $0.block.id >= id }.min {
                (hasReceipt($0.stored) ? 0 : 1, $0.block.id) < (hasReceipt($1.stored) ? 0 : 1, $1.block.id)
            }
            guard let covering else {
                throw SQLiteLedgerError.refused(
                    "no digest that was given covers block \(id); upload one with sql digest, or name its store")
            }
            let own = try block(id)
            let path = try EvidencePaths.blockPath(of: own, inHistoryOf: covering.block, node: blockNode)
            blocks[id] = EvidenceBlock(block: own, digestBlock: covering.block.id, path: path)
            used[covering.block.id] = covering.stored
        }
        for (id, _) in used where blocks[id]?.digestBlock != id {
            blocks[id] = EvidenceBlock(block: try block(id), digestBlock: id, path: InclusionProof(steps: []))
        }
        return (
            blocks.sorted { $0.key < $1.key }.map(\.value),
            used.sorted { $0.key < $1.key }.map { EvidenceDigest($0.value) }
        )
    }

    private func block(_ id: BlockID) throws -> Block { try connection.closedBlock(id, of: ledger) }

    // MARK: Stored hashes

    private func blockNode(level: Int, position: UInt64) throws -> Digest32 {
        let value = try connection.value(
            "SELECT hash FROM main.ledger_block_nodes WHERE level = ? AND position = ?",
            [.integer(Int64(level)), .integer(Int64(clamping: position))])
        guard case .blob(let bytes)? = value, let hash = Digest32(bytes) else {
            throw SQLiteLedgerError.refused("node \(position) of level \(level) of the block tree is missing")
        }
        return hash
    }

    private func chunk(_ query: SQLiteStatement, _ place: [Int64]) throws -> LeafChunk? {
        defer { query.reset() }
        try query.bind(place.map { .integer($0) })
        return try query.step() ? try LeafChunk(decoding: query.bytes(0)) : nil
    }

    private func required(_ chunk: LeafChunk?, _ what: @autoclosure () -> String) throws -> LeafChunk {
        guard let chunk else { throw SQLiteLedgerError.refused("stored hashes of \(what()) are missing") }
        return chunk
    }

    // MARK: Versions

    private func liveVersions(
        _ table: TableDescription, _ id: TableID, _ key: [(column: String, values: [SQLValue])]
    ) throws -> [Version] {
        let columns = table.schema(of: id).storedColumns.map(\.name)
        if let row = table.rowIDColumn {
            let query = TableSQL.hasMovedRows(table.table, id, row: SQLName.quoted(row))
            guard try connection.value(query) == .integer(0) else {
                throw SQLiteLedgerError.refused(
                    "the rows of \(table.table) were moved (VACUUM, or dumped and loaded); run SELECT ledger_refresh() first"
                )
            }
        }
        let filter = KeyCondition(key, prefix: "t.", collations: try collations(of: table.table))
        let join =
            if let row = table.rowIDColumn {
                "s.row_id = t.\(SQLName.quoted(row))"
            } else {
                table.columns.filter { $0.primaryKeyPosition > 0 }.map {
                    "s.\(SQLName.quoted($0.name)) = t.\(SQLName.quoted($0.name))"
                }.joined(separator: " AND ")
            }
        let list = columns.map { ", t.\(SQLName.quoted($0))" }.joined()
        let rows = try connection.query(
            """
            SELECT s.transaction_id, s.sequence_number\(list) FROM main.\(SQLName.quoted(table.table)) AS t
            CROSS JOIN main.ledger_stamps_\(id) AS s ON \(join) WHERE \(filter.sql) LIMIT 2
            """, filter.values)
        return try rows.map { row in
            Version(
                start: try start(row[0], row[1]), end: nil,
                values: Dictionary(zip(columns.map(\.exact), row.dropFirst(2)), uniquingKeysWith: { first, _ in first })
            )
        }
    }

    private func collations(of table: String) throws -> [(column: String, name: String)] {
        KeyCondition.collations(try connection.query(KeyCondition.collations, [.text(table)]))
    }

    private func endedVersions(
        _ table: String, _ id: TableID, _ key: [(column: String, values: [SQLValue])]
    ) throws -> [Version] {
        let filter = KeyCondition(key, prefix: "", collations: try collations(of: table))
        let statement = try connection.prepare("SELECT * FROM main.ledger_history_\(id) WHERE \(filter.sql)")
        try statement.bind(filter.values)
        let names = (0..<statement.columnCount).map { statement.columnName($0) }
        guard key.allSatisfy({ part in names.contains { SQLName.same($0, part.column) } }) else {
            throw SQLiteLedgerError.refused("history keeps no row ids; name a column of the table for ended versions")
        }
        var versions: [Version] = []
        while try statement.step() {
            let row = statement.row
            versions.append(
                Version(
                    start: try start(row[0], row[1]), end: try start(row[2], row[3]),
                    values: Dictionary(
                        zip(names.map(\.exact), row).dropFirst(4), uniquingKeysWith: { first, _ in first })))
        }
        return versions
    }

    private func start(_ transaction: SQLValue, _ sequence: SQLValue) throws -> RowStart {
        guard case .integer(let transaction) = transaction, transaction > 0,
            case .integer(let sequence) = sequence, sequence >= 0
        else { throw SQLiteLedgerError.refused("a row has no place in the ledger") }
        return RowStart(transaction: TransactionNumber(UInt64(transaction)), sequence: LeafNumber(UInt64(sequence)))
    }

    private func chosen(
        _ versions: VersionSelection, _ name: String, _ description: TableDescription, _ table: EvidenceTable,
        _ key: [(column: String, values: [SQLValue])]
    ) throws -> [Version] {
        let live = table.isDropped ? [] : try liveVersions(description, table.id, key)
        guard live.count <= 1 else {
            throw SQLiteLedgerError.refused("more than one row of \(name) has this key; name all columns of its key")
        }
        if versions == .current {
            guard !live.isEmpty else {
                throw SQLiteLedgerError.refused("no row of \(name) has this key now; ended versions may")
            }
            return live
        }
        let all = (try endedVersions(description.table, table.id, key) + live).sorted { $0.start < $1.start }
        guard !all.isEmpty else { throw SQLiteLedgerError.refused("no version of a row of \(name) has this key") }
        guard Self.areOfOneRow(all, description, key) else {
            throw SQLiteLedgerError.refused("versions of several rows of \(name) fit; name all columns of its key")
        }
        guard case .number(let number) = versions else { return all }
        guard all.indices.contains(number - 1) else {
            throw SQLiteLedgerError.refused("the row has \(all.count) versions, there is no version \(number)")
        }
        return [all[number - 1]]
    }

    /// Whether the versions fit one key, which is all that tells rows of the past apart. Where the key itself was named they
    /// do; two spellings that its collation calls equal are one row.
    private static func areOfOneRow(
        _ versions: [Version], _ description: TableDescription, _ named: [(column: String, values: [SQLValue])]
    ) -> Bool {
        let key = description.columns.filter { $0.primaryKeyPosition > 0 }.map(\.name)
        let isNamed = key.allSatisfy { column in named.contains { SQLName.same($0.column, column) } }
        return isNamed || Set(versions.map { version in key.map { version.values[$0.exact] } }).count == 1
    }

    // MARK: Rows

    private func row(
        _ table: String, _ operation: RowOperation, _ schema: TableSchema, _ place: RowStart, start: RowStart?,
        _ values: [SQLValue], isLive: Bool
    ) throws -> EvidenceRow {
        let found = try entry(place.transaction)
        guard let hash = found.entry.tableHashes[schema.table], place.sequence.rawValue < hash.leafCount else {
            throw SQLiteLedgerError.refused(
                "transaction \(place.transaction) has no operation \(place.sequence) on \(table)")
        }
        var row = EvidenceRow(
            tableName: table, operation: operation, schema: schema, values: values, transaction: found.entry,
            sequence: place.sequence, start: start, rowPath: InclusionProof(steps: []), transactionPath: found.path,
            block: found.block, isClaimedCurrent: isLive)
        let transaction = Int64(clamping: place.transaction.rawValue)
        let id = Int64(clamping: schema.table.rawValue)
        do {
            let last = try lastChunk(of: hash, in: found.entry)
            row.rowPath = try EvidencePaths.rowPath(of: row.leaf.hash, at: place.sequence, in: hash) { number in
                try required(
                    number == last.number
                        ? last.chunk : try chunk(chunkQuery, [transaction, id, Int64(clamping: number)]),
                    "transaction \(transaction), table \(table)")
            } rootChunk: { number in
                try chunk(chunkQuery, [transaction, LeafChunk.rootsKey(of: schema.table), Int64(clamping: number)])
            }
        } catch let error as ProofError {
            throw SQLiteLedgerError.refused(
                "the row of \(table) is not what transaction \(transaction) recorded (\(error.reason)); run sql verify")
        }
        return row
    }

    /// The last chunk of a table where the entry keeps it; its number is `nil` where it does not.
    private func lastChunk(
        of hash: TableHash, in entry: TransactionEntry
    ) throws -> (number: UInt64?, chunk: LeafChunk?) {
        let value = try connection.value(
            "SELECT leaves FROM main.database_ledger_transactions WHERE transaction_id = ?",
            [.integer(Int64(clamping: entry.id.rawValue))])
        guard case .blob(let bytes)? = value, let number = EntryLeaves.chunkNumber(of: hash) else { return (nil, nil) }
        return (number, try EntryLeaves(decoding: bytes, of: entry.tableHashes)[hash.table])
    }

    /// The schema event that made a state of a table, as a row of table 0.
    private func event(_ state: SchemaHistory.Version, of table: TableID) throws -> EvidenceRow {
        let event = SchemaEvent(state.type, of: table, state.description)
        return try row(
            EvidenceTable.schemaEvents.name, .created,
            TableSchema(table: .schemaEvents, columns: EvidenceRow.schemaEventColumns),
            RowStart(transaction: state.transaction, sequence: state.sequence), start: nil, event.values, isLive: true)
    }

    /// The values of the columns that the version was created with, by what the columns are called now.
    private func values(_ version: Version, _ states: [SchemaHistory.Version], _ index: Int) throws -> [SQLValue] {
        var names: [(then: String, now: String)] = states[index].storedColumns.map { ($0.name, $0.name) }
        for state in states[(index + 1)...] {
            guard let previous = state.description.previous else { continue }
            guard let place = names.firstIndex(where: { $0.now.exact == previous.exact }) else { continue }
            switch state.type {
            case .renameColumn:
                // The column keeps its place; the new name is the one that was not there before.
                let known = Set(names.map(\.now.exact))
                if let new = state.storedColumns.map(\.name).first(where: { !known.contains($0.exact) }) {
                    names[place].now = new
                }
            case .dropColumn:
                names[place].now = TableSQL.droppedName(previous, in: state.transaction)
            default: continue
            }
        }
        return try names.map { name in
            guard let value = version.values[name.now.exact] else {
                throw SQLiteLedgerError.refused("the column \(name.then) of an old version was not found")
            }
            return value
        }
    }

    private func entry(
        _ transaction: TransactionNumber
    ) throws -> (entry: TransactionEntry, block: BlockID, path: InclusionProof) {
        if let known = entries[transaction] { return known }
        let (entry, number) = try stored(transaction)
        let isClosed = try connection.value(
            "SELECT 1 FROM main.database_ledger_blocks WHERE block_id = ?", [.integer(number)])
        guard isClosed != nil else {
            throw SQLiteLedgerError.refused(
                "transaction \(transaction) is in no closed block yet, so no digest covers it; sql digest closes one")
        }
        let id = BlockID(UInt64(number))
        do {
            let path = try transactionPath(of: entry, in: try block(id))
            entries[transaction] = (entry, id, path)
            return (entry, id, path)
        } catch let error as ProofError {
            throw SQLiteLedgerError.refused(
                "transaction \(transaction) is not what block \(id) recorded (\(error.reason)); run sql verify")
        }
    }

    private func transactionPath(of entry: TransactionEntry, in block: Block) throws -> InclusionProof {
        if let query = transactionChunkQuery {
            let id = Int64(clamping: block.id.rawValue)
            return try EvidencePaths.transactionPath(of: entry, in: block) { number in
                try required(try chunk(query, [id, Int64(clamping: number)]), "block \(block.id)")
            }
        }
        // A database of a version that kept no such chunks: all entries of the block are hashed.
        guard let range = block.transactions else { throw ProofError.invalid("the block has no transactions") }
        let leaves = try (range.lowerBound.rawValue...range.upperBound.rawValue).map { number in
            try stored(TransactionNumber(number)).entry.leaf
        }
        return try EvidencePaths.transactionPath(of: entry, in: block, leaves: leaves)
    }

    /// An entry and the number of its block, which may be still open.
    private func stored(_ transaction: TransactionNumber) throws -> (entry: TransactionEntry, block: Int64) {
        let rows = try connection.query(
            """
            SELECT block_id, commit_time, principal_name, login_name, application_name, table_hashes
            FROM main.database_ledger_transactions WHERE transaction_id = ?
            """, [.integer(Int64(clamping: transaction.rawValue))])
        func text(_ value: SQLValue) -> String? {
            if case .text(let bytes) = value { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
        guard let row = rows.first, case .integer(let number) = row[0], number >= 0,
            let time = text(row[1]).flatMap({ CommitTime($0) }), let principal = text(row[2]),
            let login = text(row[3]), let application = text(row[4]), case .blob(let hashes) = row[5]
        else { throw SQLiteLedgerError.refused("transaction \(transaction) is missing or is no transaction") }
        return (
            TransactionEntry(
                ledger: ledger, id: transaction, commitTime: time, principal: principal, login: login,
                application: application, tableHashes: try TableHashes(decoding: hashes)), number
        )
    }
}
