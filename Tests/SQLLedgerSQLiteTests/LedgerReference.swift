import LedgerProofs
import SQLLedger
import SQLLedgerSQLite
import Testing

/// The ledger recomputed from the stored rows in the simplest way, to compare with what the engine wrote. Collects every
/// disagreement in words.
struct LedgerReference {
    private struct Version {
        var transaction: UInt64
        var after: UInt64
        var columns: [SchemaColumn]
    }

    private struct Table {
        var id: TableID
        var versions: [Version] = []
        var last: TableDescription
        var isDropped = false
        /// The name of each column in the history table, by the index of the event and the name then.
        var renames: [(transaction: UInt64, from: String, to: String)] = []
    }

    private struct Place: Hashable {
        var transaction: UInt64
        var table: UInt64
    }

    private(set) var problems: [String] = []
    private var leaves: [Place: [UInt64: Digest32]] = [:]
    private let db: SQLiteConnection

    static func problems(of db: SQLiteConnection) throws -> [String] {
        var reference = LedgerReference(db: db)
        try reference.check()
        return reference.problems
    }

    private init(db: SQLiteConnection) { self.db = db }

    private mutating func check() throws {
        let tables = try readEvents()
        for table in tables { try readRows(of: table) }
        try compareTransactions()
        try compareBlocks()
    }

    private mutating func add(_ leaf: RowLeaf) {
        let place = Place(transaction: leaf.transaction.rawValue, table: leaf.table.rawValue)
        if leaves[place, default: [:]].updateValue(leaf.hash, forKey: leaf.sequence.rawValue) != nil {
            problems.append("two leaves at \(place) \(leaf.sequence)")
        }
    }

    private mutating func readEvents() throws -> [Table] {
        var tables: [UInt64: Table] = [:]
        let rows = try db.prepare(
            """
            SELECT transaction_id, sequence_number, event_type, table_id, body FROM ledger_schema_events
            ORDER BY event_id
            """)
        while try rows.step() {
            let transaction = TransactionNumber(UInt64(rows.integer(0)))
            let event = try SchemaEvent(type: rows.integer(2), table: rows.integer(3), body: rows.bytes(4))
            add(event.leaf(transaction: transaction, sequence: LeafNumber(UInt64(rows.integer(1)))))
            guard let description = event.description else { continue }
            let id = event.table
            var table = tables[id.rawValue] ?? Table(id: id, last: description)
            if event.type == .renameColumn, let previous = description.previous {
                let index = table.last.columns.firstIndex { $0.name == previous }
                if let index {
                    table.renames.append((transaction.rawValue, previous, description.columns[index].name))
                }
            }
            if event.type == .dropColumn, let previous = description.previous {
                table.renames.append(
                    (transaction.rawValue, previous, TableSQL.droppedName(previous, in: transaction)))
            }
            table.versions.append(
                Version(
                    transaction: transaction.rawValue, after: description.after.rawValue, columns: description.columns))
            table.last = description
            table.isDropped = event.type == .drop
            tables[id.rawValue] = table
        }
        return tables.values.sorted { $0.id < $1.id }
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }

    private func version(of table: Table, _ transaction: UInt64, _ sequence: UInt64) -> Version? {
        table.versions.last { $0.transaction < transaction || ($0.transaction == transaction && $0.after <= sequence) }
    }

    private mutating func readRows(of table: Table) throws {
        if !table.isDropped {
            let sql = TableSQL(id: table.id, description: table.last)
            let names = table.last.columns.filter { $0.generation != .virtual }.map(\.name)
            let list = names.map { "t." + Self.quoted($0) }.joined(separator: ", ")
            let keys = table.last.columns.filter { $0.primaryKeyPosition > 0 }.map(\.name)
            let join =
                table.last.rowIDColumn.map { "s.row_id = t." + Self.quoted($0) }
                ?? keys.map { "s.\"\($0)\" = t.\"\($0)\"" }.joined(separator: " AND ")
            let rows = try db.query(
                """
                SELECT s.transaction_id, s.sequence_number, \(list) FROM \(Self.quoted(table.last.table)) AS t
                LEFT JOIN \(sql.stamps) AS s ON \(join)
                """)
            let stamps = try db.value("SELECT count(*) FROM \(sql.stamps)")
            if stamps != .integer(Int64(rows.count)) { problems.append("\(table.last.table): stamps do not fit rows") }
            for row in rows {
                guard case .integer(let transaction) = row[0], case .integer(let sequence) = row[1] else {
                    problems.append("\(table.last.table): a row without stamp")
                    continue
                }
                let values = Dictionary(zip(names, row[2...])) { first, _ in first }
                addLeaves(table, values, UInt64(transaction), UInt64(sequence), ended: nil, isHistory: false)
            }
        }
        let history = try db.prepare("SELECT * FROM ledger_history_\(table.id)")
        while try history.step() {
            let row = history.row
            let names = (0..<history.columnCount).map { history.columnName($0) }
            let values = Dictionary(zip(names, row)) { first, _ in first }
            func number(_ index: Int) -> UInt64 { if case .integer(let n) = row[index] { UInt64(n) } else { .max } }
            addLeaves(table, values, number(0), number(1), ended: (number(2), number(3)), isHistory: true)
        }
    }

    private mutating func addLeaves(
        _ table: Table, _ values: [String: SQLValue], _ transaction: UInt64, _ sequence: UInt64,
        ended: (UInt64, UInt64)?, isHistory: Bool
    ) {
        guard let version = version(of: table, transaction, sequence) else {
            problems.append("table \(table.id): no schema version for \(transaction).\(sequence)")
            return
        }
        let columns = version.columns.filter { $0.generation != .virtual }
        let row = columns.map { column -> SQLValue in
            var name = column.name
            for rename in table.renames
            where rename.transaction > version.transaction
                || (rename.transaction == version.transaction && rename.from == name)
            {
                if rename.from == name { name = rename.to }
            }
            return values[name] ?? .text("<no column \(name)>")
        }
        let schema = TableSchema(table: table.id, columns: version.columns).digest
        add(
            RowLeaf(
                operation: .created, table: table.id, schema: schema, transaction: TransactionNumber(transaction),
                sequence: LeafNumber(sequence), values: row))
        guard let ended else { return }
        add(
            RowLeaf(
                operation: .ended, table: table.id, schema: schema, transaction: TransactionNumber(ended.0),
                sequence: LeafNumber(ended.1),
                start: RowStart(transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence)),
                values: row))
    }

    /// RFC 6962 as it is written there.
    private static func root(_ leaves: ArraySlice<Digest32>) -> Digest32 {
        guard leaves.count > 1 else { return leaves.first ?? SHA256Hashing.digest([]) }
        var half = 1
        while half * 2 < leaves.count { half *= 2 }
        let left = root(leaves.prefix(half))
        let right = root(leaves.dropFirst(half))
        return SHA256Hashing.digest([1] + left.bytes + right.bytes)
    }

    private mutating func compareTransactions() throws {
        let rows = try db.prepare(
            """
            SELECT transaction_id, table_hashes, commit_time, leaves FROM database_ledger_transactions
            ORDER BY transaction_id
            """)
        var expected: UInt64 = 1
        var seen: Set<Place> = []
        var lastTime = ""
        while try rows.step() {
            let id = UInt64(rows.integer(0))
            if id != expected { problems.append("transaction \(expected) is missing") }
            expected = id + 1
            if rows.text(2) < lastTime { problems.append("transaction \(id) is older than the one before") }
            lastTime = rows.text(2)
            let hashes = try TableHashes(decoding: rows.bytes(1))
            let last = rows.isNull(3) ? nil : try EntryLeaves(decoding: rows.bytes(3), of: hashes)
            for hash in hashes.tables {
                let place = Place(transaction: id, table: hash.table.rawValue)
                seen.insert(place)
                let found = leaves[place] ?? [:]
                let sequence = found.keys.sorted()
                if UInt64(found.count) != hash.leafCount || sequence.last != hash.leafCount - 1 {
                    problems.append("\(place): \(hash.leafCount) leaves ledgered, rows make \(sequence)")
                    continue
                }
                let ordered = sequence.compactMap { found[$0] }
                if Self.root(ordered[...]) != hash.root { problems.append("\(place): the root differs") }
                try compareChunks(place, ordered, last: last?[hash.table])
            }
        }
        for place in leaves.keys where !seen.contains(place) { problems.append("\(place): rows without transaction") }
    }

    private mutating func compareChunks(_ place: Place, _ leaves: [Digest32], last: LeafChunk?) throws {
        let rows = try db.prepare(
            "SELECT chunk, leaves FROM ledger_leaf_chunks WHERE transaction_id = ? AND table_id = ? ORDER BY chunk")
        try rows.bind([.integer(Int64(place.transaction)), .integer(Int64(place.table))])
        var stored: [Digest32] = []
        while try rows.step() {
            if rows.integer(0) != Int64(stored.count / LeafChunk.leafCount) {
                problems.append("\(place): chunk numbers")
            }
            stored += try LeafChunk(decoding: rows.bytes(1)).leaves.map(\.hash)
        }
        stored += last?.leaves.map(\.hash) ?? []
        if stored != leaves { problems.append("\(place): the chunks differ") }
    }

    private static func time(_ text: String) throws -> CommitTime { try #require(CommitTime(text)) }

    private mutating func compareBlocks() throws {
        let identity = try db.prepare("SELECT ledger_id FROM ledger_identity")
        guard try identity.step(), let ledger = LedgerID(identity.bytes(0)) else {
            problems.append("no identity")
            return
        }
        let rows = try db.prepare("SELECT * FROM database_ledger_blocks ORDER BY block_id")
        var hashes: [Digest32] = []
        var next: UInt64 = 1
        while try rows.step() {
            let id = UInt64(rows.integer(0))
            let entries = try db.prepare(
                """
                SELECT transaction_id, commit_time, principal_name, login_name, application_name, table_hashes,
                  transaction_ordinal FROM database_ledger_transactions WHERE block_id = ? ORDER BY transaction_id
                """)
            try entries.bind([.integer(Int64(id))])
            var leaves: [Digest32] = []
            let first = next
            while try entries.step() {
                if UInt64(entries.integer(0)) != next {
                    problems.append("block \(id): transaction \(next) is elsewhere")
                }
                if entries.integer(6) != Int64(leaves.count) { problems.append("block \(id): ordinals") }
                next += 1
                let entry = TransactionEntry(
                    ledger: ledger, id: TransactionNumber(UInt64(entries.integer(0))),
                    commitTime: try Self.time(entries.text(1)), principal: entries.text(2), login: entries.text(3),
                    application: entries.text(4), tableHashes: try TableHashes(decoding: entries.bytes(5)))
                leaves.append(entry.leaf)
            }
            let block = Block(
                ledger: ledger, id: BlockID(id), transactionsRoot: Self.root(leaves[...]), size: UInt64(leaves.count),
                firstTransaction: TransactionNumber(first), previous: hashes.last,
                historyRoot: Self.root(hashes.map { SHA256Hashing.digest([0] + $0.bytes) }[...]),
                closeTime: try Self.time(rows.text(6)))
            if block.transactionsRoot.bytes != rows.bytes(1) || block.size != UInt64(rows.integer(2))
                || block.historyRoot.bytes != rows.bytes(5) || (block.previous?.bytes ?? []) != rows.bytes(4)
                || block.firstTransaction.rawValue != UInt64(rows.integer(3))
            {
                problems.append("block \(id) differs")
            }
            hashes.append(block.hash)
        }
    }
}
