import LedgerProofs

/// Finds the altered entry of a block whose entries no longer fold to its root: tries, for each entry and field, values
/// that occur nearby, until the root comes out. That proves the original value, too.
struct BlockRootSearch {
    let reader: any LedgerEvidenceReader
    let ledger: LedgerID
    let findings: FindingCollector
    /// Names that occur in the ledger.
    let names: Set<String>
    /// Table roots as the rows give them, where they differ from the entry.
    let foundRoots: [TransactionNumber: [TableHash]]
    /// The time of the block's last transaction as digests have it.
    let digestTimes: [CommitTime]

    /// Hashes to try for one block: some seconds.
    private static let budget = 3_000_000

    func run(_ block: BadBlock) throws {
        guard block.isComplete else {
            findings.report(
                Finding(
                    .blockAltered, object: "database_ledger_blocks", columns: ["transactions_root_hash"],
                    expected: block.root.hex, block: block.id, certainty: .proven,
                    reason: "entries of the block are missing or unreadable, so its root cannot be recomputed"))
            return
        }
        var entries: [TransactionEntry] = []
        let next = try reader.transactions(from: TransactionNumber(block.range.lowerBound))
        while let stored = try next(), stored.id <= Int64(bitPattern: block.range.upperBound) {
            // Numbers of 0 or below come with those of the first block.
            guard stored.id > 0 else { continue }
            guard let entry = stored.entry(of: ledger).entry else { return }
            entries.append(entry)
        }
        if let leaves = try provenLeaves(block) { return compare(entries, leaves, block) }
        let tree = LeafTree(entries.map(\.leaf))
        var left = Self.budget
        for index in suspectsFirst(entries) {
            for candidate in candidates(entries, index) {
                left -= tree.levels.count
                if left < 0 { break }
                if tree.root(replacing: index, by: candidate.leaf) == block.root {
                    report(entries[index], candidate, block)
                    return
                }
            }
        }
        let range = block.range
        let first = entries.count == 1 ? entries.first : nil
        findings.report(
            Finding(
                .txAltered, object: "database_ledger_transactions", transaction: TransactionNumber(range.lowerBound),
                principal: first?.principal, time: first?.commitTime, expected: block.root.hex, block: block.id,
                certainty: range.count == 1 ? .proven : .suspect,
                reason: range.count == 1
                    ? "the entry does not hash to its block's root; which field was altered is not known"
                    : "an entry of transactions \(range.lowerBound) to \(range.upperBound) was altered: "
                        + "together they no longer hash to their block's root"))
    }

    /// The leaves that were stored when the block was closed, if they fold to its root.
    private func provenLeaves(_ block: BadBlock) throws -> [LeafChunk.Leaf]? {
        var leaves: [LeafChunk.Leaf] = []
        for index in 0..<(UInt64(block.range.count) + 127) / UInt64(LeafChunk.leafCount) {
            guard let bytes = try reader.transactionChunk(block.id, chunk: index),
                let chunk = try? LeafChunk(decoding: bytes)
            else { return nil }
            leaves += chunk.leaves
        }
        guard leaves.count == block.range.count,
            MerkleFrontier.root(of: leaves.lazy.map(\.hash), rule: .prefixed) == block.root
        else { return nil }
        return leaves
    }

    /// Names the entries that do not hash to their leaves, and their fields by the checks beside the leaves.
    private func compare(_ entries: [TransactionEntry], _ leaves: [LeafChunk.Leaf], _ block: BadBlock) {
        var budget = 20
        for (index, leaf) in leaves.enumerated() where index < entries.count {
            let entry = entries[index]
            guard entry.leaf != leaf.hash else { continue }
            budget -= 1
            let original =
                budget < 0 ? nil : candidates(entries, index).lazy.prefix(Self.budget).first { $0.leaf == leaf.hash }
            if let original {
                report(entry, original, block)
                continue
            }
            let checks = entry.columnChecks
            let fields = zip(Self.fields, zip(checks, leaf.columnChecks)).filter { $0.1.0 != $0.1.1 }.map(\.0)
            findings.report(
                Finding(
                    .txAltered, object: "database_ledger_transactions", columns: fields, transaction: entry.id,
                    principal: entry.principal, time: entry.commitTime, expected: "leaf \(leaf.hash.hex)",
                    found: "leaf \(entry.leaf.hex)", block: block.id, certainty: .proven,
                    reason: "the entry does not hash to its leaf, which the block's root proves"
                        + (fields.isEmpty ? "" : "; the fields are those whose checks differ")))
        }
    }

    private static let fields = ["commit_time", "principal_name", "login_name", "application_name", "table_hashes"]

    /// Entries whose times or rows do not fit go first.
    private func suspectsFirst(_ entries: [TransactionEntry]) -> [Int] {
        let suspects = entries.indices.filter { isSuspect(entries, $0) }
        let others = Set(suspects)
        return suspects + entries.indices.filter { !others.contains($0) }
    }

    private func isSuspect(_ entries: [TransactionEntry], _ index: Int) -> Bool {
        let entry = entries[index]
        if foundRoots[entry.id] != nil { return true }
        if index > 0, entry.commitTime < entries[index - 1].commitTime { return true }
        return index + 1 < entries.count && entry.commitTime > entries[index + 1].commitTime
    }

    private func candidates(_ entries: [TransactionEntry], _ index: Int) -> some Sequence<TransactionEntry> {
        let entry = entries[index]
        var simple: [TransactionEntry] = []
        if let roots = foundRoots[entry.id] {
            var tables = Dictionary(entry.tableHashes.tables.map { ($0.table, $0) }) { first, _ in first }
            for root in roots { tables[root.table] = root.leafCount > 0 ? root : nil }
            if let hashes = TableHashes(tables.values) {
                var copy = entry
                copy.tableHashes = hashes
                simple.append(copy)
            }
        }
        for name in names {
            for path in [\TransactionEntry.principal, \.login, \.application] where entry[keyPath: path] != name {
                var copy = entry
                copy[keyPath: path] = name
                simple.append(copy)
            }
        }
        var times = digestTimes
        if index > 0 { times.append(entries[index - 1].commitTime) }
        if index + 1 < entries.count { times.append(entries[index + 1].commitTime) }
        for time in times where time != entry.commitTime {
            var copy = entry
            copy.commitTime = time
            simple.append(copy)
        }
        let low = index > 0 ? entries[index - 1].commitTime.microseconds : 0
        let high = index + 1 < entries.count ? entries[index + 1].commitTime.microseconds : 0
        // Between its neighbours' times there may be few enough microseconds to try them all.
        let range = index > 0 && high > low && high - low <= 2_000_000 && isSuspect(entries, index) ? low..<high : 0..<0
        let tried = range.lazy.compactMap { microseconds -> TransactionEntry? in
            guard let time = CommitTime(microseconds: microseconds) else { return nil }
            var copy = entry
            copy.commitTime = time
            return copy
        }
        return [AnySequence(simple), AnySequence(tried)].lazy.joined()
    }

    private func report(_ entry: TransactionEntry, _ original: TransactionEntry, _ block: BadBlock) {
        let fields: [(String, String, String)] = [
            ("commit_time", original.commitTime.description, entry.commitTime.description),
            ("principal_name", original.principal, entry.principal),
            ("login_name", original.login, entry.login),
            ("application_name", original.application, entry.application),
            ("table_hashes", Hex.encode(original.tableHashes.encoded()), Hex.encode(entry.tableHashes.encoded())),
        ].filter { $0.1 != $0.2 }
        findings.report(
            Finding(
                .txAltered, object: "database_ledger_transactions", columns: fields.map(\.0), transaction: entry.id,
                principal: entry.principal, time: entry.commitTime,
                expected: fields.map { $0.1 }.joined(separator: ", "),
                found: fields.map { $0.2 }.joined(separator: ", "), block: block.id, certainty: .proven,
                reason: "with the expected value the entries hash to their block's root"))
    }

    /// All levels of a tree, for roots after one leaf changes.
    private struct LeafTree {
        var levels: [[Digest32]]

        init(_ leaves: [Digest32]) {
            levels = [leaves]
            while let last = levels.last, last.count > 1 {
                var upper: [Digest32] = []
                upper.reserveCapacity((last.count + 1) / 2)
                for index in stride(from: 0, to: last.count, by: 2) {
                    upper.append(
                        index + 1 < last.count ? MerkleRule.prefixed.parent(last[index], last[index + 1]) : last[index])
                }
                levels.append(upper)
            }
        }

        func root(replacing index: Int, by leaf: Digest32) -> Digest32 {
            var node = leaf
            var index = index
            for level in levels.dropLast() {
                if index & 1 == 1 {
                    node = MerkleRule.prefixed.parent(level[index - 1], node)
                } else if index + 1 < level.count {
                    node = MerkleRule.prefixed.parent(node, level[index + 1])
                }
                index >>= 1
            }
            return node
        }
    }
}
