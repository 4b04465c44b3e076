import Dispatch
import Foundation
import GRDB
import Logging
import SQLLedger
import SQLLedgerDigests
import SQLLedgerGRDB
import SQLLedgerSQLite
import ServiceLifecycle
import Testing

/// What Documentation/SQLLedger.md shows to Swift programs, as one such program.
@Suite struct SwiftProgramTests {
    @Test func aProgramAsDocumented() async throws {
        let test = try TestDatabase()
        let path = test.path
        let worm = test.folder.appending(path: "worm")
        try FileManager.default.createDirectory(at: worm, withIntermediateDirectories: true)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

        var configuration = Configuration()
        configuration.useLedger(principal: "billing-service")
        let database = try DatabasePool(path: path, configuration: configuration)
        var migrator = DatabaseMigrator()
        migrator.registerMigration("ledger") { try $0.ledger().initialise(allTables: true) }
        migrator.registerMigration("accounts") { database in
            try database.create(table: "accounts") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("owner", .text).notNull()
            }
        }
        try migrator.migrate(database)
        try await database.write { try $0.execute(sql: "INSERT INTO accounts(owner) VALUES ('Ada'), ('Bob')") }
        let ledgerID = try await LedgerDigests(database).ledgerID()

        let store = try DigestStoreURL("file://\(worm.path())").open()
        let digests = DigestService(source: LedgerDigests(database), stores: [store], logger: logger)
        let services = ServiceGroup(services: [digests], logger: logger)
        async let running: Void = services.run()
        try await database.write { try $0.execute(sql: "UPDATE accounts SET owner = 'Eve' WHERE id = 2") }
        await services.triggerGracefulShutdown()
        try await running
        #expect(await digests.statuses().map(\.blocksBehind) == [0])

        func verify() async throws -> VerificationReport {
            var gathered = GatheredDigests()
            await gathered.add(digestsOf: ledgerID, from: store)
            let evidence = try SQLiteEvidence.open(path: path)
            let verifier = LedgerVerifier(VerificationOptions(jobs: 2, expectedLedger: ledgerID))
            let report = await withCheckedContinuation { [gathered] continuation in
                DispatchQueue.global().async {
                    continuation.resume(returning: verifier.verify(evidence, with: gathered))
                }
            }
            for finding in report.findings { print(finding.code, finding.object, finding.reason) }
            return report
        }
        let honest = try await verify()
        #expect(honest.verdict == .verified && honest.findings.isEmpty, "\(honest.findings)")

        // As somebody who has the file and needs no ledger.
        let thief = try test.openPlain()
        try thief.execute(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'accounts'; "
                + "PRAGMA writable_schema = RESET; UPDATE accounts SET owner = 'Mallory' WHERE id = 1")
        let report = try await verify()
        #expect(report.verdict == .tampered)
        #expect(report.findings.contains { $0.code == .rowAltered && $0.object == "accounts" }, "\(report.findings)")
    }

    /// The samples are lines of the program above, so that they compile and do what is said.
    @Test func theSamplesAreInIt() throws {
        let tests = URL(filePath: #filePath)
        let root = tests.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Documentation/SQLLedger.md"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```swift\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        #expect(blocks.count == 4)
        func lines(_ text: String) -> [String] {
            text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
        let program = Set(lines(try String(contentsOf: tests, encoding: .utf8)))
        let here = [
            ("path: \"app.db\"", "path: path"), ("file:///mnt/worm/digests", "file://\\(worm.path())"),
            ("ServiceGroup(services: [digests], gracefulShutdownSignals: [.sigterm], logger: logger).run()", ""),
        ]
        for line in blocks.flatMap(lines) {
            let known = here.reduce(line) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            #expect(program.contains(known) || known == "try await ", "\(line)")
        }
    }
}
