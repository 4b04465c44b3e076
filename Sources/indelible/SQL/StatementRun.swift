import SQLLedger

/// Runs statements and prints their rows. After one that changed the schema, the ledger takes notice.
final class StatementRun {
    private let session: SQLSession
    private let asJSON: Bool
    private var schemaVersion: Int64?

    init(session: SQLSession, asJSON: Bool) throws {
        self.session = session
        self.asJSON = asJSON
        schemaVersion = try version()
    }

    /// - Returns: How many rows it changed itself, if `StatementSplitter.changesRows`.
    @discardableResult
    func run(_ sql: String, _ bindings: inout SQLBindings) throws -> Int64 {
        var table: TextTable?
        let used = try session.run(sql, bindings) { columns, row in
            if asJSON {
                Output.json(JSONRow(columns: columns, values: row))
                return
            }
            if table == nil {
                let numeric = row.indices.filter { if case .text = row[$0] { false } else { row[$0] != .null } }
                table = TextTable(columns, numeric: Set(numeric))
            }
            table?.append(row.map(\.shown))
        }
        table?.finish()
        if used { bindings = SQLBindings() }
        let changed = try session.changeCount()
        let now = try version()
        if now != schemaVersion, try LedgerStatus.identity(session) != nil {
            _ = try session.value("SELECT ledger_refresh()")
            schemaVersion = try version()
        }
        return changed
    }

    private func version() throws -> Int64? { try session.value("PRAGMA main.schema_version")?.integer }
}
