import Foundation
import LedgerFormat
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

    @Test func theNodeCertificateIsRenewedWhenItEndsSoonOrHasNotBegun() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(small(directory), logger: quiet)
        func beginning() throws -> Date {
            try CertificateMaker.facts(pem: ledger.parts.nodeCertificate()).notBefore
        }
        let now = Date()
        let first = try beginning()
        try await ledger.renewNodeCertificateIfDue(now: now)
        #expect(try beginning() == first)
        // The clock is a year ahead, the certificate is renewed, the clock is put right.
        let ahead = now.addingTimeInterval(360 * 86_400)
        try await ledger.renewNodeCertificateIfDue(now: ahead)
        #expect(try beginning() > now)
        try await ledger.renewNodeCertificateIfDue(now: now)
        #expect(try beginning() <= now)
        await ledger.close()
    }

    @Test func repeatedRequestsAreRecognisedFromBeforeTheSnapshot() async throws {
        let directory = TemporaryDirectory()
        func request(_ number: Int) -> AppendRequest {
            AppendRequest(contents: "e\(number)", author: alice, requestID: "r\(number)")
        }
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        var ids: [TransactionID] = []
        for number in 0..<70 { ids.append(try await ledger.append(request(number)).transactionID) }
        await ledger.close()
        #expect(!ledger.committedSnapshots().isEmpty)
        for _ in 0..<2 {
            ledger = try await Ledger.open(small(directory), logger: quiet)
            for (number, id) in ids.enumerated() {
                let again = try await ledger.append(request(number))
                #expect(again.transactionID == id)
            }
            await ledger.close()
        }
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

    /// Changes one bit of every `step`th node of a level, in the file and in what the running node keeps of it.
    private func flip(_ ledger: Ledger, level: Int, every step: Int = 1) throws {
        let merkle = ledger.parts.indexer.merkle
        for index in stride(from: 0, to: merkle.size.rawValue >> UInt64(level), by: step) {
            var bytes = try merkle.node(level, index).withUnsafeBytes { Array($0) }
            bytes[Int(index % 32)] ^= 1 << (index % 8)
            try merkle.overwrite(level, index, #require(Digest32(bytes)))
        }
    }

    /// Changes one bit of every `step`th node of a level file of a stopped node.
    private func flip(_ directory: TemporaryDirectory, level: Int, every step: Int = 1) throws {
        let path = directory.data() + "/index/merkle/level-0\(level)"
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        defer { try? file.close() }
        var bytes = try #require(try file.readToEnd())
        for node in stride(from: 0, to: bytes.count / 32, by: step) { bytes[node * 32 + node % 32] ^= 1 << (node % 8) }
        try file.seek(toOffset: 0)
        try file.write(contentsOf: bytes)
    }

    private func levelFiles(_ directory: TemporaryDirectory) throws -> [String: Data] {
        let merkle = URL(fileURLWithPath: directory.data() + "/index/merkle")
        return try FileManager.default.contentsOfDirectory(atPath: merkle.path).reduce(into: [:]) {
            guard $1.hasPrefix("level-") else { return }
            $0[$1] = try Data(contentsOf: merkle.appendingPathComponent($1))
        }
    }

    @Test func damagedMerkleFilesOfARunningNodeAreRepaired() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        for id in ids { _ = try await ledger.receipt(for: id) }
        let intact = try levelFiles(directory)
        let levels = intact.count
        #expect(levels >= 6)
        for level in 0..<levels {
            for step in [1, 3] {
                try flip(ledger, level: level, every: step)
                try await check(ledger, ids)
            }
        }
        for level in 0..<levels { try flip(ledger, level: level) }
        try await check(ledger, ids)
        // The files were put right: at least the leaf of every transaction that was asked for.
        let repaired = try levelFiles(directory)
        let leaves = try (#require(intact["level-00"]), #require(repaired["level-00"]))
        for id in ids {
            let place = Int(id.seqno.rawValue) * 32..<Int(id.seqno.rawValue + 1) * 32
            #expect(leaves.0[place] == leaves.1[place])
        }
        // What the receipts repaired stays repaired: no proof reads anything but right nodes now.
        try await check(ledger, ids)
        #expect(try levelFiles(directory) == repaired)
        #expect(!FileManager.default.fileExists(atPath: directory.data() + "/index/stale"))
        // Later entries are not built on damaged nodes.
        try await check(ledger, ids + fill(ledger, 20, from: 60))
        await ledger.close()
    }

    @Test func damagedMerkleFilesOfAStoppedNodeAreRepaired() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        await ledger.close()
        let levels = try levelFiles(directory).count
        for level in 0..<levels {
            // Two nodes of each level at a time, which a start compares with nothing in most levels.
            try flip(directory, level: level, every: max(2, 32 >> level))
            ledger = try await Ledger.open(small(directory), logger: quiet)
            try await check(ledger, ids)
            await ledger.close()
        }
    }

    @Test func aDamagedIndexOfSignaturesIsNotBelieved() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        await ledger.close()
        let path = directory.data() + "/index/merkle/signatures"
        let intact = try Data(contentsOf: URL(fileURLWithPath: path))
        // Numbers too large for anything, too large, and too small, at the front, in the middle and at the end.
        for place in [2, intact.count / 16, intact.count / 8 - 1] {
            for (byte, value) in [(7, UInt8(0xFF)), (7, 2), (1, 1), (0, 0)] {
                var damaged = try Data(contentsOf: URL(fileURLWithPath: path))
                damaged[place * 8 + byte] = value
                try damaged.write(to: URL(fileURLWithPath: path))
                ledger = try await Ledger.open(small(directory), logger: quiet)
                try await check(ledger, ids)
                for id in ids.prefix(55) { _ = try await ledger.coseReceipt(for: id) }
                await ledger.close()
            }
        }
    }

    @Test func aLedgerThatCannotBeReadIsNotCalledDamaged() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(small(directory), logger: quiet)
        let id = try #require(try await fill(ledger, 60).last)
        let known = ledger.parts.catalog
        var tree = MerkleFrontier()
        tree.append(.zero)
        for seqno in 1..<id.seqno.rawValue {
            tree.append(try Entry(decoding: known.entryBytes(SequenceNumber(seqno))).leaf())
        }
        let leaf = try Entry(decoding: known.entryBytes(SequenceNumber(40))).leaf()
        for level in 0..<(try levelFiles(directory).count) { try flip(ledger, level: level) }
        // A catalogue that has no file open yet.
        let catalog = ChunkCatalog(directory: known.directory)
        for chunk in known.closed { catalog.addClosed(chunk) }
        catalog.setOpen(known.open)
        let repair = MerkleRepair(catalog: catalog, merkle: ledger.parts.indexer.merkle, logger: quiet)
        let path = try known.directory + "/" + #require(known.closed.first).fileName
        try FileManager.default.moveItem(atPath: path, toPath: directory.data() + "/away")
        for _ in 0..<2 {
            #expect(throws: LedgerError(.inputOutput, "")) {
                try repair.proof(of: leaf, at: SequenceNumber(40), in: tree.size, root: #require(tree.root()))
            }
        }
        // Nothing was noted that outlasts the failure.
        try FileManager.default.moveItem(atPath: directory.data() + "/away", toPath: path)
        let proof = try repair.proof(of: leaf, at: SequenceNumber(40), in: tree.size, root: #require(tree.root()))
        #expect(proof.root(of: leaf) == tree.root())
        await ledger.close()
    }

    @Test func aDamagedLedgerIsNotRepairedButNamed() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        for id in ids { _ = try await ledger.receipt(for: id) }
        // The last byte of one entry, which its leaf covers.
        let damaged = ids[20].seqno
        let bytes = Data(try ledger.parts.catalog.entryBytes(damaged))
        let folder = directory.data() + "/ledger/"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let whole = try Data(contentsOf: URL(fileURLWithPath: folder + name))
            guard let range = whole.range(of: bytes) else { continue }
            let file = try #require(FileHandle(forUpdatingAtPath: folder + name))
            try file.seek(toOffset: UInt64(range.upperBound - 1))
            try file.write(contentsOf: [bytes[bytes.count - 1] ^ 1])
            try file.close()
        }
        #expect(Data(try ledger.parts.catalog.entryBytes(damaged)) != bytes)

        func failing() async throws -> [SequenceNumber] {
            var failing: [SequenceNumber] = []
            for (number, id) in ids.enumerated() {
                do {
                    try await expectReceipt(ledger, id, contents: "e\(number)")
                } catch let error as LedgerError {
                    #expect(error.code == .corrupt)
                    #expect("\(error)".contains("the ledger is damaged"))
                    failing.append(id.seqno)
                }
            }
            return failing
        }
        #expect(try await failing() == [damaged])
        // Nothing is left to compute the damaged entry's leaf and that of its neighbour from.
        try flip(ledger, level: 0)
        let neighbour = SequenceNumber(damaged.rawValue ^ 1)
        #expect(Set(try await failing()).isSubset(of: [damaged, neighbour]))
        await ledger.close()
    }

    @Test func damageNamesTheChunk() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        await ledger.close()
        try FileManager.default.removeItem(atPath: directory.data() + "/snapshots")
        ledger = try await Ledger.open(small(directory), logger: quiet)
        #expect(ledger.information.readTrouble == nil)
        let chunks = ledger.committedChunks()
        let (cut, gone) = (chunks[1], chunks[2])
        let folder = directory.data() + "/ledger/"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + cut.fileName))
        bytes.replaceSubrange(8..<bytes.count / 2, with: Data(count: bytes.count / 2 - 8))
        try bytes.write(to: URL(fileURLWithPath: folder + cut.fileName))
        try FileManager.default.removeItem(atPath: folder + gone.fileName)
        for (chunk, code) in [(cut, LedgerError.Code.corrupt), (gone, .inputOutput)] {
            let id = try #require(ids.first { $0.seqno >= chunk.first && $0.seqno <= chunk.last })
            func expectNamed(_ body: () async throws -> Void) async {
                let error = await #expect(throws: LedgerError.self) { try await body() }
                #expect(error?.code == code)
                #expect(error?.reason.contains(chunk.fileName) == true)
                #expect(error?.place?.contains(chunk.fileName) == true && error?.place?.contains("/") == false)
            }
            await expectNamed { _ = try await ledger.entry(id, collectionID: nil) }
            await expectNamed { _ = try await ledger.receipt(for: id) }
            #expect(ledger.information.readTrouble?.contains(chunk.fileName) == true)
        }
        await ledger.close()
    }

    @Test func aDamagedSignatureNamesTheChunk() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(small(directory), logger: quiet)
        let ids = try await fill(ledger, 60)
        await ledger.close()
        try FileManager.default.removeItem(atPath: directory.data() + "/snapshots")
        ledger = try await Ledger.open(small(directory), logger: quiet)
        let chunk = ledger.committedChunks()[1]
        let id = try #require(ids.first { $0.seqno >= chunk.first && $0.seqno < chunk.last })
        let signature = try ledger.parts.catalog.entryBytes(id.seqno.next)
        let path = directory.data() + "/ledger/" + chunk.fileName
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(bytes.firstRange(of: Data(signature)))
        bytes.replaceSubrange(place.lowerBound + 60..<place.lowerBound + 400, with: Data(repeating: 0xFF, count: 340))
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(try await ledger.entry(id, collectionID: nil) != nil)
        let error = await #expect(throws: LedgerError.self) { _ = try await ledger.receipt(for: id) }
        #expect(error?.code == .corrupt)
        #expect(error?.place == "transaction \(id.seqno.next) in \(chunk.fileName)")
        #expect(ledger.information.readTrouble?.contains(chunk.fileName) == true)
        await ledger.close()
    }

    @Test(arguments: ["bad name/", "", "300.1.1.1", "-a.example", "a..b", "*"])
    func aNameThatNoCertificateCanCarryIsRefused(_ name: String) async throws {
        let directory = TemporaryDirectory()
        await #expect(throws: LedgerError(.invalidInput, "")) {
            try await Ledger.open(configuration(directory) { $0.subjectAlternativeNames = [name] }, logger: quiet)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.data()))
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
        #expect(ledger.information.startupNotes.first?.contains("never committed") == false)
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

    enum Loss: CaseIterable {
        case end, openChunk, chunks, directory
    }

    private func lose(_ loss: Loss, _ directory: TemporaryDirectory) throws {
        let ledger = directory.data() + "/ledger"
        switch loss {
        case .end:
            let chunk = try openChunk(directory)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: chunk))
            try bytes.dropLast(10).write(to: URL(fileURLWithPath: chunk))
        case .openChunk: try FileManager.default.removeItem(atPath: openChunk(directory))
        case .chunks:
            for name in try FileManager.default.contentsOfDirectory(atPath: ledger) {
                try FileManager.default.removeItem(atPath: ledger + "/" + name)
            }
        case .directory: try FileManager.default.removeItem(atPath: ledger)
        }
    }

    /// All files but the lock and those of the index, which may be opened.
    private func contents(_ directory: TemporaryDirectory) throws -> [String: Data] {
        try FileManager.default.subpathsOfDirectory(atPath: directory.data()).reduce(into: [:]) { files, name in
            if name.hasPrefix("index/") || name == "lock" { return }
            files[name] = FileManager.default.contents(atPath: directory.data() + "/" + name) ?? Data()
        }
    }

    private func expectRefusal(_ directory: TemporaryDirectory, _ loss: Loss? = nil) async throws {
        let before = try contents(directory)
        for _ in 0..<3 {
            await #expect(throws: LedgerError.self, "\(String(describing: loss))") {
                let ledger = try await Ledger.open(configuration(directory), logger: quiet)
                await ledger.close()
            }
        }
        #expect(try contents(directory) == before, "\(String(describing: loss))")
    }

    @Test(arguments: Loss.allCases) func aRefusalHoldsUntilTheIndexIsRemoved(_ loss: Loss) async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let ids = try await fill(ledger, 5)
        await ledger.close()
        try lose(loss, directory)
        try await expectRefusal(directory, loss)
        try FileManager.default.removeItem(atPath: directory.data() + "/index")
        if loss == .chunks || loss == .directory {
            // Keys without the ledger they belong to: a new one under the same service would contradict it.
            try await expectRefusal(directory, loss)
            return
        }
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let found = try await ledger.entries(EntryQuery()).entries.map(\.transactionID)
        #expect(found == Array(ids.prefix(found.count)) && found.count < ids.count)
        #expect(!ledger.information.startupNotes.contains { $0.contains("never committed") })
        await ledger.close()
    }

    @Test func aStartWithForeignKeysForgetsNothing() async throws {
        let (directory, other) = (TemporaryDirectory(), TemporaryDirectory())
        for one in [directory, other] {
            let ledger = try await Ledger.open(configuration(one), logger: quiet)
            _ = try await fill(ledger, 5)
            await ledger.close()
        }
        let (keys, kept) = (directory.data() + "/keys", directory.data("kept"))
        try FileManager.default.moveItem(atPath: keys, toPath: kept)
        try FileManager.default.copyItem(atPath: other.data() + "/keys", toPath: keys)
        try await expectRefusal(directory)
        try FileManager.default.removeItem(atPath: keys)
        try FileManager.default.moveItem(atPath: kept, toPath: keys)
        try lose(.openChunk, directory)
        try await expectRefusal(directory)
    }

    @Test func keysWithoutSettingsAndALedgerWithoutKeysAreRefused() async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory), logger: quiet)
        _ = try await fill(ledger, 1)
        await ledger.close()
        try FileManager.default.removeItem(atPath: directory.data() + "/index")
        let settings = directory.data() + "/node.json"
        try FileManager.default.moveItem(atPath: settings, toPath: directory.data("node.json"))
        try await expectRefusal(directory)
        try lose(.chunks, directory)
        try await expectRefusal(directory)
        try FileManager.default.moveItem(atPath: directory.data("node.json"), toPath: settings)
        try FileManager.default.removeItem(atPath: directory.data() + "/keys")
        try await expectRefusal(directory)
    }

    /// The step between taking the old index away and putting the new one in its place.
    @Test func anIndexThatWasBeingReplacedIsStillAWitness() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let ids = try await fill(ledger, 5)
        await ledger.close()
        let (index, old) = (directory.data() + "/index", directory.data() + "/scratch/index.old")
        try FileManager.default.moveItem(atPath: index, toPath: old)
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        try await check(ledger, ids)
        await ledger.close()
        #expect(!FileManager.default.fileExists(atPath: old))
        try FileManager.default.moveItem(atPath: index, toPath: old)
        try lose(.openChunk, directory)
        for _ in 0..<2 {
            await #expect(throws: LedgerError.self) { try await Ledger.open(configuration(directory), logger: quiet) }
        }
    }

    /// What a first start leaves when it ends between any two steps is finished by the next one; see also
    /// `WriteFaultTests`. After that the same files are a ledger that is gone.
    @Test func onlyAnUnfinishedCreationIsFinished() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory), logger: quiet)
        await ledger.close()
        let settings = URL(fileURLWithPath: directory.data() + "/node.json")
        let text = try String(contentsOf: settings, encoding: .utf8)
        #expect(text.contains("\"created\" : true"))
        // As an older program wrote it: noted again.
        try Data(text.replacing(/\s*"created" : true,/, with: "").utf8).write(to: settings)
        #expect(try !String(contentsOf: settings, encoding: .utf8).contains("created"))
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        await ledger.close()
        #expect(try String(contentsOf: settings, encoding: .utf8) == text)
        // Unfinished: keys and settings are there, the ledger is not.
        try Data(text.replacing(/\s*"created" : true,/, with: "").utf8).write(to: settings)
        try FileManager.default.removeItem(atPath: directory.data() + "/index")
        try lose(.chunks, directory)
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        let ids = try await fill(ledger, 2)
        await ledger.close()
        #expect(try String(contentsOf: settings, encoding: .utf8) == text)
        ledger = try await Ledger.open(configuration(directory), logger: quiet)
        try await check(ledger, ids)
        await ledger.close()
    }

    @Test func anotherNameIsRefused() async throws {
        let directory = TemporaryDirectory()
        var ledger = try await Ledger.open(configuration(directory) { $0.name = "first" }, logger: quiet)
        await ledger.close()
        for name in [String?.none, "first"] {
            ledger = try await Ledger.open(configuration(directory) { if let name { $0.name = name } }, logger: quiet)
            #expect(ledger.information.name == "first")
            await ledger.close()
        }
        await #expect(throws: LedgerError(.configurationMismatch, "")) {
            try await Ledger.open(configuration(directory) { $0.name = "second" }, logger: quiet)
        }
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
