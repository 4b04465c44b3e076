import Foundation
import GRDB
import LedgerProofs

/// The derived index: collection, author, tag and time → seqno. One SQLite file that can be deleted at any time
/// while the node is stopped; it is rebuilt from the ledger. One writer (the indexer), many readers.
final class EntryIndex: Sendable {
    static let schemaVersion = 1
    /// Of SQLite's page cache, for each connection.
    private static let cacheKibibytes = 2_048
    /// A point in time is kept for each so many entries at least, and for the last one of each addition: what lies between
    /// two points is read to find the first entry of a time.
    static let rowsPerTime = 128

    /// How long a lock is waited for that somebody else holds on the file, in seconds.
    private static let patience: TimeInterval = 5

    private let pool: DatabasePool
    /// Whose entries these are: the id of the service's key.
    private let ledger: String

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience)
        return configuration
    }

    /// Errors: `DatabaseError`, of damage when the file has another schema.
    init(path: String, ledger: String) throws {
        self.ledger = ledger
        var configuration = Self.configuration
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            // Derived data: a lost tail is indexed again from the ledger, so commits need no sync of their own.
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA cache_size = -\(EntryIndex.cacheKibibytes)")
        }
        pool = try DatabasePool(path: path, configuration: configuration)
        try pool.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS names(
                        id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE(kind, name));
                    CREATE TABLE IF NOT EXISTS heads(
                        collection INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
                    CREATE TABLE IF NOT EXISTS by_collection(
                        collection INTEGER NOT NULL, seqno INTEGER NOT NULL,
                        PRIMARY KEY(collection, seqno)) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS by_author(
                        collection INTEGER NOT NULL, author INTEGER NOT NULL, seqno INTEGER NOT NULL,
                        PRIMARY KEY(collection, author, seqno)) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS by_tag(
                        collection INTEGER NOT NULL, tag INTEGER NOT NULL, seqno INTEGER NOT NULL,
                        PRIMARY KEY(collection, tag, seqno)) WITHOUT ROWID;
                    -- Times never decrease with seqno, so a few points bound any time range.
                    CREATE TABLE IF NOT EXISTS times(seqno INTEGER PRIMARY KEY, time INTEGER NOT NULL);
                    CREATE INDEX IF NOT EXISTS times_by_time ON times(time);
                    """)
        }
        let version = try pool.read { db in
            try Int.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'schema'")
        }
        if let version, version != EntryIndex.schemaVersion {
            throw DatabaseError(
                resultCode: .SQLITE_ERROR, message: "the index has schema \(version), not \(EntryIndex.schemaVersion)")
        }
    }

    func close() throws { try pool.close() }

    /// Moves what the write-ahead log holds into the file, durably. Closing does not: readers are closed last.
    func checkpoint() throws { _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) } }

    /// How large the file may become, in pages, but not less than it is. For tests of an index that cannot be written.
    func limit(toPages count: Int) throws {
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(count)") }
    }

    /// Everything up to here is in the index.
    func indexedTo() throws -> SequenceNumber { try pool.read { try Self.indexedTo($0) } }

    /// How far the index in a file goes, of whatever schema it is. Errors: `DatabaseError`, of damage when it does not tell,
    /// or is that of another ledger.
    static func indexedTo(inFile path: String, ledger: String) throws -> SequenceNumber {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            // Files of older programs do not tell whose they are.
            let owner = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'ledger'")
            guard owner == nil || owner == ledger else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the index is that of another ledger")
            }
            return try indexedTo(db)
        }
    }

    private static func indexedTo(_ db: Database) throws -> SequenceNumber {
        guard let value = try DatabaseValue.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'indexed_to'") else {
            return .zero
        }
        guard case .int64(let number) = value.storage else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "indexed_to is no number")
        }
        return try seqno(number)
    }

    /// A number that stands in the file, which anybody may have written.
    private static func seqno(_ number: Int64) throws -> SequenceNumber {
        guard let number = UInt64(exactly: number) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the index holds a seqno below zero")
        }
        return SequenceNumber(number)
    }

    // MARK: Writing (the indexer's thread only)

    private enum Kind: Int {
        case collection = 0
        case author = 1
        case tag = 2
    }

    /// Adds `rows` (ascending) and moves the high-water mark, in one transaction.
    func add(_ rows: [IndexRow], upTo seqno: SequenceNumber) throws {
        try pool.writeWithoutTransaction { db in
            try db.inTransaction {
                // One statement for all rows of a key: binding values costs several times what an insertion does.
                let byCollection = try db.cachedStatement(
                    sql: "INSERT OR REPLACE INTO by_collection(collection, seqno) SELECT ?1, value FROM json_each(?2)")
                let byAuthor = try db.cachedStatement(
                    sql: """
                        INSERT OR REPLACE INTO by_author(collection, author, seqno)
                        SELECT ?1, ?2, value FROM json_each(?3)
                        """)
                let byTag = try db.cachedStatement(
                    sql: """
                        INSERT OR REPLACE INTO by_tag(collection, tag, seqno)
                        SELECT ?1, ?2, value FROM json_each(?3)
                        """)
                let head = try db.cachedStatement(
                    sql: """
                        INSERT INTO heads(collection, first, last) VALUES (?1, ?2, ?3)
                        ON CONFLICT(collection) DO UPDATE SET last = excluded.last
                        """)
                var names: [ExactText: Int64] = [:]
                var collections: [Int64: [Int64]] = [:]
                var authors: [Pair: [Int64]] = [:]
                var tags: [Pair: [Int64]] = [:]
                for row in rows {
                    let number = Int64(row.seqno.rawValue)
                    let collection = try id(of: row.collectionID, .collection, db, &names)
                    let author = try id(of: row.author, .author, db, &names)
                    collections[collection, default: []].append(number)
                    authors[Pair(collection: collection, other: author), default: []].append(number)
                    for tag in row.tags {
                        let tag = try id(of: tag, .tag, db, &names)
                        tags[Pair(collection: collection, other: tag), default: []].append(number)
                    }
                }
                for (collection, numbers) in collections {
                    guard let first = numbers.first, let last = numbers.last else { continue }
                    try byCollection.execute(arguments: [collection, Self.json(numbers)])
                    try head.execute(arguments: [collection, first, last])
                }
                for (pair, numbers) in authors {
                    try byAuthor.execute(arguments: [pair.collection, pair.other, Self.json(numbers)])
                }
                for (pair, numbers) in tags {
                    try byTag.execute(arguments: [pair.collection, pair.other, Self.json(numbers)])
                }
                let point = try db.cachedStatement(sql: "INSERT OR REPLACE INTO times(seqno, time) VALUES (?, ?)")
                for (position, row) in rows.enumerated()
                where position == rows.count - 1 || position % Self.rowsPerTime == Self.rowsPerTime - 1 {
                    try point.execute(arguments: [Int64(row.seqno.rawValue), row.timeMicroseconds])
                }
                let mark = try db.cachedStatement(sql: "INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)")
                try mark.execute(arguments: ["schema", EntryIndex.schemaVersion])
                try mark.execute(arguments: ["indexed_to", Int64(seqno.rawValue)])
                try mark.execute(arguments: ["ledger", ledger])
                return .commit
            }
        }
    }

    /// A collection and an author or tag in it.
    private struct Pair: Hashable {
        var collection: Int64
        var other: Int64
    }

    private static func json(_ numbers: [Int64]) -> String {
        var text = "["
        for (position, number) in numbers.enumerated() {
            if position > 0 { text += "," }
            text += String(number)
        }
        return text + "]"
    }

    private func id(of name: String, _ kind: Kind, _ db: Database, _ known: inout [ExactText: Int64]) throws -> Int64 {
        let key = ExactText("\(kind.rawValue)\(name)")
        if let id = known[key] { return id }
        let id: Int64
        if let found = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT id FROM names WHERE kind = ? AND name = ?"),
            arguments: [kind.rawValue, name])
        {
            id = found
        } else {
            try db.cachedStatement(sql: "INSERT INTO names(kind, name) VALUES (?, ?)")
                .execute(arguments: [kind.rawValue, name])
            id = db.lastInsertedRowID
        }
        known[key] = id
        return id
    }

    // MARK: Reading

    private func existingID(_ name: String, _ kind: Kind, _ db: Database) throws -> Int64? {
        // SQLite would look for what stands before the NUL. No name has one.
        guard !name.utf8.contains(0) else { return nil }
        return try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT id FROM names WHERE kind = ? AND name = ?"),
            arguments: [kind.rawValue, name])
    }

    /// The last entry of the collection at or before `bound`; `nil` when it has none.
    func last(in collectionID: String, atMost bound: SequenceNumber) throws -> SequenceNumber? {
        try pool.read { db in
            guard let collection = try existingID(collectionID, .collection, db) else { return nil }
            return try Int64.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT seqno FROM by_collection WHERE collection = ? AND seqno <= ?
                        ORDER BY seqno DESC LIMIT 1
                        """), arguments: [collection, Int64(bound.rawValue)]
            ).map(Self.seqno)
        }
    }

    /// Ascending seqnos of the collection within the bounds; of one tag or one author when given.
    func seqnos(
        in collectionID: String, from: SequenceNumber, to: SequenceNumber, tag: String?, author: String?, limit: Int
    ) throws -> [SequenceNumber] {
        try pool.read { db in
            guard let collection = try existingID(collectionID, .collection, db) else { return [] }
            var conditions = ["collection = ?"]
            var arguments: [Int64] = [collection]
            var table = "by_collection"
            if let tag {
                guard let id = try existingID(tag, .tag, db) else { return [] }
                table = "by_tag"
                conditions.append("tag = ?")
                arguments.append(id)
            }
            if let author {
                guard let id = try existingID(author, .author, db) else { return [] }
                if tag == nil {
                    table = "by_author"
                    conditions.append("author = ?")
                } else {
                    conditions.append(
                        "EXISTS (SELECT 1 FROM by_author a WHERE a.collection = by_tag.collection "
                            + "AND a.author = ? AND a.seqno = by_tag.seqno)")
                }
                arguments.append(id)
            }
            arguments += [Int64(clamping: from.rawValue), Int64(clamping: to.rawValue), Int64(limit)]
            let sql =
                "SELECT seqno FROM \(table) WHERE \(conditions.joined(separator: " AND ")) "
                + "AND seqno >= ? AND seqno <= ? ORDER BY seqno LIMIT ?"
            return try Int64.fetchAll(db.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
                .map(Self.seqno)
        }
    }

    /// Bounds on the seqnos whose time can lie within `from ... to`; entries inside still need their own time checked.
    func seqnoBounds(fromTime: Int64?, toTime: Int64?) throws -> (from: SequenceNumber?, to: SequenceNumber?) {
        try pool.read { db in
            // A point (s, t) says: everything up to s has time <= t. So what is >= fromTime lies after the last
            // point below it, and what is <= toTime lies at or before the first point above it.
            let low = try fromTime.flatMap {
                try Int64.fetchOne(
                    db, sql: "SELECT seqno FROM times WHERE time < ? ORDER BY time DESC, seqno DESC LIMIT 1",
                    arguments: [$0])
            }
            let high = try toTime.flatMap {
                try Int64.fetchOne(
                    db, sql: "SELECT seqno FROM times WHERE time > ? ORDER BY time, seqno LIMIT 1", arguments: [$0])
            }
            return (try low.map { try Self.seqno($0).next }, try high.map(Self.seqno))
        }
    }

    /// The time of the newest point at or before `seqno`; 0 when there is none.
    func lastTime(atMost seqno: SequenceNumber) throws -> Int64 {
        try pool.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT time FROM times WHERE seqno <= ? ORDER BY seqno DESC LIMIT 1",
                arguments: [Int64(seqno.rawValue)]) ?? 0
        }
    }

    func collections(after: String?, limit: Int) throws -> [String] {
        try pool.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM names WHERE kind = 0 AND name > ? ORDER BY name LIMIT ?
                    """, arguments: [after ?? "", limit])
        }
    }

    /// Distinct tags, of one collection when given.
    func tags(in collectionID: String?, after: String?, limit: Int) throws -> [String] {
        try pool.read { db in
            guard let collectionID else {
                return try String.fetchAll(
                    db, sql: "SELECT name FROM names WHERE kind = 2 AND name > ? ORDER BY name LIMIT ?",
                    arguments: [after ?? "", limit])
            }
            guard let collection = try existingID(collectionID, .collection, db) else { return [] }
            return try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM names n WHERE kind = 2 AND name > ?
                    AND EXISTS (SELECT 1 FROM by_tag t WHERE t.collection = ? AND t.tag = n.id)
                    ORDER BY name LIMIT ?
                    """, arguments: [after ?? "", collection, limit])
        }
    }
}
