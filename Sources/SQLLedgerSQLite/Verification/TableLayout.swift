import CSQLiteLedger
import LedgerProofs
import SQLLedger

/// Where the stored columns of every schema version of a table are found: in the table as it is now, and in its
/// history. A column keeps its identity through renames.
struct TableLayout {
    /// One schema version.
    struct Version {
        var transaction: UInt64
        var after: UInt64
        var digest: Digest32
        /// For each stored column its place among `liveColumns` and `historyColumns`, or -1.
        var live: [Int32]
        var history: [Int32]
        var names: [String]
        /// Places in `names` of the key columns.
        var key: [Int]
        /// Columns that it has not, added later or dropped before: what rows of this version must hold in them.
        var later: [Later]
    }

    struct Later {
        var name: String
        var live: Int32
        var history: Int32
        var value: SQLValue
        /// What the history table gives rows that are inserted without the column.
        var inserted: SQLValue
        var isDropped: Bool
    }

    /// What tells rows of the table apart.
    enum RowIdentity {
        /// The row id, under a name that reads it.
        case rowID(String)
        /// The key of a table without row ids.
        case key([String])
    }

    let table: EvidenceTable
    private(set) var versions: [Version] = []
    /// Names in the table as it is now.
    private(set) var liveColumns: [String] = []
    private(set) var historyColumns: [String] = []
    /// Places in `historyColumns` of those that a former build gave the type REAL where the table's has another: SQLite
    /// made fractional numbers there of whole ones and of texts.
    private(set) var convertedColumns: Set<Int32> = []
    private(set) var identity: RowIdentity = .rowID("rowid")
    /// Whether the row id is a column of the table, which VACUUM keeps.
    private(set) var hasKeyedRowID = false
    /// Whether the row ids were given anew, in the same order.
    private(set) var isRenumbered = false
    /// Where the key may compare in another way than its columns: columns and their collating sequences in the key.
    private var keyCollations: [(column: String, name: String)] = []
    /// Whether the table can be read as one: it may be missing.
    private(set) var hasTable = false

    var history: String { "ledger_history_\(table.id)" }
    /// What the row id of the history table can be called: none of its columns.
    var historyRowID: String { SQLName.rowIDs(besides: historyColumns).first ?? "rowid" }
    var stamps: String { "ledger_stamps_\(table.id)" }

    init(
        _ table: EvidenceTable, _ states: [SchemaHistory.Version], objects: SchemaObjects, connection: SQLiteConnection
    ) throws {
        self.table = table
        guard let newest = states.last else { return }
        let identities = Self.identities(states)
        let defaults = Self.defaults(states, identities.ids)

        var livePlace: [Int: Int32] = [:]
        hasTable = !table.isDropped && objects.object("table", table.name).map { !$0.isVirtual } ?? false
        if hasTable {
            let actual = try TableColumns(table.name, connection)
            let matched = actual.names(for: newest.description.columns)
            for (index, column) in newest.description.columns.enumerated() where column.generation != .virtual {
                guard let name = matched[index], let id = identities.ids.last?[index] else { continue }
                livePlace[id] = Int32(liveColumns.count)
                liveColumns.append(name)
            }
            identity = try actual.identity(newest.description)
            if newest.description.sql.uppercased().contains("COLLATE") {
                keyCollations = KeyCondition.collations(
                    try connection.query(KeyCondition.collations, [.text(table.name)]))
            }
            if let column = newest.description.rowIDColumn {
                hasKeyedRowID = newest.description.columns.contains {
                    $0.name.exact == column.exact && $0.primaryKeyPosition == 1
                }
            }
        } else if newest.description.rowIDColumn == nil {
            identity = .key(TableSQL(id: table.id, description: newest.description).keyColumns.map(\.name))
        }
        var historyPlace: [Int: Int32] = [:]
        if objects.object("table", history) != nil {
            let actual = try TableColumns(history, connection)
            for (id, name) in identities.names.sorted(by: { $0.key < $1.key }) {
                let dropped = identities.dropped[id].map { TableSQL.droppedName(name, in: $0) }
                guard let found = dropped.flatMap({ actual.find($0) }) ?? actual.find(name) else { continue }
                let place = Int32(historyColumns.count)
                historyPlace[id] = place
                historyColumns.append(found)
                if let added = defaults[id], added.isReal, actual.type(of: found) == "REAL" {
                    convertedColumns.insert(place)
                }
            }
        }
        for (state, ids) in zip(states, identities.ids) {
            let stored = state.description.columns.indices.filter {
                state.description.columns[$0].generation != .virtual
            }
            let known = Set(ids)
            let others = identities.names.keys.sorted().filter { !known.contains($0) }
            versions.append(
                Version(
                    transaction: state.transaction.rawValue, after: state.description.after.rawValue,
                    digest: state.digest, live: stored.map { livePlace[ids[$0]] ?? -1 },
                    history: stored.map { historyPlace[ids[$0]] ?? -1 },
                    names: stored.map { state.description.columns[$0].name },
                    key: Self.key(state.description.columns, stored),
                    later: others.map {
                        Later(
                            name: identities.names[$0] ?? "", live: livePlace[$0] ?? -1,
                            history: historyPlace[$0] ?? -1, value: defaults[$0]?.added ?? .null,
                            inserted: defaults[$0]?.inserted ?? .null,
                            isDropped: !Self.wasAdded($0, after: ids, identities.ids))
                    }.filter { $0.live >= 0 || $0.history >= 0 }))
        }
        if case .rowID = identity, !hasKeyedRowID { isRenumbered = try Self.areRowIDsNew(objects, connection) }
    }

    /// The version that rows created there were written in.
    @inline(__always)
    func version(transaction: UInt64, sequence: UInt64) -> Int {
        var index = versions.count - 1
        while index > 0 {
            let version = versions[index]
            if version.transaction < transaction || (version.transaction == transaction && version.after <= sequence) {
                break
            }
            index -= 1
        }
        return index
    }

    /// The collating sequence of a column of the key, if it may be another one than the column's.
    func collation(of column: String) -> String? { keyCollations.first { SQLName.same($0.column, column) }?.name }

    // MARK: Stamps of tables without row ids

    /// The stamp of a row. The plus takes the column's affinity away, by which the stamp '5' would be the row 5's as well. With
    /// it SQLite could not use the key of the stamps either, whose columns have none, and would read all of them for every row.
    static func stampJoin(_ key: [String]) -> String {
        key.map { "s.\(SQLName.quoted($0)) = +t.\(SQLName.quoted($0))" }.joined(separator: " AND ")
    }

    /// The row of a stamp: the same, after a condition by which SQLite finds the row in its table.
    func rowJoin(_ key: [String]) -> String {
        let rows = key.map { column in
            let collate = collation(of: column).map { " COLLATE \(SQLName.quoted($0))" } ?? ""
            return "t.\(SQLName.quoted(column))\(collate) = s.\(SQLName.quoted(column))"
        }
        return (rows + [Self.stampJoin(key)]).joined(separator: " AND ")
    }

    // MARK: Columns through time

    private struct Identities {
        /// For each state, of each column.
        var ids: [[Int]]
        /// The last name of each.
        var names: [Int: String]
        /// When it was dropped.
        var dropped: [Int: TransactionNumber]
    }

    private static func identities(_ states: [SchemaHistory.Version]) -> Identities {
        var ids: [[Int]] = []
        var dropped: [Int: TransactionNumber] = [:]
        var names: [Int: String] = [:]
        var next = 0
        for (index, state) in states.enumerated() {
            let columns = state.description.columns
            var current: [Int] = []
            if index > 0, state.type == .renameColumn, columns.count == ids[index - 1].count {
                current = ids[index - 1]
            } else {
                var known: [ExactText: Int] = [:]
                if index > 0 {
                    for (column, id) in zip(states[index - 1].description.columns, ids[index - 1]) {
                        known[column.name.exact] = id
                    }
                }
                for column in columns {
                    if let id = known[column.name.exact] {
                        current.append(id)
                    } else {
                        current.append(next)
                        next += 1
                    }
                }
            }
            for (id, column) in zip(current, columns) where column.generation != .virtual { names[id] = column.name }
            if let before = ids.last {
                let kept = Set(current)
                for id in before where !kept.contains(id) { dropped[id] = state.transaction }
            }
            ids.append(current)
        }
        return Identities(ids: ids, names: names, dropped: dropped)
    }

    private static func wasAdded(_ id: Int, after ids: [Int], _ all: [[Int]]) -> Bool {
        guard let index = all.firstIndex(of: ids) else { return false }
        return all[(index + 1)...].contains { $0.contains(id) } && !all[...index].contains { $0.contains(id) }
    }

    private static func key(_ columns: [SchemaColumn], _ stored: [Int]) -> [Int] {
        stored.indices.filter { columns[stored[$0]].primaryKeyPosition > 0 }.sorted {
            columns[stored[$0]].primaryKeyPosition < columns[stored[$1]].primaryKeyPosition
        }
    }

    private struct Default {
        var added: SQLValue
        var inserted: SQLValue
        /// Whether it is a fractional number in a column that has others, too.
        var isReal: Bool
    }

    /// What rows hold in columns that were added after them: SQLite is asked, in a database of its own.
    private static func defaults(
        _ states: [SchemaHistory.Version], _ ids: [[Int]]
    ) -> [Int: Default] {
        var defaults: [Int: Default] = [:]
        for index in states.indices.dropFirst() {
            let before = Set(ids[index - 1])
            for (column, id) in zip(states[index].description.columns, ids[index])
            where !before.contains(id) && column.generation != .virtual {
                guard let text = column.defaultText else { continue }
                let isStrict = states[index].description.isStrict
                // A default that no added column can have is that of a column that no row lacks.
                guard let value = try? ColumnDefault.value(text, type: column.declaredType, isStrict: isStrict) else {
                    continue
                }
                let definition = TableSQL.historyDefault(column, isStrict: isStrict)
                var isReal = false
                if case .real = value { isReal = ColumnDefault.type(of: column.declaredType) != "REAL" }
                defaults[id] = Default(
                    added: value, inserted: (try? ColumnDefault.inserted(definition)) ?? value, isReal: isReal)
            }
        }
        return defaults
    }

    /// The canary's row ids 1 and 3 become 1 and 2 where row ids were given anew.
    private static func areRowIDsNew(_ objects: SchemaObjects, _ connection: SQLiteConnection) throws -> Bool {
        guard objects.object("table", "ledger_rowid_canary") != nil else { return false }
        let rows = try connection.query("SELECT rowid FROM main.ledger_rowid_canary ORDER BY rowid")
        return rows == [[.integer(1)], [.integer(2)]]
    }
}
