import Foundation
import LedgerProofs
import SQLLedger
import SQLLedgerSQLite
import Testing

/// How files are read: nothing is changed, nothing damaged is called right.
@Suite struct FileReadingTests {
    private func files(_ fixture: LedgerFixture) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path()) {
            files[name] = try Data(contentsOf: fixture.directory.appending(path: name))
        }
        return files
    }

    /// A copy of the database and what is beside it, in a directory of its own, which nobody has open.
    private func copy(_ fixture: LedgerFixture, _ names: [String]) throws -> String {
        let directory = fixture.directory.appending(path: "copy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for name in names {
            try FileManager.default.copyItem(
                at: fixture.directory.appending(path: name), to: directory.appending(path: name))
        }
        return directory.appending(path: "fixture.db").path()
    }

    private func verify(_ path: String, _ digests: [LedgerDigest]) throws -> VerificationReport {
        LedgerVerifier(VerificationOptions(digests: digests.map { StatedDigest($0, origin: "d") }))
            .verify(try SQLiteEvidence.open(path: path))
    }

    @Test func logLeftByACrash() throws {
        let (fixture, digests) = try RowAttackTests.bank(wal: true)
        let path = try copy(fixture, ["fixture.db", "fixture.db-wal"])
        let before = try Data(contentsOf: URL(filePath: path + "-wal"))
        let report = try verify(path, digests)
        #expect(report.exitCode == 0, "\(report.text)")
        #expect(report.notes.contains { $0.contains("private copy") })
        #expect(try Data(contentsOf: URL(filePath: path + "-wal")) == before)
        #expect(!FileManager.default.fileExists(atPath: path + "-shm"))
    }

    @Test func closedLog() throws {
        let (fixture, digests) = try RowAttackTests.bank(wal: true)
        try fixture.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        let path = try copy(fixture, ["fixture.db"])
        let report = try verify(path, digests)
        #expect(report.exitCode == 0, "\(report.text)")
        let names = try FileManager.default.contentsOfDirectory(
            atPath: URL(filePath: path).deletingLastPathComponent().path())
        #expect(names == ["fixture.db"])
    }

    @Test func openLogOfThisProcess() throws {
        let (fixture, digests) = try RowAttackTests.bank(wal: true)
        let report = try fixture.verify(digests)
        #expect(report.exitCode == 0, "\(report.text)")
        // The connection still has its locks.
        try fixture.db.execute("PRAGMA user_version = 5")
        #expect(try fixture.verify(digests).exitCode == 0)
    }

    @Test func readOnlyDirectory() throws {
        let (fixture, digests) = try RowAttackTests.bank()
        let path = try copy(fixture, ["fixture.db"])
        let directory = URL(filePath: path).deletingLastPathComponent().path()
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: directory)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory) }
        #expect(try verify(path, digests).exitCode == 0)
    }

    @Test func damaged() throws {
        let (fixture, digests) = try RowAttackTests.bank()
        let path = try copy(fixture, ["fixture.db"])
        let original = try Data(contentsOf: URL(filePath: path))
        for page in stride(from: 0, to: original.count, by: 4096) {
            var bytes = original
            for offset in 0..<4096 { bytes[page + offset] = 0 }
            try bytes.write(to: URL(filePath: path))
            do {
                let report = try verify(path, digests)
                // A page that holds nothing that the ledger covers may be lost without harm.
                if report.exitCode == 0 { #expect(report.counts.leaves == 310, "page \(page / 4096)") }
            } catch let error as VerificationError {
                #expect(page == 0, "\(error)")
            }
        }
        for length in [0, 50, 512, 5000, original.count / 2, original.count - 4096] {
            try original.prefix(length).write(to: URL(filePath: path))
            guard let evidence = try? SQLiteEvidence.open(path: path) else { continue }
            let options = VerificationOptions(digests: digests.map { StatedDigest($0, origin: "d") })
            #expect(LedgerVerifier(options).verify(evidence).exitCode != 0, "\(length) bytes")
        }
        #expect(throws: VerificationError.self) { try SQLiteEvidence.open(path: path + ".nothing") }
    }

    /// With next to no memory everything goes through the temporary file, and the result is the same.
    @Test func littleMemory() throws {
        let (fixture, digests) = try RowAttackTests.bank()
        for jobs in [1, 2] {
            let report = try fixture.verify(digests, jobs: jobs, memoryBudget: 0)
            #expect(report.exitCode == 0, "\(report.text)")
        }
        try fixture.attack("UPDATE account SET amount = 1 WHERE id = 200")
        let report = try fixture.verify(digests, memoryBudget: 0)
        #expect(report.findings.map(\.code) == [.rowAltered], "\(report.text)")
        let blocked = try fixture.verify(digests, memoryBudget: 0) { $0.temporaryDirectory = "/nonexistent" }
        #expect(blocked.exitCode == 2, "\(blocked.text)")
        #expect(
            blocked.findings.allSatisfy { $0.code == .verifierBlocked || $0.code == .tailUnattested }, "\(blocked.text)"
        )
    }

    @Test func definitions() throws {
        let attacks: [(String, Finding.Code, String)] = [
            ("DROP INDEX by_owner; CREATE INDEX by_owner ON account(owner) WHERE id < 9", .schemaDrift, "by_owner"),
            ("CREATE TRIGGER own AFTER INSERT ON account BEGIN SELECT 1; END", .captureChanged, "own"),
            ("DROP VIEW account_Ledger", .viewDrift, "account_Ledger"),
            ("ALTER TABLE account ADD COLUMN extra", .coverageGap, "account"),
            (
                "DROP TRIGGER ledger_guard_delete_database_ledger_blocks", .captureOff,
                "ledger_guard_delete_database_ledger_blocks"
            ),
            ("DROP TRIGGER ledger_update_1", .captureOff, "ledger_update_1"),
            (
                "DROP TRIGGER ledger_update_1; CREATE TRIGGER ledger_update_1 AFTER UPDATE ON account BEGIN SELECT 1; END",
                .captureChanged, "ledger_update_1"
            ),
        ]
        for (sql, code, object) in attacks {
            let (fixture, digests) = try RowAttackTests.bank()
            try fixture.db.execute(sql)
            let report = try fixture.verify(digests)
            #expect(report.findings.map(\.code) == [code], "\(sql): \(report.text)")
            #expect(report.findings.first?.object == object, "\(sql): \(report.text)")
            #expect(report.exitCode == (code == .coverageGap ? 2 : 1))
        }
        // New and dropped plain indexes are no tampering.
        let (fixture, digests) = try RowAttackTests.bank()
        try fixture.db.execute("DROP INDEX by_owner; CREATE INDEX by_state ON account(state); ANALYZE")
        #expect(try fixture.verify(digests).exitCode == 0)
    }
}
