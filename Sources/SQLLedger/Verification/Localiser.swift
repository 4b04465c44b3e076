import LedgerProofs

/// Names the rows, versions and columns behind a table root that does not come out: compares what is stored with the
/// stored leaf chunks, which the root proves, and tries where else and with which values a leaf would fit.
final class Localiser {
    let table: EvidenceTable
    let reader: any LedgerEvidenceReader
    let options: VerificationOptions
    let findings: FindingCollector
    let partitions: [EvidencePartition]
    /// Keys of stamps whose rows are gone, by where the stamp says that the row was created.
    let strays: [RowStart: [NamedValue]]
    /// Rows without stamps, which may be what is missing, and those that are, with their places.
    let unstamped: [UnstampedRow]
    var placed: [Int: RowStart] = [:]
    /// Places whose own rows stand without stamps while others claim to be there.
    var held: Set<RowStart> = []
    /// Rows may be missing of which nothing is known.
    var isLossUnknown = false
    /// The checks of the leaves of missing versions.
    private var lost: Set<[UInt16]> = []

    /// Whether not all rows could be read: then nothing is called missing.
    let isIncomplete: Bool

    /// What must be at each place, and is not proven to be there.
    var expected: [RowStart: ExpectedLeaf] = [:]
    /// All that `expected` began with.
    private var wanted: [RowStart: ExpectedLeaf] = [:]
    /// Beginnings that only history versions stand for whose ends are not the ledger's: copies, perhaps, of rows without stamps.
    var copied: [RowStart: ExpectedLeaf] = [:]
    var versions: [LocalisedVersion] = []
    var found: [RowStart: [FoundLeaf]] = [:]
    /// Versions about which something was reported, so that it is reported once.
    var reported: Set<Int> = []

    private var chunks: [TransactionNumber: Set<UInt64>] = [:]
    private var whole: Set<TransactionNumber> = []
    private var entries: [TransactionNumber: StoredTransaction] = [:]

    /// At most so many chunks are compared leaf by leaf; the others are counted.
    private static let chunkLimit = 1024

    init(
        table: EvidenceTable, reader: any LedgerEvidenceReader, options: VerificationOptions,
        findings: FindingCollector, partitions: [EvidencePartition], strays: [RowStart: [NamedValue]],
        unstamped: [UnstampedRow], isIncomplete: Bool
    ) {
        self.table = table
        self.reader = reader
        self.options = options
        self.findings = findings
        self.partitions = partitions
        self.strays = strays
        self.unstamped = unstamped
        self.isIncomplete = isIncomplete
    }

    /// Returns the keys of `strays` that a finding explains.
    func run(_ fold: TableFold) throws -> Set<RowStart> {
        var loaded = 0
        var skipped: (transactions: UInt64, expected: UInt64, found: UInt64) = fold.more
        for bad in fold.bad {
            guard loaded < Self.chunkLimit else {
                skipped.transactions += 1
                skipped.expected += bad.expected?.leafCount ?? 0
                skipped.found += bad.foundCount
                continue
            }
            loaded += try load(bad, limit: Self.chunkLimit - loaded, &skipped)
        }
        if skipped.expected > 0 || skipped.found > 0 { isLossUnknown = true }
        try collectVersions()
        resolve()
        try LocaliserSearch(self).run()
        if !isIncomplete { report(skipped) }
        return Set(strays.keys.filter { explained.contains($0) })
    }

    var explained: Set<RowStart> = []

    /// The row of this leaf was found nowhere, or only in the history.
    func noteLost(_ leaf: ExpectedLeaf?) {
        let checks = leaf?.checks ?? []
        if checks.isEmpty || lost.count > 1_000 { isLossUnknown = true } else { lost.insert(checks) }
    }

    /// Whether a missing version may be made of the values of this one: they agree in a column at least.
    func mayBeLost(_ version: RowVersion) -> Bool {
        if isLossUnknown { return true }
        let checks = LocalisedVersion.checks(of: version.values)
        return lost.contains { lost in lost.count != checks.count || zip(lost, checks).contains { $0 == $1 } }
    }

    // MARK: What must be there

    /// Loads the leaves of the wrong chunks. Returns how many chunks.
    private func load(
        _ bad: BadTransaction, limit: Int, _ skipped: inout (transactions: UInt64, expected: UInt64, found: UInt64)
    ) throws -> Int {
        guard let claim = bad.expected else {
            whole.insert(bad.transaction)
            return 1
        }
        if claim.leafCount == 1 {
            // The root is the leaf. Its chunk only adds checks.
            whole.insert(bad.transaction)
            let chunk = try chunk(bad.transaction, 0).flatMap { $0.leaves.first?.hash == claim.root ? $0 : nil }
            expected[RowStart(transaction: bad.transaction, sequence: LeafNumber(0))] = ExpectedLeaf(
                hash: claim.root, checks: chunk?.leaves.first?.columnChecks ?? [])
            return 1
        }
        let count = (claim.leafCount + UInt64(LeafChunk.leafCount) - 1) / UInt64(LeafChunk.leafCount)
        guard let nodes = try provenChunks(bad, claim, count: count) else {
            reportWithoutChunks(bad, claim)
            return 1
        }
        var loaded = 0
        for index in 0..<count {
            let foundNode = Int(index) < bad.chunks.count ? bad.chunks[Int(index)] : nil
            if foundNode == nodes[Int(index)] { continue }
            guard loaded < limit else {
                skipped.expected += UInt64(LeafChunk.leafCount)
                if foundNode != nil || Int(index) < bad.chunks.count { skipped.found += UInt64(LeafChunk.leafCount) }
                continue
            }
            guard let chunk = try chunk(bad.transaction, index) else { continue }
            for (offset, leaf) in chunk.leaves.enumerated() {
                let sequence = index * UInt64(LeafChunk.leafCount) + UInt64(offset)
                expected[RowStart(transaction: bad.transaction, sequence: LeafNumber(sequence))] = ExpectedLeaf(
                    hash: leaf.hash, checks: leaf.columnChecks)
            }
            chunks[bad.transaction, default: []].insert(index)
            loaded += 1
        }
        beyond[bad.transaction] = claim.leafCount
        return max(loaded, 1)
    }

    /// The number of leaves of transactions in which there may be some behind the last one: a version that was given
    /// such a place is missing at its own.
    private var beyond: [TransactionNumber: UInt64] = [:]

    private func chunk(_ transaction: TransactionNumber, _ index: UInt64) throws -> LeafChunk? {
        try reader.leafChunk(transaction, table.id, chunk: index).flatMap { try? LeafChunk(decoding: $0) }
    }

    /// The roots of the stored chunks, if together they give the proven table root.
    private func provenChunks(_ bad: BadTransaction, _ claim: TableHash, count: UInt64) throws -> [Digest32]? {
        guard count < 1 << 32 else { return nil }
        var nodes: [Digest32] = []
        for index in 0..<count {
            guard let chunk = try chunk(bad.transaction, index),
                index + 1 == count || chunk.leaves.count == LeafChunk.leafCount
            else { return nil }
            nodes.append(chunk.root)
        }
        return MerkleFrontier.root(of: nodes, rule: .prefixed) == claim.root ? nodes : nil
    }

    private func reportWithoutChunks(_ bad: BadTransaction, _ claim: TableHash) {
        isLossUnknown = true
        if isIncomplete { return }
        let code: Finding.Code =
            bad.foundCount < claim.leafCount ? .rowMissing : bad.foundCount > claim.leafCount ? .rowExtra : .rowAltered
        let difference = max(claim.leafCount, bad.foundCount) - min(claim.leafCount, bad.foundCount)
        report(
            Finding(
                code, object: table.name, transaction: bad.transaction, expected: "\(claim.leafCount) row operations",
                found: "\(bad.foundCount) row operations", certainty: .proven,
                reason: "the rows that the transaction wrote do not hash to its entry; the stored leaves, "
                    + "which would tell which ones, are missing or altered too", count: max(difference, 1)))
    }

    // MARK: What is there

    func isWanted(_ place: RowStart) -> Bool {
        if whole.contains(place.transaction) { return true }
        if let list = chunks[place.transaction],
            list.contains(place.sequence.rawValue / UInt64(LeafChunk.leafCount))
        {
            return true
        }
        if let count = beyond[place.transaction], place.sequence.rawValue >= count { return true }
        return false
    }

    private func collectVersions() throws {
        guard !(whole.isEmpty && chunks.isEmpty && beyond.isEmpty) else { return }
        for partition in partitions {
            do {
                try reader.versions(
                    partition, wanted: { isWanted($0.start) || ($0.end.map { isWanted($0) } ?? false) }
                ) { version in
                    guard versions.count < 400_000 else { return isLossUnknown = true }
                    add(version, partition.kind)
                }
            } catch  where isIncomplete {
                // Known to be unreadable; what came before it counts.
                continue
            }
        }
    }

    func add(_ version: RowVersion, _ kind: EvidencePartition.Kind) {
        let index = versions.count
        versions.append(LocalisedVersion(version, kind))
        var operations: [(RowOperation, RowStart)] = [(.created, version.links.start)]
        if let end = version.links.end { operations.append((.ended, end)) }
        for (operation, place) in operations where isWanted(place) {
            found[place, default: []].append(
                FoundLeaf(
                    place: place, operation: operation, version: index,
                    hash: version.leaf(operation, table: table.id).hash))
        }
    }

    // MARK: What differs

    /// Takes out everything that is as it must be, and reports what is there twice.
    private func resolve() {
        wanted = expected
        findCopies()
        for (place, leaves) in found.sorted(by: { $0.key < $1.key }) {
            guard let leaf = expected[place] else { continue }
            guard let match = leaves.first(where: { $0.hash == leaf.hash }) else { continue }
            expected[place] = nil
            var rest = leaves
            rest.removeAll { $0.version == match.version && $0.operation == match.operation }
            for extra in rest where extra.hash == leaf.hash {
                reportDuplicate(extra.version, beside: match.version, place)
            }
            rest.removeAll { $0.hash == leaf.hash }
            found[place] = rest.isEmpty ? nil : rest
        }
    }

    /// A beginning that is not wanted is right: everything there is.
    private func findCopies() {
        for entry in versions where !entry.version.isLive && !isEnded(entry.version) {
            let place = entry.version.links.start
            let hash = entry.version.leaf(.created, table: table.id).hash
            guard !isWanted(place) || wanted[place]?.hash == hash else { continue }
            let isKnown = (found[place] ?? []).contains {
                $0.hash == hash && (versions[$0.version].version.isLive || isEnded(versions[$0.version].version))
            }
            if !isKnown { copied[place] = ExpectedLeaf(hash: hash, checks: entry.checks) }
        }
    }

    /// Whether the ledger has the end of a history version: its leaf is the one that must be there, or everything there is right.
    private func isEnded(_ version: RowVersion) -> Bool {
        guard let end = version.links.end, isWanted(end) else { return version.links.end != nil }
        return wanted[end]?.hash == version.leaf(.ended, table: table.id).hash
    }

    private func reportDuplicate(_ extra: Int, beside match: Int, _ place: RowStart) {
        let (version, other) = (versions[extra].version, versions[match].version)
        if version.isLive != other.isLive {
            let (live, ended) = version.isLive ? (version, other) : (other, version)
            let isLiveAgain = isEnded(ended)
            guard reported.insert(version.isLive == isLiveAgain ? extra : match).inserted else { return }
            guard isLiveAgain else {
                report(
                    finding(
                        .versionLink, ended, place,
                        "a current row stands in the history too, with an end that the ledger "
                            + "does not have", repair: .history(table.name)))
                return
            }
            report(
                finding(
                    .versionLink, live, place, "a version that has ended stands as a current row again",
                    found: "current",
                    repair: RepairProposal(
                        .delete, table: table.name, key: live.key,
                        explanation: "takes the row away again; that it had come back stays visible in history")))
            return
        }
        guard reported.insert(extra).inserted else { return }
        report(
            finding(
                .rowDuplicate, version, place, "the row version is stored more than once",
                repair: version.isLive
                    ? RepairProposal(
                        .impossible, table: table.name, key: version.key,
                        explanation: "an ordinary DELETE would end the genuine row too; remove the copy from a backup "
                            + "of the file, or rebuild the table's key")
                    : .history(table.name)))
    }

    // MARK: Reporting

    func finding(
        _ code: Finding.Code, _ version: RowVersion, _ place: RowStart, _ reason: String, columns: [String] = [],
        expected: String? = nil, found: String? = nil, certainty: Finding.Certainty = .proven,
        repair: RepairProposal? = nil
    ) -> Finding {
        Finding(
            code, object: version.object, key: version.key, columns: columns, transaction: place.transaction,
            sequence: place.sequence, expected: expected, found: found, certainty: certainty, reason: reason,
            repair: repair)
    }

    /// Adds who and when.
    func report(_ finding: Finding) {
        var finding = finding
        if let transaction = finding.transaction, let entry = entry(transaction) {
            finding.principal = entry.principal
            finding.time = entry.commitTime.flatMap { CommitTime($0) }
            finding.block = entry.block.flatMap { $0 >= 0 ? BlockID(UInt64($0)) : nil }
        }
        findings.report(finding)
    }

    private func entry(_ transaction: TransactionNumber) -> StoredTransaction? {
        if let known = entries[transaction] { return known }
        guard entries.count < 5_000, let stored = try? reader.transactions(from: transaction)(),
            stored.id == Int64(bitPattern: transaction.rawValue)
        else { return nil }
        entries[transaction] = stored
        return stored
    }

    private func report(_ skipped: (transactions: UInt64, expected: UInt64, found: UInt64)) {
        guard skipped.expected > 0 || skipped.found > 0 else { return }
        let (code, what): (Finding.Code, String) =
            skipped.found < skipped.expected
            ? (.rowMissing, "are missing")
            : skipped.found > skipped.expected ? (.rowExtra, "are too many") : (.rowAltered, "may be altered")
        let difference = max(skipped.found, skipped.expected) - min(skipped.found, skipped.expected)
        findings.report(
            Finding(
                code, object: table.name, expected: "\(skipped.expected) row operations",
                found: "\(skipped.found) row operations", certainty: .proven,
                reason:
                    "beside the ones above, \(difference > 0 ? difference : skipped.expected) row operations \(what); "
                    + "they are too many to be listed", count: difference > 0 ? difference : skipped.expected))
    }
}

extension RepairProposal {
    /// Nothing can be done about history by new changes.
    public static func history(_ table: String, proven: [NamedValue] = []) -> RepairProposal {
        let values = proven.map(\.description).joined(separator: ", ")
        return RepairProposal(
            .impossible, table: table, values: proven,
            explanation: "history is never rewritten by a ledgered change; "
                + (proven.isEmpty ? "take the version from a backup" : "the proven original is \(values)"))
    }
}
