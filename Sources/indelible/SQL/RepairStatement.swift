import SQLLedger

/// A repair proposal as the statement that carries it out.
struct RepairStatement: Hashable {
    /// With parameters.
    var sql: String
    var values: [SQLValue]
    /// With literals, for people.
    var text: String

    /// `nil`: nothing that a statement can do.
    init?(_ proposal: RepairProposal) {
        let table = proposal.table.quotedForSQL
        func assignments(_ named: [NamedValue], _ separator: String, _ operation: String) -> (sql: String, text: String)
        {
            (
                named.map { "\($0.name.quotedForSQL) \(operation) ?" }.joined(separator: separator),
                named.map { "\($0.name.quotedForSQL) \(operation) \($0.value.literal)" }.joined(separator: separator)
            )
        }
        let key = assignments(proposal.key, " AND ", "IS")
        switch proposal.action {
        case .update where !proposal.key.isEmpty && !proposal.values.isEmpty:
            let set = assignments(proposal.values, ", ", "=")
            sql = "UPDATE \(table) SET \(set.sql) WHERE \(key.sql)"
            text = "UPDATE \(table) SET \(set.text) WHERE \(key.text)"
            values = (proposal.values + proposal.key).map(\.value)
        case .insert where !proposal.values.isEmpty:
            let columns = proposal.values.map { $0.name.quotedForSQL }.joined(separator: ", ")
            let marks = proposal.values.map { _ in "?" }.joined(separator: ", ")
            let literals = proposal.values.map { $0.value.literal }.joined(separator: ", ")
            sql = "INSERT INTO \(table) (\(columns)) VALUES (\(marks))"
            text = "INSERT INTO \(table) (\(columns)) VALUES (\(literals))"
            values = proposal.values.map(\.value)
        case .delete where !proposal.key.isEmpty:
            sql = "DELETE FROM \(table) WHERE \(key.sql)"
            text = "DELETE FROM \(table) WHERE \(key.text)"
            values = proposal.key.map(\.value)
        case .reindex:
            sql = "REINDEX \(table)"
            text = sql
            values = []
        case .reinstall:
            sql = "SELECT ledger_refresh()"
            text = sql
            values = []
        default:
            return nil
        }
    }
}
