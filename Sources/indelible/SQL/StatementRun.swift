import SQLLedger

/// Runs statements and prints their rows.
struct StatementRun {
    var session: SQLSession
    var asJSON: Bool

    func run(_ sql: String, _ bindings: inout SQLBindings) throws {
        var table: TextTable?
        var names: [String] = []
        let used = try session.run(sql, bindings) { columns, row in
            if asJSON {
                Output.json(JSONRow(columns: columns, values: row))
                return
            }
            if table == nil {
                names = columns
                let numeric = row.indices.filter { if case .text = row[$0] { false } else { row[$0] != .null } }
                table = TextTable(names, numeric: Set(numeric))
            }
            table?.append(row.map(\.shown))
        }
        table?.finish()
        if used { bindings = SQLBindings() }
    }
}
