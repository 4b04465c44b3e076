import LedgerProofs

/// Verifies bundles against one pinned service, and digests that the verifier holds. Holds no clock, file or network.
///
/// Documentation/spec/evidence-bundle.md, "Verification"
public struct EvidenceVerifier: Sendable {
    private let service: ReceiptVerifier?
    private let trustedDigests: [LedgerDigest]
    private let expectedLedger: LedgerID?
    private let expectedCollection: String?

    /// - Parameters:
    ///   - service: The pinned service; without it receipts anchor nothing.
    ///   - trustedDigests: Digests that the verifier got by another way than the bundle.
    ///   - expectedLedger: The SQL ledger that rows must be of.
    ///   - expectedCollection: The collection of the service that digests and entries must be in.
    public init(
        service: ReceiptVerifier?, trustedDigests: [LedgerDigest] = [], expectedLedger: LedgerID? = nil,
        expectedCollection: String? = nil
    ) {
        self.service = service
        self.trustedDigests = trustedDigests
        self.expectedLedger = expectedLedger
        self.expectedCollection = expectedCollection
    }

    /// Makes every step; never stops at the first failure.
    public func verify(_ unverified: UnverifiedEvidenceBundle) -> EvidenceReport {
        let bundle = unverified.claimed
        let blocks = Dictionary(uniqueKeysWithValues: bundle.blocks.map { ($0.block.id, $0) })
        let digestBlocks = Set(bundle.digests.map(\.digest.block))
        var subjects: [EvidenceReport.Subject] = []
        var usedBlocks: Set<BlockID> = []
        var isAnchored = true
        var hasOpenTime = false
        var restsOnWriters = false

        for (index, item) in bundle.items.enumerated() {
            switch item {
            case .row(let row):
                var steps = [Self.rowStep(row), Self.transactionStep(row, block: blocks[row.block]?.block)]
                if let block = blocks[row.block] {
                    steps += Self.blockSteps(block, in: bundle, blocks: blocks, digestBlocks: digestBlocks)
                    usedBlocks.formUnion([row.block, block.digestBlock])
                }
                let title =
                    "row operation \(row.sequence) on table \(row.schema.table) in transaction \(row.transaction.id)"
                subjects.append(.init(kind: .row, index: index, title: title, steps: steps))
            case .entry(let receipt):
                var steps = receipt.steps(service: service)
                if let other = otherCollection(receipt.entry) { steps.insert(other, at: 0) }
                if let expectedLedger, bundle.database == nil {
                    steps.append(
                        EvidenceStep(
                            .digest, .failed("nothing of the ledger \(expectedLedger), which was expected, is here")))
                }
                isAnchored = isAnchored && steps.allSatisfy(\.hasPassed)
                subjects.append(
                    .init(kind: .entry, index: index, title: "entry \(receipt.entry.transactionID)", steps: steps))
            }
        }
        for (index, digest) in bundle.digests.enumerated() {
            let (steps, voucher, isTimeOpen) = digestSteps(
                digest, bundle: bundle, block: blocks[digest.digest.block]?.block)
            isAnchored = isAnchored && voucher != nil
            restsOnWriters = restsOnWriters || voucher == .receipt
            hasOpenTime = hasOpenTime || isTimeOpen
            subjects.append(
                .init(kind: .digest, index: index, title: "digest of block \(digest.digest.block)", steps: steps))
        }
        for (index, block) in bundle.blocks.enumerated() where !usedBlocks.contains(block.block.id) {
            let steps = Self.blockSteps(block, in: bundle, blocks: blocks, digestBlocks: digestBlocks)
            subjects.append(.init(kind: .block, index: index, title: "block \(block.block.id)", steps: steps))
        }

        let hasFailed = subjects.contains { $0.steps.contains(where: \.hasFailed) }
        let verdict: EvidenceReport.Verdict = hasFailed ? .failed : isAnchored ? .verified : .unanchored
        let rows = Self.rows(of: bundle)
        return EvidenceReport(
            verdict: verdict, subjects: subjects,
            notProven: Self.notProven(
                bundle, rows: rows, hasOpenTime: hasOpenTime, restsOnWriters: restsOnWriters),
            notCompared: notCompared(bundle),
            evidence: verdict == .verified
                ? VerifiedEvidence(
                    database: bundle.database, rows: rows, entries: Self.entries(of: bundle),
                    digests: bundle.digests)
                : nil)
    }

    // MARK: Steps

    private static func rowStep(_ row: EvidenceRow) -> EvidenceStep {
        guard let table = row.transaction.tableHashes[row.schema.table] else {
            return EvidenceStep(
                .rowPath,
                .failed("transaction \(row.transaction.id) has no changes of table \(row.schema.table)"))
        }
        let root = row.rowPath.root(
            of: row.leaf.hash, at: LeafIndex(row.sequence.rawValue), in: TreeSize(table.leafCount), rule: .prefixed)
        guard let root else {
            return EvidenceStep(
                .rowPath, .failed("the path does not have the form of leaf \(row.sequence) of \(table.leafCount)"))
        }
        guard root == table.root else {
            return EvidenceStep(
                .rowPath,
                .failed("the path leads to another root: values, columns, operation, place or path were changed"))
        }
        return EvidenceStep(.rowPath, .passed("leaf \(row.sequence) of \(table.leafCount), root \(root)"))
    }

    private static func transactionStep(_ row: EvidenceRow, block: Block?) -> EvidenceStep {
        guard let block else {
            return EvidenceStep(.transactionPath, .failed("the bundle has no block \(row.block)"))
        }
        let (index, underflow) = row.transaction.id.rawValue.subtractingReportingOverflow(
            block.firstTransaction.rawValue)
        let root =
            underflow
            ? nil
            : row.transactionPath.root(
                of: row.transaction.leaf, at: LeafIndex(index), in: TreeSize(block.size), rule: .prefixed)
        guard let root else {
            return EvidenceStep(
                .transactionPath,
                .failed("the path does not have the form of transaction \(row.transaction.id) in block \(block.id)"))
        }
        guard root == block.transactionsRoot else {
            return EvidenceStep(
                .transactionPath,
                .failed("the path leads to another root: id, time, names, table roots or path were changed"))
        }
        return EvidenceStep(
            .transactionPath, .passed("transaction \(row.transaction.id) is in block \(block.id), root \(root)"))
    }

    /// From a block to the block whose digest covers it, and whether that digest is there.
    private static func blockSteps(
        _ covered: EvidenceBlock, in bundle: EvidenceBundle, blocks: [BlockID: EvidenceBlock],
        digestBlocks: Set<BlockID>
    ) -> [EvidenceStep] {
        var steps = [EvidenceStep(.blockPath, blockOutcome(covered, in: bundle, blocks: blocks))]
        if !digestBlocks.contains(covered.digestBlock) {
            steps.append(
                EvidenceStep(.digest, .failed("the bundle has no digest of block \(covered.digestBlock)")))
        }
        return steps
    }

    private static func blockOutcome(
        _ covered: EvidenceBlock, in bundle: EvidenceBundle, blocks: [BlockID: EvidenceBlock]
    ) -> EvidenceStep.Outcome {
        let block = covered.block
        guard let covering = blocks[covered.digestBlock]?.block else {
            return .failed("the bundle has no block \(covered.digestBlock)")
        }
        guard block.ledger == bundle.database?.ledger, covering.ledger == block.ledger else {
            return .failed("the block is of another ledger than the bundle")
        }
        guard block.id < covering.id else {
            guard block.id == covering.id else { return .failed("block \(block.id) is after block \(covering.id)") }
            return covered.path.steps.isEmpty
                ? .passed("block \(block.id) has a digest of its own, hash \(block.hash)")
                : .failed("a block with a digest of its own has a path")
        }
        let root = covered.path.root(
            of: BlockTree.leaf(blockHash: block.hash), at: LeafIndex(block.id.rawValue),
            in: TreeSize(covering.id.rawValue), rule: .prefixed)
        guard let root else {
            return .failed("the path does not have the form of block \(block.id) of \(covering.id)")
        }
        guard root == covering.historyRoot else {
            return .failed("the path leads to another history root: the block or its path were changed")
        }
        return .passed("block \(block.id) is in the history of block \(covering.id), root \(root)")
    }

    /// What the verifier trusts and vouches for a digest.
    private enum Voucher {
        /// The service stored it, for somebody who may write to it.
        case receipt
        case ownDigest
    }

    private func otherCollection(_ entry: DigestEntry) -> EvidenceStep? {
        guard let expectedCollection, expectedCollection.exact != entry.collectionID.exact else { return nil }
        return EvidenceStep(
            .entry,
            .failed("the entry is in the collection '\(entry.collectionID)', expected was '\(expectedCollection)'"))
    }

    /// The steps of a digest, what vouches for it, and whether that leaves open when it was made: a receipt holds no time,
    /// and digests of one's own may have been made at other times.
    private func digestSteps(
        _ evidence: EvidenceDigest, bundle: EvidenceBundle, block: Block?
    ) -> (steps: [EvidenceStep], voucher: Voucher?, isTimeOpen: Bool) {
        let digest = evidence.digest
        var steps = [EvidenceStep(.digest, digestOutcome(digest, database: bundle.database, block: block))]
        var voucher: Voucher?
        if let anchor = evidence.anchor {
            let isEqual = anchor.entry.contents.utf8.elementsEqual(digest.json.utf8)
            steps.append(
                EvidenceStep(
                    .entry,
                    isEqual
                        ? .passed("entry \(anchor.entry.transactionID) holds the digest, byte for byte")
                        : .failed("the contents of the entry are not the digest, byte for byte")))
            if let other = otherCollection(anchor.entry) { steps.append(other) }
            let receipt = anchor.steps(service: service)
            if receipt.allSatisfy(\.hasPassed) { voucher = .receipt }
            steps += receipt
        }
        if let expectedCollection, evidence.anchor == nil {
            steps.append(
                EvidenceStep(
                    .entry,
                    .failed("the digest is in no entry, expected was one in the collection '\(expectedCollection)'")))
        }
        var isTimeOpen = true
        let trusted = trustedDigests.filter { $0.ledger == digest.ledger && $0.block == digest.block }
        if !trusted.isEmpty {
            let difference = trusted.lazy.compactMap { Self.difference(digest, from: $0) }.first
            if difference == nil { voucher = .ownDigest }
            if trusted.contains(where: { $0.digestTime == digest.digestTime }) { isTimeOpen = false }
            steps.append(
                EvidenceStep(
                    .trustedDigest,
                    difference.map { .failed("your own digest of block \(digest.block) has another \($0)") }
                        ?? .passed("your own digest of block \(digest.block) says the same")))
        }
        if voucher == nil, evidence.anchor == nil {
            steps.append(EvidenceStep(.receiptSignature, .open("there is no entry and no receipt of this digest")))
        }
        return (steps, voucher, isTimeOpen)
    }

    /// What is for good in the digests of one block. When they were made differs: a block can have several.
    private static func difference(_ digest: LedgerDigest, from own: LedgerDigest) -> String? {
        if digest.hash != own.hash { return "hash" }
        if digest.databaseName.exact != own.databaseName.exact { return "database name" }
        if digest.lastTransactionCommitTime != own.lastTransactionCommitTime { return "last commit time" }
        return nil
    }

    private func digestOutcome(
        _ digest: LedgerDigest, database: EvidenceBundle.Database?, block: Block?
    ) -> EvidenceStep.Outcome {
        if let expectedLedger, digest.ledger != expectedLedger {
            return .failed("the digest is of the ledger \(digest.ledger), expected was \(expectedLedger)")
        }
        guard digest.ledger == database?.ledger, digest.databaseName.exact == database?.name.exact else {
            return .failed("the digest is of another ledger or database than the bundle")
        }
        guard let block else { return .failed("the bundle has no block \(digest.block)") }
        guard block.hash == digest.hash else {
            return .failed("block \(digest.block) has another hash than the digest")
        }
        return .passed("the digest of \(digest.digestTime) is the hash of block \(digest.block)")
    }

    /// One sentence for digests of other ledgers, one for other blocks of this one.
    private func notCompared(_ bundle: EvidenceBundle) -> [String] {
        guard let ledger = bundle.database?.ledger else {
            return trustedDigests.isEmpty
                ? [] : ["not compared: your \(Self.digests(trustedDigests.count)): the bundle holds no digest"]
        }
        let anchors = Set(bundle.digests.map(\.digest.block))
        let others = trustedDigests.filter { $0.ledger != ledger }
        let blocks = Set(trustedDigests.filter { $0.ledger == ledger }.map(\.block)).subtracting(anchors)
        var sentences: [String] = []
        if !others.isEmpty {
            sentences.append("not compared: your \(Self.digests(others.count)) of another ledger")
        }
        if !blocks.isEmpty {
            sentences.append(
                "not compared: your \(Self.digests(blocks.count)) of \(Self.blocks(blocks)) (the bundle is anchored at "
                    + "\(Self.blocks(anchors)))")
        }
        return sentences
    }

    private static func digests(_ count: Int) -> String { count == 1 ? "digest" : "\(count) digests" }

    /// The first few of them.
    private static func blocks(_ blocks: Set<BlockID>) -> String {
        let sorted = blocks.sorted()
        let more = sorted.count > 5 ? " and \(sorted.count - 5) more" : ""
        return "block\(sorted.count == 1 ? "" : "s") " + sorted.prefix(5).map { "\($0)" }.joined(separator: ", ") + more
    }

    // MARK: What is proven

    private static func rows(of bundle: EvidenceBundle) -> [VerifiedEvidence.Row] {
        let rows = bundle.items.compactMap { if case .row(let row) = $0 { row } else { nil } }
        // By schema digest, which includes the table, so that many events and many rows stay cheap.
        var events: [Digest32: [(description: TableDescription, transaction: TransactionNumber)]] = [:]
        for row in rows {
            guard row.schema.table == .schemaEvents, row.operation == .created, row.values.count == 3,
                case .integer(let type) = row.values[0], case .integer(let table) = row.values[1],
                case .text(let body) = row.values[2],
                let event = try? SchemaEvent(type: type, table: table, body: body),
                let description = event.description
            else { continue }
            events[description.schema(of: event.table).digest, default: []].append((description, row.transaction.id))
        }
        return rows.map { row in
            guard !events.isEmpty, let candidates = events[row.schema.digest] else {
                return VerifiedEvidence.Row(row: row, tableNameProvenBy: nil)
            }
            let proof = candidates.last {
                $0.description.table.exact == row.tableName.exact
                    && ($0.transaction, $0.description.after) <= (row.created.transaction, row.created.sequence)
            }
            return VerifiedEvidence.Row(row: row, tableNameProvenBy: proof?.transaction)
        }
    }

    private static func entries(of bundle: EvidenceBundle) -> [DigestEntry] {
        bundle.items.compactMap { if case .entry(let item) = $0 { item.entry } else { nil } }
    }

    private static func notProven(
        _ bundle: EvidenceBundle, rows: [VerifiedEvidence.Row], hasOpenTime: Bool, restsOnWriters: Bool
    ) -> [String] {
        guard !rows.isEmpty else { return ["that nothing was added to the collections since"] }
        var sentences = ["that a version is still current: a later transaction may have changed or ended it"]
        // Table 0 has one name, whatever the bundle calls it.
        if rows.contains(where: { $0.tableNameProvenBy == nil && $0.row.tableName != "ledger_schema_events" }) {
            sentences.append("the names of tables: the leaves have their numbers, and the names of their columns")
        }
        if rows.contains(where: { $0.tableNameProvenBy != nil }) {
            sentences.append(
                "that a table was still called so when its row was written, later than its name is proven of")
        }
        sentences += [
            "the defaults of columns",
            "anything about rows that are not disclosed here",
            "that the recorded names and times were right: they are what the database recorded then",
        ]
        if hasOpenTime {
            sentences.append(
                "when the digests were made, unless your own say the same time: it is what their makers wrote")
        }
        if restsOnWriters {
            sentences.append(
                "who stored the digests: whoever may write to the named collections can have stored one of a database that "
                    + "they made up; compare ledger and collection with what you were told")
        }
        return sentences
    }
}
