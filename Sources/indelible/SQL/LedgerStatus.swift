import SQLLedger
import SQLLedgerDigests
import SQLLedgerSQLite

/// What the ledger's own tables say about a database. Nothing in it is proven.
struct LedgerStatus: Encodable {
    struct Table: Encodable {
        var tableId: Int64
        var name: String
        /// `updatable` or `append-only`.
        var kind: String
        var view: String
        var isDropped: Bool
    }

    struct Store: Encodable {
        var path: String
        var lastBlockId: Int64?
        var isCurrent: Bool
        /// Closed blocks whose digest is not there.
        var lag: Int64
    }

    struct Verified: Encodable {
        var blockId: UInt64
        var time: String
        /// The file that was verified, if that is known and another one.
        var database: String?

        init(_ state: VerifiedState, of location: DatabaseLocation) {
            let own = state.mark(of: location.names)
            let mark = own ?? state.newest
            blockId = mark.digest.block.rawValue
            time = mark.time
            database = own == nil ? state.newestFile ?? "a file that an older build did not name" : nil
        }
    }

    var ledgerId: String
    var databaseName: String
    var createTime: String
    var allTables: Bool
    var tables: [Table]
    var transactions: Int64
    var lastTransactionTime: String?
    var blocks: Int64
    var lastBlockTime: String?
    var openTransactions: Int64
    var stores: [Store]
    /// Ordinary tables that are not ledger tables, when every table should be one.
    var notCovered: [String]
    /// Virtual tables, which cannot be ledger tables.
    var leftOut: [String]
    var lastVerified: Verified?

    /// The ledger id in hexadecimal digits; `nil` for a database without a ledger.
    static func identity(_ session: SQLSession) throws -> String? {
        guard try session.hasTable("ledger_identity") else { return nil }
        let rows = try session.rows("SELECT lower(hex(ledger_id)), format FROM ledger_identity WHERE id = 1")
        guard let row = rows.first else { return nil }
        if let fault = EvidenceIdentity.fault(ofFormat: row[1].integer ?? 0) { throw Failure(fault) }
        return row[0].shown
    }

    /// The collection of digests in a ledger whose URL names none.
    static func collection(_ session: SQLSession) throws -> String? {
        let row = try session.rows("SELECT database_name, create_time FROM ledger_identity WHERE id = 1").first
        guard let row, let time = CommitTime(row[1].shown) else { return nil }
        return DigestCollection.name(database: row[0].shown, createTime: time)
    }

    @discardableResult
    static func requireIdentity(_ session: SQLSession, _ database: String) throws -> String {
        guard let id = try identity(session) else {
            throw Failure("\(database): has no ledger; make it one with: indelible sql init \(database.quotedForShell)")
        }
        return id
    }

    init(_ session: SQLSession) throws {
        let identity = try session.rows(
            "SELECT lower(hex(ledger_id)), database_name, create_time, all_tables FROM ledger_identity WHERE id = 1")
        guard let row = identity.first else { throw Failure("the database has no ledger") }
        ledgerId = row[0].shown
        databaseName = row[1].shown
        createTime = row[2].shown
        allTables = row[3].integer == 1
        tables = try Self.tables(session)
        transactions =
            try session.value("SELECT coalesce(max(transaction_id), 0) FROM database_ledger_transactions")?
            .integer ?? 0
        lastTransactionTime = try session.value(
            "SELECT commit_time FROM database_ledger_transactions ORDER BY transaction_id DESC LIMIT 1")?.shown
        blocks = try session.value("SELECT coalesce(max(block_id) + 1, 0) FROM database_ledger_blocks")?.integer ?? 0
        let last = try session.rows(
            """
            SELECT close_time, first_transaction_id + block_size - 1 FROM database_ledger_blocks
            ORDER BY block_id DESC LIMIT 1
            """
        ).first
        lastBlockTime = last?[0].shown
        openTransactions = max(0, transactions - (last?[1].integer ?? 0))
        stores = []
        for row in try session.rows(
            "SELECT path, last_digest_block_id, is_current FROM database_ledger_digest_locations ORDER BY path")
        {
            let newest = row[1].integer
            stores.append(
                Store(
                    path: row[0].shown, lastBlockId: newest, isCurrent: row[2].integer == 1,
                    lag: max(0, blocks - 1 - (newest ?? -1))))
        }
        let names = Set(tables.filter { !$0.isDropped }.map { SQLName.folded($0.name) })
        let numbers = Set(tables.map { TableID(UInt64(bitPattern: $0.tableId)) })
        var uncovered: [String] = []
        var virtual: [String] = []
        for row in try session.rows(
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') ORDER BY 1"
        ) {
            let name = row[0].shown
            let lower = SQLName.folded(name)
            if lower.hasPrefix("sqlite_") || SQLName.isOwnTable(name, of: numbers) { continue }
            if row[1].shown == "virtual" {
                virtual.append(name)
            } else if !names.contains(lower) {
                uncovered.append(name)
            }
        }
        notCovered = allTables ? uncovered : []
        leftOut = virtual
    }

    /// From the newest schema event of every table.
    private static func tables(_ session: SQLSession) throws -> [Table] {
        try session.rows(
            """
            SELECT table_id, json_extract(body, '$.table'), json_extract(body, '$.kind'), json_extract(body, '$.view'),
                   event_type
            FROM (
                SELECT *, row_number() OVER (PARTITION BY table_id ORDER BY transaction_id DESC, sequence_number DESC) AS age
                FROM ledger_schema_events WHERE event_type <> 8) WHERE age = 1
            ORDER BY table_id
            """
        ).map { row in
            Table(
                tableId: row[0].integer ?? 0, name: row[1].shown, kind: row[2].shown, view: row[3].shown,
                isDropped: row[4].integer == 1)
        }
    }
}
