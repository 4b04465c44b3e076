import LedgerProofs
import Testing

@testable import LedgerFormat

@Suite struct TableRowTests {
    /// Every row of the vectors for which there is a codec: read and written again, byte for byte.
    @Test func everyRowOfTheVectorsRoundTrips() throws {
        var counts: [MapName: Int] = [:]
        for chunk in EntryVectorTests.chunks + [
            "ledger_recovered/ledger_32-42.committed", "ledger_recovered/ledger_43-44.committed",
        ] {
            for bytes in try Vectors.entries(chunk: chunk) {
                for map in try Entry(decoding: bytes).publicDomain.maps {
                    for write in map.writes {
                        guard let again = try encodeAgain(map.name, write.value) else { continue }
                        #expect(again == write.value, "\(map.name)")
                        counts[map.name, default: 0] += 1
                    }
                }
            }
        }
        #expect(counts.count == 20)
        #expect(counts[.signatures] == 13)
    }

    func encodeAgain(_ name: MapName, _ value: [UInt8]) throws -> [UInt8]? {
        switch name {
        case .nodesInfo: try NodeInfo(decoding: value).encoded()
        case .serviceInfo: try ServiceInfo(decoding: value).encoded()
        case .serviceConfig: try ServiceConfig(decoding: value).encoded()
        case .signatures: try RawSignature(decoding: value).encoded()
        case .coseSignatures, .coseHistory, .encryptedSubmittedShares: try JSONBytes(decoding: value).encoded()
        case .constitution, .nodesVirtualMeasurements, .previousServiceIdentity, .lastRecoveryType,
            .previousServiceLastSignedRoot:
            try JSONText(decoding: value).encoded()
        case .membersInfo: try MemberInfo(decoding: value).encoded()
        case .membersAcks: try MemberAck(decoding: value).encoded()
        case .snapshotEvidence: try SnapshotEvidence(decoding: value).encoded()
        case .previousServiceIdentityEndorsement:
            try PreviousServiceIdentityEndorsement(decoding: value).encoded()
        case .historicalEncryptedLedgerSecret: try HistoricalEncryptedLedgerSecret(decoding: value).encoded()
        case .recoveryShares: try RecoveryShares(decoding: value).encoded()
        case .encryptedLedgerSecrets, .proposalsInfo: try JSONValue(decoding: value).encoded()
        default: nil
        }
    }

    @Test(arguments: [
        "", "{", "{}x", "{\"a\":1,\"a\":2}", "[1,]", "01", "1.", "1e", "\"\u{1}\"", "\"\\ud800\"", "\"\\x\"", "nul",
        "{\"a\" 1}", "-", "+1", "1e999", "[\"\\u12g4\"]",
    ])
    func badJSON(text: String) {
        #expect(throws: LedgerFormatError.self) { try JSONValue(decoding: Array(text.utf8)) }
    }

    @Test func equivalentNamesOfMapsAreTwo() {
        #expect(MapName("caf\u{E9}") != MapName("cafe\u{301}"))
        #expect(Set([MapName("caf\u{E9}"), MapName("cafe\u{301}"), MapName("caf\u{E9}")]).count == 2)
    }

    @Test func jsonDepthAndBytes() throws {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(throws: LedgerFormatError.self) { try JSONValue(decoding: Array(deep.utf8)) }
        #expect(throws: LedgerFormatError.self) { try JSONValue(decoding: [0x22, 0xFF, 0x22]) }
        let text = "{\"a\":[true,null,-1,18446744073709551615,1.5],\"b\":\"\\u0001\\n\\\"\\\\é😀\"}"
        #expect(try JSONValue(decoding: Array(text.utf8)).encoded() == Array(text.utf8))
        #expect(try JSONValue(decoding: Array("\"\\ud83d\\ude00\\/\"".utf8)) == .string("😀/"))
    }

    @Test(arguments: [
        "{\"status\":\"TRUSTED\"}", "{}", "[]", "{\"status\":1}", "{\"status\":\"Trusted\",\"public_key\":1}",
    ])
    func badNodeInfo(text: String) {
        #expect(throws: LedgerFormatError.self) { try NodeInfo(decoding: Array(text.utf8)) }
    }

    @Test func statusChanges() {
        let open = ServiceStatus.open
        #expect(ServiceStatus.opening.mayBecome(open))
        #expect(!ServiceStatus.opening.mayBecome(.recovering))
        #expect(!open.mayBecome(.waitingForRecoveryShares))
        #expect(!ServiceStatus.recovering.mayBecome(open))
        #expect(open.mayBecome(.opening) && open.mayBecome(open))
    }
}
