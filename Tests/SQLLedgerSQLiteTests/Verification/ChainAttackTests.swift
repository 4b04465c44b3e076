import LedgerProofs
import SQLLedger
import SQLLedgerSQLite
import Testing

/// Attacks on transactions, blocks and digests, H.4 of the catalogue.
@Suite struct ChainAttackTests {
    /// Four blocks of three transactions, and two transactions after them.
    static func chain() throws -> (LedgerFixture, [LedgerDigest]) {
        let fixture = try LedgerFixture()
        try fixture.create("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT)", name: "t")
        var digests: [LedgerDigest] = []
        for block in 0..<4 {
            for index in 0..<3 {
                fixture.principal = index == 1 ? "bob" : "alice"
                try fixture.transaction {
                    try fixture.insert("t", "id, x", [.integer(Int64(block * 10 + index)), .text("x")])
                }
            }
            digests.append(try fixture.closeBlock())
        }
        for id in [100, 101] {
            try fixture.transaction { try fixture.insert("t", "id, x", [.integer(Int64(id)), .text("tail")]) }
        }
        try fixture.install()
        return (fixture, digests)
    }

    private static func codes(_ report: VerificationReport) -> Set<String> {
        Set(report.findings.map(\.code.rawValue)).subtracting(["TAIL_UNATTESTED"])
    }

    private static func time(_ start: CommitTime, _ seconds: Int64) throws -> CommitTime {
        try #require(CommitTime(microseconds: start.microseconds + seconds * 1_000_000))
    }

    @Test func honestTail() throws {
        let (fixture, digests) = try Self.chain()
        let report = try fixture.verify(digests)
        #expect(report.findings.map(\.code) == [.tailUnattested], "\(report.text)")
        #expect(report.exitCode == 0)
        #expect(report.tail?.transactions == 2)
        #expect((report.tail?.seconds ?? 0) > 1)
        #expect(report.firstGoodDigest == digests[0])
        #expect(report.lastGoodDigest == digests[3])
        let strict = try fixture.verify(digests) { $0.policy.maximumTail = 1 }
        #expect(strict.exitCode == 2)
    }

    @Test(arguments: [
        ("principal_name", "'mallory'"), ("login_name", "'mallory'"), ("application_name", "''"),
        ("commit_time", "'2026-01-01T00:00:07.500000Z'"),
    ]) func entryAltered(_ change: (column: String, value: String)) throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack(
            "UPDATE database_ledger_transactions SET \(change.column) = \(change.value) WHERE transaction_id = 6")
        for isStored in [true, false] {
            if !isStored { try fixture.attack("DELETE FROM ledger_transaction_chunks") }
            let report = try fixture.verify(digests)
            #expect(
                Self.codes(report) == (isStored ? ["TX_ALTERED"] : ["TX_ALTERED", "INDEX_DIVERGENCE"]), "\(report.text)"
            )
            let finding = try #require(report.findings.first { $0.code == .txAltered })
            if change.column != "commit_time" || isStored {
                #expect(finding.transaction == TransactionNumber(6))
                #expect(finding.columns == [change.column])
                #expect(finding.certainty == .proven)
            }
            #expect(finding.block == BlockID(1))
            #expect(report.lastGoodDigest == digests[0])
            #expect(finding.lastGoodDigest == BlockID(0))
        }
    }

    @Test func tableHashesAltered() throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack(
            """
            UPDATE database_ledger_transactions SET table_hashes =
              (SELECT table_hashes FROM database_ledger_transactions WHERE transaction_id = 5) WHERE transaction_id = 6
            """)
        let report = try fixture.verify(digests)
        #expect(Self.codes(report).contains("TX_ALTERED"), "\(report.text)")
        let finding = try #require(report.findings.first { $0.code == .txAltered })
        #expect(finding.columns == ["table_hashes"] && finding.transaction == TransactionNumber(6))
    }

    @Test func entryDeleted() throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack(
            "DELETE FROM database_ledger_transactions WHERE transaction_id = 6", "DELETE FROM t WHERE id = 11",
            "DELETE FROM ledger_stamps_1 WHERE row_id = 11")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["TX_MISSING", "BLOCK_ALTERED"], "\(report.text)")
    }

    @Test func ordinalsSwapped() throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack(
            "UPDATE database_ledger_transactions SET transaction_ordinal = 1 - transaction_ordinal WHERE transaction_id IN (5, 6)"
        )
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["TX_ALTERED", "BLOCK_ALTERED"], "\(report.text)")
        #expect(report.findings.filter { $0.code == .txAltered }.count == 2)
    }

    @Test(
        arguments: [
            ("transactions_root_hash", "zeroblob(32)"), ("previous_block_hash", "zeroblob(32)"),
            ("previous_block_hash", "NULL"), ("history_root_hash", "zeroblob(32)"), ("block_size", "7"),
            ("first_transaction_id", "6"), ("close_time", "'2030-01-01T00:00:00.000000Z'"), ("close_time", "'never'"),
        ], [true, false]) func blockAltered(_ change: (column: String, value: String), hasDigests: Bool) throws
    {
        let (fixture, digests) = try Self.chain()
        try fixture.attack("UPDATE database_ledger_blocks SET \(change.column) = \(change.value) WHERE block_id = 1")
        let report = try fixture.verify(hasDigests ? digests : [])
        let codes = Self.codes(report)
        #expect(!codes.isDisjoint(with: ["BLOCK_ALTERED", "CHAIN_BROKEN"]), "\(report.text)")
        #expect(codes.isSubset(of: ["BLOCK_ALTERED", "CHAIN_BROKEN", "DIGEST_MISMATCH"]), "\(report.text)")
        let finding = try #require(report.findings.first { $0.code == .blockAltered || $0.code == .chainBroken })
        #expect(finding.columns == [change.column] && finding.block == BlockID(1), "\(report.text)")
        #expect(
            report.findings.filter { $0.code == .blockAltered || $0.code == .chainBroken }.count == 1, "\(report.text)")
        #expect(report.exitCode == 1)
    }

    @Test func blockDeleted() throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack("DELETE FROM database_ledger_blocks WHERE block_id = 1")
        #expect(Self.codes(try fixture.verify(digests)).contains("CHAIN_BROKEN"))
    }

    @Test func rolledBack() throws {
        let (fixture, digests) = try Self.chain()
        var newer = digests[3]
        newer.block = BlockID(9)
        let report = try fixture.verify(digests + [newer])
        #expect(Self.codes(report) == ["ROLLBACK"], "\(report.text)")
        #expect(report.findings.first?.block == BlockID(9))
    }

    @Test func forked() throws {
        let (fixture, digests) = try Self.chain()
        var other = digests[3]
        other.hash = .zero
        let report = try fixture.verify(digests + [other])
        #expect(Self.codes(report) == ["FORK", "DIGEST_MISMATCH"], "\(report.text)")
        #expect(report.lastGoodDigest == digests[2])
    }

    @Test func digestsOfOtherLedgers() throws {
        let (fixture, digests) = try Self.chain()
        let (other, foreign) = try Self.chain()
        #expect(other.ledger != fixture.ledger)
        #expect(Self.codes(try fixture.verify(foreign)) == ["DIGEST_MISMATCH"])
        #expect(Self.codes(try fixture.verify(digests + foreign)) == ["DIGEST_MISMATCH"])
        var named = foreign
        for index in named.indices { named[index].databaseName = "another" }
        let report = try fixture.verify(digests + named)
        #expect(report.exitCode == 0 && report.notes.contains { $0.contains("other ledgers") }, "\(report.text)")
        let pinned = try fixture.verify(digests) { $0.expectedLedger = other.ledger }
        #expect(Self.codes(pinned) == ["READ_UNTRUSTED"])
    }

    @Test func alteredDigest() throws {
        let (fixture, digests) = try Self.chain()
        var wrong = digests[3]
        wrong.lastTransactionCommitTime = digests[0].lastTransactionCommitTime
        let report = try fixture.verify([wrong])
        #expect(Self.codes(report) == ["DIGEST_MISMATCH"], "\(report.text)")
        #expect(report.findings.first?.columns == ["last_transaction_commit_time"])
    }

    @Test func times() throws {
        let (fixture, digests) = try Self.chain()
        let past = try fixture.verify(digests) { $0.now = CommitTime("2025-01-01T00:00:00.000000Z") ?? $0.now }
        #expect(Self.codes(past) == ["TIME_ANOMALY"], "\(past.text)")
        try fixture.attack(
            "UPDATE database_ledger_transactions SET commit_time = '2026-01-01T00:00:00.000000Z' WHERE transaction_id = 15"
        )
        #expect(Self.codes(try fixture.verify(digests)) == ["TIME_ANOMALY"])
    }

    @Test func gaps() throws {
        let (fixture, digests) = try Self.chain()
        let sparse = [digests[0], digests[3]]
        #expect(try fixture.verify(sparse).exitCode == 0)
        let gap = try fixture.verify(sparse) { $0.policy.maximumGap = 5 }
        #expect(Self.codes(gap) == ["DIGEST_GAP"], "\(gap.text)")
        let old = try fixture.verify([digests[0]]) { $0.policy.maximumAge = 5 }
        #expect(Self.codes(old) == ["DIGEST_GAP"], "\(old.text)")
        #expect(old.findings.first { $0.code == .digestGap }?.block == BlockID(1))
        let store = "file:///store"
        try fixture.attack("INSERT INTO database_ledger_digest_locations VALUES ('\(store)', 3, 1)")
        let dropped = try fixture.verify(Array(digests.prefix(2))) {
            $0.stores = [store]
            $0.digests = $0.digests.map { StatedDigest($0.digest, origin: "a file of it", store: store) }
        }
        #expect(Self.codes(dropped) == ["DIGEST_GAP"], "\(dropped.text)")
        #expect(dropped.findings.first { $0.code == .digestGap }?.block == BlockID(2))
        let emptied = try fixture.verify(digests) { $0.stores = [store] }
        #expect(Self.codes(emptied) == ["DIGEST_GAP"], "\(emptied.text)")
        #expect(emptied.findings.first { $0.code == .digestGap }?.block == BlockID(0))
        let unread = try fixture.verify(digests)
        #expect(Self.codes(unread).isEmpty, "a store that was not asked says nothing: \(unread.text)")
        let pinned = try fixture.verify(digests) { $0.policy.locations = ["file:///agreed"] }
        #expect(Self.codes(pinned) == ["POLICY_DRIFT", "DIGEST_GAP"], "\(pinned.text)")
    }

    /// The uploader stood still, and everything meanwhile is in one block.
    @Test func gapInOneBlock() throws {
        let (fixture, digests) = try Self.chain()
        var late = digests
        late[1].digestTime = fixture.clock
        let report = try fixture.verify([late[0], late[1]]) { $0.policy.maximumGap = 5 }
        #expect(Self.codes(report) == ["DIGEST_GAP"], "\(report.text)")
        let gap = try #require(report.findings.first { $0.code == .digestGap })
        #expect(gap.block == BlockID(1))
        let time = try #require(gap.time)
        #expect(time > digests[0].digestTime && time < digests[1].lastTransactionCommitTime, "its first transaction")
        // It covered them first, whatever came after it or was found again later.
        #expect(Self.codes(try fixture.verify(digests) { $0.policy.maximumGap = 5 }).isEmpty)
        #expect(Self.codes(try fixture.verify([late[0], late[1], late[2]]) { $0.policy.maximumGap = 7.5 }).isEmpty)
    }

    /// What nobody wrote waits for no digest.
    @Test func agesAreThoseOfTransactions() throws {
        let (fixture, digests) = try Self.chain()
        let fresh = try fixture.verify(digests) { $0.policy.maximumAge = 1.5 }
        #expect(Self.codes(fresh).isEmpty, "\(fresh.text)")
        let late = try fixture.verify(digests) { $0.policy.maximumAge = 0.5 }
        #expect(Self.codes(late) == ["DIGEST_GAP"], "\(late.text)")
    }

    /// Neither a digest dated in the future nor an old one with a fresh time is a new one.
    @Test func digestsThatSayTheyAreNewer() throws {
        let (fixture, digests) = try Self.chain()
        var again = digests[0]
        again.digestTime = fixture.clock
        let replayed = try fixture.verify([digests[0], again]) { $0.policy.maximumAge = 5 }
        #expect(Self.codes(replayed) == ["DIGEST_GAP"], "\(replayed.text)")
        again.digestTime = try Self.time(fixture.clock, 86_400)
        for list in [[again], [digests[0], again]] {
            let future = try fixture.verify(list) { $0.policy.maximumAge = 5 }
            #expect(Self.codes(future) == ["DIGEST_GAP", "TIME_ANOMALY"], "\(future.text)")
        }
        again.digestTime = try Self.time(fixture.clock, 60)
        #expect(Self.codes(try fixture.verify([again])).isEmpty, "clocks differ a little")
        var last = digests[3]
        last.digestTime = try Self.time(fixture.clock, 86_400)
        let gap = try fixture.verify([digests[0], last]) { $0.policy.maximumGap = 12 }
        #expect(Self.codes(gap) == ["DIGEST_GAP", "TIME_ANOMALY"], "\(gap.text)")
    }

    /// In a store the first one counts; who adds another does not accuse the database.
    @Test func laterDigestWithOtherFields() throws {
        let (fixture, digests) = try Self.chain()
        var named = digests[3]
        named.databaseName = "evil"
        var timed = digests[3]
        timed.lastTransactionCommitTime = digests[0].lastTransactionCommitTime
        for (other, column) in [(named, "database_name"), (timed, "last_transaction_commit_time")] {
            let report = try fixture.verify([digests[3], other]) { options in
                options.digests = options.digests.map {
                    StatedDigest($0.digest, origin: "an entry", store: "https://store")
                }
            }
            #expect(Self.codes(report) == ["FORK"], "\(report.text)")
            #expect(report.findings.first?.columns == [column])
            #expect(report.lastGoodDigest == nil)
        }
        let apart = try fixture.verify([digests[3], named])
        #expect(Self.codes(apart) == ["DIGEST_MISMATCH"], "each place for itself: \(apart.text)")
    }

    @Test func entryInClosedBlock() throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack(
            "UPDATE database_ledger_transactions SET block_id = 2, transaction_ordinal = 3 WHERE transaction_id = 15")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["TX_EXTRA", "BLOCK_ALTERED"], "\(report.text)")
    }

    @Test func endCutOff() throws {
        let (fixture, digests) = try Self.chain()
        try fixture.attack(
            "DELETE FROM database_ledger_blocks WHERE block_id = 3",
            "DELETE FROM database_ledger_transactions WHERE transaction_id > 10")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROLLBACK", "ROW_EXTRA"], "\(report.text)")
    }

    @Test func continuesFromADigest() throws {
        let (fixture, digests) = try Self.chain()
        let report = try fixture.verify([digests[3]], since: digests[1])
        #expect(report.exitCode == 0 && report.sinceBlock == BlockID(1), "\(report.text)")
        #expect(report.counts.transactions == 8 && report.counts.blocks == 2)
        // Without the stored nodes the blocks themselves are read; with a wrong digest, everything is.
        try fixture.attack("DELETE FROM ledger_block_nodes")
        #expect(Self.codes(try fixture.verify([digests[3]], since: digests[1])) == ["INDEX_DIVERGENCE"])
        var wrong = digests[1]
        wrong.hash = .zero
        let whole = try fixture.verify([digests[3]], since: wrong)
        #expect(
            Self.codes(whole) == ["DIGEST_MISMATCH", "INDEX_DIVERGENCE"] && whole.counts.transactions == 15,
            "\(whole.text)")
    }

    /// A row is changed and everything after it computed again: the database agrees with itself.
    @Test func rewritten() throws {
        let (fixture, digests) = try Self.chain()
        let (other, _) = try Self.chain()
        #expect(try other.verify([]).exitCode == 2)
        var forged = digests
        for index in 2..<4 { forged[index].hash = .zero }
        let report = try fixture.verify(forged)
        #expect(Self.codes(report) == ["DIGEST_MISMATCH"], "\(report.text)")
        #expect(report.findings.first?.block == BlockID(2))
        #expect(report.firstGoodDigest == digests[0] && report.lastGoodDigest == digests[1])
    }
}
