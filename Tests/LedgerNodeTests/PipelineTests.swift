import Foundation
import LedgerProofs
import Synchronization
import Testing

@testable import LedgerNode

/// What happens to the batches that were built and signed on top of one that fails.
@Suite struct PipelineTests {
    /// An open ledger on a gated disk, with one entry and the users `bob` and `carol` in it.
    private func withLedger(
        _ body: (Ledger, GatedDisk, TemporaryDirectory) async throws -> Void
    ) async throws {
        let directory = TemporaryDirectory()
        let disk = GatedDisk()
        let ledger = try await Ledger.open(configuration(directory), disk: disk, logger: quiet)
        _ = try await ledger.append(AppendRequest(contents: "before", author: alice))
        for user in ["bob", "carol"] { _ = try await ledger.setUser(LedgerUser(userID: user, roles: ["Reader"])) }
        try await body(ledger, disk, directory)
        await ledger.close()
        withExtendedLifetime(directory) {}
    }

    private func isThere(_ text: String, at id: TransactionID, in ledger: Ledger) async throws -> Bool {
        try await ledger.entry(id, collectionID: nil)?.contents == text
    }

    private func contents(_ ledger: Ledger) async throws -> [String] {
        try await ledger.entries(EntryQuery()).entries.map(\.contents)
    }

    /// Reopens with a sound disk; everything there must verify.
    private func reopened(_ directory: TemporaryDirectory, _ body: (Ledger) async throws -> Void) async throws {
        let ledger = try await Ledger.open(
            configuration(directory) { $0.verifyOnStart = true }, logger: quiet)
        try await body(ledger)
        await ledger.close()
    }

    @Test func theNextBatchIsSignedWhileTheLastOneIsWritten() async throws {
        try await withLedger { ledger, disk, _ in
            disk.arm(.write)
            let first = Task { try await ledger.append(AppendRequest(contents: "n", author: alice)) }
            try await until("the write is held") { disk.holds }
            let committed = ledger.committed
            let second = Task { try await ledger.append(AppendRequest(contents: "n+1", author: alice)) }
            try await until("a second batch is signed") { ledger.parts.sequencer.committer.batchCount == 2 }
            // Nothing of either is visible.
            #expect(ledger.committed == committed)
            let found = try await contents(ledger)
            #expect(found == ["before"])
            disk.release()
            _ = await (first.result, second.result)
        }
    }

    @Test func aFailedBatchTakesThoseBehindItAlong() async throws {
        try await withLedger { ledger, disk, directory in
            let view = ledger.committed.view
            disk.arm(.write)
            let first = Task { try await ledger.append(AppendRequest(contents: "n", author: alice)) }
            try await until("the write is held") { disk.holds }
            let second = Task { try await ledger.append(AppendRequest(contents: "n+1", author: alice, requestID: "2")) }
            try await until("a second batch is signed") { ledger.parts.sequencer.committer.batchCount == 2 }
            // A third one cannot be handed over before the first is done. It is asked for when it comes and when it gets
            // its place.
            let asked = Count()
            let third = Task {
                try await ledger.setUser(LedgerUser(userID: "dave", roles: ["Reader"])) { _ in asked.increase() }
            }
            try await until("a third one has its place") { asked.value == 2 }
            disk.release()

            await #expect(throws: LedgerError(.notWritable, "")) { try await first.value }
            await #expect(throws: LedgerError(.notWritable, "")) { try await second.value }
            await #expect(throws: LedgerError(.notWritable, "")) { try await third.value }
            let found = try await contents(ledger)
            #expect(found == ["before"])
            #expect(ledger.information.writeRefusal == nil)

            // The disk works again: the same request goes through, under an id of a new view.
            let again = try await ledger.append(AppendRequest(contents: "n+1", author: alice, requestID: "2"))
            #expect(again.isCommitted)
            #expect(again.transactionID.view == View(view.rawValue + 1))
            try await expectReceipt(ledger, again.transactionID, contents: "n+1")
            await ledger.close()
            try await reopened(directory) { ledger in
                let found = try await contents(ledger)
                #expect(found == ["before", "n+1"])
                try await expectReceipt(ledger, again.transactionID, contents: "n+1")
            }
        }
    }

    @Test func afterAFailedSyncTheBatchesBehindAreNotWritten() async throws {
        try await withLedger { ledger, disk, directory in
            disk.arm(.sync)
            let first = Task { try await ledger.append(AppendRequest(contents: "n", author: alice)) }
            try await until("the sync is held") { disk.holds }
            let second = Task { try await ledger.append(AppendRequest(contents: "n+1", author: alice)) }
            try await until("a second batch is signed") { ledger.parts.sequencer.committer.batchCount == 2 }
            disk.release()
            await #expect(throws: LedgerError(.outcomeUnknown, "")) { try await first.value }
            await #expect(throws: LedgerError(.notWritable, "")) { try await second.value }
            #expect(ledger.information.writeRefusal != nil)
            await #expect(throws: LedgerError(.notWritable, "")) {
                try await ledger.append(AppendRequest(contents: "later", author: alice))
            }
            await ledger.close()
            // The bytes of the first one did reach the disk here; those behind it must not have.
            try await reopened(directory) { ledger in
                let found = try await contents(ledger)
                #expect(found == ["before", "n"])
            }
        }
    }

    @Test func answersThatRestOnALostBatchAreNotGiven() async throws {
        try await withLedger { ledger, disk, _ in
            disk.arm(.write)
            let removal = Task { try await ledger.removeUser("bob") }
            try await until("the write is held") { disk.holds }
            // On the state ahead, bob is gone already, so there is nothing to write.
            let again = Task { try await ledger.removeUser("bob") }
            try await until("the answer waits") { ledger.parts.sequencer.committer.batchCount == 2 }
            disk.release()
            await #expect(throws: LedgerError(.notWritable, "")) { try await removal.value }
            await #expect(throws: LedgerError(.notWritable, "")) { try await again.value }
            #expect(ledger.user("bob") != nil)
            let removed = try await ledger.removeUser("bob")
            #expect(removed != nil)
            let nothing = try await ledger.removeUser("bob")
            #expect(nothing == nil)
            #expect(ledger.user("bob") == nil)
            #expect(ledger.user("carol") != nil)
        }
    }

    /// Runs `work` while the disk holds its write, until its bounded wait is over; then lets the write go.
    private func overdue<Value: Sendable>(
        _ ledger: Ledger, _ disk: GatedDisk, fails: Bool, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Result<Value, any Error> {
        disk.arm(.write, fails: fails)
        let ended = Count()
        let task = Task {
            defer { ended.increase() }
            return try await work()
        }
        try await until("the write is held") { disk.holds }
        try await until("the wait ends") {
            ledger.parts.expireOverdue(at: .now + .seconds(60))
            return ended.value == 1
        }
        disk.release()
        try await until("the write goes on") { !disk.holds }
        return await task.result
    }

    /// Returns when what was written before is answered, be it by a failure.
    private func appendAfter(_ ledger: Ledger) async {
        while (try? await ledger.append(AppendRequest(contents: "after", author: alice))) == nil {}
    }

    @Test(.timeLimit(.minutes(2)), arguments: [true, false])
    func aChangeThatIsNotCommittedInTimeIsNoSuccess(_ fails: Bool) async throws {
        try await withLedger { ledger, disk, _ in
            let role = CustomRole(name: "auditor", actions: ["/transactions/get"])
            let changes: [@Sendable () async throws -> Void] = [
                { _ = try await ledger.removeUser("bob") },
                { _ = try await ledger.setUser(LedgerUser(userID: "dave", roles: ["Reader"])) },
                { _ = try await ledger.createRoles([role]) },
            ]
            for change in changes {
                let told = try await overdue(ledger, disk, fails: fails, change)
                #expect(throws: LedgerError(.outcomeUnknown, "")) { try told.get() }
                await appendAfter(ledger)
            }
            #expect((ledger.user("bob") != nil) == fails)
            #expect((ledger.user("dave") == nil) == fails)
            #expect((ledger.role("auditor") == nil) == fails)
        }
    }

    /// A page holds 8 MiB as JSON writes them, or one entry.
    @Test func pagesEndBeforeTheEntryThatIsTooMuch() async throws {
        try await withLedger { ledger, _, _ in
            for (letter, count) in [("a", 3 << 20), ("\u{1}", 1 << 20), ("b", 1 << 20), ("\"", 5 << 20), ("c", 1)] {
                let contents = String(repeating: letter, count: count)
                _ = try await ledger.append(AppendRequest(contents: contents, collectionID: "large", author: alice))
            }
            var query = EntryQuery()
            query.collectionID = "large"
            var pages: [String] = []
            repeat {
                let page = try await ledger.entries(query)
                pages.append(page.entries.map { String($0.contents.prefix(1)) }.joined())
                query.from = page.next
            } while query.from != nil
            #expect(pages == ["a", "\u{1}b", "\"", "c"])
        }
    }

    @Test func aCertificateIsShownOnceItIsCommitted() async throws {
        try await withLedger { ledger, disk, _ in
            let first = ledger.tlsIdentity
            let ahead = Date().addingTimeInterval(360 * 86_400)
            let told = try await overdue(ledger, disk, fails: false) {
                try await ledger.renewNodeCertificateIfDue(now: ahead)
            }
            #expect(throws: LedgerError(.outcomeUnknown, "")) { try told.get() }
            try await until("it is committed") { !first.certificateChainPEM.hasPrefix(ledger.parts.nodeCertificate()) }
            #expect(ledger.tlsIdentity == first)
            try await ledger.renewNodeCertificateIfDue(now: ahead)
            #expect(ledger.tlsIdentity.certificateChainPEM.hasPrefix(ledger.parts.nodeCertificate()))
        }
    }

    @Test(.timeLimit(.minutes(2))) func aRepeatOfAPendingWriteThatFailedIsWritten() async throws {
        try await withLedger { ledger, disk, _ in
            let request = AppendRequest(contents: "x", author: alice, requestID: "r")
            let told = try await overdue(ledger, disk, fails: true) { try await ledger.append(request) }
            #expect(try told.get().isCommitted == false)
            await appendAfter(ledger)
            let again = try await ledger.append(request)
            #expect(again.isCommitted)
            let third = try await ledger.append(request)
            #expect(third == again)
            let found = try await contents(ledger)
            #expect(found == ["before", "after", "x"])
        }
    }

    /// The one that came first is refused while the others wait for its result.
    @Test(.timeLimit(.minutes(2))) func everyRepeatOfARefusedWriteIsAnswered() async throws {
        try await withLedger { ledger, _, _ in
            _ = ledger.parts.inbox.refuse("for the test")
            let contents = String(repeating: "y", count: 100_000)
            let (refused, ended) = (Count(), Count())
            for round in 0..<3 {
                for _ in 0..<8 {
                    Task {
                        do {
                            _ = try await ledger.append(
                                AppendRequest(contents: contents, author: alice, requestID: "\(round)"))
                        } catch let error as LedgerError where error.code == .notWritable {
                            refused.increase()
                        } catch {}
                        ended.increase()
                    }
                }
                try await until("all are answered") { ended.value == 8 * (round + 1) }
            }
            #expect(refused.value == 24)
        }
    }

    @Test func whatIsForgottenIsNotTheRepeat() {
        let cache = IdempotencyCache(window: .seconds(600))
        let key = Digest32.zero
        let tickets = (0..<3).map { _ in WriteTicket() }
        #expect(cache.existing(for: key, orInsert: tickets[0], now: .now) == nil)
        tickets[0].finish(.failure(LedgerError(.overloaded, "")))
        #expect(cache.existing(for: key, orInsert: tickets[1], now: .now) == nil)
        cache.forget(key, tickets[0])
        #expect(cache.existing(for: key, orInsert: tickets[2], now: .now) === tickets[1])
        tickets[1].finish(.failure(LedgerError(.outcomeUnknown, "")))
        #expect(cache.existing(for: key, orInsert: tickets[2], now: .now) === tickets[1])
    }

    @Test func manyWritersAtOnceEachGetTheirOwn() async throws {
        let directory = TemporaryDirectory()
        let small = configuration(directory) {
            $0.chunkByteCount = 30_000
            $0.snapshotInterval = 50
        }
        let ledger = try await Ledger.open(small, logger: quiet)
        let ids = try await withThrowingTaskGroup(of: [(TransactionID, String)].self) { group in
            for writer in 0..<24 {
                group.addTask {
                    var mine: [(TransactionID, String)] = []
                    for number in 0..<20 {
                        let text = "\(writer) \(number)"
                        let outcome = try await ledger.append(AppendRequest(contents: text, author: alice))
                        #expect(outcome.isCommitted)
                        // An answered write is readable at once.
                        let found = try await isThere(text, at: outcome.transactionID, in: ledger)
                        #expect(found)
                        mine.append((outcome.transactionID, text))
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids.map(\.0)).count == 480)
        await ledger.close()
        try await reopened(directory) { ledger in
            for (id, text) in ids {
                let found = try await isThere(text, at: id, in: ledger)
                #expect(found)
            }
        }
    }
}
