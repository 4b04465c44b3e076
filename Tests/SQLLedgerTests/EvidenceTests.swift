import Foundation
import LedgerProofs
import Testing

@testable import SQLLedger

/// What the vectors cannot say: what is proven, limits, and that values survive.
@Suite struct EvidenceTests {
    static func verified(_ file: String) throws -> VerifiedEvidence {
        let vector = try EvidenceVectorTests.vector(file)
        let (_, _, report) = try EvidenceVectorTests.judge(vector)
        return try #require(report?.evidence)
    }

    @Test func whatIsProven() throws {
        let evidence = try Self.verified("good.json")
        #expect(evidence.database?.name == "shop")
        #expect(evidence.rows.count == 8)
        #expect(evidence.digests.map(\.digest.block.rawValue) == [4])
        // The schema event in the bundle proves the table's name for every row of the table.
        #expect(evidence.rows.filter { $0.row.schema.table == TableID(1) }.allSatisfy { $0.tableNameProvenBy != nil })
        let ended = try #require(evidence.rows.first { $0.row.operation == .ended }?.row)
        #expect(ended.created == RowStart(transaction: TransactionNumber(1), sequence: LeafNumber(0)))
        #expect(ended.values == evidence.rows[1].row.values)
        #expect(try Self.verified("name-not-proven.json").rows[0].tableNameProvenBy == nil)
        #expect(try Self.verified("entry.json").entries.map(\.contents) == ["hello\n"])
    }

    @Test func everyReportSaysWhatIsNotProven() throws {
        for file in ["good.json", "value-integer.json", "no-service.json"] {
            let (_, _, report) = try EvidenceVectorTests.judge(try EvidenceVectorTests.vector(file))
            let json = try #require(report?.json)
            #expect(json.contains("still current"))
            let steps = "\(try #require(report).subjects)"
            #expect(
                steps.contains("transaction") && !steps.contains("Grace Hopper"),
                "what is told of steps holds no values")
            #expect(
                json.contains("Grace Hopper") == (report?.verdict == .verified), "nothing is stated that is not proven")
        }
        let (_, _, report) = try EvidenceVectorTests.judge(try EvidenceVectorTests.vector("good.json"))
        #expect(report?.summary.contains("valid, not proven current") == true)
    }

    static let reals: [Double] = [
        0, -0.0, 1, -1, 0.1, 1e21, 1e22, 1e-7, 123456789012345680, .pi, .leastNonzeroMagnitude,
        .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity,
    ]

    @Test func valuesSurvive() throws {
        var values: [SQLValue] = [
            .null, .integer(0), .integer(.min), .integer(.max), .text(""), .text("\0\u{7f}\u{2028}é🜚"),
            .text([0xFF]), .text([0xED, 0xA0, 0x80]), .blob([]), .blob([0, 1, 255]),
        ]
        values += Self.reals.map { .real($0) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            let number = Double(bitPattern: generator.next())
            if !number.isNaN { values.append(.real(number)) }
        }
        for value in values {
            let text = value.evidenceJSON.canonicalBytes()
            let read = try SQLValue(evidence: JSONValue(json: text, limits: DecodingLimits()))
            #expect(read == value)
        }
    }

    /// A bundle with more columns than any table has is refused, and does not end the process.
    @Test func tooManyColumns() throws {
        let vector = try EvidenceVectorTests.vector("one-row.json")
        let text = vector.document
        let column = #"{"default":null,"generated":0,"name":"a","notnull":0,"pk":0,"type":""}"#
        let columns = Array(repeating: column, count: 32_768).joined(separator: ",")
        let values = Array(repeating: #"{"type":"null"}"#, count: 32_768).joined(separator: ",")
        let start = try #require(text.range(of: #""columns":["#))
        let end = try #require(text.range(of: #"]},"sequence_number""#))
        var hostile = text.replacingCharacters(in: start.upperBound..<end.lowerBound, with: columns)
        let valuesStart = try #require(hostile.range(of: #""values":["#))
        let valuesEnd = try #require(hostile.range(of: #"]}],"ledger_id""#))
        hostile.replaceSubrange(valuesStart.upperBound..<valuesEnd.lowerBound, with: values)
        let code = errorCode { () throws(ProofError) in _ = try UnverifiedEvidenceBundle(json: Array(hostile.utf8)) }
        #expect(code == "out-of-range")
    }

    @Test func tooLarge() {
        let bytes = [UInt8](repeating: 0x20, count: EvidenceBundle.limits.maximumByteCount + 1)
        let code = errorCode { () throws(ProofError) in _ = try UnverifiedEvidenceBundle(json: bytes) }
        #expect(code == "out-of-range")
    }

    /// Cutting and changing bytes anywhere never ends the process and never verifies something else.
    @Test func changedBytes() throws {
        let vector = try EvidenceVectorTests.vector("one-row.json")
        let bytes = Array(vector.document.utf8)
        let good = try #require(EvidenceVectorTests.judge(vector).2?.evidence)
        var generator = SystemRandomNumberGenerator()
        for round in 0..<600 {
            var changed = bytes
            if round.isMultiple(of: 3) {
                changed.removeSubrange(Int.random(in: 0..<bytes.count, using: &generator)...)
            } else {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                changed[index] = round.isMultiple(of: 2) ? UInt8.random(in: 0...255) : changed[index] ^ 1
            }
            guard let bundle = try? UnverifiedEvidenceBundle(json: changed) else { continue }
            let service = try ReceiptVerifier(serviceCertificatePEM: try #require(vector.serviceCertificate))
            let report = EvidenceVerifier(service: service).verify(bundle)
            guard let evidence = report.evidence else { continue }
            // What may change are the parts that are said not to be proven.
            var row = evidence.rows[0].row
            let expected = good.rows[0].row
            row.tableName = expected.tableName
            row.isClaimedCurrent = expected.isClaimedCurrent
            for index in row.schema.columns.indices {
                row.schema.columns[index].defaultText = expected.schema.columns[index].defaultText
            }
            #expect(row == expected)
            #expect(evidence.digests.map(\.digest) == good.digests.map(\.digest))
            #expect(evidence.digests.map(\.anchor?.entry) == good.digests.map(\.anchor?.entry))
        }
    }

    @Test func aBundleThatNobodyReadsIsNotWritten() throws {
        let empty = EvidenceBundle(database: nil, items: [])
        #expect(throws: ProofError(code: .outOfRange, reason: "")) { try empty.encoded() }
        let entry = DigestEntry(
            collectionID: "c", contents: "x",
            transactionID: TransactionID(view: .initial, seqno: SequenceNumber(3)))
        let pending = EvidenceBundle(
            database: nil, items: [.entry(EvidenceReceipt(entry: entry, document: nil))])
        #expect(throws: ProofError(code: .missingMember, reason: "")) { try pending.encoded() }
    }
}
