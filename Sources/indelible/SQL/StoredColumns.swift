import SQLLedger

/// Which columns of a table take values, and which are computed.
struct StoredColumns {
    var ordinary: [String] = []
    var generated: Set<String> = []

    /// Empty for a table that is not there.
    init(of table: String, session: SQLSession) throws {
        for row in try session.rows("SELECT name, hidden FROM pragma_table_xinfo(?)", [.text(table)]) {
            if row[1].integer == 0 { ordinary.append(row[0].shown) } else { generated.insert(row[0].shown) }
        }
    }
}
