import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerDigests
import Testing

/// What only directories can do wrong.
@Suite struct DirectoryStoreTests {
    private static func file(_ root: String, _ digest: LedgerDigest) -> String {
        let digits = String(digest.block.rawValue)
        return "\(root)/\(digest.ledger.hex)/" + String(repeating: "0", count: 20 - digits.count) + digits + ".json"
    }

    private static func code(_ body: () async throws -> Void) async -> DigestStoreError.Code? {
        do {
            try await body()
            return nil
        } catch { return (error as? DigestStoreError)?.code }
    }

    @Test func aDigestIsOneReadOnlyFileWithOneLine() async throws {
        try await TemporaryDirectory.with { root in
            let digest = try TestDigests.make(.random(), block: 42)
            try await DirectoryDigestStore(path: root).append(digest)
            let path = Self.file(root, digest)
            #expect(path.hasSuffix("/00000000000000000042.json"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == digest.json + "\n")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o444)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(digest.ledger.hex)").count == 1)
        }
    }

    @Test func theDirectoryMustExist() async throws {
        try await TemporaryDirectory.with { root in
            let store = DirectoryDigestStore(path: root + "/not-mounted")
            let digest = try TestDigests.make(.random(), block: 0)
            #expect(await Self.code { try await store.append(digest) } == .refused)
            #expect(await Self.code { _ = try await store.digests(for: digest.ledger) } == .refused)
            #expect(
                await Self.code { _ = try await store.digests(for: digest.ledger, block: digest.block) } == .refused)
            #expect(!FileManager.default.fileExists(atPath: root + "/not-mounted"))
        }
    }

    /// Each damage: what is done to the ledger's directory, and a word of the message.
    static let damages:
        [(name: String, word: String, damage: @Sendable (_ folder: String, _ file: String) throws -> Void)] =
            [
                (
                    "truncated", "not a digest",
                    { _, file in try replace(file) { $0.dropLast(30) } }
                ),
                ("empty", "not a digest", { _, file in try replace(file) { $0.prefix(0) } }),
                ("no line end", "byte for byte", { _, file in try replace(file) { $0.dropLast() } }),
                ("spaces", "byte for byte", { _, file in try replace(file) { Data(" ".utf8) + $0 } }),
                ("twice", "not a digest", { _, file in try replace(file) { $0 + $0 } }),
                ("not JSON", "not a digest", { _, file in try replace(file) { _ in Data("hello\n".utf8) } }),
                ("too large", "too large", { _, file in try replace(file) { _ in Data(count: 1 << 20) } }),
                (
                    "misnamed", "holds the digest of block 1",
                    { folder, file in
                        try FileManager.default.copyItem(atPath: file, toPath: folder + "/00000000000000000009.json")
                    }
                ),
                (
                    "short name", "whose file is",
                    { folder, file in try FileManager.default.moveItem(atPath: file, toPath: folder + "/1.json") }
                ),
                (
                    "foreign file", "not a digest",
                    { folder, _ in try Data("x".utf8).write(to: URL(filePath: folder + "/notes.txt")) }
                ),
                (
                    "directory", "not a regular file",
                    { folder, _ in
                        try FileManager.default.createDirectory(
                            atPath: folder + "/00000000000000000008.json", withIntermediateDirectories: false)
                    }
                ),
                (
                    "symbolic link", "open",
                    { folder, file in
                        try FileManager.default.createSymbolicLink(
                            atPath: folder + "/00000000000000000007.json", withDestinationPath: file)
                    }
                ),
                (
                    "another ledger's", "in the directory of ledger",
                    { folder, file in
                        let other = try TestDigests.make(.random(), block: 1)
                        try replace(file) { _ in Data((other.json + "\n").utf8) }
                    }
                ),
            ]

    private static func replace(_ file: String, _ change: (Data) -> Data) throws {
        let changed = change(try Data(contentsOf: URL(filePath: file)))
        try FileManager.default.removeItem(atPath: file)
        try changed.write(to: URL(filePath: file))
    }

    @Test(arguments: damages.indices) func damageIsReportedAndNamesTheFile(_ index: Int) async throws {
        let (name, word, damage) = Self.damages[index]
        try await TemporaryDirectory.with { root in
            let store = DirectoryDigestStore(path: root)
            let ledger = LedgerID.random()
            let digests = try (0..<3).map { try TestDigests.make(ledger, block: $0) }
            for digest in digests { try await store.append(digest) }
            let folder = "\(root)/\(ledger.hex)"
            try damage(folder, Self.file(root, digests[1]))
            let listing = try await store.listing(for: ledger)
            #expect(listing.problems.count == 1, "\(name)")
            let problem = try #require(listing.problems.first)
            #expect(problem.kind == .damaged && problem.reason.contains(word), "\(name): \(problem)")
            #expect(problem.origin.hasPrefix(folder + "/"))
            #expect(listing.digests.map(\.digest).filter { $0 != digests[1] } == [digests[0], digests[2]], "\(name)")
            // The plain reading refuses as a whole, naming the file.
            let error = await #expect(throws: DigestStoreError.self) { try await store.digests(for: ledger) }
            #expect(error?.code == .damaged && error?.reason.contains(problem.origin) == true, "\(name)")
        }
    }

    /// Vectors/digest-store: what Documentation/spec/digest-store.md says about each kind of file.
    @Test func theVectorIsReadAsItSays() async throws {
        struct Expected: Decodable {
            var ledger: String
            var files: [String: String]
        }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/digest-store")
        let data = try Data(contentsOf: root.appending(path: "expected.json"))
        let expected = try JSONDecoder().decode(Expected.self, from: data)
        let ledger = try #require(LedgerID(hex: expected.ledger))
        let listing = try await DirectoryDigestStore(path: root.path()).listing(for: ledger)
        var found: [String: String] = [:]
        for digest in listing.digests { found[URL(filePath: digest.origin).lastPathComponent] = "digest" }
        for problem in listing.problems {
            found[URL(filePath: problem.origin).lastPathComponent] = problem.kind.rawValue
        }
        #expect(found == expected.files)
        #expect(listing.digests.map(\.digest.block.rawValue) == [0, 1, 2])
    }

    /// A name that is no UTF-8 cannot be told as it is, but it is told.
    @Test func aNameThatIsNoTextIsReported() async throws {
        try await TemporaryDirectory.with { root in
            let store = DirectoryDigestStore(path: root)
            let digest = try TestDigests.make(.random(), block: 1)
            try await store.append(digest)
            let name = Array("\(root)/\(digest.ledger.hex)/0".utf8) + [0xFF] + Array(".json".utf8) + [0]
            let file = name.withUnsafeBytes {
                open($0.assumingMemoryBound(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY, 0o644)
            }
            #expect(file >= 0)
            close(file)
            let listing = try await store.listing(for: digest.ledger)
            #expect(listing.digests.map(\.digest) == [digest] && listing.problems.map(\.kind) == [.damaged])
        }
    }

    @Test func aDamagedFileIsNeverWrittenOver() async throws {
        try await TemporaryDirectory.with { root in
            let store = DirectoryDigestStore(path: root)
            let digest = try TestDigests.make(.random(), block: 1)
            try await store.append(digest)
            try Self.replace(Self.file(root, digest)) { $0.dropLast(3) }
            let before = try Data(contentsOf: URL(filePath: Self.file(root, digest)))
            #expect(await Self.code { try await store.append(digest) } == .conflict)
            #expect(
                await Self.code { _ = try await store.digests(for: digest.ledger, block: digest.block) } == .damaged)
            #expect(try Data(contentsOf: URL(filePath: Self.file(root, digest))) == before)
        }
    }

    /// What a process leaves that is killed before the link: harmless and named.
    @Test func leftoversAreNamedAndHarmless() async throws {
        try await TemporaryDirectory.with { root in
            let store = DirectoryDigestStore(path: root)
            let digest = try TestDigests.make(.random(), block: 1)
            try await store.append(digest)
            let leftover = "\(root)/\(digest.ledger.hex)/.00000000000000000002.json.123.tmp"
            try Data("{\"block".utf8).write(to: URL(filePath: leftover))
            let listing = try await store.listing(for: digest.ledger)
            #expect(listing.problems.map(\.kind) == [.leftover] && listing.problems.map(\.origin) == [leftover])
            #expect(try await store.digests(for: digest.ledger).map(\.digest) == [digest])
            try await store.append(try TestDigests.make(digest.ledger, block: 2))
            #expect(try await store.digests(for: digest.ledger).count == 2)
        }
    }

    @Test func aDirectoryInPlaceOfTheFileIsRefusedWithItsName() async throws {
        try await TemporaryDirectory.with { root in
            let digest = try TestDigests.make(.random(), block: 1)
            try FileManager.default.createDirectory(
                atPath: Self.file(root, digest), withIntermediateDirectories: true)
            let error = await #expect(throws: DigestStoreError.self) {
                try await DirectoryDigestStore(path: root).append(digest)
            }
            #expect(error?.reason.contains(Self.file(root, digest)) == true)
        }
    }

    /// A reader that reads all the time while digests are written never sees a part of one.
    @Test func aTornFileIsNeverSeen() async throws {
        try await TemporaryDirectory.with { root in
            let store = DirectoryDigestStore(path: root)
            let ledger = LedgerID.random()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for block in 0..<200 { try await store.append(try TestDigests.make(ledger, block: UInt64(block))) }
                }
                group.addTask {
                    var count = 0
                    while count < 200 {
                        let listing = try await store.listing(for: ledger)
                        #expect(listing.problems.allSatisfy { $0.kind == .leftover })
                        #expect(listing.digests.count >= count)
                        count = listing.digests.count
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
