import LedgerProofs
import Testing

@testable import SQLLedger

/// Documentation/spec/sql-transaction.md; Vectors/sql/transactions.json.
@Suite struct TransactionTests {
    struct Table: Decodable {
        var tableId: UInt64
        var root: String
        var leafCount: UInt64
    }

    struct Transaction: Decodable {
        var about: String
        var ledgerId: String
        var transactionId: UInt64
        var commitTime: String
        var principalName: String
        var loginName: String
        var applicationName: String
        var tableHashes: String
        var tables: [Table]
        var preimage: String
        var leaf: String
        var checks: [UInt16]

        func entry() throws -> TransactionEntry {
            TransactionEntry(
                ledger: try #require(LedgerID(hex: ledgerId)), id: TransactionNumber(transactionId),
                commitTime: try #require(CommitTime(commitTime)), principal: principalName, login: loginName,
                application: applicationName,
                tableHashes: try TableHashes(decoding: try #require(Hex.decode(tableHashes))))
        }
    }

    struct Refused: Decodable {
        var about: String
        var code: String
        var tableHashes: String
    }

    struct File: Decodable {
        var transactions: [Transaction]
        var refused: [Refused]
    }

    @Test func vectors() throws {
        for vector in try VectorFile.decode(File.self, "transactions.json").transactions {
            let entry = try vector.entry()
            #expect(entry.leaf.hex == vector.leaf, "\(vector.about)")
            #expect(entry.columnChecks == vector.checks)
            #expect(MerkleRule.prefixedLeaf(try #require(Hex.decode(vector.preimage))).hex == vector.leaf)
            #expect(Hex.encode(entry.tableHashes.encoded()) == vector.tableHashes)
            #expect(entry.tableHashes.tables.map(\.table.rawValue) == vector.tables.map(\.tableId))
            #expect(entry.tableHashes.tables.map(\.root.hex) == vector.tables.map(\.root))
            #expect(entry.tableHashes.tables.map(\.leafCount) == vector.tables.map(\.leafCount))
        }
    }

    @Test func refusedTableHashes() throws {
        let refused = try VectorFile.decode(File.self, "transactions.json").refused
        #expect(refused.count >= 13)
        for vector in refused {
            let bytes = try #require(Hex.decode(vector.tableHashes))
            let code = errorCode { () throws(ProofError) in _ = try TableHashes(decoding: bytes) }
            #expect(code == vector.code, "\(vector.about)")
        }
    }

    @Test func tablesAreSorted() throws {
        let tables = [3, 1, 2].map { TableHash(table: TableID($0), root: .zero, leafCount: 1) }
        let hashes = try #require(TableHashes(tables))
        #expect(hashes.tables.map(\.table.rawValue) == [1, 2, 3])
        #expect(try TableHashes(decoding: hashes.encoded()) == hashes)
        #expect(hashes[TableID(2)]?.table == TableID(2))
        #expect(hashes[TableID(4)] == nil)
        #expect(TableHashes([]) == nil)
        #expect(TableHashes(tables + tables) == nil)
        #expect(TableHashes([TableHash(table: TableID(1), root: .zero, leafCount: 0)]) == nil)
    }

    @Test func everythingIsHashed() throws {
        let base = try VectorFile.decode(File.self, "transactions.json").transactions[1].entry()
        var others = [base]
        func add(_ change: (inout TransactionEntry) -> Void) {
            var other = base
            change(&other)
            others.append(other)
        }
        add { $0.ledger = LedgerID.random() }
        add { $0.id = $0.id.next }
        add { $0.commitTime = CommitTime(microseconds: $0.commitTime.microseconds + 1) ?? $0.commitTime }
        add { $0.principal += "x" }
        add { $0.login += "x" }
        add { $0.application += "x" }
        // One name's end is not the next one's start.
        add { ($0.principal, $0.login) = ($0.principal + String($0.login.prefix(1)), String($0.login.dropFirst())) }
        add { $0.tableHashes = TableHashes($0.tableHashes.tables.dropLast()) ?? $0.tableHashes }
        #expect(Set(others.map(\.leaf)).count == others.count)
    }

    /// What capture writes is what the formats say, whatever went through the same encoder before.
    @Test func capturedEntriesAreTheFormats() throws {
        var entry = EntryEncoder()
        var checks: UInt16 = 0
        for counts in [
            [1], [], [0, 1], [127, 128, 129], [5, 0, 7, 3, 1, 1, 1, 1, 2, 1, 256], [27], [26, 1], [20, 9], [2],
        ] {
            entry.begin()
            var hashes: [TableHash] = []
            var partial: [[UInt8]] = []
            for (index, count) in counts.enumerated() {
                let id = TableID(UInt64(index) << 33 | 1)
                var table = TableLeaves()
                for _ in 0..<count {
                    checks &+= 1
                    let leaf = SHA256Hashing.digest(Array("\(checks)".utf8))
                    _ = table.append(leaf, columnChecks: [checks, 0xFFFF])
                }
                let before = (table.tableHash(of: id), table.partialChunk)
                table.encode(as: id, into: &entry)
                #expect(table.tableHash(of: id) == before.0)
                #expect(table.partialChunk == before.1)
                guard let hash = before.0 else { continue }
                hashes.append(hash)
                if !before.1.isEmpty { partial.append(before.1) }
            }
            #expect(entry.tableCount == hashes.count)
            if let expected = TableHashes(hashes) { #expect(Array(entry.tableHashes()) == expected.encoded()) }
            #expect(entry.leaves.map { Array($0) } == EntryLeaves.encoded(partial))
            #expect(entry.holdsLeaves == (EntryLeaves.encoded(partial) != nil || partial.isEmpty))
            let time = try #require(CommitTime(microseconds: 1_700_000_000_123_456 + Int64(checks)))
            #expect(Array(entry.text(of: time)) == time.utf8)
        }
    }
}
