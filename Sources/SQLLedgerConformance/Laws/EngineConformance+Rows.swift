import LedgerProofs
import SQLLedger

/// Laws about row versions.
extension EngineConformance {
    func checkVersions(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history, readers: 2)
        var indexes: [TransactionNumber: Int] = [:]
        for (index, entry) in view.changes.enumerated() { indexes[entry.id] = index }
        for (name, table) in view.tables {
            let expected = history.model.versions.filter { $0.table == name }
            for (parts, reader) in [(1, view.reader), (2, view.readers[1]), (7, view.reader)] {
                let found = try view.versions(of: table, parts: parts, on: reader)
                list.expectEqual(found.count, expected.count, "versions of \(name) in \(parts) parts")
                let model = Set(try found.map { try Self.modelled($0, name, indexes) })
                let (extra, missing) = (model.subtracting(expected), Set(expected).subtracting(model))
                list.expect(
                    extra.isEmpty && missing.isEmpty,
                    "versions of \(name) in \(parts) parts: not expected \(extra.prefix(3)), missing \(missing.prefix(3))"
                )
            }
            try checkWanted(view, table, list)
        }
        let gone = view.history.tables.first { $0.name == HonestHistory.gone.name }
        let kept = try gone.map { try view.versions(of: $0) } ?? []
        list.expect(kept.count == 1 && kept[0].links.end != nil, "a dropped table keeps its rows as ended: \(kept)")
        try view.evidence.finish()
    }

    private static func modelled(
        _ version: RowVersion, _ table: String, _ indexes: [TransactionNumber: Int]
    ) throws -> ModelVersion {
        func place(_ start: RowStart) throws -> ModelVersion.Place {
            guard let index = indexes[start.transaction] else {
                throw ConformanceError(reason: "a version of \(table) is of transaction \(start.transaction)")
            }
            return ModelVersion.Place(transaction: index, sequence: start.sequence.rawValue)
        }
        guard version.isLive == (version.links.end == nil) else {
            throw ConformanceError(reason: "a version of \(table) is live and ended, or neither")
        }
        return ModelVersion(
            table: table, start: try place(version.links.start), end: try version.links.end.map(place),
            columns: version.columns, values: version.values, key: version.key.map(\.value))
    }

    /// `wanted` chooses, and is asked with the links that the version has.
    private func checkWanted(_ view: EvidenceView, _ table: EvidenceTable, _ list: FailureList) throws {
        let all = try view.versions(of: table)
        guard let last = all.map(\.links.start.transaction).max() else { return }
        var chosen: [RowVersion] = []
        for part in try view.reader.partitions(of: table, count: 1, after: nil) {
            try view.reader.versions(part, wanted: { $0.start.transaction == last }) { chosen.append($0) }
        }
        list.expectEqual(
            Set(chosen), Set(all.filter { $0.links.start.transaction == last }), "wanted versions of \(table.name)")
    }

    func checkLeaves(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history)
        for table in view.history.tables {
            var leaves: [TransactionNumber: [LeafNumber: Digest32]] = [:]
            for version in try view.versions(of: table) {
                let schema = view.history.versions[table.id].flatMap { states in
                    SchemaHistory.index(at: version.links.start, in: states).map { states[$0].digest }
                }
                list.expectEqual(version.schema, schema, "schema version of a row of \(table.name)")
                let (start, end) = (version.links.start, version.links.end)
                leaves[start.transaction, default: [:]][start.sequence] = version.leaf(.created, table: table.id).hash
                guard let end else { continue }
                leaves[end.transaction, default: [:]][end.sequence] = version.leaf(.ended, table: table.id).hash
            }
            for entry in view.entries {
                let found = (leaves[entry.id] ?? [:]).sorted { $0.key < $1.key }
                guard let hash = entry.tableHashes[table.id] else {
                    list.expect(
                        found.isEmpty, "\(table.name) has rows of transaction \(entry.id), which did not change it")
                    continue
                }
                list.expectEqual(
                    found.map(\.key.rawValue), Array(0..<hash.leafCount),
                    "sequence numbers of transaction \(entry.id) in \(table.name)")
                list.expectEqual(
                    MerkleFrontier.root(of: found.map(\.value), rule: .prefixed), hash.root,
                    "root of transaction \(entry.id) in \(table.name)")
            }
        }
        try view.evidence.finish()
    }

    func checkScans(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history, readers: 2)
        for table in view.history.tables {
            let versions = try view.versions(of: table).count
            for (after, parts) in [(nil, 1), (nil, 5)] + (0...view.entries.count).map({ (Optional($0), 1) }) {
                let after = after.map { TransactionNumber(UInt64($0)) }
                let reader = view.readers[parts % 2]
                let findings = FindingCollector(limit: 10)
                let sink = LeafSink(counting: table.id, findings: findings)
                for part in try reader.partitions(of: table, count: parts, after: after) {
                    list.expect(part.table == table, "a part of \(table.name) is of \(part.table.name)")
                    try reader.scan(part, after: after, into: sink)
                }
                let expected = view.entries.filter { $0.id > after ?? TransactionNumber(0) }
                    .reduce(0) { $0 + ($1.tableHashes[table.id]?.leafCount ?? 0) }
                list.expectEqual(
                    sink.leaves, expected, "leaves of \(table.name) after \(after?.rawValue ?? 0), \(parts) parts")
                if after == nil {
                    list.expectEqual(sink.rowVersions, UInt64(versions), "rows of \(table.name) in \(parts) parts")
                }
            }
        }
        try view.evidence.finish()
    }

    func checkSnapshot(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history, readers: 2)
        guard let account = view.tables["account"] else { throw ConformanceError(reason: "no table account") }
        let before = Set(try view.versions(of: account))
        // An engine may keep writers out instead.
        var isWritten = false
        do {
            try database.transaction(
                principal: "eve", commits: true,
                [HonestHistory.newAccount(5000), .delete(table: "account", key: HonestHistory.id(1))])
            isWritten = true
        } catch {}
        for reader in view.readers {
            let transactions = try EvidenceView.all(reader.transactions(from: TransactionNumber(1)))
            list.expectEqual(transactions, view.transactions, "transactions of a snapshot that was written behind")
            list.expectEqual(
                Set(try view.versions(of: account, on: reader)), before,
                "versions of a snapshot that was written behind")
        }
        try view.evidence.finish()
        let after = try self.view(database, history)
        list.expectEqual(
            after.transactions.count, view.transactions.count + (isWritten ? 1 : 0), "transactions of a new snapshot")
        try after.evidence.finish()
    }
}
