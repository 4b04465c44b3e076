import CSQLiteLedger
import LedgerProofs
import SQLLedger

extension SQLiteEvidenceReader {
    func partitions(
        of table: EvidenceTable, count: Int, after: TransactionNumber?
    ) throws -> [EvidencePartition] {
        guard table.id != .schemaEvents else {
            return [EvidencePartition(table: table, kind: .live, rows: nil, estimate: 0)]
        }
        let layout = try layout(of: table)
        var partitions: [EvidencePartition] = []
        if !table.isDropped {
            let canSplit: Bool
            var name = "rowid"
            if case .rowID(let found) = layout.identity {
                name = found
                canSplit = !layout.isRenumbered && layout.hasTable
            } else {
                canSplit = false
            }
            partitions += try split(
                table, .live, layout.hasTable ? SQLName.quoted(table.name) : nil, by: name,
                canSplit && after == nil ? count : 1)
        }
        partitions += try split(
            table, .history, objects().contains(layout.history) ? layout.history : nil, by: layout.historyRowID,
            after == nil ? count : 1)
        return partitions
    }

    /// Cuts the row ids of a table into equal ranges.
    private func split(
        _ table: EvidenceTable, _ kind: EvidencePartition.Kind, _ name: String?, by row: String, _ count: Int
    ) throws -> [EvidencePartition] {
        var bounds: (Int64, Int64)?
        if let name, count > 1 || kind == .history {
            // One by one each is a step to an end of the table; of both at once SQLite makes a pass over all rows.
            func end(_ function: String) -> String { "(SELECT \(function)(\(row)) FROM main.\(name) NOT INDEXED)" }
            let rows = try connection.query("SELECT \(end("min")), \(end("max"))")
            if case .integer(let low)? = rows.first?.first, case .integer(let high)? = rows.first?.last {
                bounds = (low, high)
            }
        }
        if let bounds, bounds.0 > bounds.1 { throw RowWalk.disorder(in: name ?? table.name) }
        let span = bounds.map { UInt64(bitPattern: $0.1 &- $0.0) } ?? 0
        let parts = span < 20_000 ? 1 : UInt64(max(count, 1))
        guard let bounds, parts > 1 else {
            return [EvidencePartition(table: table, kind: kind, rows: nil, estimate: min(span, 1 << 40) + 1)]
        }
        let step = span / parts
        return (0..<parts).map { part in
            // The outer parts take whatever lies outside: stamps without rows.
            let low = part == 0 ? Int64.min : bounds.0 &+ Int64(bitPattern: part * step)
            let high = part == parts - 1 ? Int64.max : bounds.0 &+ Int64(bitPattern: (part + 1) * step) &- 1
            return EvidencePartition(table: table, kind: kind, rows: low...high, estimate: min(step, 1 << 40))
        }
    }

    func scan(_ partition: EvidencePartition, after: TransactionNumber?, into sink: LeafSink) throws {
        guard partition.table.id != .schemaEvents else { return }
        let layout = try layout(of: partition.table)
        guard !layout.versions.isEmpty else {
            throw VerificationError(object: partition.table.name, reason: "no schema event describes it")
        }
        let scan = RowScan(reader: self, layout: layout, sink: sink, after: after?.rawValue ?? 0)
        switch (partition.kind, after) {
        case (.history, nil): try scan.history(partition.rows)
        case (.history, .some): try scan.historyAfter()
        case (.live, nil):
            try requireReadable(layout)
            try scan.live(partition.rows)
        case (.live, .some):
            try requireReadable(layout)
            try scan.liveAfter()
        }
    }

    /// A missing table is one without rows; something else under its name must not be read as if it were the table.
    func requireReadable(_ layout: TableLayout) throws {
        if !layout.hasTable, try objects().contains(layout.table.name) {
            throw VerificationError(
                object: layout.table.name, reason: "something else stands in the place of the table")
        }
    }
}
