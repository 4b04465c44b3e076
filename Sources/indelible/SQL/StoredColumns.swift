import SQLLedger
import SQLLedgerSQLite

/// Which columns of a table take values, and which are computed.
struct StoredColumns {
    var ordinary: [String] = []
    var generated: Set<String> = []
    /// A name of the row id, where the table has row ids that are no column of its own.
    var rowID: String?

    /// Empty for a table that is not there.
    init(of table: String, session: SQLSession) throws {
        var keys: [String] = []
        for row in try session.rows("SELECT name, hidden, pk, type FROM pragma_table_xinfo(?)", [.text(table)]) {
            if row[1].integer == 0 { ordinary.append(row[0].shown) } else { generated.insert(row[0].shown) }
            if row[2].integer != 0 { keys.append(row[3].shown.uppercased()) }
        }
        let kind = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE"
        guard keys != ["INTEGER"], try session.value(kind, [.text(table)])?.integer == 0 else { return }
        rowID = SQLName.rowIDs(besides: ordinary + generated).first
    }
}
