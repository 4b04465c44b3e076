import LedgerProofs
import SQLLedger
import SQLLedgerSQLite
import Testing

/// Attacks on current rows and on history, H.3 and H.4 of the catalogue, on databases that the fixture wrote.
@Suite struct RowAttackTests {
    /// Accounts 1 to 300 in one transaction, some changes, a second table, two blocks.
    static func bank(wal: Bool = false) throws -> (LedgerFixture, [LedgerDigest]) {
        let fixture = try LedgerFixture(wal: wal)
        try fixture.create(
            "CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, amount INTEGER, spare INTEGER, state TEXT)",
            name: "account", indexes: ["CREATE INDEX by_owner ON account(owner)"])
        try fixture.create(
            "CREATE TABLE rate(code TEXT, day TEXT, value REAL, PRIMARY KEY(code, day)) WITHOUT ROWID", name: "rate")
        try fixture.transaction {
            for id in 1...300 {
                try fixture.insert(
                    "account", "id, owner, amount, state",
                    [.integer(Int64(id)), .text("owner \(id)"), .integer(Int64(id * 10)), .text("pending")])
            }
        }
        try fixture.transaction {
            for code in ["EUR", "USD", "YEN"] {
                try fixture.insert("rate", "code, day, value", [.text(code), .text("d1"), .real(1.25)])
            }
        }
        let first = try fixture.closeBlock()
        fixture.principal = "bob"
        try fixture.transaction {
            try fixture.update("account", key: [.integer(7)], set: "state = 'paid', amount = 71")
        }
        try fixture.transaction {
            try fixture.update("rate", key: [.text("USD"), .text("d1")], set: "value = 1.5")
            try fixture.delete("account", key: [.integer(9)])
        }
        let second = try fixture.closeBlock()
        try fixture.install()
        return (fixture, [first, second])
    }

    static func codes(_ report: VerificationReport) -> [String] { report.findings.map(\.code.rawValue) }

    @Test(arguments: [1, 2]) func honest(jobs: Int) throws {
        let (fixture, digests) = try Self.bank()
        let report = try fixture.verify(digests, jobs: jobs)
        #expect(report.findings.isEmpty, "\(report.text)")
        #expect(report.exitCode == 0)
        #expect(report.anchoredThrough == BlockID(1))
        #expect(report.counts.transactions == 6)
        #expect(report.counts.leaves == 2 + 300 + 3 + 2 + 3)
        #expect(report.notes.isEmpty, "\(report.notes)")
    }

    @Test func noDigestAnchorsNothing() throws {
        let (fixture, _) = try Self.bank()
        let report = try fixture.verify([])
        #expect(Self.codes(report) == ["TAIL_UNATTESTED"])
        #expect(report.exitCode == 2)
        #expect(report.text.contains("NOT ANCHORED"))
    }

    @Test func amountAltered() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE account SET amount = 999999 WHERE id = 42")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_ALTERED"], "\(report.text)")
        let finding = try #require(report.findings.first)
        #expect(finding.key == [NamedValue("id", .integer(42))])
        #expect(finding.columns == ["amount"])
        #expect(finding.expected == "420")
        #expect(finding.found == "999999")
        #expect(finding.certainty == .proven)
        #expect(finding.transaction == TransactionNumber(3))
        #expect(finding.principal == "alice")
        #expect(finding.block == BlockID(0))
        #expect(finding.repair?.action == .update)
        #expect(finding.repair?.values == [NamedValue("amount", .integer(420))])
        #expect(report.exitCode == 1)
    }

    @Test(arguments: [
        ("R08", "UPDATE account SET amount = id, id = id WHERE id = 42", ["amount"]),
        ("R09", "UPDATE account SET spare = amount, amount = NULL WHERE id = 42", ["amount", "spare"]),
        ("R10", "UPDATE account SET owner = '' WHERE id = 42", ["owner"]),
        ("R19", "UPDATE account SET owner = 'owner 42' || char(8205) WHERE id = 42", ["owner"]),
        ("R20", "UPDATE account SET state = x'70656e64696e67' WHERE id = 42", ["state"]),
    ]) func columns(_ attack: (id: String, sql: String, columns: [String])) throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack(attack.sql)
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_ALTERED"], "\(attack.id) \(report.text)")
        #expect(report.findings.first?.columns == attack.columns, "\(attack.id) \(report.text)")
        #expect(report.findings.first?.key == [NamedValue("id", .integer(42))])
    }

    @Test func valueFromElsewhereIsProven() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE account SET state = 'cancelled' WHERE id = 42")
        let finding = try #require(try fixture.verify(digests).findings.first)
        #expect(finding.expected == "'pending'")
        #expect(finding.columns == ["state"])
    }

    @Test func swappedRows() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack(
            "UPDATE account SET amount = CASE id WHEN 20 THEN 2100 ELSE 200 END WHERE id IN (20, 21)")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_ALTERED", "ROW_ALTERED"], "\(report.text)")
        #expect(report.findings.map(\.expected) == ["200", "210"])
    }

    @Test func deletedRow() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("DELETE FROM account WHERE id = 42")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_MISSING"], "\(report.text)")
        #expect(report.findings.first?.key == [NamedValue("id", .integer(42))])
        #expect(report.findings.first?.sequence == LeafNumber(41))
    }

    @Test func deletedRowAndStamp() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("DELETE FROM account WHERE id = 42", "DELETE FROM ledger_stamps_1 WHERE row_id = 42")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_MISSING"], "\(report.text)")
        #expect(report.findings.first?.sequence == LeafNumber(41))
    }

    @Test func updatedRowDeleted() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("DELETE FROM account WHERE id = 7", "DELETE FROM ledger_stamps_1 WHERE row_id = 7")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_MISSING"], "\(report.text)")
        // The version before it says which row it was.
        #expect(report.findings.first?.key == [NamedValue("id", .integer(7))])
    }

    @Test func strangeRow() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack(
            "INSERT INTO account VALUES (1000, 'mallory', 1, 0, 'paid')",
            "INSERT INTO ledger_stamps_1 SELECT 1000, transaction_id, sequence_number FROM ledger_stamps_1 WHERE row_id = 5"
        )
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_EXTRA"], "\(report.text)")
        #expect(report.findings.first?.key == [NamedValue("id", .integer(1000))])
    }

    @Test func rowWithoutStamp() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("INSERT INTO account VALUES (1000, 'mallory', 1, 0, 'paid')")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_EXTRA"], "\(report.text)")
    }

    @Test func withoutRowIDs() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE rate SET value = 9.75 WHERE code = 'EUR'", "DELETE FROM rate WHERE code = 'YEN'")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_ALTERED", "ROW_MISSING"], "\(report.text)")
        #expect(report.findings.first?.expected == "1.25")
        #expect(report.findings.last?.key == [NamedValue("code", .text("YEN")), NamedValue("day", .text("d1"))])
    }

    @Test func truncated() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("DELETE FROM account", "DELETE FROM ledger_stamps_1")
        let report = try fixture.verify(digests) { $0.findingLimit = 100 }
        #expect(Set(Self.codes(report)) == ["ROW_MISSING"], "\(report.text)")
        #expect(report.findings.count == FindingCount.examples + 1)
        #expect(report.findings.reduce(0) { $0 + $1.count } == 299)
    }

    enum FindingCount { static let examples = 20 }

    // MARK: History

    @Test func historyAltered() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE ledger_history_1 SET amount = 70000 WHERE id = 7")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_ALTERED"], "\(report.text)")
        #expect(report.findings.first?.object == "ledger_history_1")
        #expect(report.findings.first?.expected == "70")
        #expect(report.findings.first?.repair?.action == .impossible)
    }

    @Test func historyDeleted() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("DELETE FROM ledger_history_1 WHERE id = 7")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_MISSING"], "\(report.text)")
        #expect(report.findings.first?.key == [NamedValue("id", .integer(7))])
    }

    @Test func keyDeleted() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack(
            "DELETE FROM ledger_history_1 WHERE id = 7", "DELETE FROM account WHERE id = 7",
            "DELETE FROM ledger_stamps_1 WHERE row_id = 7")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_MISSING", "ROW_MISSING"], "\(report.text)")
    }

    @Test func phantomHistory() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("INSERT INTO ledger_history_1 VALUES (3, 11, 5, 0, 12, 'mallory', 1, NULL, 'paid')")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_EXTRA"], "\(report.text)")
    }

    @Test func endChanged() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE ledger_history_1 SET ledger_end_transaction_id = 4 WHERE id = 7")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["VERSION_LINK"], "\(report.text)")
        #expect(report.findings.first?.expected == "ended by transaction 5, operation 0")
    }

    @Test func startChanged() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE ledger_stamps_1 SET transaction_id = 5, sequence_number = 1 WHERE row_id = 42")
        let report = try fixture.verify(digests)
        #expect(Set(Self.codes(report)) == ["ROW_MISSING", "ROW_EXTRA"], "\(report.text)")
    }

    @Test func reordered() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack(
            "UPDATE ledger_stamps_1 SET sequence_number = CASE row_id WHEN 20 THEN 20 ELSE 19 END WHERE row_id IN (20, 21)"
        )
        let report = try fixture.verify(digests)
        #expect(Set(Self.codes(report)) == ["VERSION_LINK"], "\(report.text)")
        #expect(report.findings.count == 2)
    }

    @Test func resurrected() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack(
            "INSERT INTO account SELECT id, owner, amount, spare, state FROM ledger_history_1 WHERE id = 9",
            """
            INSERT INTO ledger_stamps_1 SELECT id, ledger_start_transaction_id, ledger_start_sequence_number
            FROM ledger_history_1 WHERE id = 9
            """, "DELETE FROM ledger_history_1 WHERE id = 9")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["VERSION_LINK"], "\(report.text)")
        #expect(report.findings.first?.repair?.action == .delete)
    }

    @Test func duplicate() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("INSERT INTO ledger_history_1 SELECT * FROM ledger_history_1 WHERE id = 7")
        let report = try fixture.verify(digests)
        #expect(Self.codes(report) == ["ROW_DUPLICATE"], "\(report.text)")
    }

    /// The leaf chunks are not proven by themselves: altered ones must not hide or invent anything.
    @Test(arguments: ["NULL", "zeroblob(0)", "zeroblob(34)", "zeroblob(length(leaves))", "zeroblob(3000000)"])
    func chunksAltered(_ inEntries: String) throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("DELETE FROM ledger_leaf_chunks")
        try fixture.attack("UPDATE database_ledger_transactions SET leaves = \(inEntries) WHERE leaves IS NOT NULL")
        let damaged = try fixture.verify(digests)
        #expect(Set(Self.codes(damaged)) == ["INDEX_DIVERGENCE"], "\(damaged.text)")
        #expect(damaged.lastGoodDigest == digests.last)
        try fixture.attack("UPDATE account SET amount = 999999 WHERE id = 42")
        let report = try fixture.verify(digests)
        #expect(Set(Self.codes(report)) == ["ROW_ALTERED", "INDEX_DIVERGENCE"], "\(report.text)")
        let rows = report.findings.filter { $0.code == .rowAltered }
        #expect(rows.map(\.transaction) == [TransactionNumber(3)])
        #expect(!report.findings.contains { $0.code == .indexDivergence && $0.transaction == TransactionNumber(3) })
    }

    @Test func limitedScopes() throws {
        let (fixture, digests) = try Self.bank()
        try fixture.attack("UPDATE account SET amount = 999999 WHERE id = 42")
        #expect(Self.codes(try fixture.verify(digests, tables: ["account"])) == ["ROW_ALTERED"])
        #expect(try fixture.verify(digests, tables: ["rate"]).exitCode == 0)
        #expect(try fixture.verify(digests, tables: ["nothing"]).exitCode == 2)
        // Written before the digest that the verification continues from.
        #expect(try fixture.verify(digests, since: digests[0]).exitCode == 0)
        try fixture.attack("UPDATE account SET state = 'open' WHERE id = 7")
        #expect(Self.codes(try fixture.verify(digests, since: digests[0])) == ["ROW_ALTERED"])
    }
}
