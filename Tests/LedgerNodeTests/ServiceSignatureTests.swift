import Foundation
import LedgerFormat
import LedgerProofs
import Testing

@testable import LedgerNode

/// Under load the service signs fewer roots than the node does (decision 0013).
@Suite struct ServiceSignatureTests {
    private func report(_ directory: TemporaryDirectory) -> LedgerVerificationReport {
        LedgerDirectoryVerifier(
            path: DataDirectory(path: directory.data()).ledger, options: LedgerVerificationOptions()
        ).verify()
    }

    /// As many appends at once as there are `writers`, so often.
    private func burst(_ ledger: Ledger, writers: Int = 32, rounds: Int = 40) async throws -> [TransactionID] {
        try await withThrowingTaskGroup(of: [TransactionID].self) { group in
            for writer in 0..<writers {
                group.addTask {
                    var ids: [TransactionID] = []
                    for round in 0..<rounds {
                        let request = AppendRequest(contents: "\(writer).\(round)", author: alice)
                        ids.append(try await ledger.append(request).transactionID)
                    }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// The newest transactions have a signature of the node only.
    private func isOpen(_ ledger: Ledger) -> Bool {
        ledger.parts.published.ask { $0.lastServiceSignature < $0.last.seqno }
    }

    private func expectCOSEReceipt(_ ledger: Ledger, _ id: TransactionID) async throws {
        let receipt = try UnverifiedCOSEReceipt(cose: try await ledger.coseReceipt(for: id))
        let verifier = try ReceiptVerifier(serviceCertificatePEM: ledger.information.serviceCertificatePEM)
        guard case .verified(let verified) = verifier.verify(receipt) else {
            Issue.record("the COSE receipt of \(id) does not verify")
            return
        }
        #expect(verified.transactionID == id)
    }

    @Test func aLoneWritersTransactionsAreSignedByTheServiceAtOnce() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        for number in 0..<20 {
            let id = try await ledger.append(AppendRequest(contents: "\(number)", author: alice)).transactionID
            #expect(ledger.parts.published.ask { $0.lastServiceSignature } > id.seqno)
        }
        await ledger.close()
        let report = report(directory)
        #expect(report.outcome == .ok)
        #expect(report.coseSignatures == report.rawSignatures)
    }

    @Test func manyWritersShareOneAndEveryEntryHasBothReceipts() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let ids = try await burst(ledger)
        // The newest entry first: its receipt has to wait for the service.
        let sorted = ids.sorted { $0.seqno > $1.seqno }
        for id in sorted.prefix(50) + sorted.shuffled().prefix(50) { try await expectCOSEReceipt(ledger, id) }
        try await until("the tail is signed") { !isOpen(ledger) }
        await ledger.close()
        let first = report(directory)
        #expect(first.outcome == .ok)
        #expect(first.coseSignatures < first.rawSignatures)
        // So many node's signatures stand for one of the service, and never more.
        #expect(first.coseSignatures * UInt64(ServiceSignaturePace.signatureLimit) >= first.rawSignatures)

        ledger = try await Ledger.open(configuration(directory) { $0.verifyOnStart = true }, logger: quiet)
        #expect(ledger.committed == first.lastTransaction)
        for id in sorted.prefix(20) { try await expectCOSEReceipt(ledger, id) }
        await ledger.close()
    }

    /// How long receipts had to be waited for.
    private struct Waits {
        /// Of those that were not signed by the service when their append was answered.
        var times: [Duration] = []

        var median: Duration { times.sorted()[times.count / 2] }
        /// While other suites take the threads, appends come one by one, and the service signs each at once.
        var isTelling: Bool { times.count > 7 }
    }

    /// Both waits are measured under the same load, one after the other, so that a slow machine makes both longer.
    @Test(.timeLimit(.minutes(5))) func whoeverWaitsForACOSEReceiptGetsTheServicesSignatureSooner() async throws {
        let directory = TemporaryDirectory()
        // So slow that 64 signature transactions take longer than the 250 ms.
        let ledger = try await Ledger.open(configuration(directory), disk: SlowDisk(delay: 0.008), logger: quiet)
        let start = ContinuousClock.now
        var seen: [String] = []
        var isSooner = false
        repeat {
            let (unasked, asked) = try await bothWaits(ledger)
            if unasked.isTelling, asked.isTelling {
                isSooner = asked.median * 2 < unasked.median
                seen.append("\(asked.median) instead of \(unasked.median)")
            } else {
                seen.append("no load")
            }
        } while !isSooner && .now - start < .seconds(150)
        await ledger.close()
        #expect(isSooner, "medians with asking instead of without: \(seen)")
    }

    private func bothWaits(_ ledger: Ledger) async throws -> (unasked: Waits, asked: Waits) {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    var round = 0
                    while !Task.isCancelled {
                        _ = try await ledger.append(AppendRequest(contents: "\(writer).\(round)", author: alice))
                        round += 1
                    }
                }
            }
            let unasked = try await waits(ledger) { id in
                while !isSignedByService(ledger, id) { try await Task.sleep(for: .milliseconds(2)) }
            }
            let asked = try await waits(ledger) { id in _ = try await ledger.coseReceipt(for: id) }
            group.cancelAll()
            return (unasked, asked)
        }
    }

    private func isSignedByService(_ ledger: Ledger, _ id: TransactionID) -> Bool {
        ledger.parts.published.ask { $0.lastServiceSignature > id.seqno }
    }

    /// The times from the answers of appends to the ends of `wait`.
    private func waits(
        _ ledger: Ledger, _ wait: @Sendable (TransactionID) async throws -> Void
    ) async throws -> Waits {
        var waits = Waits()
        for number in 0..<15 {
            let id = try await ledger.append(AppendRequest(contents: "\(number)", author: alice)).transactionID
            if isSignedByService(ledger, id) { continue }
            let start = ContinuousClock.now
            try await wait(id)
            waits.times.append(.now - start)
        }
        return waits
    }

    @Test func closingLeavesNothingThatOnlyTheNodeSigned() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        _ = try await burst(ledger, rounds: 5)
        await ledger.close()
        #expect(!isOpen(ledger))
        #expect(report(directory).outcome == .ok)
    }

    /// What a kill in those milliseconds leaves is complete for the node, and the next start signs it.
    @Test func aTailTheServiceNeverSignedIsSignedByTheNextStart() async throws {
        let directory = TemporaryDirectory()
        let disk = GatedDisk()
        var ledger = try await Ledger.open(configuration(directory), disk: disk, logger: quiet)
        _ = try await ledger.append(AppendRequest(contents: "first", author: alice))
        var tail: TransactionID?
        // Two at once on a busy node are signed by the node alone; the disk refuses what would follow.
        for _ in 0..<200 {
            let pair = try await burst(ledger, writers: 2, rounds: 1)
            disk.arm(.write)
            disk.release()
            try await until("the closing signature is refused, or came first") { !disk.isArmed || !isOpen(ledger) }
            if isOpen(ledger) {
                tail = pair.max { $0.seqno < $1.seqno }
                break
            }
            disk.disarm()
        }
        let id = try #require(tail)
        try await Task.sleep(for: .milliseconds(200))
        #expect(isOpen(ledger), "a disk that refused is not asked again without a write")
        await #expect(throws: LedgerError(.transactionPending, "")) { try await ledger.coseReceipt(for: id) }
        try await expectReceiptVerifies(ledger, id)
        let copy = TemporaryDirectory()
        try FileManager.default.copyItem(atPath: directory.data(), toPath: copy.data())
        await ledger.close()

        #expect(report(copy).outcome == .ok)
        ledger = try await Ledger.open(configuration(copy), logger: quiet)
        try await expectCOSEReceipt(ledger, id)
        await ledger.close()
        #expect(report(copy).outcome == .ok)
    }

    private func expectReceiptVerifies(_ ledger: Ledger, _ id: TransactionID) async throws {
        let document = try await ledger.receipt(for: id)
        let verifier = try ReceiptVerifier(serviceCertificatePEM: ledger.information.serviceCertificatePEM)
        let verdict = verifier.verify(document.receipt, claims: document.applicationClaims)
        #expect(verdict.isVerified)
    }

    @Test func closingComesAfterTheNewestBatchNotAfterTheLastSignatureOfTheService() throws {
        var state = SequencerState(view: .initial)
        state.ledger.note(TransactionID(view: .initial, seqno: SequenceNumber(7)))
        let start = ContinuousClock.now
        var pace = ServiceSignaturePace()
        pace.signed(byService: true, at: start)
        pace.signed(byService: false, at: start + .milliseconds(100))
        #expect(
            pace.closingTime(after: state) == start + .milliseconds(100) + ServiceSignaturePace.closingInterval)
    }

    @Test func paceIsBoundedByTimeAndByCount() {
        let start = ContinuousClock.now
        var pace = ServiceSignaturePace()
        #expect(pace.isDue(writers: 9, at: start), "nothing is signed yet")
        pace.signed(byService: true, at: start)
        #expect(pace.isDue(writers: 1, at: start), "a lone writer does not wait")
        #expect(!pace.isDue(writers: 2, at: start))
        #expect(pace.isDue(writers: 2, at: start + ServiceSignaturePace.interval))
        #expect(!pace.isDue(writers: 2, isWanted: true, at: start))
        #expect(!pace.isDue(writers: 2, at: start + ServiceSignaturePace.wantedInterval))
        #expect(pace.isDue(writers: 2, isWanted: true, at: start + ServiceSignaturePace.wantedInterval))
        for _ in 1..<ServiceSignaturePace.signatureLimit {
            #expect(!pace.isDue(writers: 2, at: start))
            pace.signed(byService: false, at: start)
        }
        #expect(pace.isDue(writers: 2, at: start))
    }
}
