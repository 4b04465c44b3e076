import ArgumentParser
import SQLLedger
import SQLLedgerSQLite

/// `indelible sql history`
struct SQLHistory: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show every version of a table's rows: what, when, by whom.",
        discussion: """
            One line for each creation and end of a row version, oldest first; an update is an end and a creation. \
            This is what the database says; `indelible sql verify` proves it.

            EXAMPLES
              indelible sql history app.db accounts --key 17
              indelible sql history app.db order_lines --key order=5 --key line=2
              indelible sql history app.db accounts --transaction 33 --json
            """)

    @Argument(help: ArgumentHelp("The database: a path or a sqlite: URL.", valueName: "db"))
    var database: String

    @Argument(help: "The table, dropped ones included.")
    var table: String

    @Option(
        name: .customLong("key"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only rows with this key; NAME=VALUE for any column, x'00ff' for a BLOB.", valueName: "value"))
    var keys: [String] = []

    @Option(help: ArgumentHelp("Only what this transaction did.", valueName: "id"))
    var transaction: Int64?

    @Option(help: ArgumentHelp("At most this many lines.", valueName: "count"))
    var limit: Int?

    @OptionGroup var output: JSONOption

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit: \(limit) is not at least 1") }
    }

    func run() throws {
        let session = try SQLSession(try DatabaseLocation(database), mode: .readOnly)
        try LedgerStatus.requireIdentity(session, database)
        let named = try LedgerStatus(session).tables.filter { SQLName.same($0.name, table) }
        guard let known = named.first(where: { !$0.isDropped }) ?? named.last else {
            throw Failure("\(table): is not a ledger table; see: indelible sql status \(database.quotedForShell)")
        }
        if try !known.isDropped && Self.hasMovedRows(known, session) {
            throw Failure(
                "\(known.name): its rows were moved (VACUUM, or dumped and loaded), and its ledger view shows them with the transactions "
                    + "of others; first run: indelible sql exec \(database.quotedForShell) 'SELECT ledger_refresh()'")
        }
        let history = "ledger_history_\(known.tableId)"
        let filter = try KeyFilter(
            keys, table: known.name, source: known.isDropped ? history : nil, session: session)
        guard !filter.usesRowID else {
            throw Failure("--key: \(known.name) has no key; name a column with NAME=VALUE")
        }
        let collations = try session.rows(KeyCondition.collations, [.text(known.name)])
        let rows = KeyCondition(filter.key, prefix: "v.", collations: KeyCondition.collations(collations))
        let ofTransaction = transaction == nil ? "" : "AND v.ledger_transaction_id = ?"
        let values = rows.values + (transaction.map { [.integer($0)] } ?? [])
        let sql = """
            SELECT t.commit_time AS time, t.principal_name AS principal, t.application_name AS application,
                   v.ledger_transaction_id AS "transaction", v.ledger_sequence_number AS sequence,
                   CASE v.ledger_operation_type WHEN 1 THEN 'created' ELSE 'ended' END AS operation, v.*
            FROM \(known.isDropped ? try Self.versions(in: history, session) : known.view.quotedIdentifier) AS v
            LEFT JOIN database_ledger_transactions AS t ON t.transaction_id = v.ledger_transaction_id
            WHERE \(rows.sql) \(ofTransaction) ORDER BY v.ledger_transaction_id, v.ledger_sequence_number \(limit.map { "LIMIT \($0)" } ?? "")
            """
        // The view's own four columns were shown under shorter names.
        let own: Set<String> = [
            "ledger_transaction_id", "ledger_sequence_number", "ledger_operation_type", "ledger_operation_type_desc",
        ]
        var shown: TextTable?
        var kept: [Int] = []
        _ = try session.run(sql, SQLBindings(positions: values)) { columns, row in
            if kept.isEmpty { kept = columns.indices.filter { !own.contains(columns[$0]) } }
            let names = kept.map { columns[$0] }
            if output.json { return Output.json(JSONRow(columns: names, values: kept.map { row[$0] })) }
            if shown == nil { shown = TextTable(names, numeric: [3, 4]) }
            shown?.append(kept.map { row[$0].shown })
        }
        shown?.finish()
        if shown == nil, !output.json { Output.diagnostic("no versions") }
    }

    private static func hasMovedRows(_ table: LedgerStatus.Table, _ session: SQLSession) throws -> Bool {
        let isByRowID = try session.value(
            "SELECT 1 FROM pragma_table_info(?) WHERE name = 'row_id' AND type = 'INTEGER'",
            [.text("ledger_stamps_\(table.tableId)")])
        // Generated columns can have a name of the row id as well.
        let names = try session.rows("SELECT name FROM pragma_table_xinfo(?)", [.text(table.name)]).map { $0[0].shown }
        guard isByRowID != nil, let row = SQLName.rowIDs(besides: names).first else { return false }
        let id = TableID(UInt64(bitPattern: table.tableId))
        return try session.value(TableSQL.hasMovedRows(table.name, id, row: row)) == .integer(1)
    }

    /// What the ledger view of a dropped table showed: all its versions have ended.
    private static func versions(in history: String, _ session: SQLSession) throws -> String {
        let columns = try session.rows("SELECT name FROM pragma_table_info(?) WHERE cid >= 4", [.text(history)])
            .map { $0[0].shown.quotedIdentifier + ", " }.joined()
        let arms = [("start", 1, "INSERT"), ("end", 2, "DELETE")].map { place, type, description in
            """
            SELECT \(columns)ledger_\(place)_transaction_id AS ledger_transaction_id,
                   ledger_\(place)_sequence_number AS ledger_sequence_number, \(type) AS ledger_operation_type,
                   '\(description)' AS ledger_operation_type_desc FROM \(history)
            """
        }
        return "(\(arms.joined(separator: " UNION ALL ")))"
    }
}
