import LedgerProofs

/// The pass over blocks and transactions: numbers, times, leaves, roots, sizes, the chain and the history tree.
struct ChainCheck {
    let reader: any LedgerEvidenceReader
    let ledger: LedgerID
    let options: VerificationOptions
    let findings: FindingCollector
    /// Takes the table roots that entries claim.
    let claims: SortedRunWriter
    /// The tables whose rows will be compared.
    let tables: Set<TableID>
    /// Digests by block.
    let digests: [BlockID: Set<Digest32>]

    private var outcome = ChainOutcome()
    private var tree = BlockTree()
    private var previousHash: Digest32?
    private var nextTransaction: UInt64 = 1
    private var previousTime: CommitTime?
    /// A block that a digest names and behind which no transaction was read yet.
    private var lastNamed: BlockID?
    private var futureCount: UInt64 = 0
    /// Nodes of the tree over the blocks that are not stored, and those above the blocks that are others, with the first
    /// block that found them so.
    private var missingNodes: (count: UInt64, block: BlockID)?
    private var otherNodes: (count: UInt64, block: BlockID)?
    private var isNodeOfBlockAltered = false
    private var latestAllowed: CommitTime?
    private var leafCheck = EntryLeafCheck()
    /// Leaves of the entries of the block that is being read.
    private var blockLeaves: [Digest32] = []
    /// Stored leaves of blocks that are missing or others, with the first block.
    private var damagedBlockChunks: (count: UInt64, block: BlockID)?

    init(
        reader: any LedgerEvidenceReader, ledger: LedgerID, options: VerificationOptions, findings: FindingCollector,
        claims: SortedRunWriter, tables: Set<TableID>, digests: [BlockID: Set<Digest32>]
    ) {
        self.reader = reader
        self.ledger = ledger
        self.options = options
        self.findings = findings
        self.claims = claims
        self.tables = tables
        self.digests = digests
        latestAllowed = CommitTime(
            microseconds: options.now.microseconds + Int64(options.policy.clockTolerance * 1_000_000))
    }

    /// Checks everything from `start` on; from the beginning without one.
    mutating func run(from start: ResumePoint?) throws -> ChainOutcome {
        if let start {
            tree = start.tree
            previousHash = start.hash
            nextTransaction = start.nextTransaction
            previousTime = start.lastCommitTime
            outcome.blockCount = start.tree.blockCount
            outcome.blockHashes[start.block] = start.hash
            outcome.lastCommitTimes[start.block] = start.lastCommitTime
            lastNamed = start.block
            outcome.ends[start.block] = start.nextTransaction - 1
            outcome.closedTransactionCount = start.nextTransaction - 1
            outcome.lastTransaction = start.nextTransaction - 1
            outcome.lastCommitTime = start.lastCommitTime
        }
        outcome.firstTransaction = nextTransaction
        outcome.firstBlock = outcome.blockCount
        try reportOutside(isContinued: start != nil)
        let blocks = try reader.blocks(from: BlockID(outcome.blockCount))
        let transactions = try reader.transactions(from: TransactionNumber(nextTransaction))
        var current = try transactions()
        while let stored = current, stored.id < Int64(bitPattern: nextTransaction) {
            reportExtra(stored, "its number is none that a transaction can have")
            current = try transactions()
        }
        var block = try blocks()
        while let stored = block, stored.hasImpossibleID { block = try blocks() }
        while let stored = block {
            let following = try blocks()
            try check(stored, following: following, &current, transactions)
            block = following
        }
        try checkOpenBlock(&current, transactions)
        reportNodes()
        reportBlockChunks()
        outcome.damagedLeaves = leafCheck.damages
        try claims.finish()
        outcome.closedTransactionCount = max(outcome.closedTransactionCount, 0)
        if futureCount > 1 {
            findings.note("\(futureCount) transactions are dated in the future")
        }
        return outcome
    }

    // MARK: Blocks

    /// Blocks and entries below the first one. A continued verification, which starts behind them, looks for them, too.
    private func reportOutside(isContinued: Bool) throws {
        let blocks = try reader.blocks(from: BlockID(0))
        while let stored = try blocks(), stored.hasImpossibleID {
            findings.report(
                Finding(
                    .blockAltered, object: "database_ledger_blocks",
                    found: "block \(Int64(bitPattern: stored.id.rawValue))", certainty: .proven,
                    reason: "a block that does not belong to the ledger: its number is none that a block can have, and "
                        + "no more blocks close beside it"))
        }
        guard isContinued else { return }
        let transactions = try reader.transactions(from: TransactionNumber(1))
        while let stored = try transactions(), stored.id < 1 {
            reportExtra(stored, "its number is none that a transaction can have")
        }
    }

    private mutating func check(
        _ stored: StoredBlock, following: StoredBlock?, _ current: inout StoredTransaction?,
        _ transactions: () throws -> StoredTransaction?
    ) throws {
        let expectedID = outcome.blockCount
        if stored.id.rawValue > expectedID {
            let count = stored.id.rawValue - expectedID
            findings.report(
                Finding(
                    .chainBroken, object: "database_ledger_blocks", block: BlockID(expectedID), certainty: .proven,
                    reason: "\(count) blocks are missing: \(expectedID) to \(stored.id.rawValue - 1)", count: count))
            // What was in them is not known; the tree cannot go on with what is.
            outcome.blockCount = stored.id.rawValue
            if let first = stored.firstTransaction?.rawValue, first > nextTransaction {
                while let transaction = current, transaction.id < Int64(bitPattern: first) {
                    try take(transaction, block: nil, first: nil)
                    current = try transactions()
                }
                nextTransaction = max(nextTransaction, first)
            }
        }
        let derivedFirst = nextTransaction
        let end = endOfBlock(stored, following, current)
        var frontier = MerkleFrontier(rule: .prefixed)
        var isComplete = true
        var isInOrder = true
        blockLeaves.removeAll(keepingCapacity: true)
        while let transaction = current, transaction.id < Int64(bitPattern: end) {
            let number = UInt64(bitPattern: transaction.id)
            if transaction.ordinal != Int64(bitPattern: number - derivedFirst) { isInOrder = false }
            if number > nextTransaction {
                reportMissing(nextTransaction...(number - 1), block: stored.id)
                isComplete = false
            }
            let leaf = try take(transaction, block: stored.id, first: derivedFirst)
            if let leaf {
                frontier.append(leaf)
                blockLeaves.append(leaf)
            } else {
                isComplete = false
            }
            current = try transactions()
        }
        if !isInOrder {
            findings.report(
                Finding(
                    .blockAltered, object: "database_ledger_transactions", columns: ["transaction_ordinal"],
                    block: stored.id, certainty: .proven,
                    reason: "the order of the block's entries is not the order of their numbers"))
        }
        if nextTransaction < end {
            reportMissing(nextTransaction...(end - 1), block: stored.id)
            nextTransaction = end
            isComplete = false
        }
        outcome.counted(block: stored.id)
        let root = isComplete ? frontier.root() : nil
        if let root, root == stored.transactionsRoot { try checkBlockChunks(stored.id) }
        conclude(
            stored, following,
            BlockVariant.Derived(
                root: root, size: nextTransaction - derivedFirst, first: derivedFirst, previous: previousHash,
                historyRoot: tree.root),
            isComplete: isComplete)
    }

    /// The number behind the block's last transaction, from whichever of its fields, its follower and the entries
    /// themselves agree.
    private func endOfBlock(_ stored: StoredBlock, _ following: StoredBlock?, _ current: StoredTransaction?) -> UInt64 {
        let limit = nextTransaction + Block.maximumSize
        var candidates: [UInt64] = []
        if let size = stored.size, size > 0, size <= Block.maximumSize {
            let end = nextTransaction + size
            if following == nil || following?.firstTransaction?.rawValue == end { return end }
            candidates.append(end)
        }
        if let first = following?.firstTransaction?.rawValue, first > nextTransaction, first <= limit {
            if let hash = stored.block(of: ledger)?.hash, hash == following?.previous, let end = candidates.first {
                return end
            }
            return first
        }
        return candidates.first ?? nextTransaction
    }

    private mutating func conclude(
        _ stored: StoredBlock, _ following: StoredBlock?, _ derived: BlockVariant.Derived, isComplete: Bool
    ) {
        let variants = BlockVariant.all(stored, ledger, derived)
        let named = digests[stored.id] ?? []
        var leafTree = tree
        func score(_ variant: BlockVariant) -> Int {
            var score = named.contains(variant.hash) ? 4 : 0
            if let following {
                if following.previous == variant.hash { score += 1 }
                leafTree = tree
                leafTree.append(blockHash: variant.hash)
                if following.historyRoot == leafTree.root { score += 2 }
            }
            if let node = try? reader.blockNode(level: 0, position: stored.id.rawValue),
                node == BlockTree.leaf(blockHash: variant.hash)
            {
                score += 1
            }
            return score
        }
        // The first of the best: fewest replaced fields.
        var best: (variant: BlockVariant, score: Int)?
        for variant in variants {
            let points = score(variant)
            if best.map({ points > $0.score }) ?? true { best = (variant, points) }
        }
        let isWitnessed = following != nil || !named.isEmpty
        if let best, best.score > 0 || !isWitnessed {
            report(best.variant, stored, derived, isWitnessed: isWitnessed, isComplete: isComplete)
            advance(stored, best.variant.hash, isFollowed: following != nil)
        } else {
            let fields = stored.unreadable.isEmpty ? ["close_time"] : stored.unreadable
            findings.report(
                Finding(
                    stored.previous != derived.previous && stored.id.rawValue > 0 ? .chainBroken : .blockAltered,
                    object: "database_ledger_blocks", columns: fields,
                    expected: following?.previous.map { "block hash \($0.hex)" },
                    found: best.map { "block hash \($0.variant.hash.hex)" }, block: stored.id,
                    certainty: stored.unreadable.isEmpty ? .suspect : .proven,
                    reason: "the block does not hash to what the following block or a digest says"))
            // What the follower says twice, in its previous hash and in its history root, was the block's hash.
            var claimed = tree
            if let hash = following?.previous { claimed.append(blockHash: hash) }
            let isTwice = following?.previous != nil && claimed.root == following?.historyRoot
            advance(
                stored, isTwice ? following?.previous ?? .zero : best?.variant.hash ?? following?.previous ?? .zero,
                isFollowed: following != nil)
        }
        if let root = best?.variant.block.transactionsRoot ?? stored.transactionsRoot, derived.size > 0,
            root != derived.root
        {
            outcome.badBlocks.append(
                BadBlock(
                    id: stored.id, range: derived.first...(derived.first + derived.size - 1), root: root,
                    isComplete: isComplete))
        }
    }

    private func report(
        _ variant: BlockVariant, _ stored: StoredBlock, _ derived: BlockVariant.Derived, isWitnessed: Bool,
        isComplete: Bool
    ) {
        for field in variant.fields {
            let (expected, found) = Self.values(of: field, variant.block, stored)
            findings.report(
                Finding(
                    field == "previous_block_hash" || field == "history_root_hash" ? .chainBroken : .blockAltered,
                    object: "database_ledger_blocks", columns: [field], expected: expected, found: found,
                    block: stored.id, certainty: .proven,
                    reason: "with the expected value the block hashes to what was committed to later"))
        }
        // What the chosen block still says that cannot be: nothing later committed to anything else.
        let block = variant.block
        func contradiction(_ field: String, _ code: Finding.Code, _ expected: String, _ found: String) {
            findings.report(
                Finding(
                    code, object: "database_ledger_blocks", columns: [field], expected: expected, found: found,
                    block: stored.id, certainty: .proven, reason: "\(field) is not what everything before it gives"))
        }
        if block.previous != (stored.id.rawValue == 0 ? nil : derived.previous) {
            contradiction(
                "previous_block_hash", .chainBroken, derived.previous?.hex ?? "NULL", block.previous?.hex ?? "NULL")
        } else if block.historyRoot != derived.historyRoot {
            contradiction("history_root_hash", .chainBroken, derived.historyRoot.hex, block.historyRoot.hex)
        }
        if block.firstTransaction.rawValue != derived.first {
            contradiction(
                "first_transaction_id", .blockAltered, String(derived.first), block.firstTransaction.description)
        }
        if block.size != derived.size {
            contradiction("block_size", .blockAltered, String(derived.size), String(block.size))
        }
        // Former builds closed blocks by the clock alone, which may have been put back a little.
        let tolerance = Int64(options.policy.clockTolerance * 1_000_000)
        if let last = previousTime, block.closeTime.microseconds < last.microseconds - tolerance {
            findings.report(
                Finding(
                    .timeAnomaly, object: "database_ledger_blocks", columns: ["close_time"],
                    expected: "not before \(last)", found: block.closeTime.description, block: stored.id,
                    certainty: .proven, reason: "the block was closed before its last transaction was committed"))
        }
    }

    private static func values(of field: String, _ block: Block, _ stored: StoredBlock) -> (String, String) {
        switch field {
        case "previous_block_hash": (block.previous?.hex ?? "NULL", stored.previous?.hex ?? "NULL")
        case "history_root_hash": (block.historyRoot.hex, stored.historyRoot?.hex ?? "NULL")
        case "transactions_root_hash": (block.transactionsRoot.hex, stored.transactionsRoot?.hex ?? "NULL")
        case "block_size": (String(block.size), stored.size.map(String.init) ?? "NULL")
        default: (block.firstTransaction.description, stored.firstTransaction?.description ?? "NULL")
        }
    }

    private mutating func advance(_ stored: StoredBlock, _ hash: Digest32, isFollowed: Bool) {
        // A copy of what was lost: the follower says what the history was.
        let isAligned = tree.blockCount == stored.id.rawValue
        var nodes: [(level: Int, position: UInt64, hash: Digest32)] = []
        tree.append(blockHash: hash) { nodes.append(($0, $1, $2)) }
        previousHash = hash
        outcome.blockCount = stored.id.rawValue + 1
        outcome.closedTransactionCount = nextTransaction - 1
        if digests[stored.id] != nil {
            outcome.blockHashes[stored.id] = hash
            outcome.lastCommitTimes[stored.id] = outcome.lastCommitTime
            lastNamed = stored.id
            outcome.ends[stored.id] = nextTransaction - 1
        }
        // Behind a gap nobody knows where the nodes above belong.
        if isAligned { checkNodes(nodes, stored.id) }
        checkNode(stored, hash, isFollowed: isFollowed)
    }

    private mutating func checkNodes(_ nodes: [(level: Int, position: UInt64, hash: Digest32)], _ block: BlockID) {
        for node in nodes {
            guard let found = try? reader.blockNode(level: node.level, position: node.position) else {
                missingNodes = ((missingNodes?.count ?? 0) + 1, missingNodes?.block ?? block)
                continue
            }
            if node.level > 0, found != node.hash {
                otherNodes = ((otherNodes?.count ?? 0) + 1, otherNodes?.block ?? block)
            }
        }
    }

    private func reportNodes() {
        if let missingNodes {
            findings.report(
                Finding(
                    .indexDivergence, object: "ledger_block_nodes", block: missingNodes.block,
                    reason: "stored nodes of the tree over the blocks are missing, so that no more blocks may close",
                    count: missingNodes.count,
                    repair: RepairProposal(
                        .reinstall, table: "ledger_block_nodes", explanation: "computes them again from the blocks")))
        }
        // Below an altered node they are what follows from it.
        guard let otherNodes, !isNodeOfBlockAltered else { return }
        findings.report(
            Finding(
                .indexDivergence, object: "ledger_block_nodes", block: otherNodes.block,
                reason: "stored nodes of the tree over the blocks do not follow from the blocks",
                count: otherNodes.count,
                repair: RepairProposal(
                    .reinstall, table: "ledger_block_nodes", explanation: "computes them again from the blocks")))
    }

    /// Compares the stored leaves of a block whose entries give its root.
    private mutating func checkBlockChunks(_ block: BlockID) throws {
        let size = LeafChunk.leafCount
        for (index, start) in stride(from: 0, to: blockLeaves.count, by: size).enumerated() {
            let expected = blockLeaves[start..<min(start + size, blockLeaves.count)]
            let stored = try reader.transactionChunk(block, chunk: UInt64(index)).flatMap {
                try? LeafChunk(decoding: $0)
            }
            guard let stored, stored.leaves.count == expected.count,
                zip(stored.leaves, expected).allSatisfy({ $0.hash == $1 })
            else {
                damagedBlockChunks = ((damagedBlockChunks?.count ?? 0) + 1, damagedBlockChunks?.block ?? block)
                continue
            }
        }
    }

    private func reportBlockChunks() {
        guard let damagedBlockChunks else { return }
        findings.report(
            Finding(
                .indexDivergence, object: "ledger_transaction_chunks", block: damagedBlockChunks.block,
                reason:
                    "stored leaves of the transactions of blocks are missing or are not those of the entries, so that "
                    + "entries cannot be named or proven to others",
                count: damagedBlockChunks.count,
                repair: RepairProposal(
                    .reinstall, table: "ledger_transaction_chunks", explanation: "computes them again from the entries")
            ))
    }

    private mutating func checkNode(_ stored: StoredBlock, _ hash: Digest32, isFollowed: Bool) {
        guard let node = try? reader.blockNode(level: 0, position: stored.id.rawValue) else { return }
        guard node != BlockTree.leaf(blockHash: hash) else { return }
        isNodeOfBlockAltered = true
        findings.report(
            Finding(
                .blockAltered, object: "ledger_block_nodes", expected: BlockTree.leaf(blockHash: hash).hex,
                found: node.hex, block: stored.id, certainty: .proven,
                reason: "the stored node of the tree over the blocks is not the block's",
                repair: isFollowed
                    ? RepairProposal(
                        .reinstall, table: "ledger_block_nodes", explanation: "computes it again from the block")
                    : RepairProposal(
                        .impossible, table: "ledger_block_nodes",
                        explanation: "only a later block could confirm the newest one: close another block "
                            + "(indelible sql digest) and repair then")))
    }

    // MARK: Transactions

    /// Checks one entry. Returns its leaf, or `nil` if it cannot be computed.
    @discardableResult
    private mutating func take(_ stored: StoredTransaction, block: BlockID?, first: UInt64?) throws -> Digest32? {
        let number = UInt64(bitPattern: stored.id)
        nextTransaction = number + 1
        outcome.lastTransaction = number
        outcome.transactionCount += 1
        if let block, let first {
            if stored.block != Int64(bitPattern: block.rawValue) {
                reportAltered(
                    stored, "block_id", block.description, stored.block.map(String.init) ?? "NULL", block)
            }
            if stored.ordinal != Int64(bitPattern: number - first) {
                reportAltered(
                    stored, "transaction_ordinal", String(number - first), stored.ordinal.map(String.init) ?? "NULL",
                    block)
            }
        }
        let (entry, unreadable) = stored.entry(of: ledger)
        guard let entry else {
            findings.report(
                Finding(
                    .txAltered, object: "database_ledger_transactions", columns: unreadable,
                    transaction: TransactionNumber(number), block: block, certainty: .proven,
                    reason: "the entry holds no values of the kind that it must: \(unreadable.joined(separator: ", "))")
            )
            return nil
        }
        if outcome.names.count < 256 {
            outcome.names.formUnion([entry.principal, entry.login, entry.application])
        }
        checkTime(entry, block)
        try leafCheck.check(entry.tableHashes, kept: stored.leaves, of: entry.id, tables: tables) {
            try claims.append($0, of: entry.id, leaves: $1)
        }
        outcome.note(tables: entry.tableHashes)
        return entry.leaf
    }

    private mutating func checkTime(_ entry: TransactionEntry, _ block: BlockID?) {
        if let previousTime, entry.commitTime < previousTime {
            findings.report(
                Finding(
                    .timeAnomaly, object: "database_ledger_transactions", columns: ["commit_time"],
                    transaction: entry.id, principal: entry.principal, time: entry.commitTime,
                    expected: "not before \(previousTime)", found: entry.commitTime.description, block: block,
                    certainty: .proven, reason: "commit times never decrease"))
        } else {
            previousTime = entry.commitTime
        }
        outcome.lastCommitTime = entry.commitTime
        if let lastNamed {
            outcome.nextCommitTimes[lastNamed] = entry.commitTime
            self.lastNamed = nil
        }
        if let latestAllowed, entry.commitTime > latestAllowed {
            futureCount += 1
            if futureCount == 1 {
                findings.report(
                    Finding(
                        .timeAnomaly, object: "database_ledger_transactions", columns: ["commit_time"],
                        transaction: entry.id, principal: entry.principal, time: entry.commitTime,
                        expected: "not after \(options.now)", found: entry.commitTime.description, block: block,
                        certainty: .proven, reason: "committed in the future of the verifier's clock"))
            }
        }
    }

    private mutating func checkOpenBlock(
        _ current: inout StoredTransaction?, _ transactions: () throws -> StoredTransaction?
    ) throws {
        var block = Int64(bitPattern: outcome.blockCount)
        var first = nextTransaction
        while let transaction = current {
            let number = UInt64(bitPattern: transaction.id)
            if number > nextTransaction {
                // The ordinal tells whether entries before it were taken away or this one was put there.
                let belongs = transaction.block == block && transaction.ordinal == Int64(bitPattern: number &- first)
                if belongs || number - nextTransaction < 1000 {
                    reportMissing(nextTransaction...(number - 1), block: nil)
                } else {
                    reportExtra(transaction, "its number does not follow the transaction before")
                    current = try transactions()
                    continue
                }
            }
            if transaction.block == block + 1, number - first > 0 {
                block += 1
                first = number
            }
            if let claimed = transaction.block, claimed < Int64(bitPattern: outcome.blockCount) {
                reportExtra(transaction, "it claims to be in block \(claimed), which is closed without it")
                findings.report(
                    Finding(
                        .blockAltered, object: "database_ledger_transactions", transaction: TransactionNumber(number),
                        block: claimed >= 0 ? BlockID(UInt64(claimed)) : nil, certainty: .proven,
                        reason: "an entry claims to be in the block that is not in its root"))
                try take(transaction, block: nil, first: nil)
            } else {
                try take(transaction, block: BlockID(UInt64(bitPattern: block)), first: first)
            }
            current = try transactions()
        }
    }

    // MARK: Findings

    private mutating func reportMissing(_ range: ClosedRange<UInt64>, block: BlockID?) {
        outcome.missing.append(range)
        let count = UInt64(range.count)
        findings.report(
            Finding(
                .txMissing, object: "database_ledger_transactions", transaction: TransactionNumber(range.lowerBound),
                block: block, certainty: .proven,
                reason: count == 1
                    ? "the entry of transaction \(range.lowerBound) is missing"
                    : "the entries of transactions \(range.lowerBound) to \(range.upperBound) are missing",
                count: count))
    }

    private func reportExtra(_ stored: StoredTransaction, _ why: String) {
        findings.report(
            Finding(
                .txExtra, object: "database_ledger_transactions",
                transaction: stored.id > 0 ? TransactionNumber(UInt64(stored.id)) : nil, principal: stored.principal,
                found: "transaction \(stored.id)", certainty: .proven,
                reason: "an entry that does not belong to the ledger: \(why)"))
    }

    private func reportAltered(
        _ stored: StoredTransaction, _ field: String, _ expected: String, _ found: String, _ block: BlockID
    ) {
        findings.report(
            Finding(
                .txAltered, object: "database_ledger_transactions", columns: [field],
                transaction: TransactionNumber(UInt64(bitPattern: stored.id)), principal: stored.principal,
                expected: expected, found: found, block: block, certainty: .proven,
                reason: "\(field) does not agree with the numbers of the block's transactions"))
    }
}
