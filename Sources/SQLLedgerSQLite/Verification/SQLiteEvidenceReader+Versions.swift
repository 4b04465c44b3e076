import LedgerProofs
import SQLLedger

extension SQLiteEvidenceReader {
    func versions(
        _ partition: EvidencePartition, wanted: (VersionLinks) -> Bool, _ body: (RowVersion) throws -> Void
    ) throws {
        guard partition.table.id != .schemaEvents else { return try eventVersions(wanted, body) }
        let layout = try layout(of: partition.table)
        guard !layout.versions.isEmpty else { return }
        switch partition.kind {
        case .live:
            guard layout.hasTable else { return }
            try liveVersions(layout, partition.rows, wanted, body)
        case .history: try historyVersions(layout, partition.rows, wanted, body)
        }
    }

    private func eventVersions(_ wanted: (VersionLinks) -> Bool, _ body: (RowVersion) throws -> Void) throws {
        let next = try schemaEvents()
        var number: Int64 = 0
        while let event = try next() {
            number += 1
            let links = VersionLinks(
                start: RowStart(transaction: event.transaction, sequence: event.sequence), end: nil)
            guard wanted(links) else { continue }
            try body(
                RowVersion(
                    object: "ledger_schema_events", isLive: true, links: links,
                    key: [NamedValue("event_id", .integer(number))],
                    schema: TableSchema.schemaEventsDigest, columns: ["event_type", "table_id", "body"],
                    values: [event.type, event.table, event.body]))
        }
    }

    private static func links(_ statement: SQLiteStatement, from column: Int, isHistory: Bool) -> VersionLinks {
        // What is no integer counts as 0, as in `RowScan`.
        func number(_ column: Int) -> UInt64 {
            if case .integer(let number) = statement.value(column) { UInt64(bitPattern: number) } else { 0 }
        }
        func place(_ column: Int) -> RowStart {
            RowStart(transaction: TransactionNumber(number(column)), sequence: LeafNumber(number(column + 1)))
        }
        return VersionLinks(start: place(column), end: isHistory ? place(column + 2) : nil)
    }

    /// A condition for the rows of a part.
    private static func condition(_ rows: ClosedRange<Int64>?, on column: String) -> String {
        rows.map { " WHERE \(column) BETWEEN \($0.lowerBound) AND \($0.upperBound)" } ?? ""
    }

    private func liveVersions(
        _ layout: TableLayout, _ rows: ClosedRange<Int64>?, _ wanted: (VersionLinks) -> Bool,
        _ body: (RowVersion) throws -> Void
    ) throws {
        try objects().requireTable(layout.stamps)
        let columns = layout.liveColumns.map { ", t.\(SQLName.quoted($0))" }.joined()
        let table = "main.\(SQLName.quoted(layout.table.name)) AS t NOT INDEXED"
        let statement: SQLiteStatement
        switch layout.identity {
        case .key(let names):
            let join = TableLayout.stampJoin(names)
            statement = try connection.prepare(
                "SELECT s.transaction_id, s.sequence_number, NULL\(columns) FROM \(table) JOIN main.\(layout.stamps) AS s ON \(join)"
            )
        case .rowID(let name) where layout.isRenumbered:
            return try rankedVersions(layout, name, wanted, body)
        case .rowID(let name):
            statement = try connection.prepare(
                """
                SELECT s.transaction_id, s.sequence_number, t.\(name)\(columns)
                FROM \(table) JOIN main.\(layout.stamps) AS s ON s.row_id = t.\(name)\(Self.condition(rows, on: "t.\(name)"))
                """)
        }
        var limit = RowLimit(try rowLimit(), layout.table.name)
        while try statement.step() {
            try limit.count()
            let links = Self.links(statement, from: 0, isHistory: false)
            if wanted(links) { try body(version(layout, statement, links, offset: 3, isLive: true)) }
        }
    }

    private func rankedVersions(
        _ layout: TableLayout, _ name: String, _ wanted: (VersionLinks) -> Bool, _ body: (RowVersion) throws -> Void
    ) throws {
        let columns = layout.liveColumns.map { ", t.\(SQLName.quoted($0))" }.joined()
        let rows = try connection.prepare(
            "SELECT NULL, NULL, t.\(name)\(columns) FROM main.\(SQLName.quoted(layout.table.name)) AS t NOT INDEXED ORDER BY t.\(name)"
        )
        let stamps = try prepareOwn(
            layout.stamps, "SELECT row_id, transaction_id, sequence_number FROM main.\(layout.stamps) ORDER BY row_id")
        var matcher = RankMatcher(reader: self, table: layout.table.id, stamps: stamps, hasStamp: try stamps.step())
        while try rows.step() {
            func version(at transaction: UInt64, _ sequence: UInt64) -> RowVersion {
                let start = RowStart(transaction: TransactionNumber(transaction), sequence: LeafNumber(sequence))
                return self.version(layout, rows, VersionLinks(start: start, end: nil), offset: 3, isLive: true)
            }
            let place = try matcher.next { transaction, sequence in
                let version = version(at: transaction, sequence)
                return RowLeaf(
                    operation: .created, table: layout.table.id, schema: version.schema,
                    transaction: version.links.start.transaction, sequence: version.links.start.sequence,
                    values: version.values
                ).hash
            } skipped: { _, _, _ in
            }
            guard let place else { continue }
            let found = version(at: place.transaction, place.sequence)
            if wanted(found.links) { try body(found) }
        }
    }

    private func historyVersions(
        _ layout: TableLayout, _ rows: ClosedRange<Int64>?, _ wanted: (VersionLinks) -> Bool,
        _ body: (RowVersion) throws -> Void
    ) throws {
        let columns = layout.historyColumns.map { ", h.\(SQLName.quoted($0))" }.joined()
        let statement = try prepareOwn(
            layout.history,
            """
            SELECT ledger_start_transaction_id, ledger_start_sequence_number, ledger_end_transaction_id,
              ledger_end_sequence_number\(columns) FROM main.\(layout.history) AS h NOT INDEXED\(Self.condition(rows, on: "h.\(layout.historyRowID)"))
            """)
        var limit = RowLimit(try rowLimit(), layout.history)
        while try statement.step() {
            try limit.count()
            let links = Self.links(statement, from: 0, isHistory: true)
            if wanted(links) { try body(version(layout, statement, links, offset: 4, isLive: false)) }
        }
    }

    /// The values of a history version as they were recorded, where the history's columns converted them: as the stored
    /// column checks say. Nothing is believed that is not so, because the version's leaves are made of the answer.
    func recorded(
        _ values: [SQLValue], at places: [Int32], in layout: TableLayout, _ start: RowStart
    ) -> [SQLValue] {
        guard !layout.convertedColumns.isEmpty, let checks = try? columnChecks(layout.table.id, start),
            checks.count == values.count
        else { return values }
        return values.indices.map { index in
            guard layout.convertedColumns.contains(places[index]), case .real(let number) = values[index] else {
                return values[index]
            }
            var candidates = [values[index], .text(Array("\(number)".utf8))]
            if let whole = Int64(exactly: number) { candidates += [.integer(whole), .text(Array("\(whole)".utf8))] }
            var encoder = RowLeafEncoder(collectsChecks: true)
            encoder.begin(
                operation: .created, table: layout.table.id, schema: .zero, transaction: start.transaction,
                sequence: start.sequence, columnCount: candidates.count)
            for candidate in candidates { encoder.append(candidate) }
            return zip(candidates, encoder.columnChecks).first { $0.1 == checks[index] }?.0 ?? values[index]
        }
    }

    /// As the stored leaf of a row's creation has them.
    private func columnChecks(_ table: TableID, _ start: RowStart) throws -> [UInt16]? {
        let (chunk, place) = start.sequence.rawValue.quotientAndRemainder(dividingBy: UInt64(LeafChunk.leafCount))
        guard let bytes = try leafChunk(start.transaction, table, chunk: chunk) else { return nil }
        let leaves = try LeafChunk(decoding: bytes).leaves
        return leaves.indices.contains(Int(place)) ? leaves[Int(place)].columnChecks : nil
    }

    private func version(
        _ layout: TableLayout, _ statement: SQLiteStatement, _ links: VersionLinks, offset: Int, isLive: Bool
    ) -> RowVersion {
        let version = layout.versions[
            layout.version(transaction: links.start.transaction.rawValue, sequence: links.start.sequence.rawValue)]
        let places = isLive ? version.live : version.history
        var values = places.map { $0 < 0 ? SQLValue.null : statement.value(Int($0) + offset) }
        if !isLive { values = recorded(values, at: places, in: layout, links.start) }
        var key = version.key.map {
            NamedValue(version.names[$0], values[$0], collation: layout.collation(of: version.names[$0]))
        }
        if key.isEmpty, isLive { key = [NamedValue("rowid", statement.value(2))] }
        return RowVersion(
            object: isLive ? layout.table.name : layout.history, isLive: isLive, links: links, key: key,
            schema: version.digest, columns: version.names, values: values)
    }
}
