import SQLLedger

/// The SQL of the objects that belong to one ledger table.
///
/// Deterministic: the verifier compares what it finds with what is made here.
package struct TableSQL {
    package var id: TableID
    package var description: TableDescription
    package init(id: TableID, description: TableDescription) {
        self.id = id
        self.description = description
    }

    /// More values than this do not go into one call of the capture function.
    static let maximumCallValues = 90

    package var history: String { "ledger_history_\(id)" }
    package var stamps: String { "ledger_stamps_\(id)" }

    /// The columns whose values are ledgered, in ordinal order.
    var stored: [SchemaColumn] { description.columns.filter { $0.generation != .virtual } }

    /// The columns of the primary key of a table without row ids, in its order.
    var keyColumns: [SchemaColumn] {
        description.columns.filter { $0.primaryKeyPosition > 0 }
            .sorted { $0.primaryKeyPosition < $1.primaryKeyPosition }
    }

    var hasRowID: Bool { description.rowIDColumn != nil }

    private var table: String { SQLName.quoted(description.table) }

    /// The name of a dropped column in the history table.
    package static func droppedName(_ column: String, in transaction: TransactionNumber) -> String {
        "ledger_dropped_\(transaction)_\(column)"
    }

    package var createHistory: String {
        let columns = stored.map { ", " + SQLName.quoted($0.name) }.joined()
        return """
            CREATE TABLE \(history)(ledger_start_transaction_id, ledger_start_sequence_number, \
            ledger_end_transaction_id, ledger_end_sequence_number\(columns))
            """
    }

    /// What stands behind the name of a column that the history table gets after it was made.
    package static func historyDefault(_ column: SchemaColumn, isStrict: Bool) -> String {
        guard let text = column.defaultText,
            let value = try? ColumnDefault.value(text, type: column.declaredType, isStrict: isStrict)
        else { return "" }
        // Without a type: the value has been converted like the table's, and so have values that come from the table.
        guard case .real = value else { return " DEFAULT " + ColumnDefault.literal(value) }
        // Numbers stay as they are written, where other versions of SQLite might read others. -5.0 by itself is a whole
        // number there.
        let written = ColumnDefault.isConstant(text) ? text : ColumnDefault.literal(value)
        return " DEFAULT (CAST(\(written) AS REAL))"
    }

    /// `collations`: the collating sequences of the key columns of a table without row ids, in key order.
    package func createStamps(collations: [String]) -> String {
        guard !hasRowID else {
            return "CREATE TABLE \(stamps)(row_id INTEGER PRIMARY KEY, transaction_id, sequence_number)"
        }
        let keys = zip(keyColumns, collations).map { column, collation in
            SQLName.quoted(column.name) + " COLLATE " + SQLName.quoted(collation)
        }
        let names = keyColumns.map { SQLName.quoted($0.name) }.joined(separator: ", ")
        return """
            CREATE TABLE \(stamps)(\(keys.joined(separator: ", ")), transaction_id, sequence_number, \
            PRIMARY KEY(\(names))) WITHOUT ROWID
            """
    }

    /// Names, and the statements that make them.
    package var triggers: [(name: String, sql: String)] {
        var triggers: [(name: String, sql: String)] = []
        let name = description.table
        if description.kind == .appendOnly {
            for operation in ["update", "delete"] {
                let message = SQLName.literal("Updates are not allowed for the append only Ledger table '\(name)'.")
                triggers.append(
                    (
                        "ledger_refuse_\(operation)_\(id)",
                        """
                        CREATE TRIGGER ledger_refuse_\(operation)_\(id) BEFORE \(operation.uppercased()) ON \(table) \
                        BEGIN SELECT RAISE(ABORT, \(message)); END
                        """
                    ))
            }
        } else {
            triggers.append(trigger("update", calls: calls(2, rows: ["OLD", "NEW"])))
            triggers.append(trigger("delete", calls: calls(3, rows: ["OLD"])))
        }
        // The statement that writes nothing makes SQLite keep a statement journal, so that the refusal of a REPLACE
        // takes back exactly its statement.
        let journal = description.kind == .appendOnly ? " INSERT INTO ledger_capture SELECT 1 WHERE 0;" : ""
        triggers.append(insertTrigger(journal: journal))
        return triggers
    }

    private func trigger(_ operation: String, when: String = "", calls: String) -> (name: String, sql: String) {
        let name = "ledger_\(operation)_\(id)"
        return (name, "CREATE TRIGGER \(name) AFTER \(operation.uppercased()) ON \(table) \(when)BEGIN \(calls) END")
    }

    /// The trigger writes the stamp itself, because a statement of the library's costs more than one of a trigger's. It
    /// does so when the capture call says that it shall.
    private func insertTrigger(journal: String) -> (name: String, sql: String) {
        guard stored.count <= Self.maximumCallValues else {
            return trigger("insert", calls: calls(1, rows: ["NEW"]) + journal)
        }
        let key = (description.rowIDColumn.map { [$0] } ?? keyColumns.map(\.name))
            .map { "NEW." + SQLName.quoted($0) }.joined(separator: ", ")
        return trigger(
            "insert", when: "WHEN \(call(header(5, rows: ["NEW"]) + values(of: ["NEW"]))) ",
            calls: "INSERT INTO \(stamps) VALUES(\(key), ledger_stamp_transaction(), ledger_stamp_sequence());"
                + journal)
    }

    private func values(of rows: [String]) -> [String] {
        rows.flatMap { row in stored.map { "\(row).\(SQLName.quoted($0.name))" } }
    }

    /// What a call says before the values.
    private func header(_ operation: Int, rows: [String]) -> [String] {
        let keys = description.rowIDColumn.map { row in rows.map { "\($0).\(SQLName.quoted(row))" } }
        return ["\(operation)", "\(id)"] + (keys ?? [])
    }

    private func call(_ arguments: [String]) -> String {
        "ledger_table_needs_indelible_extension(\(arguments.joined(separator: ", ")))"
    }

    private func calls(_ operation: Int, rows: [String]) -> String {
        let header = header(operation, rows: rows)
        let values = values(of: rows)
        guard values.count > Self.maximumCallValues else { return "SELECT \(call(header + values));" }
        // SQLite limits the arguments of a function: the values go ahead in parts.
        var calls = ""
        var rest = values[...]
        while !rest.isEmpty {
            calls += "SELECT \(call(["4", "\(id)"] + rest.prefix(Self.maximumCallValues))); "
            rest = rest.dropFirst(Self.maximumCallValues)
        }
        return calls + "SELECT \(call(header));"
    }

    /// A query that answers 1 where rows have other row ids than their stamps, by which the ledger view joins them: VACUUM, or a
    /// dump that was loaded, moved them. In order, so some row id has no stamp then. `row`: what reads the table's row id.
    package static func hasMovedRows(_ table: String, _ id: TableID, row: String) -> String {
        """
        SELECT CASE WHEN EXISTS (SELECT 1 FROM main.ledger_rowid_canary WHERE rowid = 3) THEN 0 ELSE EXISTS (SELECT \(row) \
        FROM main.\(SQLName.quoted(table)) EXCEPT SELECT row_id FROM main.ledger_stamps_\(id)) END
        """
    }

    /// The ledger view: one line for the creation of every version, one for the end of every ended one.
    package var createView: String {
        let columns = description.columns.map { SQLName.quoted($0.name) }
        let live = columns.map { "t.\($0)" }.joined(separator: ", ")
        let ended = description.columns.map { $0.generation == .virtual ? "NULL" : "h.\(SQLName.quoted($0.name))" }
            .joined(separator: ", ")
        let names =
            (columns + [
                "ledger_transaction_id", "ledger_sequence_number", "ledger_operation_type",
                "ledger_operation_type_desc",
            ]).joined(separator: ", ")
        let join =
            if let row = description.rowIDColumn {
                "s.row_id = t.\(SQLName.quoted(row))"
            } else {
                keyColumns.map { "s.\(SQLName.quoted($0.name)) = t.\(SQLName.quoted($0.name))" }
                    .joined(separator: " AND ")
            }
        return """
            CREATE VIEW \(SQLName.quoted(description.view))(\(names)) AS \
            SELECT \(live), s.transaction_id, s.sequence_number, 1, 'INSERT' FROM \(table) AS t \
            JOIN \(stamps) AS s ON \(join) \
            UNION ALL SELECT \(ended), h.ledger_start_transaction_id, h.ledger_start_sequence_number, 1, 'INSERT' \
            FROM \(history) AS h \
            UNION ALL SELECT \(ended), h.ledger_end_transaction_id, h.ledger_end_sequence_number, 2, 'DELETE' \
            FROM \(history) AS h
            """
    }
}
