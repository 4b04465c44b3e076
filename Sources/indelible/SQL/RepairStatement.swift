import SQLLedger

/// A repair proposal as the statement that carries it out.
struct RepairStatement: Hashable {
    /// With parameters.
    var sql: String
    var values: [SQLValue]
    /// With literals, for people.
    var text: String

    /// Derived tables of hashes, which are computed again from what verification has found right.
    private static let computed: Set = ["ledger_leaf_chunks", "ledger_transaction_chunks", "ledger_block_nodes"]

    /// The column of a condition, compared as the key compares it.
    static func column(_ part: NamedValue) -> String {
        part.name.quotedIdentifier + (part.textCollation.map { " COLLATE \($0.quotedIdentifier)" } ?? "")
    }

    /// Whether hashes are computed again.
    var isComputed: Bool { sql == Self.restore }

    private static let restore = "SELECT ledger_restore_derived()"

    /// `nil`: nothing that a statement can do. `generated`: columns of the table that take no values.
    /// `ordinary`: one that does.
    init?(_ proposal: RepairProposal, generated: Set<String> = [], ordinary: String? = nil) {
        let given = proposal.values.filter { !generated.contains($0.name) }
        let table = proposal.table.quotedIdentifier
        func assignments(_ named: [NamedValue], _ separator: String, _ operation: String) -> (sql: String, text: String)
        {
            (
                named.map { "\(Self.column($0)) \(operation) ?" }.joined(separator: separator),
                named.map { "\(Self.column($0)) \(operation) \($0.value.literal)" }.joined(separator: separator)
            )
        }
        let key = assignments(proposal.key, " AND ", "IS")
        switch proposal.action {
        case .update where !proposal.key.isEmpty && given.isEmpty:
            // Only computed values are wrong: writing the row computes them again.
            guard let column = ordinary?.quotedIdentifier else { return nil }
            sql = "UPDATE \(table) SET \(column) = \(column) WHERE \(key.sql)"
            text = "UPDATE \(table) SET \(column) = \(column) WHERE \(key.text)"
            values = proposal.key.map(\.value)
        case .update where !proposal.key.isEmpty && !given.isEmpty:
            let set = assignments(given, ", ", "=")
            sql = "UPDATE \(table) SET \(set.sql) WHERE \(key.sql)"
            text = "UPDATE \(table) SET \(set.text) WHERE \(key.text)"
            values = (given + proposal.key).map(\.value)
        case .insert where !given.isEmpty:
            let columns = given.map { $0.name.quotedIdentifier }.joined(separator: ", ")
            let marks = given.map { _ in "?" }.joined(separator: ", ")
            let literals = given.map { $0.value.literal }.joined(separator: ", ")
            sql = "INSERT INTO \(table) (\(columns)) VALUES (\(marks))"
            text = "INSERT INTO \(table) (\(columns)) VALUES (\(literals))"
            values = given.map(\.value)
        case .delete where !proposal.key.isEmpty:
            sql = "DELETE FROM \(table) WHERE \(key.sql)"
            text = "DELETE FROM \(table) WHERE \(key.text)"
            values = proposal.key.map(\.value)
        case .reindex:
            sql = "REINDEX \(table)"
            text = sql
            values = []
        case .reinstall:
            sql = Self.computed.contains(proposal.table) ? Self.restore : "SELECT ledger_refresh()"
            text = sql
            values = []
        default:
            return nil
        }
    }
}
