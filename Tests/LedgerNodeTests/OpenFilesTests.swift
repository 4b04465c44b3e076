import Foundation
import Synchronization
import Testing

@testable import LedgerNode

/// A disk that, while it is told to, opens nothing: the process has too many files open.
private final class CrowdedDisk: Disk {
    private let real = PosixDisk()
    private let crowded = Mutex(false)

    var isCrowded: Bool {
        get { crowded.withLock { $0 } }
        set { crowded.withLock { $0 = newValue } }
    }

    private func check(_ path: String) throws(DiskError) {
        if isCrowded { throw DiskError(operation: "open", path: path, code: EMFILE) }
    }

    func open(_ path: String, create: Bool) throws(DiskError) -> Int32 {
        try check(path)
        return try real.open(path, create: create)
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        try check(path)
        try real.syncDirectory(path)
    }

    func close(_ descriptor: Int32) { real.close(descriptor) }
    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        try real.write(descriptor, bytes, at: offset)
    }
    func sync(_ descriptor: Int32) throws(DiskError) { try real.sync(descriptor) }
    func truncate(_ descriptor: Int32, to byteCount: UInt64) throws(DiskError) {
        try real.truncate(descriptor, to: byteCount)
    }
    func rename(_ from: String, to: String) throws(DiskError) { try real.rename(from, to: to) }
}

@Suite struct OpenFilesTests {
    /// Chunks of 4 KiB end every few entries, with a rename and a sync of the directory, and new ones are opened.
    @Test func tooManyOpenFilesPass() async throws {
        let directory = TemporaryDirectory()
        let disk = CrowdedDisk()
        let small = configuration(directory, type: .public) { $0.chunkByteCount = 4_096 }
        let ledger = try await Ledger.open(small, disk: disk, logger: quiet)
        var committed: [String] = []
        func append(_ contents: String) async -> Bool {
            let outcome = try? await ledger.append(AppendRequest(contents: contents, author: alice))
            if outcome?.isCommitted == true { committed.append(contents) }
            return outcome?.isCommitted == true
        }
        for round in 0..<6 {
            disk.isCrowded = true
            var number = 0
            while await append("\(round) \(number) " + String(repeating: "x", count: 300)), number < 100 { number += 1 }
            #expect(number < 100)
            disk.isCrowded = false
            #expect(await append("after \(round)"))
        }
        #expect(ledger.information.writeRefusal == nil)
        await ledger.close()
        let again = try await Ledger.open(small, logger: quiet)
        var query = EntryQuery()
        query.limit = 1_000
        #expect(try await again.entries(query).entries.map(\.contents) == committed)
        await again.close()
    }
}

@Suite struct LedgerTypeTests {
    /// A keyring of an older program does not say what the ledger is; the entries do.
    @Test(arguments: NodeConfiguration.LedgerType.allCases)
    func theFirstEntryTellsTheTypeWhereTheKeysDoNot(_ type: NodeConfiguration.LedgerType) async throws {
        let directory = TemporaryDirectory()
        let ledger = try await Ledger.open(configuration(directory, type: type), logger: quiet)
        _ = try await ledger.append(AppendRequest(contents: "e", author: alice))
        await ledger.close()
        let files = DataDirectory(path: directory.data())
        let key = SealedFile.Key.file(Array(try Data(contentsOf: URL(fileURLWithPath: files.sealingKey))))
        let sealed = Array(try Data(contentsOf: URL(fileURLWithPath: files.keyring)))
        var keyring = try Keyring(opening: sealed, key: key, path: files.keyring)
        #expect(keyring.ledgerType == type)
        keyring.ledgerType = nil
        try Data(try keyring.sealed(with: key)).write(to: URL(fileURLWithPath: files.keyring))

        await (try Ledger.open(configuration(directory), logger: quiet)).close()
        let other: NodeConfiguration.LedgerType = type == .public ? .private : .public
        let settings = URL(fileURLWithPath: files.settings)
        let text = try String(contentsOf: settings, encoding: .utf8)
        try text.replacing("\"\(type.rawValue)\"", with: "\"\(other.rawValue)\"")
            .write(to: settings, atomically: true, encoding: .utf8)
        await #expect(throws: LedgerError(.configurationMismatch, "")) {
            try await Ledger.open(configuration(directory), logger: quiet)
        }
    }
}
