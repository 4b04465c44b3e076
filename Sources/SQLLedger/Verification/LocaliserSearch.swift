import LedgerProofs

/// Explains the leaves that are left over: rows that were moved, altered, added, taken away, or brought back.
struct LocaliserSearch {
    private let localiser: Localiser
    private let table: EvidenceTable

    init(_ localiser: Localiser) {
        self.localiser = localiser
        table = localiser.table
    }

    func run() throws {
        matchUnstamped(localiser.expected)
        matchMoved()
        let altered = alteredVersions()
        let needsSearch = !localiser.isIncomplete && (!altered.isEmpty || !missingPlaces().isEmpty)
        var values: [Int: [[SQLValue]]] = [:]
        if needsSearch, altered.count + localiser.expected.count <= 20_000 {
            values = try searchElsewhere(altered)
            matchMoved()
        }
        matchUnstamped(localiser.copied)
        for leaf in localiser.copied.values { localiser.noteLost(leaf) }
        for (version, place) in altered.sorted(by: { $0.value < $1.value }) where !localiser.reported.contains(version)
        {
            reportAltered(version, place, values[version])
        }
        if !localiser.isIncomplete { reportMissing() }
        reportExtra()
    }

    // MARK: Without stamps

    /// Finds rows without stamps that are what the ledger wants: as they are, or with the key of a stamp whose row is gone.
    private func matchUnstamped(_ leaves: [RowStart: ExpectedLeaf]) {
        let rows = localiser.unstamped
        guard !rows.isEmpty, !leaves.isEmpty else { return }
        var byChecks: [[UInt16]: [(row: Int, version: RowVersion)]] = [:]
        for (index, row) in rows.enumerated() {
            for version in row.versions {
                byChecks[LocalisedVersion.checks(of: version.values), default: []].append((index, version))
            }
        }
        var budget = 500_000
        func fit(_ place: RowStart, _ leaf: ExpectedLeaf, _ row: Int, _ version: RowVersion) -> Bool {
            guard localiser.placed[row] == nil, budget > 0 else { return false }
            budget -= 1
            return version.leaf(.created, table: table.id, place: place).hash == leaf.hash
        }
        let wanted = leaves.sorted { $0.key < $1.key }
        var open = Set(leaves.keys)
        for (place, leaf) in wanted {
            let candidates = leaf.checks.isEmpty ? byChecks.values.flatMap { $0 } : byChecks[leaf.checks] ?? []
            if let found = candidates.first(where: { fit(place, leaf, $0.row, $0.version) }) {
                settleUnstamped(found.row, place, key: nil)
                open.remove(place)
            }
        }
        for (place, leaf) in wanted where open.contains(place) {
            guard let key = localiser.strays[place] else { continue }
            let found = rows.indices.first { index in
                rows[index].versions.contains { version in
                    var version = version
                    for (column, name) in version.columns.enumerated() {
                        if let part = key.first(where: { $0.name.exact == name.exact }) {
                            version.values[column] = part.value
                        }
                    }
                    return fit(place, leaf, index, version)
                }
            }
            if let found { settleUnstamped(found, place, key: key) }
        }
        if budget <= 0 { localiser.isLossUnknown = true }
    }

    /// - Parameter key: with which the row is what the ledger wants, where that is another one.
    private func settleUnstamped(_ index: Int, _ place: RowStart, key: [NamedValue]?) {
        let row = localiser.unstamped[index]
        localiser.placed[index] = place
        let with = key.map { " with the key \($0.map(\.description).joined(separator: ", "))" } ?? ""
        let keep = RepairProposal(
            .impossible, table: table.name, key: row.key,
            explanation: key == nil
                ? "the row is genuine and must stay; only the stamp beside it is gone, and no change of the row brings it back"
                : "only the key of the row is not genuine: it may be all that is left of what the ledger wants, and no change "
                    + "of it gives it its stamp again; take a copy of it before the row is brought back from a backup")
        if localiser.copied[place] != nil {
            // What is wrong with the copy is said of the copy.
            localiser.copied[place] = nil
        } else if localiser.found[place] != nil {
            localiser.held.insert(place)
        } else {
            take(place)
            localiser.explained.insert(place)
            if !localiser.isIncomplete {
                localiser.report(
                    Finding(
                        .rowMissing, object: table.name, key: localiser.strays[place] ?? row.key,
                        transaction: place.transaction, sequence: place.sequence, certainty: .proven,
                        reason: key == nil
                            ? "the row that the transaction wrote is there, but its stamp is gone"
                            : "the row that the transaction wrote is there without its stamp, under another key: "
                                + row.key.map(\.description).joined(separator: ", "),
                        repair: keep))
            }
        }
        localiser.findings.report(
            row.finding(
                table,
                "the row has no stamp;\(with) its hash is that of the row that transaction \(place.transaction) wrote as "
                    + "operation \(place.sequence)", keep))
    }

    // MARK: Moved

    /// Places that still want a leaf, by the checks of its columns.
    private func wantedByChecks() -> [[UInt16]: [RowStart]] {
        var byChecks: [[UInt16]: [RowStart]] = [:]
        for (place, leaf) in localiser.expected where !leaf.checks.isEmpty {
            byChecks[leaf.checks, default: []].append(place)
        }
        return byChecks
    }

    /// Finds versions whose values fit a leaf at another place than they say they belong to.
    private func matchMoved() {
        let wanted = wantedByChecks()
        guard !wanted.isEmpty else { return }
        for index in localiser.versions.indices where !localiser.reported.contains(index) {
            let entry = localiser.versions[index]
            guard let places = wanted[entry.checks] else { continue }
            for place in places.sorted() where localiser.expected[place] != nil {
                match(index, entry.version, place)
            }
        }
    }

    private func match(_ index: Int, _ version: RowVersion, _ place: RowStart) {
        guard let leaf = localiser.expected[place] else { return }
        // A row that is proven to be in its place did not come from elsewhere, even if another one was like it.
        if isUnresolved(index, version.links.start), version.links.start != place,
            version.leaf(.created, table: table.id, place: place).hash == leaf.hash
        {
            take(place)
            clear(index)
            reportMovedStart(index, version, place)
            // Its end leaf commits to the start, so it fits again with the right one.
            var fixed = version
            fixed.links.start = place
            if let end = version.links.end, let leaf = localiser.expected[end],
                fixed.leaf(.ended, table: table.id).hash == leaf.hash
            {
                take(end)
            }
            return
        }
        let isOpen = version.links.end.map { $0 != place && isUnresolved(index, $0) } ?? true
        if isOpen, version.leaf(.ended, table: table.id, place: place).hash == leaf.hash {
            take(place)
            reportMovedEnd(index, version, place)
        }
    }

    private func isUnresolved(_ index: Int, _ place: RowStart) -> Bool {
        localiser.found[place]?.contains { $0.version == index } ?? false
    }

    private func take(_ place: RowStart) { localiser.expected[place] = nil }

    /// Forgets what the version is at its own places.
    private func clear(_ index: Int) {
        for place in [localiser.versions[index].version.links.start, localiser.versions[index].version.links.end] {
            guard let place, let leaves = localiser.found[place] else { continue }
            let rest = leaves.filter { $0.version != index }
            localiser.found[place] = rest.isEmpty ? nil : rest
        }
        localiser.reported.insert(index)
    }

    private func reportMovedStart(_ index: Int, _ version: RowVersion, _ place: RowStart) {
        let from = version.links.start
        let expected = "transaction \(place.transaction), operation \(place.sequence)"
        let found = "transaction \(from.transaction), operation \(from.sequence)"
        let repair =
            version.isLive
            ? RepairProposal(
                .impossible, table: table.name, key: version.key,
                explanation:
                    "the values are genuine; only the stamp beside the row is wrong, and no change of the row mends it")
            : RepairProposal.history(table.name)
        if place.transaction == from.transaction {
            localiser.report(
                localiser.finding(
                    .versionLink, version, place, "the row's sequence number was changed: its hash fits another place",
                    columns: ["ledger_start_sequence_number"], expected: expected, found: found, repair: repair))
        } else {
            localiser.report(
                localiser.finding(
                    .rowMissing, version, place, "the row was moved to another transaction: its hash fits here",
                    columns: ["ledger_start_transaction_id"], expected: expected, found: found, repair: repair))
            localiser.report(
                localiser.finding(
                    .rowExtra, version, from, "the row was moved here from another transaction",
                    columns: ["ledger_start_transaction_id"], expected: expected, found: found, repair: repair))
        }
    }

    private func reportMovedEnd(_ index: Int, _ version: RowVersion, _ place: RowStart) {
        let expected = "ended by transaction \(place.transaction), operation \(place.sequence)"
        if let end = version.links.end {
            localiser.copied[version.links.start] = nil
            if let leaves = localiser.found[end] {
                let rest = leaves.filter { $0.version != index || $0.operation != .ended }
                localiser.found[end] = rest.isEmpty ? nil : rest
            }
            localiser.reported.insert(index)
            localiser.report(
                localiser.finding(
                    .versionLink, version, place, "when the version ended was changed",
                    columns: ["ledger_end_transaction_id", "ledger_end_sequence_number"], expected: expected,
                    found: "ended by transaction \(end.transaction), operation \(end.sequence)",
                    repair: .history(table.name)))
        } else {
            localiser.reported.insert(index)
            localiser.report(
                localiser.finding(
                    .versionLink, version, place, "a version that had ended stands as a current row again",
                    expected: expected, found: "current",
                    repair: RepairProposal(
                        .delete, table: table.name, key: version.key,
                        explanation: "takes the row away again; that it had come back stays visible in history")))
        }
    }

    // MARK: Altered

    /// Versions at places where something else must be, with that place.
    private func alteredVersions() -> [Int: RowStart] {
        var altered: [Int: RowStart] = [:]
        for place in localiser.expected.keys {
            guard let leaves = localiser.found[place] else { continue }
            guard let first = leaves.first(where: { !localiser.reported.contains($0.version) }) else { continue }
            // A history row is altered at both of its places; the first one names it.
            altered[first.version] = min(altered[first.version] ?? place, place)
        }
        return altered
    }

    private func reportAltered(_ index: Int, _ place: RowStart, _ elsewhere: [[SQLValue]]?) {
        let entry = localiser.versions[index]
        let version = entry.version
        guard let leaf = localiser.expected[place] else { return }
        let operation: RowOperation = version.links.start == place ? .created : .ended
        settle(index)
        let differing = Self.differing(entry.checks, leaf.checks)
        if operation == .ended, differing?.isEmpty ?? true {
            // The values are right, so what else the leaf holds is not: where the version began or ended.
            localiser.report(
                localiser.finding(
                    .versionLink, version, place, "when the version began or ended was changed",
                    columns: ["ledger_end_transaction_id", "ledger_end_sequence_number"],
                    repair: version.isLive ? nil : .history(table.name)))
            return
        }
        let columns = differing ?? []
        let original = original(version, operation, place, leaf, columns, elsewhere)
        let names = (original.map { Self.changed(version.values, $0) } ?? columns).map { version.columns[$0] }
        let values = original.map { original in
            zip(version.columns, original).filter { names.containsExactly($0.0) }.map { NamedValue($0.0, $0.1) }
        }
        let found = zip(version.columns, version.values).filter { names.containsExactly($0.0) }
        localiser.report(
            localiser.finding(
                .rowAltered, version, place, reason(original, columns, leaf), columns: names,
                expected: values.map { $0.map { $0.value.literal(limit: 200) }.joined(separator: ", ") },
                found: found.isEmpty ? nil : found.map { $0.1.literal(limit: 200) }.joined(separator: ", "),
                repair: localiser.held.contains(place)
                    ? RepairProposal(
                        .impossible, table: table.name, key: version.key,
                        explanation:
                            "the row that belongs here is there, but this one has its stamp, and no change of a row "
                            + "gives it back") : repair(version, values)))
    }

    private func reason(_ original: [SQLValue]?, _ columns: [Int], _ leaf: ExpectedLeaf) -> String {
        if original != nil { return "the row does not hash to its leaf; with the expected values it does" }
        if leaf.checks.isEmpty { return "the row does not hash to its leaf" }
        if columns.isEmpty { return "the row does not hash to its leaf, and no single column tells why" }
        return "the row does not hash to its leaf; the columns are those whose checks differ, the original is not known"
    }

    private func repair(_ version: RowVersion, _ values: [NamedValue]?) -> RepairProposal {
        guard version.isLive else { return .history(table.name, proven: values ?? []) }
        guard let values else {
            return RepairProposal(
                .impossible, table: table.name, key: version.key,
                explanation: "the original values are not known; take the row from a backup and set them with an UPDATE"
            )
        }
        let settable = values.filter { !table.generatedColumns.containsExactly($0.name) }
        return RepairProposal(
            .update, table: table.name, key: version.key, values: settable,
            explanation: settable.isEmpty
                ? "writes the row again, so that its generated columns are computed as a new version; the altered version "
                    + "stays visible in history, and verification goes on naming it"
                : "sets the proven values as a new version; the altered version stays visible in history, "
                    + "and verification goes on naming it")
    }

    /// The places of a version that has been explained want nothing more.
    private func settle(_ index: Int) {
        localiser.reported.insert(index)
        let links = localiser.versions[index].version.links
        for place in [links.start, links.end].compactMap({ $0 })
        where localiser.found[place]?.contains(where: { $0.version == index }) ?? false {
            localiser.expected[place] = nil
            let rest = localiser.found[place]?.filter { $0.version != index } ?? []
            localiser.found[place] = rest.isEmpty ? nil : rest
        }
    }

    /// The columns whose checks differ; `nil` if the checks say nothing.
    static func differing(_ a: [UInt16], _ b: [UInt16]) -> [Int]? {
        guard !b.isEmpty, a.count == b.count else { return nil }
        return a.indices.filter { a[$0] != b[$0] }
    }

    private static func changed(_ a: [SQLValue], _ b: [SQLValue]) -> [Int] {
        a.indices.filter {
            $0 < b.count && LocalisedVersion.checks(of: [a[$0]]) != LocalisedVersion.checks(of: [b[$0]])
        }
    }

    private func original(
        _ version: RowVersion, _ operation: RowOperation, _ place: RowStart, _ leaf: ExpectedLeaf, _ columns: [Int],
        _ elsewhere: [[SQLValue]]?
    ) -> [SQLValue]? {
        // What is put together into one line anyway needs no originals.
        guard !columns.isEmpty, localiser.reported.count <= localiser.options.findingLimit else { return nil }
        let none: [[SQLValue]] = Array(repeating: [], count: version.values.count)
        var candidates = ValueCandidates(
            found: version.values, checks: leaf.checks, elsewhere: elsewhere ?? none)
        // Many altered rows: less for each.
        if localiser.reported.count > 8 { candidates.reach = localiser.reported.count > 50 ? 1_000 : 10_000 }
        return candidates.rows(altering: columns) { row in
            var copy = version
            copy.values = row
            return copy.leaf(operation, table: table.id, place: place).hash == leaf.hash
        }
    }

    // MARK: Elsewhere

    /// Reads all rows of the table once more: for values that an altered column may have had (they occur elsewhere, best
    /// of all in another version of the same key), and for versions that fit a missing leaf.
    private func searchElsewhere(_ altered: [Int: RowStart]) throws -> [Int: [[SQLValue]]] {
        var values: [Int: [[SQLValue]]] = [:]
        var wantedChecks: [[UInt16: [Int]]] = []
        for (index, place) in altered.sorted(by: { $0.value < $1.value }).prefix(localiser.options.findingLimit) {
            let entry = localiser.versions[index]
            values[index] = Array(repeating: [], count: entry.version.values.count)
            guard let leaf = localiser.expected[place], let columns = Self.differing(entry.checks, leaf.checks) else {
                continue
            }
            for column in columns {
                while wantedChecks.count <= column { wantedChecks.append([:]) }
                wantedChecks[column][leaf.checks[column], default: []].append(index)
            }
        }
        let missing = wantedByChecks()
        for partition in localiser.partitions {
            try localiser.reader.versions(partition, wanted: { _ in true }) { version in
                let checks = LocalisedVersion.checks(of: version.values)
                for column in 0..<min(wantedChecks.count, checks.count) {
                    for index in wantedChecks[column][checks[column]] ?? [] {
                        let isSameKey = localiser.versions[index].version.key == version.key
                        guard let list = values[index]?[column], list.count < 64 || isSameKey,
                            !list.contains(version.values[column])
                        else { continue }
                        values[index]?[column].insert(version.values[column], at: isSameKey ? 0 : list.count)
                    }
                }
                let places = missing[checks] ?? []
                if !places.isEmpty, !localiser.isWanted(version.links.start),
                    !(version.links.end.map { localiser.isWanted($0) } ?? false), localiser.versions.count < 400_000
                {
                    localiser.versions.append(LocalisedVersion(version, partition.kind))
                }
            }
        }
        return values
    }

    // MARK: Missing and extra

    private func missingPlaces() -> [RowStart] {
        localiser.expected.keys.filter { localiser.found[$0] == nil }.sorted()
    }

    /// Leaves that nothing was found for. Two with the same checks are the beginning and the end of one version.
    private func reportMissing() {
        var open: [[UInt16]: RowStart] = [:]
        var ends: [RowStart: RowStart] = [:]
        var places: [RowStart] = []
        for place in missingPlaces() {
            let checks = localiser.expected[place]?.checks ?? []
            if !checks.isEmpty, let start = open.removeValue(forKey: checks) {
                ends[start] = place
            } else {
                open[checks] = place
                places.append(place)
            }
        }
        var neighbours = Neighbours(byStart: [:], byEnd: [:])
        for entry in localiser.versions {
            neighbours.byStart[entry.version.links.start] = entry.version
            if let end = entry.version.links.end { neighbours.byEnd[end] = entry.version }
        }
        for place in places {
            localiser.noteLost(localiser.expected[place])
            reportMissing(place, end: ends[place], neighbours)
        }
    }

    private struct Neighbours {
        var byStart: [RowStart: RowVersion]
        var byEnd: [RowStart: RowVersion]

        /// The version of the same key before or after: an update ends one version and creates the next right behind it.
        func of(_ place: RowStart, end: RowStart?) -> RowVersion? {
            if place.sequence.rawValue > 0 {
                let before = RowStart(
                    transaction: place.transaction, sequence: LeafNumber(place.sequence.rawValue - 1))
                if let version = byEnd[before] { return version }
            }
            guard let end else { return nil }
            return byStart[RowStart(transaction: end.transaction, sequence: end.sequence.next)]
        }
    }

    private func reportMissing(_ place: RowStart, end: RowStart?, _ neighbours: Neighbours) {
        localiser.explained.insert(place)
        let neighbour = neighbours.of(place, end: end)
        let key = localiser.strays[place] ?? neighbour?.key ?? []
        var reason =
            end.map {
                "the version that transaction \(place.transaction) created and transaction \($0.transaction) ended is gone"
            }
            ?? "the row that the transaction wrote is gone"
        if localiser.strays[place] == nil, key.isEmpty { reason += "; its key is not known" }
        if let neighbour {
            reason +=
                "; the version next to it was "
                + zip(neighbour.columns, neighbour.values).map { "\($0) = \($1.literal(limit: 40))" }.joined(
                    separator: ", ")
        }
        localiser.report(
            Finding(
                .rowMissing, object: end == nil ? table.name : "ledger_history_\(table.id)", key: key,
                transaction: place.transaction, sequence: place.sequence,
                expected: localiser.expected[place].map { "leaf \($0.hash.hex)" }, found: "nothing", certainty: .proven,
                reason: reason,
                repair: end == nil
                    ? RepairProposal(
                        .impossible, table: table.name, key: key,
                        explanation:
                            "the values are in no place that can be read; take the row from a backup, compare its "
                            + "leaf hash, and INSERT it") : .history(table.name)))
    }

    private func reportExtra() {
        for (place, leaves) in localiser.found.sorted(by: { $0.key < $1.key }) {
            for leaf in leaves where localiser.reported.insert(leaf.version).inserted {
                let version = localiser.versions[leaf.version].version
                // A version whose beginning is proven is no stranger: its end is made up.
                let isGenuine = leaf.operation == .ended && !isUnresolved(leaf.version, version.links.start)
                localiser.report(
                    localiser.finding(
                        isGenuine ? .versionLink : .rowExtra, version, place,
                        isGenuine
                            ? "the ledger has no such end of the version"
                            : "the ledger has no such row: nothing in transaction \(place.transaction) hashes to it",
                        found: zip(version.columns, version.values).map { "\($0) = \($1.literal(limit: 80))" }
                            .joined(separator: ", "),
                        repair: !version.isLive
                            ? .history(table.name)
                            : localiser.mayBeLost(version)
                                ? .keep(table, version.key)
                                : RepairProposal(
                                    .delete, table: table.name, key: version.key,
                                    explanation: "takes the row away; that it was there stays visible in history")))
            }
        }
    }
}
