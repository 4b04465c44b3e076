import Foundation
import LedgerProofs
import Testing

@testable import LedgerFormat

/// What somebody with write access to the directory may try, and the finding that names it.
@Suite struct DirectoryAttackTests {
    let first = "ledger_1-10.committed"
    let second = "ledger_11-20.committed"
    let open = "ledger_21"

    func check(
        _ expected: [LedgerFinding.Code], outcome: LedgerVerificationReport.Outcome = .failed,
        sourceLocation: SourceLocation = #_sourceLocation,
        options: LedgerVerificationOptions = LedgerVerificationOptions(),
        _ attack: (TemporaryDirectory) throws -> Void
    ) throws {
        let directory = try TemporaryDirectory(copyOf: "ledger")
        try attack(directory)
        let report = LedgerDirectoryVerifier(path: directory.path, options: options).verify()
        #expect(report.outcome == outcome, sourceLocation: sourceLocation)
        let codes = Set(report.findings.map(\.code))
        for code in expected {
            #expect(codes.contains(code), "\(report.findings)", sourceLocation: sourceLocation)
        }
        if expected.isEmpty { #expect(codes.isEmpty, "\(report.findings)", sourceLocation: sourceLocation) }
    }

    @Test func truncated() throws {
        try check([.torn]) { try $0.change(open) { $0.removeLast() } }
        try check([.torn]) { try $0.change(open) { $0.removeLast($0.count - 4) } }
        try check([.positions]) { try $0.change(first) { $0.removeLast(4) } }
        try check([.positions]) { try $0.change(first) { $0.removeLast(3) } }
        try check([.torn]) { try $0.change(second) { $0 = [] } }
        try check([.gap]) { try $0.remove(second) }
        try check([.gap]) { try $0.remove(first) }
    }

    @Test func padded() throws {
        try check([.entry]) { try $0.change(open) { $0 += [UInt8](repeating: 0, count: 64) } }
        try check([.torn]) { try $0.change(open) { $0 += [1, 0, 0] } }
        try check([.positions]) { try $0.change(first) { $0 += [0, 0, 0, 0] } }
        try check([.positions]) { try $0.change(first) { $0 += [0] } }
        try check([.positions]) { try $0.change(first) { $0.replace(at: 0, littleEndian: UInt64.max) } }
        try check([.positions]) { try $0.change(first) { $0.replace(at: 0, littleEndian: UInt64(0)) } }
    }

    @Test func duplicatedAndReordered() throws {
        try check([.overlap]) { try $0.write("ledger_1-10", try $0.bytes(first)) }
        try check([.overlap]) { try $0.write("ledger_11", try $0.bytes(open)) }
        try check([.seqno, .root]) {
            let bytes = try $0.bytes(first)
            try $0.write(first, try $0.bytes(second))
            try $0.write(second, bytes)
        }
        // Two neighbouring entries change places, with a correct table.
        try check([.seqno, .root]) { directory in
            var entries = try Vectors.entries(chunk: "ledger/\(second)")
            entries.swapAt(1, 2)
            var bytes = ChunkLayout.header(tableOffset: 0)
            var positions: [UInt32] = []
            for entry in entries {
                positions.append(UInt32(bytes.count))
                bytes += entry
            }
            bytes.replace(at: 0, littleEndian: UInt64(bytes.count))
            try directory.write(second, bytes + ChunkLayout.positionsTable(positions))
        }
    }

    @Test func renamed() throws {
        try check([.gap, .seqno]) { try $0.rename(second, "ledger_12-21.committed") }
        try check([.positions]) { try $0.rename(second, "ledger_11-19.committed") }
        try check([.foreignFile, .gap]) { try $0.rename(second, "ledger_011-20.committed") }
        try check([.gap]) { try $0.rename(second, "ledger_11-20.committed.ignored") }
        try check([.openChunk]) { try $0.rename(first, "ledger_1") }
        try check([], outcome: .ok) { try $0.rename(second, "ledger_11-20") }
    }

    @Test func foreign() throws {
        try check([.foreignFile]) { try $0.write("ledger_21.bak", []) }
        try check([], outcome: .ok) { try $0.makeDirectory("archive") }
    }

    @Test func otherKeys() throws {
        var options = LedgerVerificationOptions()
        options.secrets = LedgerSecrets(.random())
        try check([.authentication, .commitEvidence], options: options) { _ in }
        options.secrets = try Vectors.secrets()
        try check([], outcome: .ok, options: options) { _ in }
    }

    /// A node that the service never endorsed signs a ledger of its own making.
    @Test func nodeWithoutEndorsement() throws {
        var identity = try TestIdentity.standard()
        let small = try TestIdentity.small()
        identity.nodeKey = small.nodeKey
        identity.nodeCertificate = small.nodeCertificate
        let ledger = try TestLedger(identity)
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1", ledger.chunk(1...2, isComplete: false))
        let report = LedgerDirectoryVerifier(path: directory.path).verify()
        #expect(report.outcome == .failed)
        #expect(report.findings.map(\.code) == [.node])
    }

    /// The whole ledger replaced by one of another service: only the expected certificate can tell.
    @Test func otherService() throws {
        let ledger = try TestLedger(.small())
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1", ledger.chunk(1...2, isComplete: false))
        var options = LedgerVerificationOptions()
        #expect(LedgerDirectoryVerifier(path: directory.path, options: options).verify().outcome == .ok)
        options.expectedServiceCertificatePEM = try TestIdentity.standard().serviceCertificate
        let report = LedgerDirectoryVerifier(path: directory.path, options: options).verify()
        #expect(report.findings.map(\.code) == [.serviceCertificate])
        #expect(report.outcome == .failed)
    }

    /// Cutting the end off at a signature leaves a ledger that verifies. A receipt tells.
    @Test func receiptsAnchorTheTail() throws {
        let receipts = try Vectors.json("receipts.json")["receipts"].members.values
        let anchors = try receipts.map { try #require(LedgerAnchor(try UnverifiedReceipt(json: $0.encoded()))) }
        #expect(anchors.count == 31)
        var options = LedgerVerificationOptions()
        options.expectedReceipts = anchors
        try check([], outcome: .ok, options: options) { _ in }

        let cut: (TemporaryDirectory) throws -> Void = { try $0.remove(open) }
        try check([], outcome: .ok, cut)
        try check([.receipt], options: options, cut)
        for anchor in anchors {
            var one = LedgerVerificationOptions()
            one.expectedReceipts = [anchor]
            try check([], outcome: .ok, options: one) { _ in }
            if case .leaf(let id, let leaf) = anchor {
                let isLost = id.seqno.rawValue >= 21
                try check(isLost ? [.receipt] : [], outcome: isLost ? .failed : .ok, options: one, cut)
                // Another transaction than the one of the receipt.
                one.expectedReceipts = [.leaf(id, SHA256Hashing.digest(leaf.bytes))]
                try check([.receipt], options: one) { _ in }
                one.expectedReceipts = [
                    .leaf(TransactionID(view: View(id.view.rawValue + 1), seqno: id.seqno), leaf)
                ]
                try check([.receipt], options: one) { _ in }
            }
        }
        // The leaf of the last signature: only a later signature could have proven it.
        let signature = try Entry(decoding: try Vectors.entries(chunk: "ledger/\(open)")[10])
        var last = LedgerVerificationOptions()
        last.expectedReceipts = [.leaf(signature.id, try signature.leaf())]
        try check([.receipt], options: last) { _ in }

        // A covered transaction whose covering signature was cut: transactions 27 to 30 stay, signature 31 goes.
        var covered = LedgerVerificationOptions()
        covered.expectedReceipts = anchors.filter {
            if case .leaf(let id, _) = $0 { id.seqno.rawValue == 28 } else { false }
        }
        #expect(covered.expectedReceipts.count == 1)
        try check([.receipt], options: covered) { directory in
            let entries = try Vectors.entries(chunk: "ledger/\(open)").dropLast(2)
            try directory.write(open, ChunkLayout.header(tableOffset: 0) + entries.joined())
        }
    }

    @Test func findingsAreLimited() throws {
        var options = LedgerVerificationOptions()
        options.secrets = LedgerSecrets(.random())
        options.maximumFindings = 5
        let report = LedgerDirectoryVerifier(
            path: Vectors.directory.appending(path: "ledger").path, options: options
        ).verify()
        #expect(report.findings.count == 5)
        #expect(report.findingsLeftOff == 59)
        #expect(report.json()["findings"].list.count == 5)
    }
}
