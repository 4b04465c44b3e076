import LedgerProofs
import Synchronization

/// One verification, from opening the evidence to the report.
final class VerificationRun: Sendable {
    let options: VerificationOptions
    let evidence: any LedgerEvidence
    let findings: FindingCollector
    let meter: ProgressMeter
    let runs: RunCollection
    let claims: RunCollection
    let strays = StrayCollection()
    /// Tables that could not be read to the end: nothing of them is called missing.
    let incomplete = Mutex<Set<TableID>>([])
    let began = CommitTime.now()

    init(_ options: VerificationOptions, _ evidence: any LedgerEvidence) {
        self.options = options
        self.evidence = evidence
        findings = FindingCollector(limit: options.findingLimit)
        meter = ProgressMeter(options.progress)
        let store = RecordStore(budget: options.memoryBudget, directory: options.temporaryDirectory)
        runs = RunCollection(store: store)
        claims = RunCollection(store: store)
    }

    /// What stays the same once it was read.
    private struct Scope {
        var identity: EvidenceIdentity
        var ledger: LedgerID
        var history: SchemaHistory
        var tables: [EvidenceTable]
        var resume: ResumePoint?
    }

    func run() -> VerificationReport {
        var report = VerificationReport(
            source: evidence.source, startTime: began, seconds: 0, tables: options.tables, findings: [], notes: [],
            counts: VerificationCounts(), digestCount: 0, matchingDigestCount: 0, tailAllowed: true)
        do {
            let readers = try evidence.makeReaders(options.jobs)
            guard let first = readers.first else {
                throw VerificationError(object: evidence.source, reason: "no reader")
            }
            try verify(first, readers, &report)
        } catch {
            findings.blocked(evidence.source, error)
        }
        do { try evidence.finish() } catch { findings.blocked(evidence.source, error) }
        complete(&report)
        return report
    }

    private func complete(_ report: inout VerificationReport) {
        report.findings = findings.result()
        report.notes = evidence.notes + findings.notes
        report.seconds = Double(CommitTime.now().microseconds - began.microseconds) / 1e6
    }

    private func verify(
        _ reader: any LedgerEvidenceReader, _ readers: [any LedgerEvidenceReader], _ report: inout VerificationReport
    ) throws {
        guard let identity = try reader.identity() else {
            throw VerificationError(object: evidence.source, reason: "it holds no ledger")
        }
        guard let ledger = identity.ledger else {
            throw VerificationError(object: "ledger_identity", reason: "the ledger id is not 16 bytes")
        }
        report.ledger = ledger
        report.databaseName = identity.databaseName
        if !identity.unreadable.isEmpty {
            findings.report(
                Finding(
                    .verifierBlocked, object: "ledger_identity", columns: identity.unreadable,
                    reason: "what the database says of its ledger is not what a ledger writes there"))
        }
        if let expected = options.expectedLedger, expected != ledger {
            findings.report(
                Finding(
                    .readUntrusted, object: "ledger_identity", expected: expected.hex, found: ledger.hex,
                    reason: "this is not the ledger that was to be verified"))
        }
        if let fault = EvidenceIdentity.fault(ofFormat: identity.format) {
            throw VerificationError(object: "ledger_identity", reason: fault)
        }
        let workers = readers.map { reader in
            WorkerPool.Worker(
                reader: reader,
                sink: LeafSink(
                    runs: runs, stored: StoredLeaves(reader), findings: findings, meter: meter, strays: strays,
                    bufferCount: bufferCount(readers.count)))
        }
        let pool = WorkerPool(workers: workers)
        guard let firstWorker = workers.first else { return }
        var scope = try makeScope(identity, ledger, reader, firstWorker.sink)
        report.sinceBlock = scope.resume?.block

        let chain = try scan(pool, reader, &scope)
        report.counts.blocks = chain.readBlockCount
        report.counts.transactions = chain.transactionCount
        report.counts.tables = UInt64(scope.tables.count)
        report.counts.rowVersions = workers.reduce(0) { $0 + $1.sink.rowVersions }
        report.counts.leaves = workers.reduce(0) { $0 + $1.sink.leaves }

        let folds = try fold(pool, scope, chain)
        try localise(reader, scope, folds)
        reportLeafChunks(scope, chain, folds)
        try searchBlocks(reader, scope, chain, folds)
        checkUnknownTables(scope, chain)
        try checkDigests(reader, scope, chain, &report)
    }

    /// Half of the budget is for sorting, shared by two buffers for each thread.
    private func bufferCount(_ jobs: Int) -> Int {
        min(max(options.memoryBudget / 2 / (jobs * 2) / MemoryLayout<LeafRecord>.stride, 1024), 1 << 18)
    }

    // MARK: Scope

    private func makeScope(
        _ identity: EvidenceIdentity, _ ledger: LedgerID, _ reader: any LedgerEvidenceReader, _ sink: LeafSink
    ) throws -> Scope {
        var resume: ResumePoint?
        if let since = options.since {
            let (point, reason) = try ResumePoint.find(since, ledger, reader)
            resume = point
            if point == nil {
                findings.report(
                    Finding(
                        since.ledger == ledger ? .digestMismatch : .readUntrusted,
                        object: "the digest to continue from",
                        expected: since.hash.hex, block: since.block,
                        reason: "\(reason); everything is verified instead"))
            } else {
                findings.note(
                    "Continued from the digest of block \(since.block): rows, entries and blocks that it covers were not "
                        + "read again. Changes to them since that verification are found by a whole verification only.")
            }
        }
        let history = try readSchema(reader, sink, after: resume)
        for (event, reason) in history.unreadable {
            findings.report(
                Finding(
                    .schemaDrift, object: "ledger_schema_events", transaction: event.transaction,
                    sequence: event.sequence, reason: "the schema event cannot be read: \(reason)"))
        }
        var tables = history.tables
        if let names = options.tables {
            tables = []
            for name in names {
                var matches = history.tables.filter { $0.name.exact == name.exact }
                // Engines fold the case of ASCII letters: so does this where no table has exactly this name.
                if matches.isEmpty {
                    matches = history.tables.filter { Self.folded($0.name).elementsEqual(Self.folded(name)) }
                }
                // A dropped table and its successor may have the same name: both are meant.
                guard !matches.isEmpty else {
                    findings.report(
                        Finding(.verifierBlocked, object: name, reason: "there is no ledger table of this name"))
                    continue
                }
                tables += matches.filter { match in !tables.contains { $0.id == match.id } }
            }
            findings.note("Only the tables named were verified, beside all blocks and transactions.")
        }
        return Scope(identity: identity, ledger: ledger, history: history, tables: tables, resume: resume)
    }

    private static func folded(_ name: String) -> [UInt8] {
        name.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    private func readSchema(
        _ reader: any LedgerEvidenceReader, _ sink: LeafSink, after: ResumePoint?
    ) throws -> SchemaHistory {
        let next = try reader.schemaEvents()
        var encoder = RowLeafEncoder()
        let history = try SchemaHistory(reading: {
            guard let event = try next() else { return nil }
            if !event.isPlaced {
                findings.report(
                    Finding(
                        .versionLink, object: "ledger_schema_events", certainty: .proven,
                        reason: "a transaction or sequence number of a row version is not an integer"))
            }
            // 0 is before every transaction, and no event's.
            if event.transaction.rawValue >= after?.nextTransaction ?? 0 || event.transaction.rawValue == 0 {
                encoder.begin(
                    operation: .created, table: .schemaEvents, schema: TableSchema.schemaEventsDigest,
                    transaction: event.transaction, sequence: event.sequence, columnCount: 3)
                for value in [event.type, event.table, event.body] { encoder.append(value) }
                sink.row()
                sink.created(
                    transaction: event.transaction.rawValue, sequence: event.sequence.rawValue, leaf: encoder.finish())
            }
            return event
        })
        try sink.finish()
        return history
    }

    // MARK: Reading

    private func scan(_ pool: WorkerPool, _ reader: any LedgerEvidenceReader, _ scope: inout Scope) throws
        -> ChainOutcome
    {
        let after = scope.resume.map { TransactionNumber($0.nextTransaction - 1) }
        var digests: [BlockID: Set<Digest32>] = [:]
        for stated in options.digests + [options.verifiedBefore].compactMap(\.self)
        where stated.digest.ledger == scope.ledger {
            digests[stated.digest.block, default: []].insert(stated.digest.hash)
        }
        if let since = options.since, scope.resume != nil { digests[since.block, default: []].insert(since.hash) }
        let outcome = Mutex<ChainOutcome?>(nil)
        let (ledger, resume, names) = (scope.ledger, scope.resume, Set(scope.tables.map(\.id) + [.schemaEvents]))
        let (named, options, findings, claims) = (digests, options, findings, claims)
        var tasks: [WorkerPool.Task] = [
            { worker in
                do {
                    var check = ChainCheck(
                        reader: worker.reader, ledger: ledger, options: options, findings: findings,
                        claims: SortedRunWriter(collection: claims), tables: names, digests: named)
                    let result = try check.run(from: resume)
                    outcome.withLock { $0 = result }
                } catch {
                    findings.blocked("database_ledger_transactions", error)
                }
            }
        ]
        var total: UInt64 = 0
        for table in scope.tables {
            do {
                // Small enough that nobody waits long for the last one.
                let partitions = try reader.partitions(of: table, count: options.jobs * 8, after: after)
                for partition in partitions {
                    let (sum, overflows) = total.addingReportingOverflow(partition.estimate)
                    total = overflows ? .max : sum
                    tasks.append(scanTask(partition, after))
                }
            } catch {
                findings.blocked(table.name, error)
                _ = incomplete.withLock { $0.insert(table.id) }
            }
        }
        do {
            let checks = try reader.engineChecks(
                scope.tables, history: scope.history, whole: options.tables == nil, after: after)
            for check in checks {
                tasks.append { worker in
                    do { try check.run(worker.reader, findings) } catch { findings.blocked(check.subject, error) }
                }
            }
        } catch {
            findings.blocked("the schema", error)
        }
        meter.begin("reading rows", total: total)
        pool.run(tasks)
        for worker in pool.workers {
            do { try worker.sink.finish() } catch { findings.blocked("temporary file", error) }
        }
        guard let chain = outcome.withLock({ $0 }) else {
            throw VerificationError(object: "database_ledger_transactions", reason: "the chain could not be checked")
        }
        return chain
    }

    private func scanTask(_ partition: EvidencePartition, _ after: TransactionNumber?) -> WorkerPool.Task {
        { [findings, self] worker in
            do {
                try worker.sink.begin(partition.table.id)
                try worker.reader.scan(partition, after: after, into: worker.sink)
            } catch {
                findings.blocked(partition.table.name, error)
                _ = incomplete.withLock { $0.insert(partition.table.id) }
            }
        }
    }

    // MARK: Comparing

    private func fold(_ pool: WorkerPool, _ scope: Scope, _ chain: ChainOutcome) throws -> [TableID: TableFold] {
        meter.begin("comparing with transactions", total: nil)
        let results = Mutex<[TableID: [(UInt64, TableFold)]]>([:])
        let count = UInt64(max(options.jobs, 1))
        let first = chain.firstTransaction
        let span = max(chain.lastTransaction >= first ? chain.lastTransaction - first + 1 : 0, 1)
        let step = max(span / count, 1)
        var tasks: [WorkerPool.Task] = []
        let tables = scope.tables.map(\.id) + [.schemaEvents]
        for table in tables {
            let (leaves, expected) = (runs.runs(of: table), claims.runs(of: table))
            for part in 0..<count {
                // The first and the last part take what lies outside, too.
                let low = part == 0 ? 0 : first + part * step
                let high = part == count - 1 ? UInt64.max : first + (part + 1) * step - 1
                guard low <= high else { continue }
                tasks.append { [store = runs.store, findings] worker in
                    var fold = TableFold(table: table)
                    let stored = StoredLeaves(worker.reader)
                    do {
                        try fold.run(
                            leaves: leaves, expected: expected, store: store, stored: stored, range: low...high,
                            missing: chain.missing)
                        if let failure = stored.failure { findings.blocked("stored leaves of table \(table)", failure) }
                        let done = fold
                        results.withLock { $0[table, default: []].append((part, done)) }
                    } catch {
                        findings.blocked("table \(table)", error)
                    }
                }
            }
        }
        pool.run(tasks)
        var merged: [TableID: TableFold] = [:]
        for (table, parts) in results.withLock({ $0 }) {
            var fold = TableFold(table: table)
            for part in parts.sorted(by: { $0.0 < $1.0 }) { fold.merge(part.1) }
            merged[table] = fold
        }
        return merged
    }

    private func localise(
        _ reader: any LedgerEvidenceReader, _ scope: Scope, _ folds: [TableID: TableFold]
    ) throws {
        let after = scope.resume.map { TransactionNumber($0.nextTransaction - 1) }
        for table in [EvidenceTable.schemaEvents] + scope.tables {
            let strays = strays.strays(of: table.id)
            let fold = folds[table.id] ?? TableFold(table: table.id)
            let isIncomplete = incomplete.withLock { $0.contains(table.id) }
            var explained: Set<RowStart> = []
            var placed: Set<Int> = []
            // What a continued verification did not read may be what an extra row is left of.
            var mayBeLost = { (_: UnstampedRow) in isIncomplete || after != nil || fold.unverifiable > 0 }
            if !fold.bad.isEmpty {
                meter.begin("locating what is wrong in \(table.name)", total: nil)
                do {
                    let partitions = try reader.partitions(of: table, count: 1, after: after)
                    let localiser = Localiser(
                        table: table, reader: reader, options: options, findings: findings, partitions: partitions,
                        strays: strays.keys, unstamped: strays.unstamped,
                        isIncomplete: isIncomplete)
                    localiser.isLossUnknown = isIncomplete || after != nil || fold.unverifiable > 0
                    explained = try localiser.run(fold)
                    placed = Set(localiser.placed.keys)
                    mayBeLost = { row in row.versions.contains { localiser.mayBeLost($0) } }
                } catch {
                    mayBeLost = { _ in true }
                    findings.blocked(table.name, error)
                    if !isIncomplete { report(unlocalised: fold, table) }
                }
            }
            report(strays, placed, mayBeLost, table)
            if isIncomplete { continue }
            report(strays, explained, table)
            if fold.unverifiable > 0 {
                findings.report(
                    Finding(
                        .coverageGap, object: table.name,
                        reason: "\(fold.unverifiable) row operations belong to transactions whose entries are missing, "
                            + "so nothing can be said about them", count: fold.unverifiable))
            }
        }
    }

    /// Rows without stamps, but for those that were found to be what the ledger wants.
    private func report(
        _ strays: StrayCollection.Strays, _ placed: Set<Int>, _ mayBeLost: (UnstampedRow) -> Bool,
        _ table: EvidenceTable
    ) {
        for (index, row) in strays.unstamped.enumerated() where !placed.contains(index) {
            let delete = RepairProposal(
                .delete, table: table.name, key: row.key,
                explanation: "takes the row away; `sql repair` records first what it held, a DELETE alone does not")
            findings.report(
                row.finding(
                    table, "the row has no stamp: it was written past the ledger",
                    mayBeLost(row) ? .keep(table, row.key) : delete))
        }
        if strays.moreUnstamped > 0 {
            findings.report(
                Finding(
                    .rowExtra, object: table.name,
                    reason: "\(strays.moreUnstamped) more rows without stamps", count: strays.moreUnstamped))
        }
    }

    /// What is known without reading rows again.
    private func report(unlocalised fold: TableFold, _ table: EvidenceTable) {
        for bad in fold.bad {
            findings.report(
                Finding(
                    .rowAltered, object: table.name, transaction: bad.transaction,
                    expected: bad.expected.map { "\($0.leafCount) row operations" } ?? "none",
                    found: "\(bad.foundCount) row operations",
                    reason: "the rows of the transaction do not hash to its entry"))
        }
    }

    private func report(_ strays: StrayCollection.Strays, _ explained: Set<RowStart>, _ table: EvidenceTable) {
        for (place, key) in strays.keys.sorted(by: { $0.key < $1.key }) where !explained.contains(place) {
            findings.report(
                Finding(
                    .versionLink, object: table.name, key: key, transaction: place.transaction,
                    sequence: place.sequence,
                    reason: "there is a stamp without a row"))
        }
        if strays.more > 0 {
            findings.report(
                Finding(
                    .versionLink, object: table.name, reason: "\(strays.more) more stamps without rows",
                    count: strays.more))
        }
    }

    /// Stored leaves that do not give the table root. Where the rows do not either, that has been said with them.
    private func reportLeafChunks(_ scope: Scope, _ chain: ChainOutcome, _ folds: [TableID: TableFold]) {
        let names = Dictionary(scope.history.tables.map { ($0.id, $0.name) }) { first, _ in first }
        var known: [TableID: Set<TransactionNumber>] = [:]
        var damages = chain.damagedLeaves
        for (table, fold) in folds.sorted(by: { $0.key < $1.key }) {
            known[table] = Set(fold.bad.map(\.transaction))
            damages.merge(fold.damages)
        }
        func report(_ damage: LeafDamage, count: UInt64) {
            let table = damage.table == .schemaEvents ? EvidenceTable.schemaEvents.name : names[damage.table]
            let what = damage.isMissing ? "are not all there" : "are not those that its entry has the root of"
            findings.report(
                Finding(
                    .indexDivergence,
                    object: damage.isInEntry ? "database_ledger_transactions" : "ledger_leaf_chunks",
                    columns: damage.isInEntry ? ["leaves"] : [], transaction: damage.transaction,
                    reason: "the stored leaves of \(table ?? "table \(damage.table)") \(what): the rows are right, but "
                        + "cannot be proven to others, and damage to them could not be located",
                    count: count,
                    repair: RepairProposal(
                        .reinstall, table: "ledger_leaf_chunks", explanation: "computes them again from the rows")))
        }
        for damage in damages.first
        where !(known[damage.table]?.contains(damage.transaction) ?? false) { report(damage, count: 1) }
        if damages.more > 0, let last = damages.first.last { report(last, count: damages.more) }
    }

    private func searchBlocks(
        _ reader: any LedgerEvidenceReader, _ scope: Scope, _ chain: ChainOutcome, _ folds: [TableID: TableFold]
    ) throws {
        guard !chain.badBlocks.isEmpty else { return }
        meter.begin("locating altered transactions", total: nil)
        var roots: [TransactionNumber: [TableHash]] = [:]
        for fold in folds.values {
            for bad in fold.bad {
                guard bad.foundRoot != nil || bad.foundCount == 0 else { continue }
                roots[bad.transaction, default: []].append(
                    TableHash(table: fold.table, root: bad.foundRoot ?? .zero, leafCount: bad.foundCount))
            }
        }
        for (index, block) in chain.badBlocks.enumerated() {
            guard index < options.findingLimit else {
                let rest = chain.badBlocks.count - index
                findings.report(
                    Finding(
                        .txAltered, object: "database_ledger_transactions", block: block.id, certainty: .suspect,
                        reason: "\(rest) more blocks do not hash to their roots", count: UInt64(rest)))
                return
            }
            let search = BlockRootSearch(
                reader: reader, ledger: scope.ledger, findings: findings, names: chain.names, foundRoots: roots,
                digestTimes: options.digests.filter { $0.digest.block == block.id }.map(
                    \.digest.lastTransactionCommitTime))
            do { try search.run(block) } catch { findings.blocked("database_ledger_transactions", error) }
        }
    }

    private func checkUnknownTables(_ scope: Scope, _ chain: ChainOutcome) {
        let known = Set(scope.history.tables.map(\.id))
        for table in chain.tables.sorted() where table != .schemaEvents && !known.contains(table) {
            findings.report(
                Finding(
                    .coverageGap, object: "table \(table)",
                    reason: "transactions changed table \(table), which no schema event describes"))
        }
    }

    // MARK: Digests

    private func checkDigests(
        _ reader: any LedgerEvidenceReader, _ scope: Scope, _ chain: ChainOutcome, _ report: inout VerificationReport
    ) throws {
        var stated = options
        if let since = options.since, scope.resume != nil,
            !stated.digests.contains(where: { $0.digest == since })
        {
            stated.digests.append(StatedDigest(since, origin: "the last verification"))
        }
        let check = DigestCheck(
            options: stated, ledger: scope.ledger, databaseName: scope.identity.databaseName, chain: chain,
            locations: try reader.digestLocations(), findings: findings)
        let outcome = check.run()
        report.digestCount = outcome.count
        report.matchingDigestCount = outcome.matching.count

        // Before the first damage the digests still prove what they cover.
        let firstBad = findings.firstBadBlock(outcome.firstContradiction)
        let good = outcome.matching.filter { digest in firstBad.map { digest.digest.block < $0 } ?? true }
        report.firstGoodDigest = good.first?.digest
        report.lastGoodDigest = good.last?.digest
        findings.setLastGood(good.map(\.digest.block))

        let newest = outcome.matching.last?.digest.block
        report.anchoredThrough = newest
        reportTail(chain, newest, &report)
    }

    private func reportTail(_ chain: ChainOutcome, _ newest: BlockID?, _ report: inout VerificationReport) {
        let covered = newest.flatMap { chain.ends[$0] } ?? (chain.firstTransaction - 1)
        let count = chain.lastTransaction > covered ? chain.lastTransaction - covered : 0
        guard count > 0 else { return }
        let from = newest.flatMap { chain.lastCommitTimes[$0] }
        let seconds = chain.lastCommitTime.map { last in
            from.map { Double(last.microseconds - $0.microseconds) / 1e6 }
                ?? Double(options.now.microseconds - last.microseconds) / 1e6
        }
        let tail = VerificationTail(transactions: count, seconds: max(seconds ?? 0, 0))
        report.tail = tail
        report.tailAllowed = options.policy.maximumTail.map { count <= $0 } ?? true
        findings.report(
            Finding(
                .tailUnattested, object: "database_ledger_transactions",
                transaction: TransactionNumber(covered + 1),
                found: "\(count) transactions, \(VerificationReport.decimal(tail.seconds)) s", block: newest?.next,
                reason: "the newest transactions are in no digest from outside: whoever can write the file could have "
                    + "written them differently"))
    }
}
