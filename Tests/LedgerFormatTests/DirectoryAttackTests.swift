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

    @Test func tableInsideTheHeader() {
        for offset: UInt64 in 1..<8 {
            #expect(throws: LedgerFormatError.self) {
                try ChunkLayout.tableOffset(header: ChunkLayout.header(tableOffset: offset), fileByteCount: 100)
            }
        }
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

    /// No sum of a name's numbers and a file's entries may overflow.
    @Test func numbersNearTheLimit() throws {
        for name in [
            "ledger_1-18446744073709551615.committed", "ledger_18446744073709551615", "ledger_9223372036854775808",
            "ledger_18446744073709551614-18446744073709551615", "ledger_1-9223372036854775807.committed",
        ] {
            try check([.foreignFile]) { try $0.write(name, try $0.bytes(open)) }
        }
        try check([.gap, .seqno]) { try $0.write("ledger_9223372036854775807", try $0.bytes(open)) }
        try check([.gap]) { try $0.write("ledger_9223372036854775806-9223372036854775807", try $0.bytes(open)) }
    }

    /// What depends on a place that cannot be read is not called tampering.
    @Test(arguments: ["ledger_1-10.committed", "ledger_11-20.committed", "ledger_21"])
    func unreadable(name: String) throws {
        var options = LedgerVerificationOptions()
        options.expectedReceipts = try Vectors.json("receipts.json")["receipts"].members.values.map {
            try #require(LedgerAnchor(try UnverifiedReceipt(json: $0.encoded())))
        }
        options.expectedServiceCertificatePEM = try TestIdentity.standard().serviceCertificate
        let pipe: (TemporaryDirectory) throws -> Void = {
            try $0.remove(name)
            #expect(mkfifo($0.path + "/" + name, 0o600) == 0)
        }
        try check([.unreadable], outcome: .unableToTell, options: options, pipe)
        // Another service is another service, as long as its certificate was read.
        options.expectedServiceCertificatePEM = try TestIdentity.small().serviceCertificate
        try check([.unreadable], outcome: .unableToTell, options: options, pipe)
        // A wrong receipt for what was read stays wrong.
        let id = TransactionID(view: .initial, seqno: SequenceNumber(name == first ? 12 : 3))
        options.expectedReceipts = [.leaf(id, .zero)]
        try check([.unreadable, .receipt], options: options, pipe)
    }

    @Test func unreadableDirectory() throws {
        var options = LedgerVerificationOptions()
        options.expectedServiceCertificatePEM = try TestIdentity.standard().serviceCertificate
        options.expectedReceipts = [
            .signedRoot(.zero), .leaf(TransactionID(view: .initial, seqno: SequenceNumber(3)), .zero),
        ]
        let report = LedgerDirectoryVerifier(path: "/no such directory", options: options).verify()
        #expect(report.outcome == .unableToTell)
        #expect(Set(report.findings.map(\.code)) == [.unreadable])
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

    /// A certificate of the service, but of a node that is not the one it is written for.
    @Test func certificateUnderTheIDOfAnotherNode() throws {
        var ledger = try TestLedger(.small())
        var writes = WriteSet()
        writes.put(
            .nodesEndorsedCertificates, key: Array(String(repeating: "ab", count: 32).utf8),
            value: Array(ledger.identity.nodeCertificate.utf8))
        try ledger.add(writes)
        try ledger.sign()
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1", ledger.chunk(1...4, isComplete: false))
        #expect(LedgerDirectoryVerifier(path: directory.path).verify().findings.map(\.code) == [.node])
    }

    /// No later signature covers the newest one: what its own signatures leave open must be as a node writes it.
    @Test func newestSignature() throws {
        func codes(_ shape: (inout SignatureShape) -> Void) throws -> [LedgerFinding.Code] {
            let directory = try TemporaryDirectory()
            try directory.write("ledger_1", TestLedger(.standard(), signature: shape).chunk(1...2, isComplete: false))
            let report = LedgerDirectoryVerifier(path: directory.path).verify()
            #expect(report.outcome == (report.findings.isEmpty ? .ok : .failed))
            return report.findings.map(\.code)
        }
        let certificate = try TestIdentity.standard().nodeCertificate
        #expect(try codes { _ in } == [])
        #expect(try codes { $0.claims = SHA256Hashing.digest([1]) } == [.entry])
        #expect(try codes { $0.extra = { $0.put(.publicLogs, key: [1], value: [2]) } } == [.entry])
        #expect(try codes { $0.extra = { $0.put(.privateLogs, key: [1], value: [2]) } } == [.entry])
        #expect(try codes { $0.row = { $0["cert"] = .string(certificate + "\n") } } == [.node])
        #expect(try codes { $0.row = { $0["cert"] = .null } } == [.rawSignature])
        // Signed by the service, and yet not what it signs.
        #expect(try codes { $0.keyID = .other } == [.coseSignature])
        #expect(try codes { $0.structure = 1 } == [.coseSignature])
        #expect(try codes { $0.coseTransaction = "2.02" } == [.coseSignature])
    }

    /// A node goes on with its former certificate for a moment after a new one is written.
    @Test func renewedCertificate() throws {
        let identity = try TestIdentity.standard()
        var ledger = try TestLedger(identity)
        var writes = WriteSet()
        writes.put(
            .nodesEndorsedCertificates, key: Array(try identity.nodeID.utf8),
            value: Array((identity.nodeCertificate + "\n").utf8))
        try ledger.add(writes)
        try ledger.sign()
        try ledger.sign { $0.row = { $0["cert"] = .string(identity.nodeCertificate + "\n") } }
        let directory = try TemporaryDirectory()
        try directory.write("ledger_1", ledger.chunk(1...5, isComplete: false))
        let report = LedgerDirectoryVerifier(path: directory.path).verify()
        #expect(report.outcome == .ok, "\(report.findings)")
    }

    /// Which bytes of the newest signature transaction of a real ledger the files alone cannot tell.
    @Test func everyByteOfTheNewestSignature() throws {
        let directory = try TemporaryDirectory()
        for file in [first, second] { try directory.write(file, try Vectors.bytes("ledger/\(file)")) }
        let entries = try Vectors.entries(chunk: "ledger/\(open)").prefix(11)
        let entry = try #require(entries.last)
        let original = ChunkLayout.header(tableOffset: 0) + entries.joined()
        let start = original.count - entry.count
        let unused = [
            "\"cert\"", "\"commit_seqno\":0", "\"commit_view\":0",
            "\"hashed_nonce\":\"\(String(repeating: "0", count: 64))\"",
        ]
        var openRanges = [1..<2, 8..<24, 44 + 41..<44 + 73]
        for text in unused {
            let bytes = Array(text.utf8)
            let at = try #require((0..<entry.count).first { entry[$0...].starts(with: bytes) })
            openRanges.append(at..<at + bytes.count)
        }
        for offset in stride(from: 0, to: entry.count, by: 37) {
            var changed = original
            changed[start + offset] ^= 1
            try directory.write(open, changed)
            let report = LedgerDirectoryVerifier(path: directory.path).verify()
            if report.outcome != .failed {
                #expect(openRanges.contains { $0.contains(offset) }, "byte \(offset) of \(entry.count)")
            }
        }
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
        var root = LedgerVerificationOptions()
        root.expectedReceipts = [.signedRoot(.zero)]
        try check([.receipt], options: root) { _ in }
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

    /// The rules of views and of the flags that say where chunks end, each broken alone.
    @Test func viewsAndChunkFlags() throws {
        func codes(_ ends: [Int] = [], _ change: (inout TestLedger) throws -> Void) throws -> [LedgerFinding.Code] {
            var ledger = try TestLedger(.small())
            try change(&ledger)
            try ledger.sign()
            let directory = try TemporaryDirectory()
            var first = 1
            for last in ends {
                try directory.write("ledger_\(first)-\(last).committed", ledger.chunk(first...last))
                first = last + 1
            }
            try directory.write(
                "ledger_\(first)", ledger.chunk(first...ledger.entries.count, isComplete: false))
            return LedgerDirectoryVerifier(path: directory.path).verify().findings.map(\.code)
        }
        let (after, before) = (EntryFlags.endChunkAfter.rawValue, EntryFlags.endChunkBefore.rawValue)
        #expect(try codes { try $0.addRow() } == [])
        #expect(try codes { try $0.addRow { $0[32] = 3 } } == [.view], "the signature behind it is of view 2")
        #expect(try codes([3]) { try $0.sign(flags: .endChunkAfter) } == [])
        #expect(try codes { try $0.sign(flags: .endChunkAfter) } == [.chunkFlag], "more follows in its file")
        #expect(try codes([3]) { try $0.addRow { $0[1] = after } } == [.chunkFlag], "it is no signature")
        #expect(try codes([2]) { try $0.addRow { $0[1] = before } } == [])
        #expect(try codes { try $0.addRow { $0[1] = before } } == [.chunkFlag], "more stands before it in its file")
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
