import Foundation
import LedgerProofs
import Testing

@testable import LedgerNode

@Suite struct RecoveryTests {
    /// Small chunks and frequent snapshots, so that every path is taken within a few entries.
    private func small(_ directory: TemporaryDirectory) -> NodeConfiguration {
        configuration(directory, type: .private) {
            $0.chunkByteCount = 20_000
            $0.snapshotInterval = 30
        }
    }

    private func fill(_ ledger: Ledger, _ count: Int, from first: Int = 0) async throws -> [TransactionID] {
        var ids: [TransactionID] = []
        for number in first..<first + count {
            ids.append(try await ledger.append(AppendRequest(contents: "e\(number)", author: alice)).transactionID)
        }
        return ids
    }

    private func check(_ ledger: Ledger, _ ids: [TransactionID]) async throws {
        for (number, id) in ids.enumerated() {
            #expect(try await ledger.entry(id, collectionID: nil)?.contents == "e\(number)")
            try await expectReceipt(ledger, id, contents: "e\(number)")
        }
        var query = EntryQuery()
        query.limit = 1_000
        let page = try await ledger.entries(query)
        #expect(page.entries.map(\.transactionID) == ids)
    }

    @Test func chunksAndSnapshotsRollOverAndRestartUsesThem() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 120)
        await ledger.close()
        #expect(ledger.committedChunks().count > 3)
        #expect(!ledger.committedSnapshots().isEmpty)
        ledger = try await Ledger.open(small(directory), logger: quiet)
        try await check(ledger, ids)
        await ledger.close()
    }

    @Test func aMissingIndexIsRebuilt() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        await ledger.close()
        try FileManager.default.removeItem(atPath: directory.data() + "/index")
        ledger = try await Ledger.open(small(directory), logger: quiet)
        try await check(ledger, ids)
        await ledger.close()
    }

    @Test func aDamagedMerkleFileIsRebuilt() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        _ = try await ledger.receipt(for: ids[0])
        // The root of leaves 0 to 7 is on the path of many proofs. Changed between two runs: what a running node has
        // read it may keep in memory.
        await ledger.close()
        let level = try #require(FileHandle(forUpdatingAtPath: directory.data() + "/index/merkle/level-03"))
        let byte = try #require(try level.read(upToCount: 1)?.first)
        try level.seek(toOffset: 0)
        try level.write(contentsOf: [byte ^ 1])
        try level.close()
        ledger = try await Ledger.open(small(directory), logger: quiet)
        // Found when a proof passes through it, never handed out; the next start rebuilds.
        await #expect(throws: LedgerError.self) { for id in ids { _ = try await ledger.receipt(for: id) } }
        await ledger.close()
        ledger = try await Ledger.open(small(directory), logger: quiet)
        try await check(ledger, ids)
        await ledger.close()
    }

    private func openChunk(_ directory: TemporaryDirectory) throws -> String {
        let ledger = directory.data() + "/ledger"
        let names = try FileManager.default.contentsOfDirectory(atPath: ledger)
        return ledger + "/" + (try #require(names.first { !$0.contains("-") }))
    }

    @Test(arguments: [1, 7, 8, 100, 300]) func anUncommittedTailIsSetAside(_ count: Int) async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let ids = try await fill(ledger, 5)
        await ledger.close()
        let chunk = try openChunk(directory)
        let before = try Data(contentsOf: URL(fileURLWithPath: chunk))
        // A torn batch: the beginning of a real entry.
        let torn = before[8..<min(before.count, 8 + count)]
        try (before + torn).write(to: URL(fileURLWithPath: chunk))
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        #expect(ledger.information.startupNotes.count == 1)
        try await check(ledger, ids)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.data() + "/set-aside").count == 1)
        await ledger.close()
    }

    @Test func aCutCommittedTailIsRefused() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        _ = try await fill(ledger, 5)
        await ledger.close()
        let chunk = try openChunk(directory)
        let before = try Data(contentsOf: URL(fileURLWithPath: chunk))
        try before.dropLast(10).write(to: URL(fileURLWithPath: chunk))
        await #expect(throws: LedgerError.self) { try await Ledger.open(configuration(directory), logger: quiet) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: chunk)).count == before.count - 10)
    }

    @Test func aChangedCommittedEntryIsRefusedEvenWithoutTheIndex() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        _ = try await fill(ledger, 8)
        await ledger.close()
        try FileManager.default.removeItem(atPath: directory.data() + "/index")
        let chunk = try openChunk(directory)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: chunk))
        bytes[100] ^= 1
        try bytes.write(to: URL(fileURLWithPath: chunk))
        await #expect(throws: LedgerError.self) { try await Ledger.open(configuration(directory), logger: quiet) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: chunk)) == bytes)
    }

    @Test func anotherTypeAndAWrongSealingKeyAreRefused() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory, type: .public), logger: quiet)
        await ledger.close()
        await #expect(throws: LedgerError.self) {
            try await Ledger.open(configuration(directory, type: .private), logger: quiet)
        }
        await #expect(throws: LedgerError.self) {
            try await Ledger.open(
                configuration(directory) { $0.sealing = .key([UInt8](repeating: 7, count: 32)) }, logger: quiet)
        }
    }
}
