import Foundation
import LedgerProofs
import Testing

@testable import LedgerFormat

/// The ledgers of the vectors against the recorded results of CCF's own tool.
@Suite struct DirectoryVectorTests {
    func verify(_ ledger: String) -> LedgerVerificationReport { verify(ledger) { _ in } }

    func verify(
        _ ledger: String, _ change: (inout LedgerVerificationOptions) throws -> Void
    ) rethrows -> LedgerVerificationReport {
        var options = LedgerVerificationOptions()
        try change(&options)
        return LedgerDirectoryVerifier(path: Vectors.directory.appending(path: ledger).path, options: options).verify()
    }

    @Test(arguments: ["ledger", "ledger_raw_only", "ledger_cose_only", "ledger_recovered"])
    func everyLedgerVerifies(ledger: String) throws {
        let expected = try Vectors.json("expected.json")["validation"][ledger]
        let report = try verify(ledger) { $0.secrets = try Vectors.secrets(recovered: ledger == "ledger_recovered") }
        #expect(report.findings == [])
        #expect(report.outcome == .ok)
        #expect(report.transactions == UInt64(expected["transactions"].number))
        let signatures = expected["signatures"]
        #expect(
            report.verifiedSignatureTransactions
                == UInt64(max(signatures.number, signatures["ccf_7.0.22"].number)))
        let verifiedTo = expected["verified_to"]
        #expect(
            report.verifiedTo?.description
                == (verifiedTo.text.isEmpty ? verifiedTo["ccf_7.0.22"].text : verifiedTo.text))
        #expect(report.serviceStatus == expected["service_status"].text)
        #expect(report.rawSignatures == (ledger == "ledger_cose_only" ? 0 : report.verifiedSignatureTransactions))
        #expect(report.coseSignatures == (ledger == "ledger_raw_only" ? 0 : report.verifiedSignatureTransactions))
    }

    @Test func committedOnly() throws {
        let report = verify("ledger") { $0.includeOpen = false }
        #expect(report.outcome == .ok)
        #expect(report.transactions == 20)
        #expect(report.verifiedSignatureTransactions == 5)
        #expect(report.verifiedTo?.description == "2.20")
        #expect(report.unsignedTail == 0)
    }

    @Test func tailIsCounted() throws {
        let report = verify("ledger")
        #expect(report.unsignedTail == 1)
        #expect(report.lastTransaction?.description == "2.32")
        #expect(report.notes.contains { $0.hasPrefix("GCM tags") })
    }

    @Test func smallWindowsGiveTheSameReport() throws {
        for window in [1, 7, 64, 1000, 10_007] {
            let report = verify("ledger") { $0.windowByteCount = window }
            #expect(report.outcome == .ok, "\(report.findings)")
            #expect(report.transactions == 32)
        }
    }

    @Test func pinnedServiceCertificate() throws {
        let keys = try Vectors.json("keys.json")
        let old = keys["service"]["cert_pem"].text
        let new = keys["recovered_service"]["cert_pem"].text
        #expect(verify("ledger") { $0.expectedServiceCertificatePEM = old }.outcome == .ok)
        #expect(verify("ledger_recovered") { $0.expectedServiceCertificatePEM = new }.outcome == .ok)
        for report in [
            verify("ledger") { $0.expectedServiceCertificatePEM = new },
            verify("ledger_recovered") { $0.expectedServiceCertificatePEM = old },
        ] {
            #expect(report.outcome == .failed)
            #expect(report.findings.map(\.code) == [.serviceCertificate])
        }
        #expect(verify("ledger").serviceKeyID == keys["service"]["kid"].text)
    }

    @Test func wrongSecret() throws {
        let report = verify("ledger") { $0.secrets = LedgerSecrets(.random()) }
        #expect(report.outcome == .failed)
        #expect(report.findings.filter { $0.code == .authentication }.count == 32)
        #expect(report.findings.filter { $0.code == .commitEvidence }.count == 32)
        #expect(report.findings.count == 64)
    }

    @Test func missingAndEmptyDirectories() throws {
        #expect(verify("no such ledger").outcome == .unableToTell)
        #expect(verify("no such ledger").findings.map(\.code) == [.unreadable])
        let empty = try TemporaryDirectory()
        let report = LedgerDirectoryVerifier(path: empty.path).verify()
        #expect(report.outcome == .unableToTell)
        #expect(report.findings == [])
    }

    /// Every one-byte change of the vectors. What either version of CCF's tool refuses, we refuse; and we refuse
    /// the rest too when the bytes can tell.
    @Test(arguments: [false, true])
    func tamper(withSecret: Bool) throws {
        var extra: [String] = []
        var accepted: [String] = []
        for item in try Vectors.json("expected.json")["tamper"].list {
            let directory = try TemporaryDirectory(copyOf: "ledger")
            let file = item["file"].text
            try directory.change(file) { $0[item["offset"].number] ^= UInt8(item["xor"].number) }
            var options = LedgerVerificationOptions()
            if withSecret { options.secrets = try Vectors.secrets() }
            let report = LedgerDirectoryVerifier(path: directory.path, options: options).verify()
            let isFine = report.outcome == .ok && report.verifiedTo?.description == "2.31"
            let name = "\(item["region"].text) @\(item["offset"].number)"
            if item["ccf_6.0.28"].text == "reject" || item["ccf_7.0.22"].text == "reject" {
                #expect(!isFine, "\(name)")
            } else if isFine {
                accepted.append(name)
            } else {
                extra.append(name)
            }
            if !isFine { #expect(report.outcome == .failed, "\(name)") }
        }
        // Without the secret, nothing in the files can tell a changed tag of the uncovered transactions, nor a
        // later view in the last one.
        let open = [
            "tx31 gcm.tag @4305", "tx31 gcm.tag @4312", "tx32 gcm.tag @6448", "tx32 gcm.tag @6455",
            "tx32 gcm.iv @6467",
        ]
        #expect(accepted == (withSecret ? [] : open))
        #expect(extra.count == (withSecret ? 8 : 3))
    }

    @Test func everyByteOfTheCommittedChunks() throws {
        // Both committed chunks are covered by a later signature, so no changed byte may pass.
        let directory = try TemporaryDirectory(copyOf: "ledger")
        for file in ["ledger_1-10.committed", "ledger_11-20.committed"] {
            let original = try directory.bytes(file)
            for offset in stride(from: 0, to: original.count, by: 401) {
                var changed = original
                changed[offset] ^= 0x10
                try directory.write(file, changed)
                let report = LedgerDirectoryVerifier(path: directory.path).verify()
                #expect(report.outcome == .failed, "\(file) byte \(offset)")
            }
            try directory.write(file, original)
        }
    }
}
