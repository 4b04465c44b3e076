import LedgerProofs
import SQLLedger

/// Laws about what the verifier and evidence say of honest databases.
extension EngineConformance {
    func checkVerification(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let view = try view(database, history)
        let leaves = view.entries.flatMap(\.tableHashes.tables).reduce(0) { $0 + $1.leafCount }
        try view.evidence.finish()
        for jobs in 1...3 {
            let report = try verify(database, history.digests, jobs: jobs)
            list.expectEqual(report.verdict, .verified, "verdict with \(jobs) jobs: \(report.text)")
            list.expectEqual(Self.codes(report.findings), ["TAIL_UNATTESTED"], "findings with \(jobs) jobs")
            list.expectEqual(report.tail?.transactions, HonestHistory.tailCount, "tail")
            list.expectEqual(report.anchoredThrough, BlockID(2), "anchored block")
            list.expectEqual(report.matchingDigestCount, history.digests.count, "digests that fit")
            list.expectEqual(report.counts.leaves, leaves, "leaves with \(jobs) jobs")
            list.expectEqual(report.counts.transactions, UInt64(view.entries.count), "transactions with \(jobs) jobs")
        }
        list.expectEqual(try verify(database, []).verdict, .unable, "verdict without digests")
        let one = try verify(database, history.digests, tables: ["rate"])
        list.expectEqual(one.verdict, .verified, "verdict on one table: \(one.text)")
    }

    func checkDigests(_ database: Database, _ history: inout HonestHistory, _ list: FailureList) throws {
        // The tail is closed; with nothing new, nothing is closed.
        guard let tail = try database.closeBlock(), let again = try database.closeBlock() else {
            throw ConformanceError(reason: "no block was closed")
        }
        list.expect(again.block == tail.block && again.hash == tail.hash, "a block was closed without transactions")
        let digests = history.digests + [tail]
        list.expectEqual(digests.map(\.block.rawValue), [0, 1, 2, 3], "blocks of the digests")
        let total = try verify(database, digests).counts.transactions
        for digest in digests {
            let since = try verify(database, [tail], since: digest)
            list.expectEqual(since.verdict, .verified, "verdict since block \(digest.block): \(since.text)")
            list.expectEqual(since.sinceBlock, digest.block, "block continued from")
            list.expect(since.counts.transactions < total, "everything was read since block \(digest.block)")
            let alone = try verify(database, [digest])
            list.expectEqual(alone.verdict, .verified, "verdict with the digest of block \(digest.block)")
            list.expectEqual(alone.anchoredThrough, digest.block, "anchored block")
        }
        var (wrong, future, foreign) = (digests[1], tail, tail)
        wrong.hash = .zero
        future.block = tail.block.next
        foreign.ledger = .random()
        for (digest, code) in [(wrong, "DIGEST_MISMATCH"), (future, "ROLLBACK"), (foreign, "DIGEST_MISMATCH")] {
            let report = try verify(database, [digests[0], digest])
            list.expectEqual(Self.codes(Self.findings(report)), [code], "findings with a digest that is not true")
            list.expectEqual(report.verdict, .tampered, "verdict with a digest that is not true")
        }
    }

    func checkRollback(_ database: Database, _ history: inout HonestHistory, _ list: FailureList) throws {
        let before = try view(database, history)
        let versions = try before.tables.mapValues { Set(try before.versions(of: $0)) }
        let events = try EvidenceView.all(before.reader.schemaEvents())
        try before.evidence.finish()
        try database.transaction(
            principal: "mallory", commits: false,
            (4000..<4200).map { HonestHistory.newAccount($0) } + [
                .update(table: "account", key: HonestHistory.id(7), set: [NamedValue("state", .text("gone"))]),
                .delete(table: "rate", key: HonestHistory.rateKey("EUR")),
                HonestHistory.entry(70, .text("gone"), .null),
            ])
        let after = try view(database, history)
        list.expectEqual(after.transactions, before.transactions, "transactions after a rollback")
        list.expectEqual(
            try after.tables.mapValues { Set(try after.versions(of: $0)) }, versions, "versions after a rollback")
        list.expectEqual(try EvidenceView.all(after.reader.schemaEvents()), events, "events after a rollback")
        try after.evidence.finish()
        // What comes next goes on as if nothing had been.
        try history.run(database, "alice", [HonestHistory.newAccount(4000)])
        try checkTransactions(database, history, list)
        try checkVersions(database, history, list)
        list.expectEqual(try verify(database, history.digests).verdict, .verified, "verdict after a rollback")
    }

    func checkAppendOnly(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        let before = try view(database, history)
        try before.evidence.finish()
        let refused: [RowChange] = [
            .update(table: "journal", key: HonestHistory.id(1), set: [NamedValue("message", .text("other"))]),
            .delete(table: "journal", key: HonestHistory.id(1)),
        ]
        for change in refused {
            var isRefused = false
            do {
                // What was done before the refusal is gone as well.
                try database.transaction(
                    principal: "mallory", commits: true, [HonestHistory.newAccount(6000), change])
            } catch {
                isRefused = true
            }
            list.expect(isRefused, "an append-only table took \(change)")
        }
        let after = try view(database, history)
        list.expectEqual(after.transactions, before.transactions, "transactions after refused changes")
        try after.evidence.finish()
        try checkVersions(database, history, list)
    }

    func checkEvidence(_ database: Database, _ history: HonestHistory, _ list: FailureList) throws {
        // Always the same rows, which somebody else would call random: also ones of every kind.
        var state: UInt64 = 0x2545_F491_4F6C_DD1D
        var ids: [Int64] = [7, 9, 10, 11, 12, 400, 1_000_000]
        for _ in 0..<10 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            ids.append(Int64(1 + (state >> 33) % 300))
        }
        let versions = history.model.versions.filter { $0.table == "account" }
        for id in ids {
            let key = HonestHistory.id(id)
            var bundle = try database.exportRow(table: "account", key: key, digests: history.digests)
            let bytes = try bundle.encoded()
            let verifier = EvidenceVerifier(service: nil, trustedDigests: history.digests)
            let report = verifier.verify(try UnverifiedEvidenceBundle(json: bytes))
            list.expectEqual(report.verdict, .verified, "verdict on evidence of row \(id): \(report.summary)")
            list.expectEqual(
                EvidenceVerifier(service: nil).verify(try UnverifiedEvidenceBundle(json: bytes)).verdict, .unanchored,
                "verdict on evidence of row \(id) without digests")
            let own = versions.filter { $0.key == [.integer(id)] }
            let rows = bundle.items.compactMap { if case .row(let row) = $0 { row } else { nil } }
            list.expectEqual(
                rows.count, own.reduce(0) { $0 + ($1.end == nil ? 1 : 2) }, "operations in evidence of row \(id)")
            list.expectEqual(Set(rows.map(\.values)), Set(own.map(\.values)), "values in evidence of row \(id)")
            let text = String(decoding: bytes, as: UTF8.self)
            let others = versions.map(\.key).filter { $0 != [.integer(id)] }.compactMap { key in
                if case .integer(let other)? = key.first { HonestHistory.owner(other) } else { nil }
            }
            list.expect(
                !others.contains { text.contains("\"\($0)") }, "evidence of row \(id) discloses another row")
            guard case .row(var row)? = bundle.items.first else { continue }
            row.values[2] = .integer(999)
            bundle.items[0] = .row(row)
            let forged = verifier.verify(try UnverifiedEvidenceBundle(json: try bundle.encoded()))
            list.expectEqual(forged.verdict, .failed, "verdict on forged evidence of row \(id)")
        }
    }
}
