import Foundation
import LedgerProofs
import Testing

@testable import SQLLedger

/// Documentation/spec/sql-digest.md; Vectors/sql/digests.json.
@Suite struct DigestTests {
    struct Members: Decodable {
        var blockId: UInt64
        var databaseName: String
        var digestTime: String
        var hash: String
        var lastTransactionCommitTime: String
        var ledgerId: String
    }

    struct Good: Decodable {
        var members: Members
        var text: String
    }

    struct Refused: Decodable {
        var about: String
        var code: String
        var text: String
    }

    struct List: Decodable {
        var about: String
        var count: Int
        var text: String
    }

    struct File: Decodable {
        var digests: [Good]
        var refused: [Refused]
        var lists: [List]
        var refusedLists: [Refused]
    }

    @Test func vectors() throws {
        for vector in try VectorFile.decode(File.self, "digests.json").digests {
            let digest = try LedgerDigest(json: vector.text)
            #expect(digest.json == vector.text)
            #expect(digest.block.rawValue == vector.members.blockId)
            #expect(digest.databaseName == vector.members.databaseName)
            #expect(digest.digestTime.description == vector.members.digestTime)
            #expect("0x" + digest.hash.hex.uppercased() == vector.members.hash)
            #expect(digest.lastTransactionCommitTime.description == vector.members.lastTransactionCommitTime)
            #expect(digest.ledger.hex == vector.members.ledgerId)
            let object = try JSONSerialization.jsonObject(with: Data(vector.text.utf8))
            let spread = try JSONSerialization.data(withJSONObject: object, options: .prettyPrinted)
            #expect(try LedgerDigest(json: Array(spread)) == digest)
        }
    }

    @Test func equivalentNamesAreTwo() throws {
        var digest = try LedgerDigest(
            json: try #require(VectorFile.decode(File.self, "digests.json").digests.first).text)
        digest.databaseName = "caf\u{E9}"
        var other = digest
        other.databaseName = "cafe\u{301}"
        #expect(digest != other && digest == digest)
    }

    @Test func refused() throws {
        let refused = try VectorFile.decode(File.self, "digests.json").refused
        #expect(refused.count >= 50)
        for vector in refused {
            let code = errorCode { () throws(ProofError) in _ = try LedgerDigest(json: vector.text) }
            #expect(code == vector.code, "\(vector.about)")
        }
        let tooLarge = #"{"database_name":""# + String(repeating: "x", count: LedgerDigest.maximumByteCount) + #""}"#
        #expect(throws: ProofError(code: .outOfRange, reason: "")) { try LedgerDigest(json: tooLarge) }
        #expect(throws: ProofError(code: .malformed, reason: "")) {
            try LedgerDigest(json: Array(#"{"format":""#.utf8) + [0xFF] + Array(#""}"#.utf8))
        }
    }

    @Test func lists() throws {
        let file = try VectorFile.decode(File.self, "digests.json")
        for vector in file.lists {
            #expect(try LedgerDigest.list(json: vector.text).count == vector.count, "\(vector.about)")
        }
        for vector in file.refusedLists {
            let code = errorCode { () throws(ProofError) in _ = try LedgerDigest.list(json: vector.text) }
            #expect(code == vector.code, "\(vector.about)")
        }
    }

    @Test func digestOfABlock() {
        let block = Block(
            ledger: .random(), id: BlockID(4), transactionsRoot: .zero, size: 1, firstTransaction: TransactionNumber(9),
            previous: .zero, historyRoot: .zero, closeTime: .now())
        let time = CommitTime.now()
        let digest = LedgerDigest(of: block, databaseName: "d", digestTime: time, lastTransactionCommitTime: time)
        #expect(digest.hash == block.hash)
        #expect(digest.block == block.id)
        #expect(digest.ledger == block.ledger)
        #expect(digest.digestTime == max(time, block.closeTime))
    }

    /// A clock that was put back since does not date it before what it covers.
    @Test func noDigestIsOlderThanItsBlock() throws {
        let times = try (0..<3).map { try #require(CommitTime(microseconds: 1_700_000_000_000_000 + $0)) }
        for (digestTime, close, commit, expected) in [(0, 1, 2, 2), (0, 2, 1, 2), (2, 1, 0, 2), (1, 0, 0, 1)] {
            let block = Block(
                ledger: .random(), id: BlockID(4), transactionsRoot: .zero, size: 1,
                firstTransaction: TransactionNumber(9), previous: .zero, historyRoot: .zero, closeTime: times[close])
            let digest = LedgerDigest(
                of: block, databaseName: "d", digestTime: times[digestTime], lastTransactionCommitTime: times[commit])
            #expect(digest.digestTime == times[expected])
        }
    }
}
