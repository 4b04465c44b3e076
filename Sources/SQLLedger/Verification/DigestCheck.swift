import LedgerProofs

/// Compares the digests from outside with the blocks of the database.
struct DigestCheck {
    let options: VerificationOptions
    let ledger: LedgerID
    let databaseName: String
    let chain: ChainOutcome
    let locations: [StoredDigestLocation]
    let findings: FindingCollector

    /// What the digests prove.
    struct Outcome {
        /// Of this ledger.
        var count = 0
        /// Reproduced by the database, oldest first.
        var matching: [StatedDigest] = []
        /// The first block at which a digest contradicts the database.
        var firstContradiction: BlockID?
    }

    /// Where the oldest digest counts (Documentation/spec/digest-store.md).
    private struct Place: Hashable {
        var store: ExactText
        var block: BlockID
    }

    private var tolerance: Int64 { Int64(options.policy.clockTolerance * 1_000_000) }

    private static let locationsTable = "database_ledger_digest_locations"
    private static let listLimit = 10

    func run() -> Outcome {
        var outcome = Outcome()
        let own = options.digests.filter { $0.digest.ledger == ledger }
        reportForeign(options.digests.filter { $0.digest.ledger != ledger })
        outcome.count = own.count
        // In one store the older entry comes first; times in digests are their writers' words.
        let sorted = own.enumerated().sorted {
            ($0.element.digest.block, $0.offset) < ($1.element.digest.block, $1.offset)
        }
        .map(\.element)
        reportForks(sorted)
        var counting: [Place: LedgerDigest] = [:]
        var covers: [BlockID: CommitTime] = [:]
        var fromTheFuture: [StatedDigest] = []
        var mismatches: [StatedDigest] = []
        var beyond: [StatedDigest] = []
        for stated in sorted {
            let digest = stated.digest
            if let store = stated.store {
                let place = Place(store: store.exact, block: digest.block)
                // A later one is no word of this history: whoever may write to the store can add it.
                if let first = counting[place] {
                    if first.hash == digest.hash {
                        if chain.blockHashes[digest.block] == digest.hash { outcome.matching.append(stated) }
                        reportOtherFields(stated, first)
                    }
                    continue
                }
                counting[place] = digest
            }
            // Nobody knows when one was made that is dated in the future; certainly not after now.
            let time = min(stated.witnessTime ?? digest.digestTime, options.now)
            covers[digest.block] = min(covers[digest.block] ?? time, time)
            if digest.digestTime.microseconds > options.now.microseconds + tolerance { fromTheFuture.append(stated) }
            if digest.block.rawValue >= chain.blockCount {
                beyond.append(stated)
            } else if digest.block.rawValue < chain.firstBlock, chain.blockHashes[digest.block] == nil {
                continue
            } else if chain.blockHashes[digest.block] == digest.hash {
                outcome.matching.append(stated)
                checkFields(stated)
            } else {
                mismatches.append(stated)
            }
        }
        if let before = options.verifiedBefore, before.digest.ledger == ledger,
            chain.blockHashes[before.digest.block] != before.digest.hash
        {
            if before.digest.block.rawValue < chain.blockCount {
                mismatches.append(before)
            } else {
                beyond.append(before)
            }
            beyond.sort { $0.digest.block < $1.digest.block }
        }
        outcome.firstContradiction = (mismatches + beyond).map(\.digest.block).min()
        report(mismatches, outcome)
        reportRollback(beyond)
        reportFuture(fromTheFuture)
        checkLocations(sorted)
        checkPolicy(covers.sorted { $0.key < $1.key }.map { (block: $0.key, time: $0.value) })
        return outcome
    }

    private func reportForeign(_ foreign: [StatedDigest]) {
        guard let first = foreign.first else { return }
        let sameName = foreign.filter { $0.digest.databaseName.exact == databaseName.exact }
        let isAlarm = !sameName.isEmpty || foreign.count == options.digests.count
        let suspect = sameName.first ?? first
        if isAlarm {
            findings.report(
                Finding(
                    .digestMismatch, object: suspect.origin, columns: ["ledger_id"],
                    expected: suspect.digest.ledger.hex, found: ledger.hex, block: suspect.digest.block,
                    certainty: .proven,
                    reason: "the digest is of another ledger: this database is a clone, was replaced, "
                        + "or the digest belongs to another database",
                    count: UInt64(sameName.isEmpty ? foreign.count : sameName.count)))
        } else {
            findings.note("\(foreign.count) digests of other ledgers were not used, the first from \(first.origin)")
        }
    }

    private func reportForks(_ sorted: [StatedDigest]) {
        var first: [BlockID: StatedDigest] = [:]
        for stated in sorted {
            guard let other = first[stated.digest.block] else {
                first[stated.digest.block] = stated
                continue
            }
            guard other.digest.hash != stated.digest.hash else { continue }
            findings.report(
                Finding(
                    .fork, object: stated.origin, expected: "\(other.digest.hash.hex) (\(other.origin))",
                    found: "\(stated.digest.hash.hex) (\(stated.origin))", block: stated.digest.block,
                    certainty: .proven,
                    reason: "two digests of one ledger and block differ: there are two histories"
                        + (stated.store != nil && stated.store == other.store
                            ? ", or somebody with the right to write to the store added one; the one that was there first counts"
                            : "")))
        }
    }

    private func report(_ mismatches: [StatedDigest], _ outcome: Outcome) {
        for (index, stated) in mismatches.enumerated() {
            if index == Self.listLimit {
                let rest = mismatches.count - index
                findings.report(
                    Finding(
                        .digestMismatch, object: "digests", block: stated.digest.block, certainty: .proven,
                        reason: "\(rest) later digests are not reproduced either", count: UInt64(rest)))
                return
            }
            let digest = stated.digest
            let good = outcome.matching.last { $0.digest.block < digest.block }?.digest.block
            let range =
                good.map { "between blocks \($0.rawValue + 1) and \(digest.block)" } ?? "up to block \(digest.block)"
            findings.report(
                Finding(
                    .digestMismatch, object: stated.origin, expected: digest.hash.hex,
                    found: chain.blockHashes[digest.block]?.hex, block: digest.block, lastGoodDigest: good,
                    certainty: .proven,
                    reason: "the block does not have the hash that the digest kept outside has: "
                        + "the ledger was rewritten somewhere \(range)"))
        }
    }

    private func reportRollback(_ beyond: [StatedDigest]) {
        guard let newest = beyond.last else { return }
        findings.report(
            Finding(
                .rollback, object: newest.origin, expected: "\(newest.digest.block.rawValue + 1) blocks",
                found: "\(chain.blockCount) blocks", block: beyond.first?.digest.block, certainty: .proven,
                reason: "a digest made \(newest.digest.digestTime) covers blocks that the database does not have: "
                    + "an older state was put in its place, or its end was cut off",
                count: UInt64(beyond.count)))
    }

    /// A later digest of a block, with the same hash as the first one in its store.
    private func reportOtherFields(_ later: StatedDigest, _ first: LedgerDigest) {
        var columns: [String] = []
        if later.digest.databaseName.exact != first.databaseName.exact { columns.append("database_name") }
        if later.digest.lastTransactionCommitTime != first.lastTransactionCommitTime {
            columns.append("last_transaction_commit_time")
        }
        guard !columns.isEmpty else { return }
        findings.report(
            Finding(
                .fork, object: later.origin, columns: columns, block: later.digest.block, certainty: .proven,
                reason:
                    "another digest of this block was there first: somebody with the right to write to the store added "
                    + "one; the first one counts"))
    }

    /// The fields of a matching digest that its hash does not cover.
    private func checkFields(_ stated: StatedDigest) {
        let digest = stated.digest
        if let time = chain.lastCommitTimes[digest.block], time != digest.lastTransactionCommitTime {
            findings.report(
                Finding(
                    .digestMismatch, object: stated.origin, columns: ["last_transaction_commit_time"],
                    expected: digest.lastTransactionCommitTime.description, found: time.description,
                    block: digest.block, certainty: .proven,
                    reason: "the digest and the block's last transaction disagree about its time"))
        }
        if digest.databaseName.exact != databaseName.exact {
            findings.report(
                Finding(
                    .digestMismatch, object: stated.origin, columns: ["database_name"], expected: digest.databaseName,
                    found: databaseName, block: digest.block, certainty: .proven,
                    reason: "the digest and the ledger's identity disagree about the database's name, which is for good"
                ))
        }
        let witness = stated.witnessTime ?? digest.digestTime
        if digest.lastTransactionCommitTime.microseconds > witness.microseconds + tolerance {
            findings.report(
                Finding(
                    .timeAnomaly, object: stated.origin, columns: ["commit_time"],
                    expected: "not after \(witness)", found: digest.lastTransactionCommitTime.description,
                    block: digest.block, certainty: .proven,
                    reason: "a transaction is dated after the digest that covers it was made: a clock was set forward"))
        }
    }

    private func reportFuture(_ digests: [StatedDigest]) {
        guard let first = digests.first else { return }
        findings.report(
            Finding(
                .timeAnomaly, object: first.origin, columns: ["digest_time"], expected: "not after \(options.now)",
                found: first.digest.digestTime.description, block: first.digest.block, certainty: .proven,
                reason:
                    "the digest is dated in the future of the verifier's clock, so it does not say when it was made",
                count: UInt64(digests.count)))
    }

    /// How long transactions were in no digest. Only the first digest of a block in a store counts, so that none that is added
    /// later shortens a gap; the age goes by the transactions alone. Transactions before the first digest are older than the
    /// uploads.
    /// - Parameter covers: the blocks that digests name and when the first one was made, in ascending order.
    private func checkPolicy(_ covers: [(block: BlockID, time: CommitTime)]) {
        if let maximum = options.policy.maximumGap, var earliest = covers.last {
            // A digest covers all blocks before its own.
            for older in covers.dropLast().reversed() {
                if let began = chain.nextCommitTimes[older.block] {
                    report(
                        wait: began, until: earliest.time, longerThan: maximum, after: older.block,
                        blocks: earliest.block.rawValue - older.block.rawValue,
                        "a transaction was in no digest for so long")
                }
                if older.time <= earliest.time { earliest = older }
            }
        }
        if let maximum = options.policy.maximumAge, let newest = covers.last?.block,
            let began = chain.nextCommitTimes[newest]
        {
            report(
                wait: began, until: options.now, longerThan: maximum, after: newest,
                blocks: chain.blockCount - min(chain.blockCount, newest.rawValue + 1),
                "a transaction is in no digest")
        }
    }

    private func report(
        wait began: CommitTime, until end: CommitTime, longerThan maximum: Double, after block: BlockID,
        blocks: UInt64, _ what: String
    ) {
        let seconds = Double(end.microseconds - began.microseconds) / 1e6
        guard seconds > maximum else { return }
        findings.report(
            Finding(
                .digestGap, object: "digests", time: began, expected: "\(VerificationReport.decimal(maximum)) s",
                found: "\(VerificationReport.decimal(seconds)) s", block: block.next, certainty: .proven,
                reason:
                    "\(what): committed \(began), \(VerificationReport.decimal(seconds)) s before \(end); uploads were "
                    + "dropped or delayed", count: max(blocks, 1)))
    }

    /// What the database says about its uploads, against what is there and what was pinned.
    private func checkLocations(_ sorted: [StatedDigest]) {
        if let pinned = options.policy.locations {
            for location in locations where location.isCurrent && !pinned.containsExactly(location.path) {
                findings.report(
                    Finding(
                        .policyDrift, object: Self.locationsTable, expected: pinned.joined(separator: ", "),
                        found: location.path, certainty: .proven,
                        reason: "digests are uploaded to a place that was not agreed"))
            }
            let current = Set(locations.filter(\.isCurrent).map(\.path.exact))
            for path in pinned where !current.contains(path.exact) {
                let newest = sorted.last?.digest
                findings.report(
                    Finding(
                        .digestGap, object: path, block: newest.map { $0.block.next }, certainty: .suspect,
                        reason: "the database does not say that it uploads to this agreed place, or no longer"))
            }
        }
        let others = locations.filter { $0.isCurrent && !options.stores.contains($0.path) }.map(\.path)
        if !others.isEmpty {
            findings.note(
                "The database says that its digests go to \(others.joined(separator: ", ")). Nothing there was asked, because "
                    + "the database could say anything: digests come from where you name.")
        }
        for location in locations {
            guard options.stores.contains(location.path), let last = location.lastBlock,
                let claimed = UInt64(exactly: last), claimed < chain.blockCount
            else { continue }
            let newest = sorted.filter { $0.store == location.path }.map(\.digest.block).max()
            if let newest, newest.rawValue >= claimed { continue }
            // The first block whose digest the store has not got; older ones may not have been asked for.
            let first = chain.firstBlock > 0 ? chain.firstBlock - 1 : 0
            guard claimed >= first else { continue }
            let missing = newest?.next ?? BlockID(first)
            let count = claimed - missing.rawValue + 1
            findings.report(
                Finding(
                    .digestGap, object: location.path, expected: "block \(claimed)",
                    found: newest.map { "block \($0)" } ?? "no digest\(first > 0 ? " from block \(first) on" : "")",
                    block: missing, certainty: .suspect,
                    reason: "the database says that it uploaded \(count) more digests than the store has",
                    count: count))
        }
    }
}
