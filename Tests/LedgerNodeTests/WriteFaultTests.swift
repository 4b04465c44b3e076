import Foundation
import LedgerProofs
import Testing

@testable import LedgerNode

/// Every disk step of a life that creates a ledger, fills chunks and takes snapshots fails once in each way; then the
/// directory is opened again with a sound disk.
@Suite(.serialized) struct WriteFaultTests {
    private static let entryCount = 10

    private func small(_ directory: TemporaryDirectory) -> NodeConfiguration {
        configuration(directory, type: .private) {
            $0.chunkByteCount = 9_000
            $0.snapshotInterval = 10
        }
    }

    /// What the caller was told about each entry.
    private enum Told {
        case committed(TransactionID)
        case refused
        case unknown
    }

    private func live(_ directory: TemporaryDirectory, _ disk: FaultyDisk) async throws -> [Told] {
        let ledger = try await Ledger.open(small(directory), disk: disk, logger: quiet)
        var told: [Told] = []
        for number in 0..<Self.entryCount {
            do {
                let outcome = try await ledger.append(AppendRequest(contents: "e\(number)", author: alice))
                told.append(outcome.isCommitted ? .committed(outcome.transactionID) : .unknown)
                if outcome.isCommitted {
                    try await expectReceipt(ledger, outcome.transactionID, contents: "e\(number)")
                }
            } catch let error as LedgerError {
                told.append(error.code == .outcomeUnknown ? .unknown : .refused)
            }
        }
        await ledger.close()
        return told
    }

    private func checkAfterwards(_ directory: TemporaryDirectory, _ told: [Told], _ label: Comment) async throws {
        let ledger = try await Ledger.open(small(directory), logger: quiet)
        var query = EntryQuery()
        query.limit = 1_000
        let found = try await ledger.entries(query).entries
        let contents = Set(found.map(\.contents))
        #expect(contents.count == found.count, label)
        for (number, told) in told.enumerated() {
            switch told {
            case .committed(let id):
                #expect(try await ledger.entry(id, collectionID: nil)?.contents == "e\(number)", label)
                try await expectReceipt(ledger, id, contents: "e\(number)")
            case .refused:
                #expect(!contents.contains("e\(number)"), label)
            case .unknown:
                break
            }
        }
        let outcome = try await ledger.append(AppendRequest(contents: "after", author: alice))
        #expect(outcome.isCommitted, label)
        try await expectReceipt(ledger, outcome.transactionID, contents: "after")
        await ledger.close()
    }

    @Test(arguments: FaultyDisk.Mode.allCases) func everyStep(_ mode: FaultyDisk.Mode) async throws {
        let sound = FaultyDisk(failingStep: .max, mode: mode)
        let home = TemporaryDirectory()
        let told = try await live(home, sound)
        try await checkAfterwards(home, told, "no fault")
        #expect(told.count == Self.entryCount)
        let steps = sound.stepCount
        #expect(steps > 60)
        var operations: [String: Int] = [:]
        for step in 0..<steps {
            let directory = TemporaryDirectory()
            let disk = FaultyDisk(failingStep: step, mode: mode)
            let told: [Told]
            do {
                told = try await live(directory, disk)
            } catch {
                told = []  // The directory could not even be opened; nothing was acknowledged.
            }
            if let failed = disk.failed { operations[failed, default: 0] += 1 }
            try await checkAfterwards(directory, told, "step \(step), \(disk.failed ?? "-"), \(mode.rawValue)")
        }
        #expect(Set(operations.keys) == ["open", "write", "sync", "truncate", "rename", "syncDirectory"])
    }

    @Test func aFullDiskRefusesAndRecoversWithoutARestart() async throws {
        // Counted on a sound run: the steps of the first append follow those of the creation.
        let home = TemporaryDirectory()
        let sound = FaultyDisk(failingStep: .max, mode: .lost)
        let probe = try await Ledger.open(small(home), disk: sound, logger: quiet)
        let steps = sound.stepCount
        await probe.close()
        var sawFullDisk = false
        for step in steps..<steps + 6 {
            let directory = TemporaryDirectory()
            let disk = FaultyDisk(failingStep: step, mode: .lost, code: ENOSPC)
            let ledger = try await Ledger.open(small(directory), disk: disk, logger: quiet)
            var refused: [LedgerError] = []
            var accepted: [TransactionID] = []
            for number in 0..<3 {
                do {
                    accepted.append(
                        try await ledger.append(AppendRequest(contents: "e\(number)", author: alice)).transactionID)
                    #expect(ledger.information.acceptsWrites)
                } catch let error as LedgerError {
                    refused.append(error)
                    if error.code == .notWritable {
                        #expect(ledger.information.writeTrouble == error.reason)
                        #expect(!ledger.information.acceptsWrites)
                    }
                }
            }
            if disk.failed == "write" {
                // Taken back, said so, and the next write goes through in a new view.
                #expect(refused.map(\.code) == [.notWritable])
                #expect(refused.first?.reason.contains("the disk is full") == true)
                #expect(accepted.count == 2)
                sawFullDisk = true
            }
            await ledger.close()
            withExtendedLifetime(directory) {}
        }
        #expect(sawFullDisk)
        withExtendedLifetime(home) {}
    }

    /// A limit on the size of files does not go away because another file can be written.
    @Test func aFileSizeLimitIsNoFullDisk() {
        let error = DiskError(operation: "write", path: "/home/x/ledger/ledger_6", code: EFBIG)
        #expect(!error.isDiskFull && DiskError(operation: "write", path: "x", code: ENOSPC).isDiskFull)
        #expect("\(error)".contains("/home/x") && error.told.hasPrefix("write ledger_6: "))
    }

    @Test func roomOnTheDiskIsNoticedWithoutAWrite() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        ledger.parts.inbox.writeTrouble = WriteTrouble(reason: "a broken disk", isDiskFull: false)
        ledger.parts.lookForRoom()
        #expect(ledger.information.writeTrouble == "a broken disk")
        ledger.parts.inbox.writeTrouble = WriteTrouble(reason: "no room", isDiskFull: true)
        ledger.parts.lookForRoom()
        #expect(ledger.information.writeTrouble == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.data() + "/scratch") == [])
        await ledger.close()
    }

    @Test func readsGoOnWhenTheIndexCannotBeWritten() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        var ids: [TransactionID] = []
        func append() async throws {
            // Names that need pages of their own.
            let collection = "\(ids.count)" + String(repeating: "c", count: 1_000)
            ids.append(
                try await ledger.append(AppendRequest(contents: "e", collectionID: collection, author: alice))
                    .transactionID)
        }
        for _ in 0..<5 { try await append() }
        let collections = try await ledger.collections(after: nil, limit: 100).count
        let index = ledger.parts.indexer.entries
        try index.limit(toPages: 1)
        let known = ids[4]
        for _ in 0..<30 { try await append() }
        await #expect(throws: LedgerError(.indexUnavailable, "")) {
            try await ledger.collections(after: nil, limit: 100)
        }
        await #expect(throws: LedgerError(.indexUnavailable, "")) { try await ledger.receipt(for: #require(ids.last)) }
        for id in ids { #expect(try await ledger.entry(id, collectionID: nil)?.contents == "e") }
        _ = try await ledger.receipt(for: known)
        var query = EntryQuery()
        query.to = known.seqno
        query.collectionID = "4" + String(repeating: "c", count: 1_000)
        #expect(try await ledger.entries(query).entries.map(\.transactionID) == [known])
        #expect(ledger.information.readTrouble?.contains("index ends at") == true)
        #expect(ledger.information.acceptsWrites)
        try index.limit(toPages: 1_000_000)
        #expect(try await ledger.collections(after: nil, limit: 100).count == collections + 30)
        #expect(ledger.information.readTrouble == nil)
        await ledger.close()
    }

    @Test func afterAFailedSyncNothingIsAcceptedUntilARestart() async throws {
        let directory = TemporaryDirectory()
        let sound = FaultyDisk(failingStep: .max, mode: .lost)
        let home = TemporaryDirectory()
        let probe = try await Ledger.open(configuration(home), disk: sound, logger: quiet)
        _ = try await probe.append(AppendRequest(contents: "x", author: alice))
        let before = sound.stepCount
        _ = try await probe.append(AppendRequest(contents: "y", author: alice))
        #expect(sound.stepCount == before + 2)  // write, sync
        await probe.close()
        withExtendedLifetime(home) {}

        let disk = FaultyDisk(failingStep: before + 1, mode: .performedButReportedLost)
        var ledger = try await Ledger.open(configuration(directory), disk: disk, logger: quiet)
        _ = try await ledger.append(AppendRequest(contents: "x", author: alice))
        await #expect(throws: LedgerError(.outcomeUnknown, "")) {
            try await ledger.append(AppendRequest(contents: "y", author: alice))
        }
        await #expect(throws: LedgerError(.notWritable, "")) {
            try await ledger.append(AppendRequest(contents: "z", author: alice))
        }
        #expect(ledger.information.writeRefusal != nil)
        await ledger.close()
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let found = try await ledger.entries(EntryQuery()).entries.map(\.contents)
        #expect(found == ["x", "y"])
        await ledger.close()
    }
}
