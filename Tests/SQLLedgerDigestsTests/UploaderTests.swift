import Foundation
import LedgerProofs
import Logging
import SQLLedger
import SQLLedgerDigests
import ServiceLifecycle
import Testing

@Suite struct UploaderTests {
    private static var eager: DigestUploadPolicy {
        var policy = DigestUploadPolicy()
        policy.interval = .milliseconds(20)
        policy.firstPause = .milliseconds(20)
        policy.longestPause = .milliseconds(100)
        return policy
    }

    private static func until(_ what: String, _ check: () async throws -> Bool) async throws {
        for _ in 0..<400 {
            if try await check() { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("not within 10 s: \(what)")
    }

    @Test(arguments: StorePlace.Kind.allCases) func everyBlockArrivesAndIsRecorded(_ kind: StorePlace.Kind) async throws
    {
        try await StorePlace.with(kind) { place in
            let source = MemorySource()
            try await place.use { store async throws in
                let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await uploader.uploadOnce().map(\.blocksBehind) == [0])
                for newest in [3, 4, 9] as [UInt64] {
                    await source.close(upTo: newest)
                    let status = try #require(try await uploader.uploadOnce().first)
                    #expect(status.lastStoredBlock == BlockID(newest) && status.blocksBehind == 0)
                    #expect(status.startBlock == BlockID(3) && status.behindSince == nil)
                    #expect(await source.locations == [DigestLocation(path: store.url, lastBlock: BlockID(newest))])
                }
                let stored = try await store.digests(for: source.ledger).map(\.digest.block.rawValue)
                #expect(stored == Array(3...9), "the first is the newest of then; after it none is left out")
            }
            // Another process goes on where this one stopped.
            await source.close(upTo: 11)
            try await place.use { store async throws in
                _ = try await DigestUploader(source: source, stores: [store], policy: Self.eager).uploadOnce()
                #expect(try await store.digests(for: source.ledger).map(\.digest.block.rawValue) == Array(3...11))
            }
        }
    }

    /// Killed between the append and the note in the database: the digest is there, with another time.
    @Test(arguments: StorePlace.Kind.allCases) func aLostNoteIsNoConflict(_ kind: StorePlace.Kind) async throws {
        try await StorePlace.with(kind) { place in
            let source = MemorySource()
            await source.close(upTo: 2)
            try await source.record(DigestLocation(path: try place.open().url, lastBlock: BlockID(1)))
            try await place.use { store async throws in
                for block in 1...2 { try await store.append(try await source.digest(of: BlockID(UInt64(block)))) }
                let status = try await DigestUploader(source: source, stores: [store], policy: Self.eager).uploadOnce()
                #expect(status.first?.lastStoredBlock == BlockID(2) && status.first?.isHalted == false)
                #expect(await source.locations.first?.lastBlock == BlockID(2))
                #expect(try await store.digests(for: source.ledger).count == 2)
            }
        }
    }

    /// The store holds another hash for a block that this database has: nothing more is sent, and the status says why.
    @Test(arguments: StorePlace.Kind.allCases) func anotherHistoryHalts(_ kind: StorePlace.Kind) async throws {
        try await StorePlace.with(kind) { place in
            let source = MemorySource()
            await source.close(upTo: 5)
            try await place.use { store async throws in
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(3)))
                try await store.append(try await source.digest(of: BlockID(3)))
                try await store.append(try TestDigests.make(source.ledger, block: 4, hash: 99))
                let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
                for _ in 0..<2 {
                    let status = try #require(try await uploader.uploadOnce().first)
                    #expect(status.isHalted && status.blocksBehind == 2 && status.behindSince != nil)
                    #expect(status.lastFailure?.contains("one of them was rewritten") == true)
                    #expect(status.summary.contains("halted"))
                }
                #expect(try await store.digests(for: source.ledger).count == 2)
                #expect(await source.locations.first?.lastBlock == BlockID(3))
            }
        }
    }

    /// The store has blocks that the database has not: said until the database has them, and noted in it.
    @Test(arguments: StorePlace.Kind.allCases) func anOlderCopyHalts(_ kind: StorePlace.Kind) async throws {
        try await StorePlace.with(kind) { place in
            let source = MemorySource()
            await source.close(upTo: 5)
            try await place.use { store async throws in
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(3)))
                let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await uploader.uploadOnce().first?.lastStoredBlock == BlockID(5))
                await source.close(upTo: 4)
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(4)))
                for _ in 0..<2 {
                    let status = try #require(try await uploader.uploadOnce().first)
                    #expect(status.isHalted && status.lastStoredBlock == BlockID(5))
                    #expect(status.summary.contains("an older copy of the database was restored"))
                }
                #expect(await source.locations.first?.lastBlock == BlockID(5))
                let written = await source.recordCount
                _ = try await uploader.uploadOnce()
                #expect(await source.recordCount == written, "once")
                let next = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await next.uploadOnce().first?.isHalted == true)
                await source.close(upTo: 6)
                #expect(try await uploader.uploadOnce().first?.summary.contains("up to date") == true)
                #expect(try await store.digests(for: source.ledger).count == 4)
            }
        }
    }

    /// A note is believed when the store has been asked: one that was emptied, or never written, gets its digests again, and
    /// an older copy with its older notes halts.
    @Test(arguments: StorePlace.Kind.allCases) func aNoteIsAskedFor(_ kind: StorePlace.Kind) async throws {
        try await StorePlace.with(kind) { place in
            let source = MemorySource()
            await source.close(upTo: 5)
            try await place.use { store async throws in
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(5)))
                let status = try #require(
                    try await DigestUploader(source: source, stores: [store], policy: Self.eager).uploadOnce().first)
                #expect(status.blocksBehind == 0 && status.loss?.contains("block 5") == true)
                #expect(try await store.digests(for: source.ledger).map(\.digest.block) == [BlockID(5)])
                await source.close(upTo: 4)
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(4)))
                let older = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await older.uploadOnce().first?.summary.contains("an older copy") == true)
            }
        }
    }

    /// A note that says more than there is: the store is right.
    @Test(arguments: StorePlace.Kind.allCases) func aNoteAheadIsPutRight(_ kind: StorePlace.Kind) async throws {
        try await StorePlace.with(kind) { place in
            let source = MemorySource()
            await source.close(upTo: 5)
            try await place.use { store async throws in
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(900)))
                let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await uploader.uploadOnce().first?.summary.contains("up to date") == true)
                #expect(await source.locations.first?.lastBlock == BlockID(5))
                #expect(try await store.digests(for: source.ledger).map(\.digest.block) == [BlockID(5)])
            }
        }
    }

    /// It would stay in the store for good, and every verification would find the store damaged.
    @Test(arguments: StorePlace.Kind.allCases) func aDigestThatCannotBeReadIsNotStored(_ kind: StorePlace.Kind)
        async throws
    {
        try await StorePlace.with(kind) { place in
            try await place.use { store async throws in
                let ledger = LedgerID.random()
                try await store.append(try TestDigests.make(ledger, block: 1 << 53 - 2))
                let blocks: [UInt64] = [1 << 53 - 1, 1 << 53, UInt64(Int64.max), .max]
                for block in blocks {
                    let digest = try TestDigests.make(ledger, block: block, hash: 1)
                    await #expect(throws: DigestStoreError.self, "\(block)") { try await store.append(digest) }
                }
                let long = try TestDigests.make(ledger, block: 3, database: String(repeating: "x", count: 1 << 16))
                await #expect(throws: DigestStoreError.self) { try await store.append(long) }
                let listing = try await store.listing(for: ledger)
                #expect(listing.digests.count == 1 && listing.problems.isEmpty)
            }
        }
    }

    @Test func aStoreThatIsAwayFallsBehindVisiblyAndHoldsUpNobody() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            let good = DirectoryDigestStore(path: root)
            let away = DirectoryDigestStore(path: root + "/mounted-later")
            for store in [good, away] {
                try await source.record(DigestLocation(path: store.url, lastBlock: BlockID(0)))
            }
            await source.close(upTo: 6)
            let uploader = DigestUploader(source: source, stores: [away, good], policy: Self.eager)
            try await withThrowingTaskGroup(of: Void.self) { group async throws in
                group.addTask { try await uploader.run() }
                try await Self.until("the good store is up to date") {
                    try await good.digests(for: source.ledger).count == 7
                }
                try await Self.until("failures are counted") { (await uploader.statuses())[0].failureCount > 2 }
                let status = (await uploader.statuses())[0]
                #expect(status.blocksBehind == 6 && status.behindSince != nil && !status.isHalted)
                #expect(status.summary.contains("6 blocks behind") && status.summary.contains("mounted-later"))
                try FileManager.default.createDirectory(
                    atPath: root + "/mounted-later", withIntermediateDirectories: false)
                try await Self.until("the other store has caught up") {
                    try await away.digests(for: source.ledger).map(\.digest.block.rawValue) == Array(0...6)
                }
                try await Self.until("the status says so") {
                    let status = (await uploader.statuses())[0]
                    return status.blocksBehind == 0 && status.failureCount == 0 && status.lastFailure == nil
                }
                group.cancelAll()
            }
        }
    }

    /// A service that is stopped in between and comes back on the same port.
    @Test func aServiceThatComesBackGetsWhatItMissed() async throws {
        try await TemporaryDirectory.with { directory in
            let administrator = try LedgerFixture.clientCertificate()
            let source = MemorySource()
            await source.close(upTo: 1)
            let made = StoreBox()
            try await LedgerFixture.run(directory: directory, administratorPEM: administrator) { ledger async throws in
                let store = try DigestStoreURL("\(ledger.endpoint)?collection=x").open(ledger.options)
                let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await uploader.uploadOnce().first?.lastStoredBlock == BlockID(1))
                await made.set(store, uploader, port: try #require(URL(string: ledger.endpoint)?.port))
            }
            let (store, uploader, port) = try #require(await made.value)
            await source.close(upTo: 4)
            let status = try #require(try await uploader.uploadOnce().first)
            #expect(status.blocksBehind == 3 && status.failureCount == 1 && status.lastFailure != nil)
            try await LedgerFixture.run(directory: directory, administratorPEM: administrator, port: port) {
                _ async throws in
                try await Self.until("it has caught up") { try await uploader.uploadOnce().first?.blocksBehind == 0 }
                let stored = try await store.digests(for: source.ledger)
                #expect(stored.map(\.digest.block.rawValue) == Array(1...4))
            }
            await store.close()
        }
    }

    /// A restored backup of the service, and a directory that was emptied: seen in the next round, also when it is the last.
    @Test func whatAStoreLosesIsUploadedAgain() async throws {
        try await TemporaryDirectory.with { directory in
            let administrator = try LedgerFixture.clientCertificate()
            let source = MemorySource()
            await source.close(upTo: 1)
            let (data, kept) = (directory + "/data", directory + "/kept")
            let made = StoreBox()
            try await LedgerFixture.run(directory: directory, administratorPEM: administrator) { ledger async throws in
                let store = try DigestStoreURL("\(ledger.endpoint)?collection=x").open(ledger.options)
                let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
                #expect(try await uploader.uploadOnce().first?.lastStoredBlock == BlockID(1))
                await made.set(store, uploader, port: try #require(URL(string: ledger.endpoint)?.port))
            }
            let (store, uploader, port) = try #require(await made.value)
            try FileManager.default.copyItem(atPath: data, toPath: kept)
            for isLast in [false, true] {
                try await LedgerFixture.run(directory: directory, administratorPEM: administrator, port: port) {
                    _ async throws in
                    await source.close(upTo: 5)
                    try await Self.until("it has caught up") {
                        try await uploader.uploadOnce().first.map { $0.blocksBehind == 0 && $0.lastFailure == nil }
                            ?? false
                    }
                }
                try FileManager.default.removeItem(atPath: data)
                try FileManager.default.copyItem(atPath: kept, toPath: data)
                try await LedgerFixture.run(directory: directory, administratorPEM: administrator, port: port) {
                    _ async throws in
                    let statuses =
                        isLast ? await uploader.finish(within: .seconds(30)) : try await uploader.uploadOnce()
                    #expect(statuses.first?.loss?.contains("block 5 was uploaded") == true)
                    #expect(statuses.first?.blocksBehind == 0 && statuses.first?.lastFailure == nil)
                    #expect(try await store.digests(for: source.ledger).map(\.digest.block.rawValue) == [1, 5])
                    // What the service numbers lower than what it had is read as well.
                    let digest = try await source.digest(of: BlockID(5))
                    let error = await #expect(throws: DigestStoreError.self) { try await store.append(digest) }
                    #expect(error?.code == .conflict)
                }
            }
            await store.close()
        }
    }

    @Test func aDirectoryThatIsEmptiedIsFilledAgain() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 2)
            let store = DirectoryDigestStore(path: root)
            let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
            _ = try await uploader.uploadOnce()
            for isLast in [false, true] {
                try FileManager.default.removeItem(atPath: "\(root)/\(await source.ledger.hex)")
                let status = isLast ? await uploader.finish(within: .seconds(5)) : try await uploader.uploadOnce()
                #expect(status.first?.loss?.contains("block 2 was uploaded") == true && status.first?.blocksBehind == 0)
                #expect(try await store.digests(for: source.ledger).map(\.digest.block) == [BlockID(2)])
            }
        }
    }

    private actor StoreBox {
        var value: (any DigestArchive, DigestUploader, Int)?
        func set(_ store: any DigestArchive, _ uploader: DigestUploader, port: Int) { value = (store, uploader, port) }
    }

    @Test func aPlaceThatIsNoLongerUsedIsMarked() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 0)
            try await source.record(DigestLocation(path: "file:///old", lastBlock: BlockID(0)))
            let store = DirectoryDigestStore(path: root)
            let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
            let statuses = try await uploader.uploadOnce()
            #expect(statuses.map(\.url) == [store.url, "file:///old"])
            #expect(statuses.map(\.isCurrent) == [true, false])
            #expect(await source.locations.first { $0.path == "file:///old" }?.isCurrent == false)
            #expect(statuses[1].summary.contains("no longer used"))
        }
    }

    @Test func aLockedDatabaseIsTriedAgain() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 0)
            await source.lock(true)
            let store = DirectoryDigestStore(path: root)
            let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
            #expect(try await uploader.uploadOnce().first?.lastFailure?.contains("database") == true)
            await source.lock(false)
            #expect(try await uploader.uploadOnce().first?.lastFailure == nil)
            #expect(try await store.digests(for: source.ledger).count == 1)
        }
    }

    /// One store never answers, and does not even notice that it is cancelled.
    @Test func aStoreThatHangsHoldsUpNobodyAndNotTheEnd() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 0)
            let hanging = HangingStore()
            let good = DirectoryDigestStore(path: root)
            let uploader = DigestUploader(source: source, stores: [hanging, good], policy: Self.eager)
            for newest in 0...2 as ClosedRange<UInt64> {
                await source.close(upTo: newest)
                try await Self.until("block \(newest) is at the store that answers") {
                    await uploader.begin { _ in }
                    return (await uploader.current())[1].lastStoredBlock == BlockID(newest)
                }
            }
            let waiting = (await uploader.current())[0]
            #expect(waiting.waitingSince != nil && waiting.summary.contains("no answer since"))
            await source.close(upTo: 3)
            let begun = ContinuousClock.now
            let statuses = await uploader.finish(within: .milliseconds(200))
            #expect(ContinuousClock.now - begun < .seconds(5))
            #expect(statuses[0].newestBlock == BlockID(3) && statuses[0].blocksBehind == 1)
            #expect(statuses[1].lastStoredBlock == BlockID(3) && statuses[1].blocksBehind == 0)
            await hanging.release()
        }
    }

    @Test func theLastRoundWaitsForNoPause() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 0)
            let store = DirectoryDigestStore(path: root + "/later")
            var policy = DigestUploadPolicy()
            policy.firstPause = .seconds(3600)
            let uploader = DigestUploader(source: source, stores: [store], policy: policy)
            #expect(await uploader.finish(within: .seconds(5))[0].failureCount == 1, "what is behind is told")
            #expect(try await uploader.uploadOnce()[0].failureCount == 1, "a pause is kept")
            try FileManager.default.createDirectory(atPath: root + "/later", withIntermediateDirectories: false)
            #expect(try await uploader.uploadOnce()[0].blocksBehind == 1, "a pause is kept")
            #expect(await uploader.finish(within: .seconds(5))[0].blocksBehind == 0)
        }
    }

    @Test func anotherLedgerBeginsAnew() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 3)
            let store = DirectoryDigestStore(path: root)
            let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
            _ = try await uploader.uploadOnce()
            await source.replace()
            await source.close(upTo: 3)
            try await source.record(DigestLocation(path: "file:///old"))
            let status = try await uploader.uploadOnce()[0]
            #expect(status.lastStoredBlock == BlockID(3) && status.blocksBehind == 0)
            #expect(try await store.digests(for: source.ledger).map(\.digest.block) == [BlockID(3)])
            #expect(await source.locations.map(\.isCurrent) == [false, true], "its other places are former ones, too")
        }
    }

    /// Closes and uploads while it runs, and what is left when it is to stop.
    @Test func aServiceLeavesNothingBehind() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            let store = DirectoryDigestStore(path: root)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            func stored() async throws -> [UInt64] {
                try await store.digests(for: source.ledger).map(\.digest.block.rawValue)
            }
            for interval in [Duration.milliseconds(20), .seconds(600)] {
                let before = try await stored()
                await source.open(3)
                let service = DigestService(source: source, stores: [store], interval: interval, logger: logger)
                let group = ServiceGroup(services: [service], logger: logger)
                try await withThrowingTaskGroup(of: Void.self) { tasks async throws in
                    tasks.addTask { try await group.run() }
                    try await Self.until("the first round is over") { try await stored().count > before.count }
                    await source.open(2)
                    await group.triggerGracefulShutdown()
                    try await tasks.waitForAll()
                }
                #expect(await source.openCount == 0)
                #expect(try await stored().last == (try await source.newestBlock()?.rawValue))
                #expect(await service.statuses().map(\.blocksBehind) == [0])
            }
            #expect(try await stored() == Array(2...9), "from the first one on none is left out")
        }
    }

    @Test func aCancelledServiceEndsAtOnceAndSaysNothing() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            let log = TestLog()
            let service = DigestService(
                source: source, stores: [DirectoryDigestStore(path: root)], interval: .seconds(600), logger: log.logger)
            let task = Task { try await service.run() }
            try await Self.until("the first round is over") { await source.closeCount > 0 }
            await source.open(1)
            task.cancel()
            try await task.value
            #expect(await source.openCount == 1, "no round after the cancellation")
            #expect(log.lines == [])
        }
    }

    /// A store that proves nothing of a digest that it has takes no other one in its place.
    @Test func aDigestWithoutAProofHoldsUpNoLaterOne() async throws {
        let source = MemorySource()
        let store = UnprovingStore()
        await source.close(upTo: 0)
        let uploader = DigestUploader(source: source, stores: [store], policy: Self.eager)
        _ = try await uploader.uploadOnce()
        await store.unprove(BlockID(0))
        for newest in 1...3 as ClosedRange<UInt64> {
            await source.close(upTo: newest)
            let status = try await uploader.uploadOnce().first
            #expect(status?.lastStoredBlock == BlockID(newest) && status?.failureCount == 0)
        }
        #expect(await store.stored.map(\.block.rawValue) == [0, 1, 2, 3], "and none twice")
    }

    private actor UnprovingStore: DigestArchive {
        nonisolated let url = "https://ledger.example?collection=digests"
        private(set) var stored: [LedgerDigest] = []
        private var unproved: Set<BlockID> = []

        func unprove(_ block: BlockID) { unproved.insert(block) }

        func append(_ digest: LedgerDigest) throws {
            guard !stored.contains(where: { $0.block == digest.block }) else {
                throw DigestStoreError(.conflict, "block \(digest.block) is there")
            }
            stored.append(digest)
        }

        func digests(for ledger: LedgerID, block: BlockID) -> [StoredDigest] {
            stored.filter { $0.block == block }.map {
                StoredDigest(
                    digest: $0, origin: url, receipt: unproved.contains(block) ? .invalid(reasons: ["none"]) : .none)
            }
        }

        func listing(for ledger: LedgerID, from first: BlockID) -> DigestListing { DigestListing() }
    }

    /// Each marks the other's store as a former one at its start, and its own as current again.
    @Test func uploadersWithOtherStoresLeaveEachOtherAlone() async throws {
        try await TemporaryDirectory.with { root async throws in
            let source = MemorySource()
            await source.close(upTo: 0)
            let uploaders = try ["x", "y"].map { name in
                let path = "\(root)/\(name)"
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
                return DigestUploader(source: source, stores: [DirectoryDigestStore(path: path)], policy: Self.eager)
            }
            for uploader in uploaders { _ = try await uploader.uploadOnce() }
            for newest in 1...3 as ClosedRange<UInt64> {
                await source.close(upTo: newest)
                for uploader in uploaders {
                    _ = try await uploader.uploadOnce()
                    if newest > 1 { #expect(await source.locations.map(\.isCurrent) == [true, true]) }
                }
            }
            let count = await source.recordCount
            for uploader in uploaders { _ = try await uploader.uploadOnce() }
            #expect(await source.recordCount == count, "nothing is written when nothing changed")
        }
    }

    /// Answers to nothing until it is released.
    private actor HangingStore: DigestArchive {
        nonisolated let url = "https://hangs"
        private var waiting: [CheckedContinuation<Void, Never>] = []
        private var isReleased = false

        func append(_ digest: LedgerDigest) async throws { await hang() }

        func listing(for ledger: LedgerID, from first: BlockID) async throws -> DigestListing {
            await hang()
            return DigestListing()
        }

        func digests(for ledger: LedgerID, block: BlockID) async throws -> [StoredDigest] {
            await hang()
            return []
        }

        func release() {
            isReleased = true
            for one in waiting { one.resume() }
            waiting = []
        }

        private func hang() async {
            guard !isReleased else { return }
            await withCheckedContinuation { waiting.append($0) }
        }
    }
}
