import SQLLedger

/// The SQL of the ledger's own tables, views and guards.
package enum LedgerObjects {
    package static let tables = [
        """
        CREATE TABLE ledger_identity(id INTEGER PRIMARY KEY CHECK(id = 1), ledger_id BLOB NOT NULL, format INTEGER \
        NOT NULL, database_name TEXT NOT NULL, create_time TEXT NOT NULL, all_tables INTEGER NOT NULL) STRICT
        """,
        """
        CREATE TABLE database_ledger_transactions(transaction_id INTEGER PRIMARY KEY, block_id INTEGER NOT NULL, \
        transaction_ordinal INTEGER NOT NULL, commit_time TEXT NOT NULL, principal_name TEXT NOT NULL, \
        login_name TEXT NOT NULL, application_name TEXT NOT NULL, table_hashes BLOB NOT NULL, leaves BLOB) STRICT
        """,
        """
        CREATE TABLE database_ledger_blocks(block_id INTEGER PRIMARY KEY, transactions_root_hash BLOB NOT NULL, \
        block_size INTEGER NOT NULL, first_transaction_id INTEGER NOT NULL, previous_block_hash BLOB, \
        history_root_hash BLOB NOT NULL, close_time TEXT NOT NULL) STRICT
        """,
        """
        CREATE TABLE ledger_block_nodes(level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, \
        PRIMARY KEY(level, position)) WITHOUT ROWID, STRICT
        """,
        """
        CREATE TABLE ledger_leaf_chunks(chunk_id INTEGER PRIMARY KEY, transaction_id INTEGER NOT NULL, \
        table_id INTEGER NOT NULL, chunk INTEGER NOT NULL, leaves BLOB NOT NULL, \
        UNIQUE(transaction_id, table_id, chunk)) STRICT
        """,
        """
        CREATE TABLE ledger_transaction_chunks(chunk_id INTEGER PRIMARY KEY, block_id INTEGER NOT NULL, \
        chunk INTEGER NOT NULL, leaves BLOB NOT NULL, UNIQUE(block_id, chunk)) STRICT
        """,
        """
        CREATE TABLE ledger_schema_events(event_id INTEGER PRIMARY KEY, transaction_id INTEGER NOT NULL, \
        sequence_number INTEGER NOT NULL, event_type INTEGER NOT NULL, table_id INTEGER NOT NULL, \
        body TEXT NOT NULL) STRICT
        """,
        """
        CREATE TABLE ledger_tables(table_id INTEGER PRIMARY KEY, name TEXT NOT NULL, view TEXT NOT NULL, \
        kind TEXT NOT NULL, is_dropped INTEGER NOT NULL) STRICT
        """,
        """
        CREATE TABLE database_ledger_digest_locations(path TEXT PRIMARY KEY, last_digest_block_id INTEGER, \
        is_current INTEGER NOT NULL) STRICT
        """,
        // Values of history rows that wait for columns of their history table. Empty outside of transactions.
        "CREATE TABLE ledger_pending(table_id INTEGER, sequence_number INTEGER, place INTEGER, value)",
        // No key and no index, so that VACUUM and reloading a dump number its rows anew.
        "CREATE TABLE ledger_rowid_canary(x)",
    ]

    package static let views = [
        """
        CREATE VIEW ledger_table_history AS SELECT table_id AS object_id, 'main' AS schema_name, \
        json_extract(body, '$.table') AS table_name, 'main' AS ledger_view_schema_name, \
        json_extract(body, '$.view') AS ledger_view_name, event_type AS operation_type, \
        CASE event_type WHEN 0 THEN 'CREATE' WHEN 1 THEN 'DROP' WHEN 2 THEN 'RENAME' ELSE 'RENAME_VIEW' END \
        AS operation_type_desc, transaction_id, sequence_number \
        FROM ledger_schema_events WHERE event_type IN (0, 1, 2, 3)
        """,
        """
        CREATE VIEW ledger_column_history AS \
        SELECT e.table_id AS object_id, c.key AS column_id, json_extract(c.value, '$.name') AS column_name, \
        0 AS operation_type, 'CREATE' AS operation_type_desc, e.transaction_id, e.sequence_number \
        FROM ledger_schema_events AS e, json_each(e.body, '$.columns') AS c WHERE e.event_type = 0 \
        UNION ALL SELECT e.table_id, c.key, json_extract(c.value, '$.name'), 1, 'ADD', e.transaction_id, \
        e.sequence_number FROM ledger_schema_events AS e, json_each(e.body, '$.columns') AS c \
        WHERE e.event_type = 4 AND c.key = json_array_length(e.body, '$.columns') - 1 \
        UNION ALL SELECT e.table_id, c.key, json_extract(c.value, '$.name'), 2, 'RENAME', e.transaction_id, \
        e.sequence_number FROM ledger_schema_events AS e, json_each(e.body, '$.columns') AS c \
        WHERE e.event_type = 5 AND NOT EXISTS (SELECT 1 FROM ledger_schema_events AS p, \
        json_each(p.body, '$.columns') AS o WHERE p.event_id = (SELECT max(event_id) FROM ledger_schema_events \
        WHERE table_id = e.table_id AND event_id < e.event_id) \
        AND json_extract(o.value, '$.name') = json_extract(c.value, '$.name')) \
        UNION ALL SELECT e.table_id, NULL, json_extract(e.body, '$.previous'), 3, 'DROP', e.transaction_id, \
        e.sequence_number FROM ledger_schema_events AS e WHERE e.event_type = 6
        """,
    ]

    /// Tables that only the ledger writes. (`ledger_record_upload` writes the locations of digests.)
    package static let guarded = [
        "ledger_identity", "database_ledger_transactions", "database_ledger_blocks", "ledger_block_nodes",
        "ledger_leaf_chunks", "ledger_transaction_chunks", "ledger_schema_events", "ledger_tables", "ledger_pending",
        "ledger_rowid_canary", "database_ledger_digest_locations",
    ]

    package static var guards: [String] { guarded.flatMap { guards(of: $0) } }

    /// Written with every transaction: a trigger on INSERT would cost it a statement journal. Direct inserts are left to
    /// the authorizer and to verification.
    static let withoutInsertGuard = "database_ledger_transactions"

    /// Guards that former builds made, and that do no harm.
    static var formerGuards: [String] { [insertGuard(of: withoutInsertGuard)] }

    /// Triggers that refuse direct changes of `table`. Without the ledger's functions they fail as well.
    ///
    /// A history table gets rows with every update: it has no guard of INSERT for the same reason.
    package static func guards(of table: String) -> [String] {
        let isInsertFree = table.hasPrefix("ledger_history_") || table == withoutInsertGuard
        return (isInsertFree ? [] : [insertGuard(of: table)])
            + ["UPDATE", "DELETE"].map { operationGuard($0, of: table) }
    }

    private static func insertGuard(of table: String) -> String { operationGuard("INSERT", of: table) }

    private static func operationGuard(_ operation: String, of table: String) -> String {
        let message = "\(operation) is not allowed on the ledger's table '\(table)'; only the ledger writes it"
        return """
            CREATE TRIGGER ledger_guard_\(operation.lowercased())_\(table) BEFORE \(operation) ON \
            \(SQLName.quoted(table)) WHEN NOT ledger_is_writing() BEGIN \
            SELECT RAISE(ABORT, \(SQLName.literal(message))); END
            """
    }
}
