import Crypto
import LedgerProofs
import Testing

@testable import LedgerFormat

/// The 65 deviating ledgers of `expected.json`, built here and judged by our verifier.
///
/// What any CCF version refuses, we refuse. What all of them accept, we accept, except the cases in `stricter`.
@Suite struct VariantTests {
    /// Accepted by CCF's tool, refused here.
    static let stricter: [String: LedgerVerificationReport.Outcome] = [
        "no signature at all": .unableToTell,
        "normal tx with wrong GCM seqno": .failed,
        "normal tx with wrong public version": .failed,
        "tx header flags 0x03": .failed,
        "COSE without kid": .failed,
        "claims digest on a signature tx": .failed,
    ]

    /// Why each refused case is refused: nothing else may be found in it.
    static let reasons: [String: Set<LedgerFinding.Code>] = [
        "0-byte open file": [.torn],
        "3 stray bytes at end of open file": [.torn],
        "COSE kid as raw 32 bytes": [.coseSignature],
        "COSE signature DER encoded": [.coseSignature],
        "COSE txid differs from entry": [.coseSignature],
        "COSE untagged": [.coseSignature],
        "COSE with attached (other) payload": [.coseSignature],
        "COSE without ccf.v1": [.coseSignature],
        "Open->WaitingForRecoveryShares": [.serviceStatus],
        "Opening->Recovering": [.serviceStatus],
        "committed after uncommitted open-ended": [.openChunk],
        "dot file, uncommitted read": [.foreignFile],
        "endorsed_certificates absent": [.node],
        "entry type 0, deprecated refused": [.entry],
        "first chunk missing": [.gap],
        "foreign file, uncommitted read": [.foreignFile],
        "gap in names": [.gap],
        "name range larger than positions": [.positions],
        "node status Pending": [.node],
        "node status unknown string": [.node, .table],
        "nodes.info absent": [.node],
        "non-zero read count": [.entry],
        "open file preallocated with zero tail": [.entry],
        "raw sig as r||s instead of DER": [.rawSignature],
        "raw sig over SHA-384(root)": [.rawSignature],
        "root of empty tree recorded": [.root],
        "service.info absent, COSE present": [.coseSignature],
        "sig JSON seqno as string": [.rawSignature],
        "sig JSON seqno wrong": [.rawSignature],
        "sig JSON view wrong": [.rawSignature],
        "sig JSON with other node's cert": [.node],
        "torn last entry in open file": [.torn],
        "tx header flags 0x04": [.entry],
        "tx header version 2": [.entry],
    ]

    static func names() throws -> [String] { try Vectors.json("expected.json")["variants"].members.keys.sorted() }

    @Test func thereAre65() throws { #expect(try Self.names().count == 65) }

    @Test(arguments: try names())
    func variant(name: String) throws {
        let directory = try TemporaryDirectory()
        var options = LedgerVerificationOptions()
        var path = directory.path
        try build(name, directory, &options, &path)
        let report = LedgerDirectoryVerifier(path: path, options: options).verify()
        let expected = try Vectors.json("expected.json")["variants"][name]
        if expected["ccf_6.0.28"].text == "reject" || expected["ccf_7.0.22"].text == "reject" {
            #expect(report.outcome == .failed, "\(report.notes)")
            #expect(Set(report.findings.map(\.code)) == Self.reasons[name], "\(report.findings)")
        } else {
            #expect(report.outcome == Self.stricter[name] ?? .ok, "\(report.findings) \(report.notes)")
        }
    }

    /// The ledger without a fault, so that each variant fails for its own reason only.
    @Test func baseIsFine() throws {
        let directory = try TemporaryDirectory()
        let ledger = try TestLedger(.standard())
        try directory.write("ledger_1-2.committed", ledger.chunk(1...2))
        var options = LedgerVerificationOptions()
        options.secrets = LedgerSecrets(ledger.secret)
        options.expectedServiceCertificatePEM = ledger.identity.serviceCertificate
        let report = LedgerDirectoryVerifier(path: directory.path, options: options).verify()
        #expect(report.outcome == .ok, "\(report.findings)")
        #expect(report.findings == [])
    }

    func build(
        _ name: String, _ directory: TemporaryDirectory, _ options: inout LedgerVerificationOptions,
        _ path: inout String
    ) throws {
        let identity = try TestIdentity.standard()
        let nodeID = Array(try identity.nodeID.utf8)

        /// One committed chunk with genesis and a signature.
        func one(
            _ signature: (inout SignatureShape) -> Void = { _ in },
            genesis: (inout WriteSet) throws -> Void = { _ in }
        ) throws {
            let ledger = try TestLedger(identity, genesis: genesis, signature: signature)
            try directory.write("ledger_1-2.committed", ledger.chunk(1...2))
        }
        /// Genesis, signature, a row, signature, a row, signature.
        func six() throws -> TestLedger {
            var ledger = try TestLedger(identity)
            for _ in 0..<2 {
                try ledger.addRow()
                try ledger.sign()
            }
            return ledger
        }
        func node(_ status: String) -> (inout WriteSet) throws -> Void {
            { $0.put(.nodesInfo, key: nodeID, value: Array("{\"status\":\"\(status)\"}".utf8)) }
        }
        func row(_ change: @escaping (inout [String: JSONValue]) -> Void) throws { try one { $0.row = change } }
        func statuses(_ list: [String]) throws {
            var ledger = try TestLedger(
                identity,
                genesis: { writes in
                    writes.put(
                        .serviceInfo, key: zeroKey,
                        value: ServiceInfo(
                            certificate: identity.serviceCertificate, status: ServiceStatus(rawValue: list[0])
                        ).encoded())
                })
            for status in list.dropFirst() { try ledger.setService(status) }
            try ledger.sign()
            try directory.write("ledger_1", ledger.chunk(1...ledger.entries.count, isComplete: false))
        }
        /// Genesis, signature, a changed row, signature.
        func middle(_ patch: (inout [UInt8]) -> Void) throws {
            var ledger = try TestLedger(identity)
            try ledger.addRow(patch: patch)
            try ledger.sign()
            try directory.write("ledger_1-4.committed", ledger.chunk(1...4))
        }
        /// A deprecated type: the header of the public domain without some digests.
        func deprecated(_ type: UInt8) throws {
            var ledger = try TestLedger(identity)
            let evidence = ledger.secret.commitEvidenceDigest(for: ledger.next)
            var writes = WriteSet()
            writes.put(.publicLogs, key: [1], value: [2])
            var bytes: [UInt8] = []
            let digest = try EntryEncoder.append(
                iv: EntryIV(ledger.next), flags: [], plaintext: [], secret: ledger.secret, to: &bytes
            ) { buffer in
                buffer.append(type)
                buffer.append(littleEndian: UInt64(3))
                if type == 3 { buffer += evidence.bytes }
                buffer.append(littleEndian: UInt64(0))
                MapCodec.append(writes.maps, wantPublic: true, to: &buffer)
            }
            ledger.append(bytes, leaf: type == 3 ? SHA256Hashing.digest(digest, evidence) : digest)
            try ledger.sign()
            try directory.write("ledger_1-4.committed", ledger.chunk(1...4))
        }
        func openTail(_ change: (inout [UInt8]) -> Void) throws {
            let ledger = try six()
            try directory.write("ledger_1-2.committed", ledger.chunk(1...2))
            var bytes = ledger.chunk(3...6, isComplete: false)
            change(&bytes)
            try directory.write("ledger_3", bytes)
        }

        switch name {
        // Names and files
        case ".ignored chunk ignored (expect 2 txs)":
            try one()
            try directory.write("ledger_3-4.committed.ignored", try six().chunk(3...4))
        case ".recovery chunk ignored by default (expect 2 txs)":
            try one()
            try directory.write("ledger_3-4.committed.recovery", try six().chunk(3...4))
        case "0-byte open file": try openTail { $0 = [] }
        case "3 stray bytes at end of open file": try openTail { $0 += [1, 2, 3] }
        case "8-zero-byte open file": try openTail { $0 = [UInt8](repeating: 0, count: 8) }
        case "open file preallocated with zero tail": try openTail { $0 += [UInt8](repeating: 0, count: 4096) }
        case "torn last entry in open file": try openTail { $0.removeLast(10) }
        case "committed after uncommitted open-ended":
            let ledger = try six()
            try directory.write("ledger_1", ledger.chunk(1...2, isComplete: false))
            try directory.write("ledger_3-6.committed", ledger.chunk(3...6))
        case "committed chunk not ending on a signature":
            let ledger = try six()
            try directory.write("ledger_1-3.committed", ledger.chunk(1...3))
            try directory.write("ledger_4-6.committed", ledger.chunk(4...6))
        case "complete but not committed middle chunk":
            let ledger = try six()
            try directory.write("ledger_1-2.committed", ledger.chunk(1...2))
            try directory.write("ledger_3-4", ledger.chunk(3...4))
            try directory.write("ledger_5", ledger.chunk(5...6, isComplete: false))
        case "directory named like the open chunk (expect 4 txs)":
            let ledger = try six()
            try directory.makeDirectory("ledger_5")
            path = directory.path + "/ledger_5"
            try directory.write("ledger_5/ledger_1-2.committed", ledger.chunk(1...2))
            try directory.write("ledger_5/ledger_3-4.committed", ledger.chunk(3...4))
            try directory.write("ledger_5/ledger_5", ledger.chunk(5...6, isComplete: false))
        case "dot file, uncommitted read":
            try one()
            try directory.write(".lock", [])
        case "foreign file, uncommitted read":
            try one()
            try directory.write("manifest.json", [])
        case "foreign file, committed read":
            try one()
            try directory.write("manifest.json", [])
            options.includeOpen = false
        case "sub-directory in ledger dir, uncommitted read":
            try one()
            try directory.makeDirectory("sub")
        case "first chunk missing": try directory.write("ledger_3-6.committed", try six().chunk(3...6))
        case "gap in names":
            let ledger = try six()
            try directory.write("ledger_1-2.committed", ledger.chunk(1...2))
            try directory.write("ledger_5-6.committed", ledger.chunk(5...6))
        case "name range larger than positions":
            try directory.write("ledger_1-3.committed", try six().chunk(1...2))
        case "two chunks + open file": try openTail { _ in }

        // Entries
        case "entry type 0 accepted by default":
            options.allowDeprecatedEntries = true
            try deprecated(0)
        case "entry type 0, deprecated refused": try deprecated(0)
        case "entry type 3 accepted by default":
            options.allowDeprecatedEntries = true
            try deprecated(3)
        case "non-zero read count":
            try middle { $0[125 + 8 + MapName.publicLogs.rawValue.utf8.count + 8] = 1 }
        case "normal tx with wrong GCM seqno": try middle { $0[24] ^= 1 }
        case "normal tx with wrong public version": try middle { $0[45] ^= 1 }
        case "tx header flags 0x03": try middle { $0[1] = 3 }
        case "tx header flags 0x04": try middle { $0[1] = 4 }
        case "tx header version 2": try middle { $0[0] = 2 }

        // Tables
        case "endorsed_certificates absent":
            try one(genesis: { $0.maps.removeAll { $0.name == .nodesEndorsedCertificates } })
        case "nodes.info absent": try one(genesis: { $0.maps.removeAll { $0.name == .nodesInfo } })
        case "service.info absent, COSE present": try one(genesis: { $0.maps.removeAll { $0.name == .serviceInfo } })
        case "service.info absent, raw only":
            try one({ $0.hasCOSE = false }, genesis: { $0.maps.removeAll { $0.name == .serviceInfo } })
        case "node status Pending": try one(genesis: node("Pending"))
        case "node status Retired": try one(genesis: node("Retired"))
        case "node status unknown string": try one(genesis: node("TRUSTED"))
        case "first status Open": try statuses(["Open"])
        case "first status Recovering": try statuses(["Recovering"])
        case "unknown status string first": try statuses(["Somehow"])
        case "Opening->Open": try statuses(["Opening", "Open"])
        case "Opening->Recovering": try statuses(["Opening", "Recovering"])
        case "Open->WaitingForRecoveryShares": try statuses(["Open", "WaitingForRecoveryShares"])
        case "Open->Recovering->WaitingForRecoveryShares->Open":
            try statuses(["Open", "Recovering", "WaitingForRecoveryShares", "Open"])

        // Signatures
        case "minimal: 3 tables + dual signature": try one()
        case "P-256 service and node keys":
            let ledger = try TestLedger(.small())
            try directory.write("ledger_1-2.committed", ledger.chunk(1...2))
        case "no signature at all":
            try directory.write("ledger_1-1.committed", try six().chunk(1...1))
        case "no tree table": try one { $0.hasTree = false }
        case "raw signature only": try one { $0.hasCOSE = false }
        case "claims digest on a signature tx": try one { $0.claims = SHA256Hashing.digest([1]) }
        case "raw sig as r||s instead of DER": try one { $0.raw = { try $0.prehashedRaw($1) } }
        case "raw sig over SHA-384(root)": try one { $0.raw = { try $0.hashed($1.bytes).der } }
        case "root of empty tree recorded": try one { $0.recordedRoot = .zero }
        case "sig JSON only required fields":
            try row { row in
                for name in ["cert", "commit_seqno", "commit_view", "hashed_nonce"] { row[name] = nil }
            }
        case "sig JSON without cert": try row { $0["cert"] = nil }
        case "sig JSON seqno as string": try row { $0["seqno"] = .string("2") }
        case "sig JSON seqno wrong": try row { $0["seqno"] = .integer(3) }
        case "sig JSON view wrong": try row { $0["view"] = .integer(3) }
        case "sig JSON with other node's cert": try row { $0["cert"] = .string(SmallIdentity.nodeCertificate) }
        case "COSE signature only": try one { $0.hasRaw = false }
        case "COSE kid as raw 32 bytes": try one { $0.keyID = .bytes }
        case "COSE without kid": try one { $0.keyID = .none }
        case "COSE signature DER encoded": try one { $0.coseDER = true }
        case "COSE txid differs from entry": try one { $0.coseTransaction = "2.3" }
        case "COSE untagged": try one { $0.isTagged = false }
        case "COSE with attached (other) payload": try one { $0.payload = [1, 2, 3] }
        case "COSE without ccf.v1": try one { $0.hasLedgerClaim = false }
        default: Issue.record("no builder for this variant")
        }
    }
}
