import SQLLedger

/// What an honest engine must have written, computed from the statements alone.
struct Model {
    struct Transaction: Hashable {
        var principal: String
        /// Row operations by table: an update is two.
        var leafCounts: [String: UInt64] = [:]
    }

    private(set) var tables: [String: ConformanceTable] = [:]
    private(set) var transactions: [Transaction] = []
    private(set) var live: [String: [[SQLValue]: ModelVersion]] = [:]
    private(set) var ended: [ModelVersion] = []
    private let stored: (SQLValue, ConformanceTable.Kind) -> SQLValue

    init(stored: @escaping (SQLValue, ConformanceTable.Kind) -> SQLValue) {
        self.stored = stored
    }

    /// All versions that are stored, the live ones of existing tables and the ended ones.
    var versions: [ModelVersion] { live.values.flatMap(\.values) + ended }

    mutating func create(_ table: ConformanceTable) {
        tables[table.name] = table
        live[table.name] = [:]
    }

    mutating func change(_ change: SchemaChange) {
        switch change {
        case .addColumn(let table, let column): tables[table]?.columns.append(column)
        case .renameColumn(let table, let from, let to):
            for index in tables[table]?.columns.indices ?? 0..<0 where tables[table]?.columns[index].name == from {
                tables[table]?.columns[index].name = to
            }
        case .dropTable(let table):
            tables[table] = nil
            live[table] = nil
        }
    }

    mutating func run(principal: String, _ changes: [RowChange]) {
        var transaction = Transaction(principal: principal)
        func place(_ table: String) -> ModelVersion.Place {
            defer { transaction.leafCounts[table, default: 0] += 1 }
            return ModelVersion.Place(
                transaction: transactions.count, sequence: transaction.leafCounts[table, default: 0])
        }
        for change in changes {
            switch change {
            case .insert(let table, let row): insert(table, row, at: place(table), over: nil)
            case .delete(let table, let key): _ = end(table, key, at: place(table))
            case .update(let table, let key, let set):
                let old = end(table, key, at: place(table))
                insert(table, set, at: place(table), over: old)
            }
        }
        transactions.append(transaction)
    }

    private mutating func insert(
        _ name: String, _ row: [NamedValue], at place: ModelVersion.Place, over old: ModelVersion?
    ) {
        guard let table = tables[name] else { return }
        var values: [SQLValue] = []
        for (index, column) in table.columns.enumerated() {
            if let new = row.first(where: { $0.name == column.name }) {
                values.append(stored(new.value, column.kind))
            } else if let old, index < old.values.count {
                values.append(old.values[index])
            } else {
                values.append(.null)
            }
        }
        let columns = table.columns.map(\.name)
        let key = table.key.map { name in columns.firstIndex(of: name).map { values[$0] } ?? .null }
        live[name]?[key] = ModelVersion(
            table: name, start: place, end: nil, columns: columns, values: values, key: key)
    }

    private mutating func end(_ table: String, _ key: [NamedValue], at place: ModelVersion.Place) -> ModelVersion? {
        guard let names = tables[table]?.key else { return nil }
        let values = names.map { name in key.first { $0.name == name }?.value ?? .null }
        guard let old = live[table]?.removeValue(forKey: values) else { return nil }
        var version = old
        version.end = place
        ended.append(version)
        return old
    }
}
