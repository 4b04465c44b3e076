import LedgerProofs
import SQLLedger
import SQLLedgerSQLite
import Testing

/// The library's service: what it does when, on a clock of the test's.
@Suite struct SealerTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private static func digest(_ block: UInt64) -> LedgerDigest {
        let time = CommitTime("2026-01-01T00:00:00.000000Z") ?? .now()
        return LedgerDigest(
            block: BlockID(block), databaseName: "test", digestTime: time, hash: .zero,
            lastTransactionCommitTime: time, ledger: LedgerID.random())
    }

    @Test func closesEveryThirtySecondsWhileThereIsWork() {
        var sealer = LedgerSealer(locations: [], now: start)
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(0)) == .closeBlock)
        sealer.closed(Self.digest(0), now: at(0))
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(1)) == .wait(until: at(30)))
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(29.9)) == .wait(until: at(30)))
        #expect(sealer.nextAction(hasOpenTransactions: false, now: at(30)) == .wait(until: at(60)))
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(61)) == .closeBlock)
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(62)) == .wait(until: at(91)))
        #expect(sealer.waitingUploads == 0)
    }

    @Test func uploadsToEveryLocationBeforeItCloses() {
        var sealer = LedgerSealer(locations: ["a", "b"], now: start)
        let digest = Self.digest(3)
        sealer.closed(digest, now: at(0))
        #expect(sealer.waitingUploads == 2)
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(0)) == .upload(digest, location: "a"))
        sealer.uploaded(digest, to: "a")
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(0)) == .upload(digest, location: "b"))
        sealer.uploaded(digest, to: "b")
        #expect(sealer.nextAction(hasOpenTransactions: true, now: at(0)) == .closeBlock)
        #expect(sealer.waitingUploads == 0)
    }

    @Test func failuresWaitLongerEachTimeAndHoldUpNoOtherLocation() {
        var sealer = LedgerSealer(interval: .seconds(3_600), locations: ["a", "b"], now: start)
        #expect(sealer.nextAction(hasOpenTransactions: false, now: at(0)) == .wait(until: at(3_600)))
        let digest = Self.digest(1)
        sealer.closed(digest, now: at(0))
        var now = 0.0
        var pauses: [Double] = []
        for _ in 0..<10 {
            #expect(sealer.nextAction(hasOpenTransactions: false, now: at(now)) == .upload(digest, location: "a"))
            sealer.uploadFailed(to: "a", now: at(now))
            if pauses.isEmpty {
                #expect(sealer.nextAction(hasOpenTransactions: false, now: at(now)) == .upload(digest, location: "b"))
                sealer.uploaded(digest, to: "b")
            }
            guard case .wait(let until) = sealer.nextAction(hasOpenTransactions: false, now: at(now)) else {
                Issue.record("nothing to wait for after \(now) s")
                return
            }
            let pause = (until - at(now)) / .seconds(1)
            pauses.append(pause.rounded())
            now += pause
        }
        #expect(pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
        #expect(sealer.waitingUploads == 1)
    }

    @Test func aNewerDigestReplacesOneThatWaits() {
        var sealer = LedgerSealer(locations: ["a"], now: start)
        let (old, new) = (Self.digest(1), Self.digest(2))
        sealer.closed(old, now: at(0))
        #expect(sealer.nextAction(hasOpenTransactions: false, now: at(0)) == .upload(old, location: "a"))
        // Closed while the upload was under way: its success is not the newer one's.
        sealer.closed(new, now: at(1))
        sealer.uploaded(old, to: "a")
        #expect(sealer.nextAction(hasOpenTransactions: false, now: at(1)) == .upload(new, location: "a"))
        sealer.uploaded(new, to: "a")
        #expect(sealer.waitingUploads == 0)
    }

    /// On a real ledger: what it says is done, and done again when something new is there.
    @Test func sealsALedger() throws {
        let test = try TestDatabase()
        let db = try test.ledger("CREATE TABLE t(x); SELECT ledger_enable('t'); INSERT INTO t VALUES (1)")
        let ledger = try SQLiteLedger(attachingTo: db)
        var sealer = LedgerSealer(locations: ["file:///store"], now: start)
        var stored: [LedgerDigest] = []
        for second in 0..<100 {
            if second == 45 { try db.run("INSERT INTO t VALUES (2)") }
            while true {
                let isOpen = try ledger.status().openTransactionCount > 0
                let action = sealer.nextAction(hasOpenTransactions: isOpen, now: at(Double(second)))
                if case .wait = action { break }
                switch action {
                case .closeBlock: sealer.closed(try #require(try ledger.closeBlock()), now: at(Double(second)))
                case .upload(let digest, let location):
                    stored.append(digest)
                    try ledger.recordUpload(of: digest.block, to: location)
                    sealer.uploaded(digest, to: location)
                case .wait: break
                }
            }
        }
        #expect(stored.map(\.block.rawValue) == [0, 1])
        let digests = stored.map { StatedDigest($0, origin: "test") }
        let report = LedgerVerifier(VerificationOptions(digests: digests)).verify(
            try SQLiteEvidence.open(path: test.path))
        #expect(report.findings.isEmpty && report.verdict == .verified, "\(report.text)")
    }
}
