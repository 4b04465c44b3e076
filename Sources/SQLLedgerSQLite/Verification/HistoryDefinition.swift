import LedgerProofs
import SQLLedger

/// What the definition of a history table can be: the columns of the first version, and those that came later with their
/// defaults. SQLite keeps the text as the ledger wrote it, and puts new names and columns into it.
struct HistoryDefinition {
    private struct Column {
        var name: String
        /// What can stand behind the name.
        var definitions: [String]
        var isAdded: Bool
    }

    private let head: String
    private var columns: [Column] = []

    init(_ table: TableID, _ versions: [SchemaHistory.Version]) {
        head =
            "CREATE TABLE ledger_history_\(table)(ledger_start_transaction_id, ledger_start_sequence_number, "
            + "ledger_end_transaction_id, ledger_end_sequence_number"
        var places: [Int] = []
        var before: [SchemaColumn] = []
        for (index, version) in versions.enumerated() {
            let stored = version.storedColumns
            switch version.type {
            case .renameColumn:
                for (place, column) in zip(places, stored) { columns[place].name = column.name }
            case .dropColumn:
                if let dropped = version.description.previous,
                    let at = before.firstIndex(where: { $0.name.exact == dropped.exact }), places.indices.contains(at)
                {
                    columns[places.remove(at: at)].name = TableSQL.droppedName(dropped, in: version.transaction)
                }
            default:
                for column in stored.dropFirst(places.count) {
                    places.append(columns.count)
                    columns.append(Column(name: column.name, definitions: index == 0 ? [""] : [], isAdded: index > 0))
                }
            }
            let isStrict = version.description.isStrict
            for (place, column) in zip(places, stored) where columns[place].isAdded {
                columns[place].definitions += Self.definitions(of: column, isStrict: isStrict)
            }
            before = stored
        }
    }

    /// As the ledger writes a default, and as it wrote it in former builds.
    private static func definitions(of column: SchemaColumn, isStrict: Bool) -> [String] {
        guard let text = column.defaultText else { return [""] }
        var texts = [text]
        // ALTER TABLE of any table writes texts in double quotes as texts in single ones, everywhere.
        if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count > 1 {
            let inner = String(text.dropFirst().dropLast()).split(separator: "\"\"", omittingEmptySubsequences: false)
            texts.append(SQLName.literal(inner.joined(separator: "\"")))
        }
        var former = texts.flatMap { [" DEFAULT \($0)", " \(column.declaredType) DEFAULT \($0)"] }
        let value = try? ColumnDefault.value(text, type: column.declaredType, isStrict: isStrict)
        if let value, case .real = value {
            former += [" REAL DEFAULT \(text)", " REAL DEFAULT \(ColumnDefault.literal(value))"]
        }
        return [TableSQL.historyDefault(column, isStrict: isStrict)] + former
    }

    /// Whether the ledger makes a history table of this definition.
    func isSQL(_ sql: String) -> Bool {
        let bytes = Array(sql.utf8)
        let head = Array(head.utf8)
        guard bytes.starts(with: head) else { return false }
        // Where the text can go on after the columns so far.
        var ends: Set<Int> = [head.count]
        for column in columns {
            let name = ", " + SQLName.quoted(column.name)
            var next: Set<Int> = []
            for definition in column.definitions {
                let piece = Array((name + definition).utf8)
                for end in ends where bytes[end...].starts(with: piece) { next.insert(end + piece.count) }
            }
            ends = next
        }
        return ends.contains(bytes.count - 1) && bytes.last == UInt8(ascii: ")")
    }
}
